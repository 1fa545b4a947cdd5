//! The programs' names and their errors' texts, taken from the program crates.

use provena_common::token::{TOKEN_2022_PROGRAM, TOKEN_PROGRAM};
use solana_pubkey::Pubkey;

const SYSTEM: Pubkey = Pubkey::new_from_array([0; 32]);

/// A program's name, when it is one of ours or of those that ours call.
#[must_use]
pub fn name(program: &Pubkey) -> Option<&'static str> {
    match *program {
        provena_registry::ID => Some("registry"),
        provena_royalty::ID => Some("royalty"),
        provena_market::ID => Some("market"),
        SYSTEM => Some("system"),
        TOKEN_PROGRAM | TOKEN_2022_PROGRAM => Some("token"),
        _ => None,
    }
}

/// The name and the message of the errors of others' programs that people meet.
#[must_use]
pub fn describe_others_error(program: &Pubkey, code: u32) -> Option<(&'static str, &'static str)> {
    match (*program, code) {
        (SYSTEM, 0) => Some(("AccountAlreadyInUse", "an account that is to be made exists already")),
        (SYSTEM, 1) => Some((
            "ResultWithNegativeLamports",
            "the paying wallet has too little SOL for this; fund it first (on a test cluster: `provena airdrop`)",
        )),
        (TOKEN_PROGRAM | TOKEN_2022_PROGRAM, 1) => {
            Some(("InsufficientFunds", "the paying wallet has too few of these tokens"))
        }
        (TOKEN_PROGRAM | TOKEN_2022_PROGRAM, 17) => {
            Some(("AccountFrozen", "a token account is frozen by its mint's freeze authority"))
        }
        _ => None,
    }
}

/// The name and the message of one of our programs' errors. A transaction that landed comes without logs, so the error
/// of a program that `program` called is attributed to `program`; the programs number their errors apart, and the one
/// that knows the number is the one that refused.
#[must_use]
pub fn describe_error(program: &Pubkey, code: u32) -> Option<(&'static str, &'static str)> {
    if !matches!(*program, provena_registry::ID | provena_royalty::ID | provena_market::ID) {
        return None;
    }
    provena_registry::error::describe(code)
        .or_else(|| provena_royalty::error::describe(code))
        .or_else(|| provena_market::error::describe(code))
}

#[cfg(test)]
mod tests {
    /// The errors from 5500 on are common to all programs, and say the same in all; each program's own begin at 6000.
    #[test]
    fn no_two_programs_share_an_error_number_but_the_common_ones() {
        for code in 0..20_000 {
            let known = [
                provena_registry::error::describe(code),
                provena_royalty::error::describe(code),
                provena_market::error::describe(code),
            ];
            let common = (5_500..6_000).contains(&code);
            if common {
                assert!(known.iter().all(|text| *text == known[0]), "{code}: {known:?}");
            } else {
                assert!(known.iter().flatten().count() <= 1, "{code}: {known:?}");
            }
        }
    }
}
