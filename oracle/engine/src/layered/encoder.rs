//! Sentence encoders.

use super::{Part, check_lengths, places, words};
use crate::{
    artifact::{ArtifactFile, BertRecipe, ModelRecipe, Piece},
    error::Error,
    models::{
        bert::parts::{self, TABLE},
        layer_prefix,
    },
    values::Values,
};

/// An encoder in its file.
pub struct Encoder {
    file: ArtifactFile,
    recipe: BertRecipe,
}

impl Encoder {
    /// The encoder in this file.
    ///
    /// # Errors
    /// [`Error::Artifact`] when it holds another kind of model.
    pub fn new(file: ArtifactFile) -> Result<Self, Error> {
        let ModelRecipe::Bert(recipe) = &file.recipe().model else {
            return Err(Error::Artifact(format!("it holds a model of the family {}", file.recipe().model.family())));
        };
        Ok(Self { recipe: recipe.clone(), file })
    }

    /// The artifact.
    pub fn file(&self) -> &ArtifactFile {
        &self.file
    }

    /// The vector of each text's tokens, `[width]`; `progress` is told how many layers are done.
    ///
    /// # Errors
    /// [`Error::InputTooLong`] for a text that is longer than the model takes; [`Error::Request`] for one without tokens;
    /// [`Error::Tensor`] for a word that it does not have and for tensors that do not fit the recipe; [`Error::File`] and
    /// errors of the backend.
    pub fn vectors(&self, texts: &[Vec<u32>], progress: &mut dyn FnMut(usize)) -> Result<Vec<Vec<i32>>, Error> {
        check_lengths(texts, self.recipe.max_tokens as usize)?;
        if let Some(i) = texts.iter().position(Vec::is_empty) {
            return Err(Error::Request(format!("text {i} has no tokens")));
        }
        if texts.is_empty() {
            return Ok(vec![]);
        }
        let mut flows = self.begin(texts)?;
        for i in 0..self.recipe.layers {
            progress(i as usize);
            let prefix = format!("{}.", layer_prefix(i as usize));
            let own = self.file.names().filter(|name| name.starts_with(&prefix));
            let part = Part::new(&self.file, &own.chain([TABLE]).map(Piece::whole).collect::<Vec<_>>())?;
            for (flow, tokens) in flows.iter_mut().zip(texts) {
                let plan = parts::layer(&part.artifact, &self.recipe, i, tokens.len())?;
                *flow = part.run(plan, flow)?;
            }
        }
        Ok(flows.iter().map(|flow| flow[0].as_i32().to_vec()).collect())
    }

    /// What comes before the layers, of which only the texts' own words and positions are read.
    fn begin(&self, texts: &[Vec<u32>]) -> Result<Vec<Vec<Values>>, Error> {
        let words = words(texts.iter().map(Vec::as_slice));
        let positions = texts.iter().map(Vec::len).max().unwrap_or(0);
        let norm = ["gain", "bias", "scale"].map(|part| Piece::whole(format!("embed.norm.{part}")));
        let tables =
            [Piece::rows("embed.words", words.iter().copied()), Piece::rows("embed.positions", 0..positions as u32)];
        let part = Part::new(&self.file, &norm.into_iter().chain(tables).collect::<Vec<_>>())?;
        let flow = |tokens: &Vec<u32>| {
            let plan = parts::begin(&part.artifact, &self.recipe, [words.len(), positions], tokens.len())?;
            part.run(plan, &[Values::U32(places(&words, tokens).collect())])
        };
        texts.iter().map(flow).collect()
    }
}
