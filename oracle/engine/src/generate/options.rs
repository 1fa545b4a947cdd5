//! How much memory generation may take, and how its work is cut.

use super::kv_cache::PAGE;
use crate::{artifact::LlamaRecipe, error::Error, gpu::caps::MAX_BINDING_BYTES, plan::i8_stride};

/// The default room for keys and values is at least this many tokens, so that several short texts fit a model whose
/// context is short.
const DEFAULT_TOKENS: usize = 4_096;
/// The default room takes at most this many bytes.
const DEFAULT_BYTES: usize = 1 << 30;

/// How a model that generates text is loaded. No option can change an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Tokens whose keys and values are kept, of all texts together. By default one whole context or 4,096 tokens,
    /// whichever is more, as long as that takes no more than 1 GiB.
    pub cache_tokens: Option<usize>,
    /// Tokens of prompts that are computed in one step beside the texts that are being generated.
    pub chunk: usize,
    /// Texts that are generated together; more wait for their turn.
    pub sequences: usize,
    /// Whether a text that begins like an earlier one takes that one's keys and values.
    pub prefix_cache: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { cache_tokens: None, chunk: 128, sequences: 16, prefix_cache: true }
    }
}

impl Options {
    /// Pages of the cache, page 0 included.
    ///
    /// # Errors
    /// [`Error::Options`] when an option is zero or what it asks for is beyond what one binding holds.
    pub(super) fn pages(&self, recipe: &LlamaRecipe) -> Result<usize, Error> {
        for (option, value) in [("chunk", self.chunk), ("sequences", self.sequences)] {
            if !(1..=4_096).contains(&value) {
                return Err(Error::Options(format!("{option} is {value}, not 1 to 4096")));
            }
        }
        let slot = i8_stride((recipe.kv_heads * recipe.depth) as usize);
        let most = MAX_BINDING_BYTES as usize / (slot * PAGE) - 1;
        let pages = match self.cache_tokens {
            Some(tokens) => {
                let pages = tokens.div_ceil(PAGE);
                if !(1..=most).contains(&pages) {
                    let most = most * PAGE;
                    return Err(Error::Options(format!("the cache holds {tokens} tokens, not 1 to {most}")));
                }
                pages
            }
            None => {
                let wanted = (recipe.positions as usize).max(DEFAULT_TOKENS).div_ceil(PAGE);
                let affordable = DEFAULT_BYTES / (2 * recipe.layers as usize * slot * PAGE);
                wanted.min(affordable).clamp(1, most)
            }
        };
        Ok(pages + 1)
    }
}
