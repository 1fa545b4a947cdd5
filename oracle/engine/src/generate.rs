//! Texts continued, token by token.
//!
//! [`Generator`] serves any number of callers at once: one [`scheduler`] decides which tokens of which sequences the
//! next step computes, one plan computes them, and each caller sees its tokens as they come. How texts were batched,
//! where prompts were cut and what the cache still held cannot change an answer, because int-v1's sums have no order.

mod answer;
pub mod decoder;
pub mod kv_cache;
mod language;
mod options;
pub mod scheduler;
pub mod shared;
mod stop;

use std::{ops::ControlFlow, sync::Arc};

pub use answer::{Answer, Token};
pub use language::{Language, Prompt, check_settings};
pub use options::Options;
pub use stop::StopTexts;

use crate::{
    artifact::{Artifact, ModelRecipe},
    error::Error,
    models::llama::Llama,
};
use decoder::{Decoder, Place};
use kv_cache::KvCache;
use provena_wire::{Generate, Request, Response};
use scheduler::{Limits, Scheduler};
use shared::Shared;

/// The text to be continued.
///
/// # Errors
/// [`Error::Request`] when another kind of model is asked.
pub(crate) fn asked(request: &Request) -> Result<&Generate, Error> {
    request.as_generate().ok_or_else(|| Error::Request("this model generates text".into()))
}

/// A decoder that answers, somewhere.
pub struct Generator<P: Place> {
    language: Arc<Language>,
    shared: Shared<Decoder<P>>,
}

impl<P: Place> Generator<P> {
    /// Makes a decoder ready to answer.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] when the artifact's tokenizer cannot be read, [`Error::Options`] for options beyond their range,
    /// [`Error::Gpu`] when the room for keys and values does not fit the device.
    pub fn new(artifact: &Artifact, llama: Arc<Llama>, place: P, options: &Options) -> Result<Self, Error> {
        let language = Language::new(artifact, llama.recipe())?;
        let pages = options.pages(llama.recipe())?;
        let limits = Limits { sequences: options.sequences, chunk: options.chunk };
        let scheduler = Scheduler::new(KvCache::new(pages, options.prefix_cache), limits, llama.unit());
        let decoder = Decoder::new(place, llama, pages, language.longest())?;
        Ok(Self { language: Arc::new(language), shared: Shared::new(scheduler, decoder) })
    }

    /// What the artifact says about texts.
    pub fn language(&self) -> &Language {
        &self.language
    }

    /// Answers a request, and shows each token as soon as it is there. See [`Shared::answer`].
    ///
    /// # Errors
    /// Those of [`Generator::prompt`] and of [`Shared::answer`].
    pub fn generate(
        &self,
        request: &Generate,
        show: &mut dyn FnMut(Token) -> ControlFlow<()>,
    ) -> Result<Response, Error> {
        self.answer(self.prompt(request)?, show)
    }

    /// Checks a request and makes tokens of its prompt, without computing.
    ///
    /// # Errors
    /// Those of [`Language::prompt`], and [`Error::CacheTooSmall`].
    pub fn prompt(&self, request: &Generate) -> Result<Prompt, Error> {
        let prompt = self.language.prompt(request)?;
        self.shared.check(&prompt)?;
        Ok(prompt)
    }

    /// Answers a request that was checked, see [`Shared::answer`].
    ///
    /// # Errors
    /// Those of [`Shared::answer`].
    pub fn answer(&self, prompt: Prompt, show: &mut dyn FnMut(Token) -> ControlFlow<()>) -> Result<Response, Error> {
        self.shared.answer(&self.language, prompt, show)
    }

    /// Pages of the cache that could be given to somebody now.
    pub fn available_pages(&self) -> usize {
        self.shared.available_pages()
    }
}

/// Answers a request through the reference, alone.
///
/// # Errors
/// As [`Generator::new`] and [`Generator::generate`], and [`Error::Tensor`] when the artifact's tensors do not fit its
/// recipe.
pub fn reference(artifact: &Artifact, request: &Generate) -> Result<Response, Error> {
    let ModelRecipe::Llama(recipe) = &artifact.recipe().model else {
        return Err(Error::Request("this model does not generate text".into()));
    };
    let llama = Arc::new(Llama::new(artifact, recipe)?);
    let language = Language::new(artifact, recipe)?;
    let room = language.prompt(request)?.room();
    let options = Options { cache_tokens: Some(room), sequences: 1, prefix_cache: false, ..Options::default() };
    Generator::new(artifact, llama, artifact, &options)?.generate(request, &mut |_| ControlFlow::Continue(()))
}
