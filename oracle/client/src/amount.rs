//! Money as people write it, exactly: decimal text to base units and back, never through a float.

use std::fmt;

use thiserror::Error;

/// Decimals of SOL: one SOL is 10^9 lamports.
pub const SOL_DECIMALS: u8 = 9;

/// A currency: how many decimals it has and how people call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Currency {
    /// Digits after the point.
    pub decimals: u8,
    /// What is written after the number.
    pub symbol: String,
}

impl Currency {
    /// Solana's own money.
    pub fn sol() -> Self {
        Self { decimals: SOL_DECIMALS, symbol: "SOL".into() }
    }

    /// Writes `base` units of this currency.
    pub fn show(&self, base: u64) -> String {
        Amount { base, decimals: self.decimals }.to_string() + " " + &self.symbol
    }

    /// As [`Currency::show`], for prices, which may be so small that zeros have to be counted: less than a millionth of a SOL is
    /// said in lamports, too.
    pub fn price(&self, base: u64) -> String {
        const SMALL: u64 = 1_000;
        let shown = self.show(base);
        match base {
            1 if *self == Self::sol() => format!("{shown} (1 lamport)"),
            2..SMALL if *self == Self::sol() => format!("{shown} ({base} lamports)"),
            _ => shown,
        }
    }
}

/// Base units with the number of decimals needed to print them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    /// Lamports, or a token's smallest unit.
    pub base: u64,
    /// Digits after the point.
    pub decimals: u8,
}

/// Why a text is no amount.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum AmountError {
    /// Not digits with at most one point.
    #[error("`{0}` is not an amount; write digits with an optional point, for example 0.25")]
    Malformed(String),
    /// Would lose digits.
    #[error("`{text}` has {given} decimals, but this currency has only {decimals}")]
    TooPrecise {
        /// What was given.
        text: String,
        /// Its decimals.
        given: usize,
        /// The currency's decimals.
        decimals: u8,
    },
    /// More than 2^64 - 1 base units.
    #[error("`{0}` is more than can exist")]
    TooLarge(String),
}

impl Amount {
    /// Reads `1`, `1.5` or `.5`; signs, exponents and separators are refused.
    ///
    /// # Errors
    /// [`AmountError`].
    pub fn parse(text: &str, decimals: u8) -> Result<Self, AmountError> {
        let malformed = || AmountError::Malformed(text.to_owned());
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
            return Err(malformed());
        }
        let significant = fraction.trim_end_matches('0');
        if significant.len() > usize::from(decimals) {
            let text = text.to_owned();
            return Err(AmountError::TooPrecise { text, given: significant.len(), decimals });
        }
        let scaled = format!("{whole}{significant:0<width$}", width = usize::from(decimals));
        let base = scaled.trim_start_matches('0');
        let base = if base.is_empty() { "0" } else { base };
        let base = base.parse().map_err(|_| AmountError::TooLarge(text.to_owned()))?;
        Ok(Self { base, decimals })
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = usize::from(self.decimals) + 1;
        let digits = format!("{:0>width$}", self.base);
        let (whole, fraction) = digits.split_at(digits.len() - usize::from(self.decimals));
        let fraction = fraction.trim_end_matches('0');
        let point = if fraction.is_empty() { "" } else { "." };
        formatter.pad(&format!("{whole}{point}{fraction}"))
    }
}

/// Reads an amount of SOL for clap: lamports.
///
/// # Errors
/// [`AmountError`].
pub fn parse_sol(text: &str) -> Result<u64, AmountError> {
    Amount::parse(text, SOL_DECIMALS).map(|amount| amount.base)
}

/// Reads a share such as `2.5%` or `250bps` for clap: basis points.
///
/// # Errors
/// What was expected, in words.
pub fn parse_bps(text: &str) -> Result<u16, String> {
    let bps = if let Some(percent) = text.strip_suffix('%') {
        Amount::parse(percent, 2).map_err(|error| error.to_string())?.base
    } else if let Some(bps) = text.strip_suffix("bps") {
        bps.parse().map_err(|_| format!("`{text}` is not a share; write 2.5% or 250bps"))?
    } else {
        return Err(format!("`{text}` is not a share; write 2.5% or 250bps"));
    };
    match u16::try_from(bps) {
        Ok(bps) if bps <= 10_000 => Ok(bps),
        _ => Err(format!("`{text}` is more than 100%")),
    }
}

/// Writes basis points as a percentage.
pub fn show_bps(bps: u16) -> String {
    Amount { base: u64::from(bps), decimals: 2 }.to_string() + "%"
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_people_write() {
        for (text, base) in
            [("1", 1_000_000_000), ("0.000000001", 1), (".5", 500_000_000), ("1.500000000000", 1_500_000_000), ("0", 0)]
        {
            assert_eq!(parse_sol(text), Ok(base), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_an_exact_amount() {
        for text in ["", ".", "-1", "1e9", "1,5", "1.2.3", "NaN", "0x10", " 1", "1 "] {
            assert_eq!(parse_sol(text), Err(AmountError::Malformed(text.into())), "{text}");
        }
        let precise = AmountError::TooPrecise { text: "0.0000000001".into(), given: 10, decimals: 9 };
        assert_eq!(parse_sol("0.0000000001"), Err(precise));
        assert_eq!(parse_sol("18446744073.709551616"), Err(AmountError::TooLarge("18446744073.709551616".into())));
        assert_eq!(parse_sol("18446744073.709551615"), Ok(u64::MAX));
    }

    #[test]
    fn small_prices_are_said_in_lamports_too() {
        let sol = Currency::sol();
        assert_eq!(sol.price(1), "0.000000001 SOL (1 lamport)");
        assert_eq!(sol.price(999), "0.000000999 SOL (999 lamports)");
        assert_eq!((sol.price(1_000), sol.price(0)), ("0.000001 SOL".into(), "0 SOL".into()));
        assert_eq!(Currency { decimals: 2, symbol: "MINT".into() }.price(5), "0.05 MINT");
    }

    #[test]
    fn shares_are_percent_or_bps() {
        assert_eq!(parse_bps("2.5%"), Ok(250));
        assert_eq!(parse_bps("250bps"), Ok(250));
        assert_eq!(parse_bps("100%"), Ok(10_000));
        assert!(parse_bps("100.01%").unwrap_err().contains("more than 100%"));
        assert!(parse_bps("0.001%").unwrap_err().contains("decimals"));
        assert!(parse_bps("5").unwrap_err().contains("write 2.5%"));
        assert_eq!(show_bps(250), "2.5%");
    }

    proptest! {
        #[test]
        fn printing_and_reading_agree(base in any::<u64>(), decimals in 0u8..=18) {
            let text = Amount { base, decimals }.to_string();
            prop_assert_eq!(Amount::parse(&text, decimals).map(|amount| amount.base), Ok(base));
        }
    }
}
