//! One answer as it grows: its tokens, its text, and why it ends.

use std::sync::Arc;

use provena_wire::{Finish, Response};

use super::{Language, Prompt, stop::StopTexts};
use crate::{error::Error, tokenizer::TextStream};

/// A token of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The token.
    pub id: u32,
    /// The text that can be shown since the token before: empty for a part of a character, for what may be the beginning
    /// of a text that ends the answer, and for tokens that only the model should see. The pieces of an answer, one
    /// after the other, are its text.
    pub text: String,
}

/// An answer in the making.
pub struct Answer {
    language: Arc<Language>,
    prompt_tokens: usize,
    /// The most tokens that it may have, and why it ends there.
    most: (usize, Finish),
    stops: StopTexts,
    stream: TextStream,
    tokens: Vec<u32>,
    text: String,
    finish: Option<Finish>,
}

impl Answer {
    /// The answer to a prompt, without tokens.
    pub fn new(language: Arc<Language>, prompt: &Prompt) -> Self {
        Self {
            language,
            prompt_tokens: prompt.ids.len(),
            most: prompt.most,
            stops: StopTexts::new(prompt.stop.clone()),
            stream: TextStream::default(),
            tokens: Vec::new(),
            text: String::new(),
            finish: None,
        }
    }

    /// Takes the next token.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] when the tokenizer fails.
    pub fn push(&mut self, id: u32) -> Result<Token, Error> {
        self.tokens.push(id);
        let ends = self.language.stops().contains(&id);
        let piece = if ends { String::new() } else { self.stream.push(self.language.tokenizer(), id)? };
        let (mut text, found) = self.stops.push(&piece);
        self.finish =
            if ends || found { Some(Finish::Stop) } else { (self.tokens.len() >= self.most.0).then_some(self.most.1) };
        if self.finish.is_some() && !found {
            // The end of a text may complete a stop, too.
            let (rest, found) = self.stops.push(&self.stream.finish());
            text += &rest;
            if found {
                self.finish = Some(Finish::Stop);
            } else {
                text += &self.stops.finish();
            }
        }
        self.text += &text;
        Ok(Token { id, text })
    }

    /// Whether nothing follows.
    pub fn is_complete(&self) -> bool {
        self.finish.is_some()
    }

    /// The response; an answer that is not complete ends as one whose length was limited.
    pub fn response(self) -> Response {
        Response::Generate {
            prompt_tokens: self.prompt_tokens as u32,
            tokens: self.tokens,
            text: self.text,
            finish: self.finish.unwrap_or(Finish::Length),
        }
    }
}
