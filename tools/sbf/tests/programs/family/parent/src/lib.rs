//! A program that is also a library for others.
#![cfg(target_os = "solana")]

use solana_compiler_builtins as _;

/// What both programs reckon.
#[inline(never)]
pub fn accounts_given(input: *const u64) -> u64 {
    // SAFETY: the VM's loader puts the number of accounts first.
    unsafe { input.read() }
}

/// Succeeds if it is given no accounts.
///
/// # Safety
/// `input` points to what the VM's loader serialises.
#[cfg(not(feature = "no-entrypoint"))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entrypoint(input: *const u64) -> u64 {
    accounts_given(input)
}
