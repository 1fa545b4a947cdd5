//! Prices in words.

use provena_client::{amount::Currency, offer::Terms};
use provena_engine::artifact::Family;
use provena_wire::Request;

/// A price of a unit that would be usual, in SOL: a token is a smaller thing than a picture or a sentence.
pub(crate) fn usual_price(family: Family) -> &'static str {
    if family == Family::Llama { "0.00001" } else { "0.001" }
}

/// What one unit of input is, as far as an offer tells: only language models answer in tokens.
pub(crate) fn unit_of(terms: &Terms) -> &'static str {
    if terms.max_output > 0 { "token" } else { "picture or sentence" }
}

/// What one unit of a model's input is.
pub(crate) fn unit(family: Family) -> &'static str {
    match family {
        Family::Llama => "token",
        Family::Bert => "sentence",
        Family::Mlp | Family::Cnn => "picture",
    }
}

/// What one unit of a request's input is.
pub(crate) fn unit_asked(request: &Request) -> &'static str {
    match request {
        Request::Classify { .. } => "picture",
        Request::Embed { .. } => "sentence",
        Request::Generate(_) => "token",
    }
}

/// What an answer costs, for example "0.001 SOL a picture".
pub(crate) fn words(terms: &Terms, currency: &Currency, unit: &str) -> String {
    let show = |amount| currency.price(amount);
    let base = (terms.base_price > 0).then(|| format!("{} an answer", show(terms.base_price)));
    let units = match (terms.input_price, terms.output_price) {
        (0, 0) => None,
        (input, output) if input == output || terms.max_output == 0 => Some(format!("{} a {unit}", show(input))),
        (0, output) => Some(format!("{} a {unit} of the answer", show(output))),
        (input, 0) => Some(format!("{} a {unit} of the prompt", show(input))),
        (input, output) => Some(format!("{} a {unit} of the prompt, {} of the answer", show(input), show(output))),
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
        let words = |terms: &Terms, sol| words(terms, sol, unit_of(terms));
        assert_eq!(words(&terms(0, milli, milli, 0), &sol), "0.001 SOL a picture or sentence");
        assert_eq!(words(&terms(0, milli, 0, 0), &sol), "0.001 SOL a picture or sentence");
        assert_eq!(words(&terms(milli, 0, 0, 9), &sol), "0.001 SOL an answer");
        let both = "0.001 SOL an answer and 0.001 SOL a token of the prompt, 0.003 SOL of the answer";
        assert_eq!(words(&terms(milli, milli, 3 * milli, 9), &sol), both);
        assert_eq!(words(&terms(0, 0, milli, 9), &sol), "0.001 SOL a token of the answer");
    }
}
