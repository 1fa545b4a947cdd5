//! Prices in words.

use provena_client::{amount::Currency, offer::Terms};

/// What an answer costs, for example "0.001 SOL a unit".
pub(crate) fn words(terms: &Terms, currency: &Currency) -> String {
    let show = |amount| currency.show(amount);
    let base = (terms.base_price > 0).then(|| format!("{} an answer", show(terms.base_price)));
    let units = match (terms.input_price, terms.output_price) {
        (0, 0) => None,
        (input, output) if input == output || terms.max_output == 0 => Some(format!("{} a unit", show(input))),
        (0, output) => Some(format!("{} a unit of output", show(output))),
        (input, 0) => Some(format!("{} a unit of input", show(input))),
        (input, output) => Some(format!("{} a unit of input, {} of output", show(input), show(output))),
    };
    base.into_iter().chain(units).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod unit {
    use solana_pubkey::Pubkey;

    use super::*;

    #[test]
    fn prices_say_what_they_are_for() {
        let terms = |base_price, input_price, output_price, max_output| Terms {
            mint: Pubkey::default(),
            base_price,
            input_price,
            output_price,
            max_input: 64,
            max_output,
            royalty_bps: 0,
            nodes: 1,
            agree: 1,
            bond: 1,
            window: 150,
        };
        let sol = Currency::sol();
        let milli = 1_000_000;
        assert_eq!(words(&terms(0, milli, milli, 0), &sol), "0.001 SOL a unit");
        assert_eq!(words(&terms(0, milli, 0, 0), &sol), "0.001 SOL a unit");
        assert_eq!(words(&terms(milli, 0, 0, 9), &sol), "0.001 SOL an answer");
        let both = "0.001 SOL an answer and 0.001 SOL a unit of input, 0.003 SOL of output";
        assert_eq!(words(&terms(milli, milli, 3 * milli, 9), &sol), both);
        assert_eq!(words(&terms(0, 0, milli, 9), &sol), "0.001 SOL a unit of output");
    }
}
