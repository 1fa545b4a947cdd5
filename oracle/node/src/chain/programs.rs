//! The programs' names and their errors' texts, taken from the program crates.

use solana_pubkey::Pubkey;

/// A program's name, when it is one of ours.
#[must_use]
pub fn name(program: &Pubkey) -> Option<&'static str> {
    match *program {
        provena_registry::ID => Some("registry"),
        provena_royalty::ID => Some("royalty"),
        provena_market::ID => Some("market"),
        _ => None,
    }
}

/// The name and the message of one of our programs' errors.
#[must_use]
pub fn describe_error(program: &Pubkey, code: u32) -> Option<(&'static str, &'static str)> {
    match *program {
        provena_registry::ID => provena_registry::error::describe(code),
        provena_royalty::ID => provena_royalty::error::describe(code),
        provena_market::ID => provena_market::error::describe(code),
        _ => None,
    }
}
