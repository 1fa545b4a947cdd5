//! Decoders.

use std::ops::Range;

use super::{Part, check_lengths, places, words};
use crate::{
    artifact::{ArtifactFile, LlamaRecipe, ModelRecipe, Piece},
    error::Error,
    models::{
        layer_prefix,
        llama::{
            PAGE, Shape,
            parts::{self, TABLES},
        },
    },
    values::Values,
};

/// A decoder in its file.
pub struct Decoder {
    file: ArtifactFile,
    recipe: LlamaRecipe,
}

/// What the last layer leaves of several sequences: the stream and what is still to be added to it, both
/// `I32 [tokens][width]`, one sequence's tokens after the other's.
pub struct Streams([Values; 2]);

impl Decoder {
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
        check_lengths(tokens, self.recipe.positions as usize)?;
        let tokens: Vec<&[u32]> = tokens.iter().map(Vec::as_slice).filter(|tokens| !tokens.is_empty()).collect();
        if tokens.is_empty() {
            return Ok(Streams([Values::I32(vec![]), Values::I32(vec![])]));
        }
        let mut flows = self.words(&tokens)?;
        for i in 0..self.recipe.layers as usize {
            progress(i);
            let prefix = format!("{}.", layer_prefix(i));
            let own = self.file.names().filter(|name| name.starts_with(&prefix));
            let part = Part::new(&self.file, &own.chain(TABLES).map(Piece::whole).collect::<Vec<_>>())?;
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
        let words = words(tokens.iter().copied());
        let tensors = ["embed.weight", "embed.scale"];
        let part = Part::new(&self.file, &tensors.map(|name| Piece::rows(name, words.iter().copied())))?;
        let flow = |tokens: &&[u32]| {
            let plan = parts::words(&part.artifact, &self.recipe, words.len(), tokens.len())?;
            part.run(plan, &[rows(places(&words, tokens))])
        };
        tokens.iter().map(flow).collect()
    }

    /// The logits of some words after each token: `[tokens][words]`.
    ///
    /// # Errors
    /// As for [`Decoder::streams`].
    pub fn logits(&self, streams: &Streams, words: Range<u32>) -> Result<Vec<i32>, Error> {
        let rows = streams.0[0].as_i32().len() / self.recipe.width as usize;
        if rows == 0 || words.is_empty() {
            return Ok(vec![]);
        }
        let tensors = [parts::head(&self.recipe), "head.bias", "head.scale"];
        let pieces = tensors.map(|name| Piece::rows(name, words.clone())).into_iter();
        let part =
            Part::new(&self.file, &pieces.chain(["final.gain", "norm.epsilon"].map(Piece::whole)).collect::<Vec<_>>())?;
        let plan = parts::logits(&part.artifact, &self.recipe, words.len(), rows)?;
        let logits = part.run(plan, &streams.0)?.pop();
        Ok(if let Some(Values::I32(logits)) = logits { logits } else { vec![] })
    }
}

/// The rows of one sequence, whose pages lie in order after the first.
fn rows(tokens: impl Iterator<Item = u32>) -> Values {
    Values::U32((0..).zip(tokens).flat_map(|(p, token)| [token, p, p + PAGE as u32, 0]).collect())
}
