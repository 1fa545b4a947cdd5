//! How near a decoder's integers come to its floats.

use std::sync::Arc;

use rayon::prelude::*;

use crate::{
    artifact::{Artifact, ModelRecipe},
    backend::Backend,
    error::Error,
    float::{cosine, llama::FloatLlama},
    import::Figure,
    models::llama::{Llama, PAGE, Shape},
    values::Values,
};

/// Tokens whose logits are held at a time. The more there are, the less often the float model's head is read.
const ROWS: usize = 16;

/// A float model and what it makes of some texts.
pub struct Twin<'a> {
    /// The model.
    pub model: &'a FloatLlama<'a>,
    /// The texts.
    pub tokens: &'a [Vec<u32>],
    /// Per text the residual stream after the last layer.
    pub streams: &'a [Vec<f32>],
    /// The real amount of one step of the artifact's logits.
    pub logit_step: f64,
}

/// How near an artifact comes.
pub struct Measured {
    /// Everything, for the card.
    pub figures: Vec<Figure>,
    /// The mean divergence from float in nats per token.
    pub divergence: f64,
    /// The share of tokens whose likeliest successor agrees.
    pub agreement: f64,
}

/// One token's distribution, compared.
struct Row {
    divergence: f64,
    agrees: bool,
    cosine: f64,
    /// Of the token that really follows, where one does: minus its logarithmic probability, float's and int-v1's.
    surprise: Option<[f64; 2]>,
}

impl Twin<'_> {
    /// The figures of an artifact.
    ///
    /// # Errors
    /// [`Error::Tensor`] for an artifact that is no decoder's; errors of the float model's file and of the backend.
    pub fn compare(&self, artifact: &Arc<Artifact>, progress: &mut dyn FnMut(usize)) -> Result<Measured, Error> {
        let ModelRecipe::Llama(recipe) = &artifact.recipe().model else {
            return Err(Error::Import("a decoder became something else".into()));
        };
        let llama = Llama::new(artifact, recipe)?;
        let backend = Backend::new(artifact.clone(), None)?;
        let gain = self.model.final_norm()?;
        let (width, vocabulary) = (self.model.config.width, self.model.config.vocabulary);
        let mut rows: Vec<Row> = vec![];
        for (i, (tokens, stream)) in self.tokens.iter().zip(self.streams).enumerate() {
            progress(i);
            let pages = tokens.len().div_ceil(PAGE);
            let slots = (pages + 1) * PAGE;
            let mut state = backend.state(&llama.state(slots))?;
            for (at, stream) in (0..).step_by(ROWS).zip(stream.chunks(ROWS * width)) {
                let shape = Shape { rows: stream.len() / width, sequences: 1, pages, picks: 0, slots, logits: true };
                let shape = Shape { picks: shape.rows, ..shape };
                let ints = backend.execute(&llama.plan(shape).into(), &inputs(tokens, at, shape), &mut state)?;
                let floats = self.model.logits(&self.model.normalise(stream, &gain))?;
                let pairs = floats.par_chunks_exact(vocabulary).zip(ints[1].as_i32().par_chunks_exact(vocabulary));
                let compared: Vec<Row> = pairs
                    .enumerate()
                    .map(|(r, (float, ints))| {
                        let ints: Vec<f32> = ints.iter().map(|v| (f64::from(*v) * self.logit_step) as f32).collect();
                        row(float, &ints, tokens.get(at + r + 1).copied())
                    })
                    .collect();
                rows.extend(compared);
            }
        }
        Ok(measured(&rows))
    }
}

/// The inputs of a plan for the part of one sequence that begins at `at`, whose pages lie in order after the first.
fn inputs(tokens: &[u32], at: usize, shape: Shape) -> [Values; 4] {
    let row = |p: usize| [tokens[p], p as u32, (p + PAGE) as u32, 0];
    [
        Values::U32((at..at + shape.rows).flat_map(row).collect()),
        Values::U32((1..=shape.pages as u32).collect()),
        Values::U32((0..shape.rows as u32).collect()),
        Values::U32([0, 0, 1 << 16, 0].repeat(shape.rows)),
    ]
}

/// The logarithms of the softmax of logits.
fn log_softmax(logits: &[f32]) -> Vec<f64> {
    let largest = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let total: f64 = logits.iter().map(|l| (f64::from(*l) - largest).exp()).sum();
    logits.iter().map(|l| f64::from(*l) - largest - total.ln()).collect()
}

fn row(float: &[f32], ints: &[f32], next: Option<u32>) -> Row {
    let best =
        |logits: &[f32]| logits.iter().enumerate().fold(0, |best, (i, l)| if *l > logits[best] { i } else { best });
    let (p, q) = (log_softmax(float), log_softmax(ints));
    Row {
        divergence: p.iter().zip(&q).map(|(p, q)| p.exp() * (p - q)).sum(),
        agrees: best(float) == best(ints),
        cosine: cosine(float, ints),
        surprise: next.map(|next| [-p[next as usize], -q[next as usize]]),
    }
}

fn measured(rows: &[Row]) -> Measured {
    let count = rows.len().max(1) as f64;
    let divergence = rows.iter().map(|row| row.divergence).sum::<f64>() / count;
    let agreement = rows.iter().filter(|row| row.agrees).count() as f64 / count;
    let figure = |name: &str, value| Figure { name: name.into(), value };
    let surprises: Vec<[f64; 2]> = rows.iter().filter_map(|row| row.surprise).collect();
    let perplexity =
        |which: usize| (surprises.iter().map(|s| s[which]).sum::<f64>() / surprises.len().max(1) as f64).exp();
    let figures = vec![
        figure("tokens", rows.len() as f64),
        figure("mean KL divergence of int-v1 from float (nats per token)", divergence),
        figure("largest KL divergence of int-v1 from float", rows.iter().map(|row| row.divergence).fold(0.0, f64::max)),
        figure("share of tokens whose likeliest successor agrees", agreement),
        figure("mean cosine of logits", rows.iter().map(|row| row.cosine).sum::<f64>() / count),
        figure("perplexity of float", perplexity(0)),
        figure("perplexity of int-v1", perplexity(1)),
    ];
    Measured { figures, divergence, agreement }
}
