//! The engine behind [`Compute`]: one adapter, models kept loaded, the processor as a second when the adapter fails.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use provena_client::store::Root;
use provena_engine::artifact::Artifact;
use provena_engine::generate::Options;
use provena_engine::{AdapterChoice, Engine, Error, Model, PreparedRequest, unhurried};
use provena_wire::{Generate, Prompt, Request, Response, Sampling};
use tokio_util::sync::CancellationToken;

use super::{Adapter, Asked, Computation, Compute, ComputeError, Effort, Prepared, Spent, TimeLimit};

/// An [`Engine`] with a cache of models.
pub struct EngineCompute {
    engine: Engine,
    /// Opened when the adapter first fails.
    processor: OnceLock<Engine>,
    models: Mutex<Vec<Loaded>>,
    /// Held while a model is loaded, so that jobs that come together do not load it twice.
    loading: Mutex<()>,
    cache_bytes: u64,
    options: Options,
    /// How often a model was warmed up.
    warm_ups: AtomicU64,
}

/// Tokens that are written to measure how long one takes.
const WARM_UP_TOKENS: u32 = 8;

/// A model with what identifies it; the most recently used one is last.
struct Loaded {
    root: Root,
    model: Arc<Served>,
}

/// A model on the adapter and, once that failed, on the processor, too.
struct Served {
    first: Model,
    second: OnceLock<Model>,
}

impl EngineCompute {
    /// Opens `adapter` ("best", "gpu", "cpu" or a part of a GPU's name). Models are dropped, least recently used first, when
    /// their artifacts together exceed `cache_bytes`; the last one stays.
    ///
    /// # Errors
    /// [`ComputeError::Engine`] when the adapter is not there or cannot be opened.
    pub fn open(adapter: &str, cache_bytes: u64) -> Result<Self, ComputeError> {
        let Ok(choice) = adapter.parse::<AdapterChoice>();
        let engine = Engine::new(choice).map_err(|error| ComputeError::Engine(in_full(&error)))?;
        Ok(Self {
            engine,
            processor: OnceLock::new(),
            models: Mutex::default(),
            loading: Mutex::default(),
            cache_bytes,
            options: Options::default(),
            warm_ups: AtomicU64::new(0),
        })
    }

    /// Sets how models of words are loaded from now on.
    #[must_use]
    pub fn with_options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    fn models(&self) -> MutexGuard<'_, Vec<Loaded>> {
        self.models.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn model(&self, root: &Root) -> Option<Arc<Served>> {
        let mut models = self.models();
        let found = models.iter().position(|loaded| loaded.root == *root)?;
        let loaded = models.remove(found);
        let model = Arc::clone(&loaded.model);
        models.push(loaded);
        Some(model)
    }

    fn keep(&self, root: Root, model: Arc<Served>) {
        let mut models = self.models();
        models.retain(|loaded| loaded.root != root);
        models.push(Loaded { root, model });
        let len = |loaded: &Loaded| loaded.model.first.artifact().bytes().len() as u64;
        while models.len() > 1 && models.iter().map(len).sum::<u64>() > self.cache_bytes {
            models.remove(0);
        }
    }

    fn served(&self, root: &Root) -> Result<Arc<Served>, ComputeError> {
        self.model(root).ok_or_else(|| ComputeError::Engine("the model is not loaded".to_owned()))
    }

    /// Puts an artifact on the adapter: alone where it has no room beside the others, on the processor where it has
    /// none at all.
    fn place(&self, artifact: &Arc<Artifact>) -> Result<Served, ComputeError> {
        let on_adapter = || self.engine.load_with(Arc::clone(artifact), &self.options);
        let mut loaded = on_adapter();
        if let Err(error) = &loaded
            && of_device(error)
            && !self.models().is_empty()
        {
            tracing::warn!(error = in_full(error), "the adapter has no room for one more model; unloading the others");
            self.models().clear();
            loaded = on_adapter();
        }
        let first = match loaded {
            Ok(model) => model,
            Err(error) if of_device(&error) => {
                tracing::warn!(error = in_full(&error), "the adapter cannot hold the model; the processor serves it");
                self.on_processor(artifact)?
            }
            Err(error @ Error::SelfTest { .. }) => {
                let adapter = self.engine.adapter().name;
                return Err(ComputeError::SelfTest { adapter, reason: in_full(&error) });
            }
            Err(error) => return Err(ComputeError::Artifact(in_full(&error))),
        };
        Ok(Served { first, second: OnceLock::new() })
    }

    fn on_processor(&self, artifact: &Arc<Artifact>) -> Result<Model, ComputeError> {
        let failed = |error: Error| ComputeError::Engine(in_full(&error));
        let engine = match self.processor.get() {
            Some(engine) => engine,
            None => {
                let engine = Engine::new(AdapterChoice::Cpu).map_err(failed)?;
                self.processor.get_or_init(|| engine)
            }
        };
        engine.load_with(Arc::clone(artifact), &self.options).map_err(failed)
    }

    /// The model on the processor, for when the adapter fails.
    fn second<'a>(&self, served: &'a Served) -> Result<&'a Model, ComputeError> {
        if let Some(model) = served.second.get() {
            return Ok(model);
        }
        let model = self.on_processor(served.first.artifact())?;
        Ok(served.second.get_or_init(|| model))
    }
}

impl Compute for EngineCompute {
    fn adapter(&self) -> Adapter {
        let info = self.engine.adapter();
        Adapter {
            name: info.name,
            backend: info.backend.to_owned(),
            driver: info.driver,
            device_type: info.device_type,
        }
    }

    fn self_test(&self) -> Result<(), ComputeError> {
        self.engine
            .self_test()
            .map(drop)
            .map_err(|error| ComputeError::SelfTest { adapter: self.engine.adapter().name, reason: in_full(&error) })
    }

    fn is_loaded(&self, root: &Root) -> bool {
        self.model(root).is_some()
    }

    fn load(&self, root: &Root, recipe_root: &Root, artifact: &Path) -> Result<(), ComputeError> {
        let _one_at_a_time = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_loaded(root) {
            return Ok(());
        }
        let artifact = Artifact::open(artifact).map_err(|error| match error.root() {
            // The disk is to blame, not what the chain names.
            Error::File { .. } => ComputeError::Engine(in_full(&error)),
            _ => ComputeError::Artifact(in_full(&error)),
        })?;
        let differs = |what, expected: &Root, found: Root| {
            ComputeError::Artifact(format!("its {what} is {}, not {}", hex::encode(found), hex::encode(expected)))
        };
        if artifact.content_root() != *root {
            return Err(differs("content root", root, artifact.content_root()));
        }
        if artifact.recipe_root() != *recipe_root {
            return Err(differs("recipe root", recipe_root, artifact.recipe_root()));
        }
        let served = self.place(&Arc::new(artifact))?;
        self.keep(*root, Arc::new(served));
        Ok(())
    }

    fn prepare(&self, root: &Root, request: &[u8], limit: TimeLimit) -> Result<Prepared, ComputeError> {
        let served = self.served(root)?;
        let unfit = |error: Error| ComputeError::Request(in_full(&error));
        let request = Request::from_bytes(request).map_err(|error| ComputeError::Request(in_full(&error)))?;
        let prepare = || served.first.prepare(&request);
        let prepared = match limit {
            TimeLimit::Bounded => prepare(),
            TimeLimit::Lifted => unhurried(prepare),
        };
        Prepared::new(&served.first, prepared.map_err(unfit)?)
    }

    fn warm_up(&self, root: &Root, like: &Prepared) -> Result<Spent, ComputeError> {
        let served = self.served(root)?;
        let failed = |error: Error| ComputeError::Engine(in_full(&error));
        let turn = self.warm_ups.fetch_add(1, Ordering::Relaxed);
        let short = short(&served.first, &like.request, turn).map_err(failed)?;
        answer(&served.first, &short, &CancellationToken::new()).map(|(_, spent)| spent).map_err(failed)
    }

    fn run(&self, root: &Root, request: &Prepared, given_up: &CancellationToken) -> Result<Computation, ComputeError> {
        let served = self.served(root)?;
        let request = request.request.as_ref();
        let mut answered = answer(&served.first, request, given_up);
        if let Err(error) = &answered
            && of_device(error)
        {
            // A bond may hang on this answer, and the processor gives the same bytes.
            tracing::warn!(error = in_full(error), "the adapter failed; answering from the processor");
            answered = answer(self.second(&served)?, request, given_up);
        }
        if given_up.is_cancelled() {
            return Err(ComputeError::GivenUp);
        }
        match answered {
            Ok((response, spent)) => Ok(Computation { units: response.units(), response: response.to_bytes(), spent }),
            Err(error) if of_device(&error) || matches!(error.root(), Error::Aborted) => {
                Err(ComputeError::Engine(in_full(&error)))
            }
            Err(error) => Err(ComputeError::Request(in_full(&error))),
        }
    }
}

impl Prepared {
    fn new(model: &Model, request: PreparedRequest) -> Result<Self, ComputeError> {
        let units = request.units();
        if units.is_zero() {
            return Err(ComputeError::Request("it is empty".to_owned()));
        }
        let effort = Effort::of_request(&model.artifact().recipe().model, request.size(), units);
        Ok(Self { asked: Asked { units, effort }, request: Arc::new(request) })
    }
}

/// Has a model answer; a text is no longer continued once `given_up` is cancelled.
fn answer(model: &Model, request: &PreparedRequest, given_up: &CancellationToken) -> Result<(Response, Spent), Error> {
    let begun = Instant::now();
    let mut first = None;
    let response = model.answer(request, &mut |_| {
        first.get_or_insert_with(|| begun.elapsed());
        match given_up.is_cancelled() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    })?;
    let took = begun.elapsed();
    let reading = first.unwrap_or(took);
    let effort = Effort::of_response(&model.artifact().recipe().model, request.size(), &response);
    Ok((response, Spent { effort, reading, writing: took.saturating_sub(reading) }))
}

/// Something short of a request's kind: its first picture or sentence, or a text that differs at each turn from its
/// beginning, because what a model has read before it reads again at once.
fn short(model: &Model, like: &PreparedRequest, turn: u64) -> Result<PreparedRequest, Error> {
    if let Some(first) = model.first_of(like) {
        return Ok(first);
    }
    model.prepare(&Request::Generate(Generate {
        prompt: Prompt::Text(format!("{turn}: how long does this take?")),
        max_tokens: WARM_UP_TOKENS,
        sampling: Sampling { temperature_milli: 100_000, seed: turn, ..Sampling::GREEDY },
        stop: Vec::new(),
    }))
}

/// Whether the device is to blame, which the processor may make good.
fn of_device(error: &Error) -> bool {
    matches!(error.root(), Error::Gpu(_))
}

/// An error with its causes in one line.
fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
