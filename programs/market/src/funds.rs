//! Every way in which money moves, each small enough to check by eye.

use anchor_lang::prelude::*;
use pinocchio::cpi::{CpiAccount, Seed, Signer as CpiSigner, invoke_signed_unchecked};
use pinocchio::instruction::{InstructionAccount, InstructionView};

use crate::constants::WALLET_MINIMUM;
use crate::error::MarketError;
use crate::fees::Amount;

/// Moves lamports out of an account of this program. Errors: `Overflow` when `from` holds less or `to` would overflow.
pub fn move_lamports(from: &AccountView, to: &AccountView, amount: Amount) -> Result<()> {
    if amount.0 == 0 || from.address() == to.address() {
        return Ok(());
    }
    let (mut from, mut to) = (*from, *to);
    let left = Amount(from.lamports()).minus(amount)?;
    let sum = Amount(to.lamports()).plus(amount)?;
    from.set_lamports(left.0);
    to.set_lamports(sum.0);
    Ok(())
}

/// Whether a wallet would be exempt from rent after receiving `amount`. The runtime refuses a transaction that leaves
/// it otherwise, and a receiver with an empty wallet must not be able to block everybody else.
pub fn can_receive(wallet: &AccountView, amount: Amount) -> bool {
    wallet.lamports().saturating_add(amount.0) >= WALLET_MINIMUM
}

/// Pays lamports to a wallet, or to `fallback` when the wallet could not hold them.
pub fn pay(from: &AccountView, wallet: &AccountView, fallback: &AccountView, amount: Amount) -> Result<()> {
    let to = if can_receive(wallet, amount) { wallet } else { fallback };
    move_lamports(from, to, amount)
}

/// Creates an account of this program at the address of `seeds`, with `extra` lamports above its rent, in one call
/// where the address is empty. Lamports that somebody sent there before stay. Errors: `WrongPda`.
pub fn create_account(
    payer: &AccountView,
    target: &AccountView,
    space: usize,
    owner: &Address,
    extra: Amount,
    seeds: &[&[u8]],
) -> Result<()> {
    // Only the first bump that works will do: clients look nowhere else, and an account that they cannot find could be
    // neither settled nor timed out by them.
    let [seeds_before @ .., bump] = seeds else { return Err(MarketError::WrongPda.into()) };
    let (address, canonical) = find_program_address(seeds_before, &crate::ID);
    require!(*target.address() == address && **bump == [canonical], MarketError::WrongPda);
    let rent = Amount(anchor_lang::cpi::rent_exempt_lamports(space)?);
    if target.lamports() > 0 {
        // Somebody sent lamports to the address: the system program refuses to create it in one step.
        anchor_lang::create_account_signed(payer, target, space, owner, seeds)?;
        return transfer_from_wallet(payer, target, extra);
    }
    let mut data = [0u8; 52];
    let lamports = rent.plus(extra)?.0;
    let space = u64::try_from(space).map_err(|_| MarketError::Overflow)?;
    write(&mut data, 4, &lamports.to_le_bytes())?;
    write(&mut data, 12, &space.to_le_bytes())?;
    write(&mut data, 20, owner.as_ref())?;
    let metas =
        [InstructionAccount::writable_signer(payer.address()), InstructionAccount::writable_signer(target.address())];
    call(&System::id(), &data, &metas, &[payer, target], seeds)
}

/// Moves lamports out of a signing wallet.
pub fn transfer_from_wallet(wallet: &AccountView, to: &AccountView, amount: Amount) -> Result<()> {
    if amount.0 == 0 {
        return Ok(());
    }
    let mut data = [0u8; 12];
    write(&mut data, 0, &2u32.to_le_bytes())?;
    write(&mut data, 4, &amount.0.to_le_bytes())?;
    let metas = [InstructionAccount::writable_signer(wallet.address()), InstructionAccount::writable(to.address())];
    call(&System::id(), &data, &metas, &[wallet, to], &[])
}

/// Makes a fresh account of the token program hold `mint` for `owner`.
pub fn initialize_token_account(account: &AccountView, mint: &AccountView, owner: &Address) -> Result<()> {
    let mut data = [0u8; 33];
    write(&mut data, 0, &[18])?;
    write(&mut data, 1, owner.as_ref())?;
    let metas = [InstructionAccount::writable(account.address()), InstructionAccount::readonly(mint.address())];
    call(&Token::id(), &data, &metas, &[account, mint], &[])
}

/// Moves tokens. `seeds` sign for the authority where it is an account of this program.
pub fn transfer_tokens(
    from: &AccountView,
    to: &AccountView,
    authority: &AccountView,
    amount: Amount,
    seeds: &[&[u8]],
) -> Result<()> {
    if amount.0 == 0 {
        return Ok(());
    }
    let mut data = [0u8; 9];
    write(&mut data, 0, &[3])?;
    write(&mut data, 1, &amount.0.to_le_bytes())?;
    let metas = [
        InstructionAccount::writable(from.address()),
        InstructionAccount::writable(to.address()),
        InstructionAccount::readonly_signer(authority.address()),
    ];
    call(&Token::id(), &data, &metas, &[from, to, authority], seeds)
}

/// Closes an empty token account and sends its rent to `to`.
pub fn close_token_account(
    account: &AccountView,
    to: &AccountView,
    authority: &AccountView,
    seeds: &[&[u8]],
) -> Result<()> {
    let metas = [
        InstructionAccount::writable(account.address()),
        InstructionAccount::writable(to.address()),
        InstructionAccount::readonly_signer(authority.address()),
    ];
    call(&Token::id(), &[9], &metas, &[account, to, authority], seeds)
}

/// Asks the royalty program to book what has arrived. `job` goes along because the runtime compares the sum of the
/// lamports that this program moved before the call.
pub fn sync_royalty(
    pool_mint: &AccountView,
    vault: Option<&AccountView>,
    royalty_program: &AccountView,
    job: &AccountView,
) -> Result<()> {
    let vault = vault.unwrap_or(royalty_program);
    let metas = [
        InstructionAccount::writable(pool_mint.address()),
        InstructionAccount::readonly(vault.address()),
        InstructionAccount::readonly(job.address()),
    ];
    let data = <provena_royalty::instruction::Sync as Discriminator>::DISCRIMINATOR;
    call(&provena_royalty::ID, data, &metas, &[pool_mint, vault, job], &[])
}

fn write(data: &mut [u8], at: usize, bytes: &[u8]) -> Result<()> {
    let end = at.checked_add(bytes.len()).ok_or(MarketError::Overflow)?;
    data.get_mut(at..end).ok_or(MarketError::Overflow)?.copy_from_slice(bytes);
    Ok(())
}

fn call<const N: usize>(
    program: &Address,
    data: &[u8],
    metas: &[InstructionAccount; N],
    views: &[&AccountView; N],
    seeds: &[&[u8]],
) -> Result<()> {
    const MAX_SEEDS: usize = 6;
    let instruction = InstructionView { program_id: program, data, accounts: metas };
    let accounts = views.map(CpiAccount::from);
    let mut parts: [Seed; MAX_SEEDS] = core::array::from_fn(|_| Seed::from(&[][..]));
    for (part, seed) in parts.iter_mut().zip(seeds) {
        *part = Seed::from(*seed);
    }
    let parts = parts.get(..seeds.len()).ok_or(MarketError::Overflow)?;
    let signer = [CpiSigner::from(parts)];
    let signers = if seeds.is_empty() { &signer[..0] } else { &signer[..] };
    // SAFETY: no reference into any account's data lives across the call: typed accounts keep raw pointers and are
    // only read or written through `Deref` before and after it, and the callees write no account that this program
    // has typed, other than accounts it has just created.
    unsafe { invoke_signed_unchecked(&instruction, &accounts, signers) };
    Ok(())
}
