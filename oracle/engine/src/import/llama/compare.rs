//! How near a decoder's integers come to its floats.

mod row;

use super::shared::ROWS;
use crate::{
    error::Error,
    float::llama::FloatLlama,
    import::Figure,
    layered::{Decoder, Streams},
};
use rayon::prelude::*;
use row::Row;

/// A float model and what it makes of some texts.
pub(super) struct Twin<'a> {
    /// The model.
    pub model: &'a FloatLlama<'a>,
    /// The texts.
    pub tokens: &'a [Vec<u32>],
    /// Per text the residual stream after the last layer.
    pub streams: &'a [Vec<f32>],
}

/// An artifact that is compared.
pub(super) struct Integers {
    /// The decoder.
    pub model: Decoder,
    /// The real amount of one step of its logits.
    pub logit_step: f64,
}

/// How near an artifact comes.
pub(super) struct Measured {
    /// Everything, for the card.
    pub figures: Vec<Figure>,
    /// The mean divergence from float in nats per token.
    pub divergence: f64,
    /// The share of tokens whose likeliest successor agrees.
    pub agreement: f64,
}

impl Twin<'_> {
    /// The figures of each artifact; `progress` is told how much is done, and of how much.
    ///
    /// Of the artifacts one layer is in memory at a time, and of the head of the float model and theirs a few words.
    ///
    /// # Errors
    /// Those of the float model's file and of [`Decoder`].
    pub(super) fn compare(
        &self,
        artifacts: &[Integers],
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Vec<Measured>, Error> {
        let (layers, vocabulary) = (self.model.config.layers, self.model.config.vocabulary);
        let heads = vocabulary.div_ceil(ROWS);
        let total = layers * artifacts.len() + heads;
        let streams = artifacts
            .iter()
            .enumerate()
            .map(|(i, artifact)| artifact.model.streams(self.tokens, &mut |done| progress(i * layers + done, total)));
        let streams: Vec<Streams> = streams.collect::<Result<_, Error>>()?;
        let gain = self.model.final_norm()?;
        let normed: Vec<f32> = self.streams.iter().flat_map(|stream| self.model.normalise(stream, &gain)).collect();
        let following = self.tokens.iter().flat_map(|text| (1..=text.len()).map(|next| text.get(next).copied()));
        let rows: Vec<Row> = following.map(Row::new).collect();
        let mut compared: Vec<Vec<Row>> = artifacts.iter().map(|_| rows.clone()).collect();
        for (i, from) in (0..vocabulary).step_by(ROWS).enumerate() {
            progress(total - heads + i, total);
            let words = from..vocabulary.min(from + ROWS);
            let floats = self.model.logits(&normed, words.clone())?;
            for ((artifact, streams), rows) in artifacts.iter().zip(&streams).zip(&mut compared) {
                let ints = artifact.model.logits(streams, words.start as u32..words.end as u32)?;
                let pairs = floats.par_chunks_exact(words.len()).zip(ints.par_chunks_exact(words.len()));
                rows.par_iter_mut().zip(pairs).for_each(|(row, (floats, ints))| {
                    let ints: Vec<f32> = ints.iter().map(|v| (f64::from(*v) * artifact.logit_step) as f32).collect();
                    row.see(words.start, floats, &ints);
                });
            }
        }
        Ok(compared.iter().map(|rows| measured(rows)).collect())
    }
}

fn measured(rows: &[Row]) -> Measured {
    let count = rows.len().max(1) as f64;
    let divergence = rows.iter().map(Row::divergence).sum::<f64>() / count;
    let agreement = rows.iter().filter(|row| row.agrees()).count() as f64 / count;
    let figure = |name: &str, value| Figure { name: name.into(), value };
    let surprises: Vec<[f64; 2]> = rows.iter().filter_map(Row::surprise).collect();
    let perplexity =
        |which: usize| (surprises.iter().map(|s| s[which]).sum::<f64>() / surprises.len().max(1) as f64).exp();
    let figures = vec![
        figure("tokens", rows.len() as f64),
        figure("mean KL divergence of int-v1 from float (nats per token)", divergence),
        figure("largest KL divergence of int-v1 from float", rows.iter().map(Row::divergence).fold(0.0, f64::max)),
        figure("share of tokens whose likeliest successor agrees", agreement),
        figure("mean cosine of logits", rows.iter().map(Row::cosine).sum::<f64>() / count),
        figure("perplexity of float", perplexity(0)),
        figure("perplexity of int-v1", perplexity(1)),
    ];
    Measured { figures, divergence, agreement }
}
