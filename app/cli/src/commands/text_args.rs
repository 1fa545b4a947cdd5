//! How a text is asked to be continued: options that `model chat` and `infer --prompt` share.

use anyhow::Result;
use provena_client::amount::Amount;
use provena_wire::{Generate, Message, Prompt, Sampling};

use crate::failure::Failure;

/// The most tokens of an answer unless the person says otherwise.
const MAX_TOKENS: u32 = 256;

/// Options of an answer in words.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Options of answers in words")]
pub(super) struct TextArgs {
    /// What the model is told to be, before the conversation.
    #[arg(long, value_name = "TEXT", conflicts_with = "plain")]
    system: Option<String>,
    /// Continue the text as it is, without the model's chat template.
    ///
    /// Control words in it, such as <|im_end|>, are then the model's control tokens: the whole text is yours. In a
    /// conversation they are ordinary words, whoever wrote them.
    #[arg(long)]
    plain: bool,
    /// The most tokens of an answer (a token is a word or a piece of one) [default: 256].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_tokens: Option<u32>,
    /// 0 takes the likeliest token each time; 0.7 is lively, 1 as the model learned it, at most 100 [default: 0].
    #[arg(long, value_name = "T", allow_negative_numbers = true, value_parser = temperature)]
    temperature: Option<Thousandths>,
    /// Draw only from the K likeliest tokens; 0 is all [default: 0].
    #[arg(long, value_name = "K")]
    top_k: Option<u32>,
    /// Draw only from the likeliest tokens that together have this probability [default: 1].
    #[arg(long, value_name = "P", allow_negative_numbers = true, value_parser = probability)]
    top_p: Option<Thousandths>,
    /// Where chance begins: the same seed and question give the same answer on every machine [default: 0].
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// End the answer before this text comes up (repeat for more).
    #[arg(long, value_name = "TEXT")]
    stop: Vec<String>,
}

/// A number with three decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Thousandths(u32);

impl TextArgs {
    /// The system message, if there is one: how a conversation begins.
    pub(super) fn opening(&self) -> Vec<Message> {
        self.system.iter().map(|text| message("system", text)).collect()
    }

    /// Whether the text goes to the model as it is.
    pub(super) fn plain(&self) -> bool {
        self.plain
    }

    /// The request to go on after `messages`, or after the last of them alone with `--plain`.
    pub(super) fn generate(&self, messages: &[Message]) -> Generate {
        let prompt = match messages.last() {
            Some(last) if self.plain => Prompt::Text(last.content.clone()),
            _ => Prompt::Chat(messages.to_vec()),
        };
        let thousandths = |value: Option<Thousandths>, default| value.map_or(default, |value| value.0);
        let sampling = Sampling {
            temperature_milli: thousandths(self.temperature, 0),
            top_k: self.top_k.unwrap_or(0),
            top_p_milli: thousandths(self.top_p, 1_000),
            seed: self.seed.unwrap_or(0),
        };
        Generate { prompt, max_tokens: self.max_tokens.unwrap_or(MAX_TOKENS), sampling, stop: self.stop.clone() }
    }

    /// The request for one question.
    ///
    /// # Errors
    /// There is no question.
    pub(super) fn question(&self, question: &str) -> Result<Generate> {
        if question.trim().is_empty() {
            return Err(Failure::usage("the prompt is empty").hint("--prompt 'What is an oracle?'").into());
        }
        let mut messages = self.opening();
        messages.push(message("user", question));
        Ok(self.generate(&messages))
    }

    /// The first of these options that was given.
    pub(super) fn given(&self) -> Option<&'static str> {
        let given = [
            (self.system.is_some(), "--system"),
            (self.plain, "--plain"),
            (self.max_tokens.is_some(), "--max-tokens"),
            (self.temperature.is_some(), "--temperature"),
            (self.top_k.is_some(), "--top-k"),
            (self.top_p.is_some(), "--top-p"),
            (self.seed.is_some(), "--seed"),
            (!self.stop.is_empty(), "--stop"),
        ];
        given.into_iter().find_map(|(given, name)| given.then_some(name))
    }
}

/// What somebody said.
pub(super) fn message(role: &str, content: &str) -> Message {
    Message { role: role.to_owned(), content: content.to_owned() }
}

fn temperature(text: &str) -> Result<Thousandths, String> {
    thousandths(text, 100_000)
        .ok_or_else(|| "a temperature is 0 to 100 with at most 3 decimals, such as 0.7".to_owned())
}

fn probability(text: &str) -> Result<Thousandths, String> {
    let value = thousandths(text, 1_000).filter(|value| value.0 > 0);
    value.ok_or_else(|| "a probability is above 0, at most 1, with at most 3 decimals, such as 0.9".to_owned())
}

fn thousandths(text: &str, most: u32) -> Option<Thousandths> {
    let amount = Amount::parse(text, 3).ok()?;
    u32::try_from(amount.base).ok().filter(|value| *value <= most).map(Thousandths)
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn decimals_are_read_exactly_and_within_their_range() {
        assert_eq!(temperature("0.7"), Ok(Thousandths(700)));
        assert_eq!(temperature("100"), Ok(Thousandths(100_000)));
        assert_eq!(probability("1"), Ok(Thousandths(1_000)));
        for wrong in ["-1", "1e2", "0.0001", "100.001", "hot", ""] {
            assert!(temperature(wrong).is_err_and(|why| why.starts_with("a temperature is")), "{wrong}");
        }
        for wrong in ["0", "1.1", "90%", "0.9999"] {
            assert!(probability(wrong).is_err_and(|why| why.starts_with("a probability is")), "{wrong}");
        }
    }
}
