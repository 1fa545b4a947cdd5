//! The real engine, with somebody who sees each call to it, and may hold it up, refuse it, or end its thread.

use std::any::Any;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use provena_client::store::Root;
use provena_node::compute::{Adapter, Computation, Compute, ComputeError, EngineCompute, Prepared, Spent, TimeLimit};
use tokio_util::sync::CancellationToken;

/// A call to the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call<'a> {
    IsLoaded,
    Load(&'a Root),
    Prepare(&'a [u8], TimeLimit),
    WarmUp,
    Run,
}

/// What the watcher holds for as long as the call takes.
pub(crate) type Held = Result<Box<dyn Any>, ComputeError>;

type Watch = Box<dyn Fn(Call<'_>) -> Held + Send + Sync>;

/// The real engine, watched.
pub(crate) struct Watched {
    engine: EngineCompute,
    watch: Watch,
}

impl Watched {
    pub(crate) fn new(watch: impl Fn(Call<'_>) -> Held + Send + Sync + 'static) -> Arc<Self> {
        let engine = EngineCompute::open("cpu", 1 << 30).expect("the processor computes");
        Arc::new(Self { engine, watch: Box::new(watch) })
    }
}

/// Nothing is to be held.
pub(crate) fn pass() -> Held {
    Ok(Box::new(()))
}

impl Compute for Watched {
    fn adapter(&self) -> Adapter {
        self.engine.adapter()
    }
    fn self_test(&self) -> Result<(), ComputeError> {
        self.engine.self_test()
    }
    fn is_loaded(&self, root: &Root) -> bool {
        let _held = (self.watch)(Call::IsLoaded);
        self.engine.is_loaded(root)
    }
    fn load(&self, root: &Root, recipe_root: &Root, artifact: &Path) -> Result<(), ComputeError> {
        let _held = (self.watch)(Call::Load(root))?;
        self.engine.load(root, recipe_root, artifact)
    }
    fn prepare(&self, root: &Root, request: &[u8], limit: TimeLimit) -> Result<Prepared, ComputeError> {
        let _held = (self.watch)(Call::Prepare(request, limit))?;
        self.engine.prepare(root, request, limit)
    }
    fn warm_up(&self, root: &Root, like: &Prepared) -> Result<Spent, ComputeError> {
        let _held = (self.watch)(Call::WarmUp)?;
        self.engine.warm_up(root, like)
    }
    fn run(&self, root: &Root, request: &Prepared, given_up: &CancellationToken) -> Result<Computation, ComputeError> {
        let _held = (self.watch)(Call::Run)?;
        self.engine.run(root, request, given_up)
    }
}

/// Where calls wait until it is opened.
#[derive(Default)]
pub(crate) struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    pub(crate) fn wait(&self) {
        let open = self.open.lock().expect("nobody panics here");
        drop(self.opened.wait_while(open, |open| !*open).expect("nobody panics here"));
    }
}

/// Opens a gate: when it is told to, and when a test fails, or its threads would wait for ever.
#[derive(Default)]
pub(crate) struct Gatekeeper(pub Arc<Gate>);

impl Gatekeeper {
    pub(crate) fn open(&self) {
        *self.0.open.lock().expect("nobody panics here") = true;
        self.0.opened.notify_all();
    }
}

impl Drop for Gatekeeper {
    fn drop(&mut self) {
        self.open();
    }
}

/// How many are inside now, and were at most.
#[derive(Clone, Default)]
pub(crate) struct Inside(Arc<[AtomicUsize; 3]>);

impl Inside {
    /// Goes in, until what is returned is dropped.
    pub(crate) fn enter(&self) -> Box<dyn Any> {
        let [now, most, ever] = &*self.0;
        ever.fetch_add(1, Ordering::SeqCst);
        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        Box::new(Leaving(self.clone()))
    }

    pub(crate) fn now(&self) -> usize {
        self.0[0].load(Ordering::SeqCst)
    }

    pub(crate) fn most(&self) -> usize {
        self.0[1].load(Ordering::SeqCst)
    }

    /// How many have ever been.
    pub(crate) fn ever(&self) -> usize {
        self.0[2].load(Ordering::SeqCst)
    }
}

struct Leaving(Inside);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.0[0].fetch_sub(1, Ordering::SeqCst);
    }
}
