//! A program that uses another one's library.
#![cfg(target_os = "solana")]

use solana_compiler_builtins as _;

/// Fails with 7 if it is given no accounts.
///
/// # Safety
/// `input` points to what the VM's loader serialises.
#[cfg(not(feature = "no-entrypoint"))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entrypoint(input: *const u64) -> u64 {
    family_parent::accounts_given(input) + 7
}
