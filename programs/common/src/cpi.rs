//! The one call of another program.

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

/// Calls `program`. A failing callee ends the whole transaction. `seeds`, bump last, sign for an address of the calling
/// program; empty when only the transaction's own signers are needed.
///
/// The call does not look at the borrow flags that Anchor keeps on loaded accounts: see to it that no reference into the
/// data of an account that the callee writes is used across the call.
///
/// # Errors
/// [`CommonError::TooManySeeds`].
pub fn invoke<const N: usize>(
    program: &Address,
    data: &[u8],
    metas: &[InstructionAccount<'_>; N],
    views: &[&AccountView; N],
    seeds: &[&[u8]],
) -> Result<()> {
    let instruction = InstructionView { program_id: program, data, accounts: metas };
    let accounts = views.map(CpiAccount::from);
    let mut parts: [Seed<'_>; MAX_SEEDS] = core::array::from_fn(|_| Seed::from(&[][..]));
    let parts = parts.get_mut(..seeds.len()).ok_or(CommonError::TooManySeeds)?;
    for (part, seed) in parts.iter_mut().zip(seeds) {
        *part = Seed::from(*seed);
    }
    let signer = [Signer::from(&*parts)];
    let signers = if seeds.is_empty() { &signer[..0] } else { &signer[..] };
    // SAFETY: typed accounts keep raw pointers and read or write through them only in `Deref` and `DerefMut`, before or after
    // this call; the callees that programs here have (System, the token programs, Token Metadata, each other's programs) write
    // no account that the caller holds a Rust reference into, as this function's documentation demands.
    unsafe { invoke_signed_unchecked(&instruction, &accounts, signers) };
    Ok(())
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
