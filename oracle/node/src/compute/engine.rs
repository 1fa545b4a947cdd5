//! The engine behind [`Compute`]: one adapter, models kept loaded, the reference as a second when the adapter fails.

use std::sync::{Arc, Mutex, PoisonError};

use provena_engine::artifact::Artifact;
use provena_engine::io::{Request, Response};
use provena_engine::{AdapterChoice, Engine, Error, Model, reference};

use super::{Adapter, Computation, Compute, ComputeError};
use crate::store::{Bytes, Root};

/// An [`Engine`] with a cache of models.
pub struct EngineCompute {
    engine: Engine,
    models: Mutex<Vec<Loaded>>,
    cache_bytes: u64,
}

/// A model with what identifies it; the most recently used one is last.
struct Loaded {
    root: Root,
    model: Arc<Model>,
}

impl EngineCompute {
    /// Opens `adapter` ("best", "cpu" or a part of a GPU's name). Models are dropped, least recently used first, when
    /// their artifacts together exceed `cache_bytes`; the last one stays.
    ///
    /// # Errors
    /// [`ComputeError::Engine`] when the adapter is not there or cannot be opened.
    pub fn open(adapter: &str, cache_bytes: u64) -> Result<Self, ComputeError> {
        let Ok(choice) = adapter.parse::<AdapterChoice>();
        let engine = Engine::new(choice).map_err(|error| ComputeError::Engine(in_full(&error)))?;
        Ok(Self { engine, models: Mutex::default(), cache_bytes })
    }

    fn model(&self, root: &Root) -> Option<Arc<Model>> {
        let mut models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        let found = models.iter().position(|loaded| loaded.root == *root)?;
        let loaded = models.remove(found);
        let model = Arc::clone(&loaded.model);
        models.push(loaded);
        Some(model)
    }

    fn keep(&self, root: Root, model: Arc<Model>) {
        let mut models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        models.retain(|loaded| loaded.root != root);
        models.push(Loaded { root, model });
        let len = |loaded: &Loaded| loaded.model.artifact().bytes().len() as u64;
        while models.len() > 1 && models.iter().map(len).sum::<u64>() > self.cache_bytes {
            models.remove(0);
        }
    }

    fn request(&self, root: &Root, request: &[u8]) -> Result<(Arc<Model>, Request), ComputeError> {
        let model = self.model(root).ok_or_else(|| ComputeError::Engine("the model is not loaded".to_owned()))?;
        Ok((model, Request::from_bytes(request).map_err(|error| ComputeError::Request(in_full(&error)))?))
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

    fn load(&self, root: &Root, recipe_root: &Root, artifact: Bytes) -> Result<(), ComputeError> {
        let unusable = |error: &Error| ComputeError::Artifact(in_full(error));
        let artifact = Artifact::from_bytes(artifact.into()).map_err(|error| unusable(&error))?;
        let differs = |what, expected: &Root, found: Root| {
            ComputeError::Artifact(format!("its {what} is {}, not {}", hex::encode(found), hex::encode(expected)))
        };
        if artifact.content_root() != *root {
            return Err(differs("content root", root, artifact.content_root()));
        }
        if artifact.recipe_root() != *recipe_root {
            return Err(differs("recipe root", recipe_root, artifact.recipe_root()));
        }
        let model = self.engine.load(Arc::new(artifact)).map_err(|error| match error {
            Error::Gpu(_) => ComputeError::Engine(in_full(&error)),
            Error::SelfTest { .. } => {
                ComputeError::SelfTest { adapter: self.engine.adapter().name, reason: in_full(&error) }
            }
            _ => unusable(&error),
        })?;
        self.keep(*root, Arc::new(model));
        Ok(())
    }

    fn check(&self, root: &Root, request: &[u8]) -> Result<u32, ComputeError> {
        let (model, request) = self.request(root, request)?;
        model.check(&request).map_err(|error| ComputeError::Request(in_full(&error)))?;
        match request.units() {
            0 => Err(ComputeError::Request("it is empty".to_owned())),
            units => Ok(units),
        }
    }

    fn run(&self, root: &Root, request: &[u8]) -> Result<Computation, ComputeError> {
        let (model, request) = self.request(root, request)?;
        let response: Response = match model.run(&request) {
            Ok(response) => response,
            Err(error @ Error::Gpu(_)) => {
                // A bond may hang on this answer, and the reference gives the same bytes, only more slowly.
                tracing::warn!(error = in_full(&error), "the adapter failed; answering from the reference");
                reference::run(model.artifact(), &request).map_err(|error| ComputeError::Engine(in_full(&error)))?
            }
            Err(error) => return Err(ComputeError::Request(in_full(&error))),
        };
        Ok(Computation { response: response.to_bytes(), units: request.units() })
    }
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
