//! The one call of another program.

use core::mem::MaybeUninit;

use anchor_lang::{
    pinocchio::{
        cpi::{CpiAccount, Seed, Signer, invoke_signed_unchecked},
        instruction::{InstructionAccount, InstructionView},
    },
    prelude::*,
};

use crate::error::CommonError;

/// The most seeds, bump included, of an address that signs here.
pub const MAX_SEEDS: usize = 8;

/// The most accounts of a call.
pub const MAX_ACCOUNTS: usize = 16;

/// Calls `program`. A failing callee ends the whole transaction. `seeds`, bump last, sign for an address of the calling
/// program; empty when only the transaction's own signers are needed.
///
/// The call does not look at the borrow flags that Anchor keeps on loaded accounts: see to it that no reference into the
/// data of an account that the callee writes is used across the call.
///
/// # Errors
/// [`CommonError::TooManySeeds`], [`CommonError::TooManyAccounts`].
pub fn invoke<const N: usize>(
    program: &Address,
    data: &[u8],
    metas: &[InstructionAccount<'_>; N],
    views: &[&AccountView; N],
    seeds: &[&[u8]],
) -> Result<()> {
    Call { program, data, metas, views, seeds }.send()
}

/// A call's parts, in memory: the chain's target passes five arguments in registers, and inlines what has more.
struct Call<'a> {
    program: &'a Address,
    data: &'a [u8],
    metas: &'a [InstructionAccount<'a>],
    views: &'a [&'a AccountView],
    seeds: &'a [&'a [u8]],
}

impl Call<'_> {
    #[inline(never)]
    fn send(&self) -> Result<()> {
        let instruction = InstructionView { program_id: self.program, data: self.data, accounts: self.metas };
        let mut accounts = [const { MaybeUninit::<CpiAccount<'_>>::uninit() }; MAX_ACCOUNTS];
        let accounts = accounts.get_mut(..self.views.len()).ok_or(CommonError::TooManyAccounts)?;
        for (account, view) in accounts.iter_mut().zip(self.views) {
            account.write(CpiAccount::from(*view));
        }
        // SAFETY: each of them was written just now.
        let accounts = unsafe { core::slice::from_raw_parts(accounts.as_ptr().cast(), accounts.len()) };
        let mut parts: [Seed<'_>; MAX_SEEDS] = core::array::from_fn(|_| Seed::from(&[][..]));
        let parts = parts.get_mut(..self.seeds.len()).ok_or(CommonError::TooManySeeds)?;
        for (part, seed) in parts.iter_mut().zip(self.seeds) {
            *part = Seed::from(*seed);
        }
        let signer = [Signer::from(&*parts)];
        let signers = if self.seeds.is_empty() { &signer[..0] } else { &signer[..] };
        // SAFETY: typed accounts keep raw pointers and read or write through them only in `Deref` and `DerefMut`, before or
        // after this call; the callees that programs here have (System, the token programs, Token Metadata, each other's
        // programs) write no account that the caller holds a Rust reference into, as `invoke`'s documentation demands.
        unsafe { invoke_signed_unchecked(&instruction, accounts, signers) };
        Ok(())
    }
}

/// Writes `bytes` into an instruction's data at `at`.
///
/// # Errors
/// [`CommonError::Overflow`] beyond the end.
pub fn write(data: &mut [u8], at: usize, bytes: &[u8]) -> Result<()> {
    let end = at.checked_add(bytes.len()).ok_or(CommonError::Overflow)?;
    data.get_mut(at..end).ok_or(CommonError::Overflow)?.copy_from_slice(bytes);
    Ok(())
}
