//! How many units a payer deposits for.

use provena_wire::{Generate, Prompt, Request};

/// Tokens that a chat template may add by itself: its marks, a system message of its own, a date.
const TEMPLATE: u64 = 128;
/// Tokens that a chat template may add around each message.
const PER_MESSAGE: u64 = 16;

/// The most units that the answer to `request` can have, as far as can be told without the model.
///
/// For texts to be continued that is the tokens asked for and at most one token for each byte of the prompt, with an
/// allowance for the model's chat template. The settlement refunds what was not used.
#[must_use]
pub fn most(request: &Request) -> u32 {
    let Request::Generate(Generate { prompt, max_tokens, .. }) = request else { return request.units() };
    let prompt = match prompt {
        // A tokenizer may put one mark before the text.
        Prompt::Text(text) => bytes(text).saturating_add(1),
        Prompt::Chat(messages) => messages.iter().fold(TEMPLATE, |sum, message| {
            let said = bytes(&message.role).saturating_add(bytes(&message.content));
            sum.saturating_add(said).saturating_add(PER_MESSAGE)
        }),
    };
    u32::try_from(prompt.saturating_add(u64::from(*max_tokens))).unwrap_or(u32::MAX)
}

fn bytes(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod unit {
    use provena_wire::{Generate, Message, Prompt, Request, Sampling};

    use super::most;

    fn generate(prompt: Prompt, max_tokens: u32) -> Request {
        Request::Generate(Generate { prompt, max_tokens, sampling: Sampling::GREEDY, stop: Vec::new() })
    }

    #[test]
    fn a_text_is_paid_for_by_its_bytes_until_its_tokens_are_known() {
        assert_eq!(most(&generate(Prompt::Text("häh".to_owned()), 10)), 4 + 1 + 10);
        let said = |role: &str, content: &str| Message { role: role.to_owned(), content: content.to_owned() };
        let chat = vec![said("system", "be kind"), said("user", "hello")];
        assert_eq!(most(&generate(Prompt::Chat(chat), 24)), 128 + (6 + 7 + 16) + (4 + 5 + 16) + 24);
        assert_eq!(most(&generate(Prompt::Text("x".to_owned()), u32::MAX)), u32::MAX);
    }

    #[test]
    fn anything_else_is_paid_for_by_the_piece() {
        assert_eq!(most(&Request::Embed { texts: vec!["a".repeat(99), String::new()] }), 2);
        assert_eq!(most(&Request::Classify { images: vec![vec![0; 64]; 3] }), 3);
    }
}
