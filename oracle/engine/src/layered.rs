//! Computes a decoder from its file, one layer at a time: of the artifact only that layer is in memory, and of the texts
//! what goes from one layer to the next.
//!
//! This is for whole texts that are known beforehand; [`crate::generate`] is for those that are yet to be written. Both
//! give the same bits.

use std::{ops::Range, sync::Arc};

use crate::{
    artifact::{Artifact, ArtifactFile, LlamaRecipe, ModelRecipe, Piece},
    backend::Backend,
    error::Error,
    models::llama::{
        PAGE, Shape,
        parts::{self, TABLES},
    },
    plan::{Buffer, Plan},
    values::Values,
};

/// A decoder in its file.
pub struct Layered {
    file: ArtifactFile,
    recipe: LlamaRecipe,
}

/// What the last layer leaves of several sequences: the stream and what is still to be added to it, both
/// `I32` [tokens][width], one sequence's tokens after the other's.
pub struct Streams([Values; 2]);

impl Layered {
    /// The decoder in this file.
    ///
    /// # Errors
    /// [`Error::Artifact`] when it holds another kind of model.
    pub fn new(file: ArtifactFile) -> Result<Self, Error> {
        let ModelRecipe::Llama(recipe) = &file.recipe().model else {
            return Err(Error::Artifact(format!("it holds a model of the family {}", file.recipe().model.family())));
        };
        Ok(Self { recipe: recipe.clone(), file })
    }

    /// The artifact.
    pub fn file(&self) -> &ArtifactFile {
        &self.file
    }

    /// Takes sequences of tokens through all layers; `progress` is told how many are done.
    ///
    /// # Errors
    /// [`Error::InputTooLong`] for a sequence that is longer than the model's context; [`Error::Tensor`] for a word that
    /// it does not have and for tensors that do not fit the recipe; [`Error::File`] and errors of the backend.
    pub fn streams(&self, tokens: &[Vec<u32>], progress: &mut dyn FnMut(usize)) -> Result<Streams, Error> {
        let most = self.recipe.positions as usize;
        if let Some((i, long)) = tokens.iter().enumerate().find(|(_, tokens)| tokens.len() > most) {
            return Err(Error::InputTooLong { index: i, tokens: long.len(), limit: most });
        }
        let tokens: Vec<&[u32]> = tokens.iter().map(Vec::as_slice).filter(|tokens| !tokens.is_empty()).collect();
        if tokens.is_empty() {
            return Ok(Streams([Values::I32(vec![]), Values::I32(vec![])]));
        }
        let mut flows = self.words(&tokens)?;
        for i in 0..self.recipe.layers as usize {
            progress(i);
            let prefix = format!("{}.", parts::prefix(i));
            let own = self.file.names().filter(|name| name.starts_with(&prefix));
            let part = self.part(&own.chain(TABLES).map(Piece::whole).collect::<Vec<_>>())?;
            for (flow, tokens) in flows.iter_mut().zip(&tokens) {
                let pages = tokens.len().div_ceil(PAGE);
                // The first page belongs to no sequence.
                let slots = (pages + 1) * PAGE;
                let shape = Shape { rows: tokens.len(), sequences: 1, pages, picks: 0, slots, logits: false };
                let plan = parts::layer(&part.artifact, &self.recipe, i, shape)?;
                let table = Values::U32((1..=pages as u32).collect());
                let inputs = [rows(tokens.iter().copied()), table].into_iter().chain(flow.drain(..));
                *flow = part.run(plan, &inputs.collect::<Vec<_>>())?;
            }
        }
        let all = |which: usize| flows.iter().flat_map(|flow| flow[which].as_i32()).copied().collect();
        Ok(Streams([Values::I32(all(0)), Values::I32(all(1))]))
    }

    /// The streams before the first layer, of which only the texts' own words are read.
    fn words(&self, tokens: &[&[u32]]) -> Result<Vec<Vec<Values>>, Error> {
        let mut words = tokens.concat();
        words.sort_unstable();
        words.dedup();
        let tensors = ["embed.weight", "embed.scale"];
        let part = self.part(&tensors.map(|name| Piece::rows(name, words.iter().copied())))?;
        let flow = |tokens: &&[u32]| {
            let plan = parts::words(&part.artifact, &self.recipe, words.len(), tokens.len())?;
            let which = tokens.iter().map(|token| words.partition_point(|word| word < token) as u32);
            part.run(plan, &[rows(which)])
        };
        tokens.iter().map(flow).collect()
    }

    /// The logits of some words after each token: [tokens][words].
    ///
    /// # Errors
    /// As for [`Layered::streams`].
    pub fn logits(&self, streams: &Streams, words: Range<u32>) -> Result<Vec<i32>, Error> {
        let rows = streams.0[0].as_i32().len() / self.recipe.width as usize;
        if rows == 0 || words.is_empty() {
            return Ok(vec![]);
        }
        let tensors = [parts::head(&self.recipe), "head.bias", "head.scale"];
        let pieces = tensors.map(|name| Piece::rows(name, words.clone())).into_iter();
        let part = self.part(&pieces.chain(["final.gain", "norm.epsilon"].map(Piece::whole)).collect::<Vec<_>>())?;
        let plan = parts::logits(&part.artifact, &self.recipe, words.len(), rows)?;
        let logits = part.run(plan, &streams.0)?.pop();
        Ok(if let Some(Values::I32(logits)) = logits { logits } else { vec![] })
    }

    fn part(&self, pieces: &[Piece]) -> Result<Part, Error> {
        let artifact = Arc::new(self.file.part(pieces)?);
        Ok(Part { backend: Backend::new(artifact.clone(), None)?, artifact })
    }
}

/// A part of the artifact, and the processor that computes with it.
struct Part {
    artifact: Arc<Artifact>,
    backend: Backend,
}

impl Part {
    /// The outputs of a plan whose state is empty before and not needed afterwards.
    fn run(&self, plan: Plan, inputs: &[Values]) -> Result<Vec<Values>, Error> {
        let state: Vec<Buffer> = plan.state.iter().map(|id| plan.get(*id).clone()).collect();
        let mut state = self.backend.state(&state)?;
        self.backend.execute(&plan.into(), inputs, &mut state)
    }
}

/// The rows of one sequence, whose pages lie in order after the first.
fn rows(tokens: impl Iterator<Item = u32>) -> Values {
    Values::U32((0..).zip(tokens).flat_map(|(p, token)| [token, p, p + PAGE as u32, 0]).collect())
}
