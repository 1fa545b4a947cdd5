//! Everything that can go wrong in the engine.

use std::{path::PathBuf, sync::Arc};

/// An error of the engine. The message says what is wrong; the source, where there is one, is not repeated in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    #[error("cannot {action} {path}")]
    File {
        /// "read" or "write".
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The artifact's bytes are not an artifact of a known version, or contradict themselves.
    #[error("not a valid .pvna artifact: {0}")]
    Artifact(String),
    /// A tensor that the model needs is missing or has another type or shape.
    #[error("the artifact's tensor {name:?}: {reason}")]
    Tensor {
        /// Name of the tensor.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The request does not fit the model.
    #[error("the request does not fit the model: {0}")]
    Request(String),
    /// A text has more tokens than the model takes.
    #[error("text {index} has {tokens} tokens; the model takes at most {limit}: split or shorten it")]
    InputTooLong {
        /// Which text of the request.
        index: usize,
        /// Its number of tokens.
        tokens: usize,
        /// The model's limit.
        limit: usize,
    },
    /// A request is longer than what any such model needs, or takes too long before the model begins.
    #[error("the request cannot be prepared: {0}")]
    Preparation(String),
    /// The tokenizer cannot be read or cannot encode a text.
    #[error("tokenizer: {0}")]
    Tokenizer(String),
    /// A model has no chat template, or it cannot be read, does not come to an end, or refuses the conversation.
    #[error("chat template: {0}")]
    ChatTemplate(String),
    /// The longest answer to a request does not fit the room for keys and values.
    #[error(
        "the request may need {tokens} tokens, and the model was loaded with room for {room}: ask for fewer tokens, or \
         load it with a larger cache"
    )]
    CacheTooSmall {
        /// Tokens of the prompt and of the longest answer.
        tokens: usize,
        /// Tokens that fit.
        room: usize,
    },
    /// An option with which a model is to be loaded is beyond its range.
    #[error("cannot load the model: {0}")]
    Options(String),
    /// Whoever asked for an answer no longer wants it.
    #[error("cancelled")]
    Cancelled,
    /// The computation of several answers ended in a panic.
    #[error("the computation was aborted")]
    Aborted,
    /// An error that several callers share, because they shared the computation.
    #[error(transparent)]
    Shared(Arc<Self>),
    /// A float model cannot be imported.
    #[error("cannot import: {0}")]
    Import(String),
    /// A tensor of a float model is unusable.
    #[error("cannot import tensor {name:?}: {reason}")]
    ImportTensor {
        /// Name of the tensor.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The GPU cannot be opened, failed while it worked or computes something else than the reference.
    #[error(transparent)]
    Gpu(#[from] crate::gpu::Error),
    /// The CPU backend cannot be set up.
    #[error("CPU backend: {0}")]
    Cpu(String),
    /// The adapter computes something else than the reference, so nothing it gives may be signed.
    #[error("the adapter {adapter:?} fails the self test at {check}: its answers must not be signed")]
    SelfTest {
        /// Name of the adapter.
        adapter: String,
        /// The first check that differs.
        check: String,
    },
}

impl Error {
    /// The error itself, where several callers share it.
    pub fn root(&self) -> &Self {
        if let Self::Shared(error) = self { error.root() } else { self }
    }

    pub(crate) fn read(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action: "read", path, source }
    }

    pub(crate) fn write(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action: "write", path, source }
    }

    pub(crate) fn tensor(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Tensor { name: name.into(), reason: reason.into() }
    }

    pub(crate) fn import_tensor(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::ImportTensor { name: name.into(), reason: reason.into() }
    }
}
