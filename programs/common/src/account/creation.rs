//! Creating accounts at derived addresses, and closing them.

use anchor_lang::{address_eq, pinocchio::instruction::InstructionAccount, prelude::*};

use super::{DISCRIMINATOR_LEN, Layout, State};
use crate::{
    amount::Amount,
    cpi::{MAX_SEEDS, invoke, write},
    error::CommonError,
    money,
};

const SYSTEM_CREATE_ACCOUNT: u32 = 0;

/// An account to be created at a derived address.
pub struct NewAccount<'a> {
    /// Signed; pays rent and `extra`.
    pub payer: &'a AccountView,
    /// The account.
    pub account: &'a AccountView,
    /// The calling program, whose address it is.
    pub program: &'a Address,
    /// The program that will own it; a token program for token accounts.
    pub owner: &'a Address,
    /// Seeds of the address, without the bump.
    pub seeds: &'a [&'a [u8]],
    /// Bytes.
    pub len: usize,
    /// Lamports above its rent.
    pub extra: Amount,
}

impl NewAccount<'_> {
    /// Creates it, zeroed, and returns the bump: the canonical one, because clients look nowhere else. Works also where
    /// somebody sent lamports to the address before; they count towards the rent and stay.
    ///
    /// # Errors
    /// [`CommonError::WrongPda`], [`CommonError::TooManySeeds`]; the System program's where the account exists already.
    #[inline(never)]
    pub fn create(&self) -> Result<u8> {
        let (address, bump) = find_program_address(self.seeds, self.program);
        require!(address_eq(self.account.address(), &address), CommonError::WrongPda);
        let bump_seed = [bump];
        let mut seeds: [&[u8]; MAX_SEEDS] = [&[]; MAX_SEEDS];
        let count = self.seeds.len().checked_add(1).ok_or(CommonError::TooManySeeds)?;
        let seeds = seeds.get_mut(..count).ok_or(CommonError::TooManySeeds)?;
        for (seed, given) in seeds.iter_mut().zip(self.seeds.iter().copied().chain([&bump_seed[..]])) {
            *seed = given;
        }
        if self.account.lamports() > 0 {
            // The System program refuses to create an account that has lamports in one step.
            create_account_signed(self.payer, self.account, self.len, self.owner, seeds)?;
            money::transfer_from_wallet(self.payer, self.account, self.extra)?;
        } else {
            self.create_empty(seeds)?;
        }
        Ok(bump)
    }

    /// Creates an account of ours, writes its discriminator and loads it. Fill it, its `version` included.
    ///
    /// # Errors
    /// Those of [`NewAccount::create`].
    pub fn create_state<H: Layout, T>(&self) -> Result<(State<H, T>, u8)> {
        let bump = self.create()?;
        let mut view = *self.account;
        view.try_borrow_mut()?
            .get_mut(..DISCRIMINATOR_LEN)
            .ok_or(CommonError::AccountLength)?
            .copy_from_slice(H::DISCRIMINATOR);
        // SAFETY: the account was created just now, so that nothing else refers to its data; its size is checked.
        let state = unsafe { State::load_mut_after_init(view) }?;
        Ok((state, bump))
    }

    fn create_empty(&self, seeds: &[&[u8]]) -> Result<()> {
        let lamports = money::rent(self.len)?.plus(self.extra)?;
        let len = u64::try_from(self.len).map_err(|_| CommonError::Overflow)?;
        let mut data = [0u8; 52];
        write(&mut data, 0, &SYSTEM_CREATE_ACCOUNT.to_le_bytes())?;
        write(&mut data, 4, &lamports.0.to_le_bytes())?;
        write(&mut data, 12, &len.to_le_bytes())?;
        write(&mut data, 20, self.owner.as_ref())?;
        let metas = [
            InstructionAccount::writable_signer(self.payer.address()),
            InstructionAccount::writable_signer(self.account.address()),
        ];
        invoke(&System::id(), &data, &metas, &[self.payer, self.account], seeds)
    }
}

/// Creates an account without items of the program that owns its layout, at the address of `seeds` (without the bump), and
/// returns it with its bump. Fill it, its `version` included.
///
/// # Errors
/// Those of [`NewAccount::create`].
pub fn create<H: Layout>(payer: &AccountView, account: &AccountView, seeds: &[&[u8]]) -> Result<(State<H>, u8)> {
    let program = H::OWNER;
    let len = <State<H>>::space(0);
    NewAccount { payer, account, program: &program, owner: &program, seeds, len, extra: Amount::ZERO }.create_state()
}

/// Closes an account of the calling program and sends all its lamports to `to`; returns how many. The caller has checked
/// that nothing else lies in it. Do not write to the account afterwards.
///
/// # Errors
/// [`CommonError::WrongAccount`] when both are the same account, `Overflow`.
#[inline(never)]
pub fn close(account: &AccountView, to: &AccountView) -> Result<Amount> {
    require!(!address_eq(account.address(), to.address()), CommonError::WrongAccount);
    let lamports = Amount(account.lamports());
    money::move_lamports(account, to, lamports)?;
    let mut account = *account;
    // SAFETY: the calling program owns the account, and the caller writes to it no more. The discriminator is scrubbed so
    // that an account revived within the transaction cannot be read as what it was.
    unsafe {
        if let Some(discriminator) = account.borrow_unchecked_mut().get_mut(..DISCRIMINATOR_LEN) {
            discriminator.fill(u8::MAX);
        }
        account.close_unchecked();
    }
    Ok(lamports)
}
