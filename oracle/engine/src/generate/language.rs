//! What a decoder's artifact says about texts, and requests checked against it.

use provena_wire::{Finish, Generate, Message, Sampling, Units};

use super::kv_cache::PAGE;
use crate::{
    artifact::{Artifact, LlamaRecipe},
    chat_template::{self, Rendered},
    error::Error,
    patience::Patience,
    tokenizer::Tokenizer,
};

/// The most texts that may end an answer, and the most bytes of each.
const MAX_STOPS: usize = 16;
const MAX_STOP_LEN: usize = 1_024;
/// The highest temperature, in thousandths.
const MAX_TEMPERATURE_MILLI: u32 = 100_000;

/// A decoder's tokenizer, chat template and limits.
pub struct Language {
    tokenizer: Tokenizer,
    recipe: LlamaRecipe,
}

/// A request that was checked: what is there before the model begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// The tokens, at least one.
    pub ids: Vec<u32>,
    /// The most tokens that the answer may have, and why it ends there.
    pub most: (usize, Finish),
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// Texts that end the answer.
    pub stop: Vec<String>,
}

impl Prompt {
    /// The most units that the answer can have.
    pub fn units(&self) -> Units {
        let count = |tokens| u32::try_from(tokens).unwrap_or(u32::MAX);
        Units::new(count(self.ids.len()), count(self.most.0))
    }

    /// Tokens whose keys and values the cache must hold for the longest answer: its last token is never computed with.
    pub fn room(&self) -> usize {
        self.ids.len() + self.most.0 - 1
    }
}

impl Language {
    /// Reads an artifact's tokenizer.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] when it has none or one that cannot be read.
    pub fn new(artifact: &Artifact, recipe: &LlamaRecipe) -> Result<Self, Error> {
        let json = artifact.tokenizer();
        if json.is_empty() {
            return Err(Error::Tokenizer("the artifact has none".into()));
        }
        let tokenizer = Tokenizer::new(json, recipe.vocabulary, recipe.positions)?;
        Ok(Self { tokenizer, recipe: recipe.clone() })
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// Tokens that end an answer.
    pub fn stops(&self) -> &[u32] {
        &self.recipe.stops
    }

    /// Checks a request and makes tokens of its prompt, within limits of bytes, growth and time that no artifact can lift.
    ///
    /// A conversation becomes a text by the model's own template, which writes the control tokens, too. What comes from a
    /// message, its role and its content, never becomes one: `<|im_end|>` in a content is eight or so tokens of ordinary
    /// text. To a plain text the tokenizer adds the tokens that begin and end it, and there control words are control
    /// tokens, because the whole prompt is its author's own: whoever puts somebody else's words into one must look at
    /// them, or send a conversation.
    ///
    /// # Errors
    /// [`Error::Request`] for settings beyond their range and an empty prompt, [`Error::ChatTemplate`] when the model has
    /// no template or its template refuses the conversation, [`Error::InputTooLong`] when the prompt fills more than the
    /// context, [`Error::Preparation`] when it has too many bytes or takes too long, [`Error::Tokenizer`] when the tokenizer
    /// fails.
    pub fn prompt(&self, request: &Generate) -> Result<Prompt, Error> {
        check_settings(request)?;
        let patience = Patience::new();
        let ids = match &request.prompt {
            provena_wire::Prompt::Text(text) if text.is_empty() => {
                return Err(Error::Request("the prompt is empty".into()));
            }
            provena_wire::Prompt::Text(text) => self.tokenizer.encode_within(0, text, patience)?,
            provena_wire::Prompt::Chat(messages) if messages.is_empty() => {
                return Err(Error::Request("the conversation has no messages".into()));
            }
            provena_wire::Prompt::Chat(messages) => {
                let rendered = self.rendered(messages, patience)?;
                self.tokenizer.encode_rendered_within(0, &rendered, patience)?
            }
        };
        // A token at the last position can still be answered, but nothing can follow that answer.
        let left = self.recipe.positions as usize + 1 - ids.len();
        let asked = request.max_tokens as usize;
        let most = if asked <= left { (asked, Finish::Length) } else { (left, Finish::Context) };
        Ok(Prompt { ids, most, sampling: request.sampling, stop: request.stop.clone() })
    }

    /// A conversation as the model's own template writes it, with what comes from its messages told apart.
    fn rendered(&self, messages: &[Message], patience: Patience) -> Result<Rendered, Error> {
        let LlamaRecipe { chat_template, bos, eos, .. } = &self.recipe;
        let texts = messages.iter().flat_map(|message| [message.role.as_str(), message.content.as_str()]);
        let marks = self.tokenizer.marks(texts.chain([chat_template.as_str(), bos, eos]))?;
        chat_template::render_within(chat_template, messages, bos, eos, marks, patience)
    }

    /// The pages of the longest text.
    pub fn longest(&self) -> usize {
        (self.recipe.positions as usize).div_ceil(PAGE)
    }
}

/// Checks the settings of a request, as far as they depend on no model.
///
/// # Errors
/// [`Error::Request`] for settings beyond their range.
pub fn check_settings(request: &Generate) -> Result<(), Error> {
    let Sampling { temperature_milli, top_p_milli, .. } = request.sampling;
    let wrong = if request.max_tokens == 0 {
        "the most tokens to generate are 0, not at least 1".to_owned()
    } else if temperature_milli > MAX_TEMPERATURE_MILLI {
        format!("the temperature is {temperature_milli} thousandths, above {MAX_TEMPERATURE_MILLI}")
    } else if top_p_milli > 1_000 {
        format!("top-p is {top_p_milli} thousandths, above 1000")
    } else if request.stop.len() > MAX_STOPS {
        format!("{} texts end the answer, allowed are {MAX_STOPS}", request.stop.len())
    } else if let Some(stop) = request.stop.iter().find(|stop| stop.is_empty() || stop.len() > MAX_STOP_LEN) {
        format!("a text that ends the answer has {} bytes, not 1 to {MAX_STOP_LEN}", stop.len())
    } else {
        return Ok(());
    };
    Err(Error::Request(wrong))
}
