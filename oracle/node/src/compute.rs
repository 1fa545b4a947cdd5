//! The engine as the node uses it: bytes in, bytes out, models cached.

mod effort;
mod engine;

use std::path::Path;
use std::sync::Arc;

use provena_client::store::Root;
use provena_engine::PreparedRequest;
use provena_wire::Units;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::config::Config;

pub use effort::{Effort, Spent};
pub use engine::EngineCompute;

/// What computes, for `/health` and receipts' readers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Adapter {
    /// The device's name.
    pub name: String,
    /// "wgpu" or "cpu".
    pub backend: String,
    /// The driver and its version.
    pub driver: String,
    /// Discrete, integrated, software, ...
    pub device_type: String,
}

/// The answer to one request.
#[derive(Debug, Clone, PartialEq)]
pub struct Computation {
    /// The response's bytes; their content root is the result root.
    pub response: Vec<u8>,
    /// Units of work that the answer took. Never more than [`Compute::prepare`] said, on neither side.
    pub units: Units,
    /// What was done, and how long it took.
    pub spent: Spent,
}

/// What a request can be at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Asked {
    /// Units of work, which are paid for.
    pub units: Units,
    /// Work, which takes time.
    pub effort: Effort,
}

/// A request that a model can answer, made ready for it: nothing of it is prepared again. A copy shares what was prepared.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// What it can be at most.
    pub asked: Asked,
    request: Arc<PreparedRequest>,
}

impl Prepared {
    /// Bytes of memory that it takes, see [`PreparedRequest::bytes`].
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.request.bytes()
    }
}

/// How long a request may take to be prepared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeLimit {
    /// No longer than the engine allows: nothing is staked on it yet.
    Bounded,
    /// However long it takes: it was prepared before, and a bond hangs on its answer.
    Lifted,
}

/// Why something was not computed. None of these is worth repeating with the same bytes.
#[derive(Debug, thiserror::Error)]
pub enum ComputeError {
    /// The artifact is not what the chain says it is.
    #[error("the artifact is unusable: {0}")]
    Artifact(String),
    /// The request is not one for this model.
    #[error("the request is unusable: {0}")]
    Request(String),
    /// The engine failed.
    #[error("the engine failed: {0}")]
    Engine(String),
    /// Nobody waits for the answer any more.
    #[error("the work was given up")]
    GivenUp,
    /// The adapter does not compute what it must.
    #[error(
        "the adapter {adapter} computes wrong results ({reason}); update its driver, or set [engine] adapter = \"cpu\""
    )]
    SelfTest {
        /// Which adapter.
        adapter: String,
        /// What differed.
        reason: String,
    },
}

/// Something that runs models. All calls block; the node makes them on blocking threads.
pub trait Compute: Send + Sync + 'static {
    /// What computes.
    fn adapter(&self) -> Adapter;

    /// Compares the adapter with known answers.
    ///
    /// # Errors
    /// [`ComputeError::SelfTest`]: nothing it computes may be signed.
    fn self_test(&self) -> Result<(), ComputeError>;

    /// Whether the artifact `root` is loaded.
    fn is_loaded(&self, root: &Root) -> bool;

    /// Loads an artifact from its file; `recipe_root` is what the chain says.
    ///
    /// # Errors
    /// [`ComputeError::Artifact`] and [`ComputeError::Engine`].
    fn load(&self, root: &Root, recipe_root: &Root, artifact: &Path) -> Result<(), ComputeError>;

    /// Makes a request ready for a loaded artifact, without running it, and says how much work it can be.
    ///
    /// # Errors
    /// [`ComputeError::Request`] when the artifact cannot answer it: nobody should stake a bond on it.
    fn prepare(&self, root: &Root, request: &[u8], limit: TimeLimit) -> Result<Prepared, ComputeError>;

    /// Answers something short of the same kind as `like`, for which nobody waits, and says how long it took. Nothing
    /// of it was ever read before.
    ///
    /// # Errors
    /// Any [`ComputeError`] but the self-test's.
    fn warm_up(&self, root: &Root, like: &Prepared) -> Result<Spent, ComputeError>;

    /// Runs a loaded artifact. Calls at the same time share the device: texts for one model are continued together.
    ///
    /// # Errors
    /// Any [`ComputeError`] but the self-test's; [`ComputeError::GivenUp`] within one token of a text after `given_up`
    /// is cancelled.
    fn run(&self, root: &Root, request: &Prepared, given_up: &CancellationToken) -> Result<Computation, ComputeError>;
}

/// Opens the engine that `config` names, on a blocking thread.
///
/// # Errors
/// [`ComputeError::Engine`].
pub async fn engine(config: &Config) -> Result<Arc<dyn Compute>, ComputeError> {
    let (adapter, cache) = (config.engine.adapter.clone(), config.node.model_cache_bytes);
    let opened = tokio::task::spawn_blocking(move || EngineCompute::open(&adapter, cache)).await;
    let opened = opened.map_err(|error| ComputeError::Engine(error.to_string()))??;
    Ok(Arc::new(opened.with_options(config.engine.options())))
}
