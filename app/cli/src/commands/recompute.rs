//! Computing an answer again on this machine, to compare it with the one that was paid for.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use provena_client::store::{Bytes, Root, Store};
use provena_engine::{AdapterChoice, Engine, Error, artifact::Artifact, reference};
use provena_wire::{Request, Response};

/// What computes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// The scalar reference, which defines what is right and takes its time.
    Reference,
    /// The reference for pictures and sentences. For words, of which each needs the whole model, the processor's fast
    /// path, after it was compared with the reference on known answers.
    Processor,
}

/// Answers `request` by the artifact whose content root is `root`.
///
/// # Errors
/// The artifact is in no store, or cannot answer the request.
pub(crate) async fn answer(store: &Store, root: &Root, request: Request, by: By) -> Result<Response> {
    let bytes = store.get(root).await.context("the model's artifact is in no store")?;
    answer_by(bytes, request, by).await
}

/// As [`answer`], with the artifact's bytes.
///
/// # Errors
/// It cannot answer the request.
pub(crate) async fn answer_by(artifact: Bytes, request: Request, by: By) -> Result<Response> {
    let run = move || -> Result<Response, Error> {
        let artifact = Artifact::from_bytes(artifact.into())?;
        match (by, &request) {
            (By::Processor, Request::Generate(_)) => {
                Engine::new(AdapterChoice::Cpu)?.load(Arc::new(artifact))?.run(&request)
            }
            _ => reference::run(&artifact, &request),
        }
    };
    tokio::task::spawn_blocking(run).await?.context("the answer could not be computed again")
}
