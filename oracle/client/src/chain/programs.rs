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

/// The name and the message of one of our programs' errors. A transaction that landed comes without logs, so the error
/// of a program that `program` called is attributed to `program`; the programs number their errors apart, and the one
/// that knows the number is the one that refused.
#[must_use]
pub fn describe_error(program: &Pubkey, code: u32) -> Option<(&'static str, &'static str)> {
    name(program)?;
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
