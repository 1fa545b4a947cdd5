//! The real engine, with something that goes wrong in it.

use std::path::Path;

use provena_client::store::Root;
use provena_node::compute::{Adapter, Asked, Computation, Compute, ComputeError, EngineCompute, Spent};
use tokio_util::sync::CancellationToken;

/// What happens before a call: it may take its time, or its thread with it.
type Before<T> = Box<dyn Fn(&T) + Send + Sync>;

/// The real engine, with something that goes wrong in it.
pub(crate) struct Faulty {
    engine: EngineCompute,
    load: Before<Root>,
    check: Before<[u8]>,
    measurable: bool,
}

impl Faulty {
    pub(crate) fn new() -> Self {
        let engine = EngineCompute::open("cpu", 1 << 30).expect("the processor computes");
        Self { engine, load: Box::new(|_| ()), check: Box::new(|_| ()), measurable: true }
    }

    /// Whatever is done before a model is loaded.
    pub(crate) fn loading(self, load: impl Fn(&Root) + Send + Sync + 'static) -> Self {
        Self { load: Box::new(load), ..self }
    }

    /// Whatever is done before a request is prepared.
    pub(crate) fn checking(self, check: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        Self { check: Box::new(check), ..self }
    }

    /// No model's speed can be measured.
    pub(crate) fn unmeasurable(self) -> Self {
        Self { measurable: false, ..self }
    }
}

impl Compute for Faulty {
    fn adapter(&self) -> Adapter {
        self.engine.adapter()
    }
    fn self_test(&self) -> Result<(), ComputeError> {
        self.engine.self_test()
    }
    fn is_loaded(&self, root: &Root) -> bool {
        self.engine.is_loaded(root)
    }
    fn load(&self, root: &Root, recipe_root: &Root, artifact: &Path) -> Result<(), ComputeError> {
        (self.load)(root);
        self.engine.load(root, recipe_root, artifact)
    }
    fn check(&self, root: &Root, bytes: &[u8]) -> Result<Asked, ComputeError> {
        (self.check)(bytes);
        self.engine.check(root, bytes)
    }
    fn warm_up(&self, root: &Root, request: &[u8]) -> Result<Spent, ComputeError> {
        if !self.measurable {
            return Err(ComputeError::Engine("its answers have no end".to_owned()));
        }
        self.engine.warm_up(root, request)
    }
    fn run(&self, root: &Root, request: &[u8], given_up: &CancellationToken) -> Result<Computation, ComputeError> {
        self.engine.run(root, request, given_up)
    }
}
