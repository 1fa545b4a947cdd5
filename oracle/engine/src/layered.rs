//! Computes a model of words from its file, one layer at a time: of the artifact only that layer is in memory, and of the
//! texts what goes from one layer to the next.
//!
//! This is for whole texts that are known beforehand, as an import's are. The bits are those that the whole artifact
//! gives.

mod decoder;
mod encoder;

use std::sync::Arc;

use crate::{
    artifact::{Artifact, ArtifactFile, Piece},
    backend::Backend,
    error::Error,
    plan::{Buffer, Plan},
    values::Values,
};
pub use decoder::{Decoder, Streams};
pub use encoder::Encoder;

/// A part of the artifact, and the processor that computes with it.
struct Part {
    artifact: Arc<Artifact>,
    backend: Backend,
}

impl Part {
    /// Reads these tensors.
    fn new(file: &ArtifactFile, pieces: &[Piece]) -> Result<Self, Error> {
        let artifact = Arc::new(file.part(pieces)?);
        Ok(Self { backend: Backend::new(artifact.clone(), None)?, artifact })
    }

    /// The outputs of a plan whose state is empty before and not needed afterwards.
    fn run(&self, plan: Plan, inputs: &[Values]) -> Result<Vec<Values>, Error> {
        let state: Vec<Buffer> = plan.state.iter().map(|id| plan.get(*id).clone()).collect();
        let mut state = self.backend.state(&state)?;
        self.backend.execute(&plan.into(), inputs, &mut state)
    }
}

/// The words of all texts, each once and in order.
fn words<'a>(texts: impl IntoIterator<Item = &'a [u32]>) -> Vec<u32> {
    let mut words: Vec<u32> = texts.into_iter().flatten().copied().collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// Where each token's word is among those.
fn places<'a>(words: &'a [u32], tokens: &'a [u32]) -> impl Iterator<Item = u32> + 'a {
    tokens.iter().map(|token| words.partition_point(|word| word < token) as u32)
}

/// That no text has more tokens than the model takes.
fn check_lengths(texts: &[Vec<u32>], limit: usize) -> Result<(), Error> {
    match texts.iter().enumerate().find(|(_, tokens)| tokens.len() > limit) {
        Some((index, tokens)) => Err(Error::InputTooLong { index, tokens: tokens.len(), limit }),
        None => Ok(()),
    }
}
