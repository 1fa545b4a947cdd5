//! Moving money: hand-built calls of the SPL Token and System programs, and lamports of the program's own accounts.
//!
//! The calls bypass the borrow flags that Anchor keeps on loaded accounts. That is sound here because neither program
//! writes the data of an account that a handler holds a typed reference to: token accounts are only ever untyped views.

use anchor_lang::{
    pinocchio::{
        cpi::{CpiAccount, Seed, Signer as CpiSigner, invoke_signed_unchecked},
        instruction::{InstructionAccount, InstructionView},
    },
    prelude::*,
};

use crate::{
    amount::Amount,
    constants::{NATIVE_MINT, TOKEN_PROGRAM, seeds},
    error::RoyaltyError,
    state::PoolMint,
};

const TOKEN_TRANSFER: u8 = 3;
const TOKEN_INITIALIZE_ACCOUNT_3: u8 = 18;
const SYSTEM_TRANSFER: u8 = 2;

/// Size of an SPL Token account.
pub const TOKEN_ACCOUNT_LEN: usize = 165;
/// Size of an SPL Token mint.
pub const MINT_LEN: usize = 82;
/// Where the amount lies in a token account.
const AMOUNT_OFFSET: usize = 64;

/// The three accounts that a payment in tokens needs and a payment in SOL does not.
#[derive(Clone, Copy)]
pub struct TokenLeg<'a> {
    pub vault: &'a AccountView,
}

/// Checks that vault and token program are the ones of a token's pool mint.
///
/// Errors: [`RoyaltyError::MissingTokenAccount`], [`RoyaltyError::WrongVault`], [`RoyaltyError::WrongTokenProgram`].
pub fn token_leg<'a>(
    pool_mint: &PoolMint,
    vault: Option<&'a UncheckedAccount>,
    token_program: Option<&UncheckedAccount>,
) -> Result<TokenLeg<'a>> {
    let vault = checked_vault(pool_mint, vault)?;
    let program = token_program.ok_or(RoyaltyError::MissingTokenAccount)?;
    require!(*program.address() == TOKEN_PROGRAM, RoyaltyError::WrongTokenProgram);
    Ok(TokenLeg { vault })
}

/// Checks that a vault is the one of a token's pool mint.
pub fn checked_vault<'a>(pool_mint: &PoolMint, vault: Option<&'a UncheckedAccount>) -> Result<&'a AccountView> {
    let vault = vault.ok_or(RoyaltyError::MissingTokenAccount)?;
    require!(*vault.address() == pool_mint.vault, RoyaltyError::WrongVault);
    Ok(vault.account())
}

/// The amount that a token account of the SPL Token program holds.
pub fn token_amount(account: &AccountView) -> Result<Amount> {
    let data = account.try_borrow()?;
    let bytes = data.get(AMOUNT_OFFSET..).and_then(|tail| tail.first_chunk::<8>());
    let bytes = bytes.ok_or(RoyaltyError::WrongVault)?;
    Ok(Amount(u64::from_le_bytes(*bytes)))
}

/// Revenue in SOL that a pool mint's account holds: its lamports above `rent`.
pub fn native_balance(pool_mint: &Account<PoolMint>) -> Amount {
    Amount(pool_mint.account().lamports().saturating_sub(pool_mint.rent))
}

/// Moves lamports out of an account of this program.
pub fn move_lamports(from: &AccountView, to: &AccountView, amount: Amount) -> Result<()> {
    let (mut from, mut to) = (*from, *to);
    let left = Amount(from.lamports()).minus(amount)?;
    from.set_lamports(left.0);
    // Read after the first write, so that nothing is created when both are the same account.
    let grown = Amount(to.lamports()).plus(amount)?;
    to.set_lamports(grown.0);
    Ok(())
}

/// Transfers lamports of a signing wallet.
pub fn transfer_lamports(from: &AccountView, to: &AccountView, amount: Amount) {
    let mut data = [0u8; 12];
    data[0] = SYSTEM_TRANSFER;
    data[4..].copy_from_slice(&amount.0.to_le_bytes());
    let metas = [InstructionAccount::writable_signer(from.address()), InstructionAccount::writable(to.address())];
    invoke(&NATIVE_MINT, &data, &metas, [from, to], &[]);
}

/// Transfers tokens on a wallet's signature.
pub fn transfer_tokens(from: &AccountView, to: &AccountView, authority: &AccountView, amount: Amount) {
    token_transfer(from, to, authority, amount, &[]);
}

/// Transfers tokens out of a pool mint's vault.
pub fn transfer_from_vault(vault: &AccountView, to: &AccountView, pool_mint: &Account<PoolMint>, amount: Amount) {
    let bump = [pool_mint.bump];
    let signer = [
        Seed::from(seeds::POOL_MINT),
        Seed::from(pool_mint.pool.as_ref()),
        Seed::from(pool_mint.mint.as_ref()),
        Seed::from(&bump),
    ];
    token_transfer(vault, to, pool_mint.account(), amount, &[CpiSigner::from(&signer)]);
}

/// Turns a fresh account of the token program into a token account.
pub fn initialize_token_account(account: &AccountView, mint: &AccountView, owner: &Address) {
    let mut data = [TOKEN_INITIALIZE_ACCOUNT_3; 33];
    data[1..].copy_from_slice(owner.as_ref());
    let metas = [InstructionAccount::writable(account.address()), InstructionAccount::readonly(mint.address())];
    invoke(&TOKEN_PROGRAM, &data, &metas, [account, mint], &[]);
}

fn token_transfer(
    from: &AccountView,
    to: &AccountView,
    authority: &AccountView,
    amount: Amount,
    signers: &[CpiSigner],
) {
    let mut data = [TOKEN_TRANSFER; 9];
    data[1..].copy_from_slice(&amount.0.to_le_bytes());
    let metas = [
        InstructionAccount::writable(from.address()),
        InstructionAccount::writable(to.address()),
        InstructionAccount::readonly_signer(authority.address()),
    ];
    invoke(&TOKEN_PROGRAM, &data, &metas, [from, to, authority], signers);
}

/// Calls a program. A failing callee ends the whole transaction.
///
/// For the programs of this workspace only: the caller sees to it that the callee writes no account whose data a typed
/// reference is being used for across the call.
pub fn invoke<const N: usize>(
    program: &Address,
    data: &[u8],
    metas: &[InstructionAccount; N],
    accounts: [&AccountView; N],
    signers: &[CpiSigner],
) {
    let instruction = InstructionView { program_id: program, data, accounts: metas };
    let accounts = accounts.map(CpiAccount::from);
    // SAFETY: no typed reference into these accounts' data is alive in a place that the callee writes; see the module's
    // introduction.
    unsafe { invoke_signed_unchecked(&instruction, &accounts, signers) };
}
