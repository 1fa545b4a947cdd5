//! What calibrates a decoder, and what measures it: texts of several lines, half of them as the conversations that the
//! model was made for.

use provena_wire::Message;

use crate::{artifact::LlamaRecipe, chat_template, error::Error, tokenizer::Tokenizer};

/// Lines of one text.
const LINES: usize = 6;
/// The most tokens that are taken of a text.
const LENGTH: usize = 192;
/// The most texts that calibrate, and that measure.
const TEXTS: usize = 48;

/// Tokens of several texts.
type Sequences = Vec<Vec<u32>>;

/// Tokens of the texts that calibrate, and of those that measure: every other line.
///
/// # Errors
/// [`Error::Tokenizer`] when the tokenizer does not fit the model.
pub(super) fn sequences(
    tokenizer: &Tokenizer,
    recipe: &LlamaRecipe,
    lines: &[String],
) -> Result<(Sequences, Sequences), Error> {
    let every_other = |first: usize| lines.iter().skip(first).step_by(2).collect::<Vec<_>>();
    let tokens = |lines: Vec<&String>| -> Result<Sequences, Error> {
        let texts = lines.chunks(LINES).take(TEXTS).enumerate();
        texts.map(|(i, lines)| sequence(tokenizer, recipe, i, lines)).collect()
    };
    Ok((tokens(every_other(0))?, tokens(every_other(1))?))
}

/// The tokens of one text; every other one becomes a conversation.
fn sequence(tokenizer: &Tokenizer, recipe: &LlamaRecipe, i: usize, lines: &[&String]) -> Result<Vec<u32>, Error> {
    let join = |lines: &[&String]| lines.iter().map(|line| line.as_str()).collect::<Vec<_>>().join("\n");
    let chat = || {
        let (first, rest) = lines.split_first()?;
        let message = |role: &str, content| Message { role: role.into(), content };
        let messages = [message("user", (*first).clone()), message("assistant", join(rest))];
        // A template that refuses this is a matter of whoever chats with the model.
        let LlamaRecipe { chat_template: template, bos, eos, .. } = recipe;
        let texts = messages.iter().flat_map(|message| [message.role.as_str(), message.content.as_str()]);
        let marks = tokenizer.marks(texts.chain([template.as_str(), bos, eos])).ok()?;
        chat_template::render_marked(template, &messages, bos, eos, marks).ok()
    };
    let mut tokens = match chat().filter(|_| i % 2 == 1) {
        Some(rendered) => tokenizer.encode_rendered(i, &rendered)?,
        None => tokenizer.encode(i, &join(lines))?,
    };
    tokens.truncate(LENGTH.min(recipe.positions as usize));
    Ok(tokens)
}
