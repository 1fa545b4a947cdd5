//! Lamports where people look at them and nothing is counted out.

use provena_client::amount::{Currency, SOL_DECIMALS};

/// Digits after the point that a person reads.
const DIGITS: usize = 4;

/// So many SOL, in short: four digits after the point, or as many as it takes to show two that are not zero. The rest is cut
/// off, so that nobody is told of more than there is. Bills and what has to be typed again are written out in full.
pub(crate) fn short_sol(lamports: u64) -> String {
    let decimals = usize::from(SOL_DECIMALS);
    let fraction = format!("{:0>decimals$}", lamports % 10_u64.pow(SOL_DECIMALS.into()));
    let whole = lamports / 10_u64.pow(SOL_DECIMALS.into());
    let first = fraction.find(|digit| digit != '0').unwrap_or(decimals);
    let shown = if whole == 0 { DIGITS.max(first + 2) } else { DIGITS }.min(decimals);
    let cut = 10_u64.pow(u32::try_from(decimals - shown).unwrap_or(0));
    Currency::sol().show(lamports - lamports % cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_digits_are_enough_and_never_too_many_sol() {
        let shown = [8_934_691_520, 1_000_000_000, 999_999_999, 15_000, 1_234, 1, 0, 12_000_001_000].map(short_sol);
        let expected = [
            "8.9346 SOL",
            "1 SOL",
            "0.9999 SOL",
            "0.000015 SOL",
            "0.0000012 SOL",
            "0.000000001 SOL",
            "0 SOL",
            "12 SOL",
        ];
        assert_eq!(shown, expected);
    }
}
