//! BERT sentence encoders in floats.

use rayon::prelude::*;

use super::{gelu, linear};
use crate::{artifact::BertRecipe, error::Error, format::Weights};

/// A matrix product.
pub struct FloatLinear {
    /// [outputs][inputs].
    pub weight: Vec<f32>,
    /// [outputs].
    pub bias: Vec<f32>,
}

/// A layer normalisation.
pub struct FloatNorm {
    /// [width].
    pub gain: Vec<f32>,
    /// [width].
    pub bias: Vec<f32>,
}

/// One layer.
pub struct FloatLayer {
    /// Queries, keys and values: [3 * width][width].
    pub qkv: FloatLinear,
    /// [width][width].
    pub output: FloatLinear,
    /// After attention.
    pub norm1: FloatNorm,
    /// [inner][width].
    pub up: FloatLinear,
    /// [width][inner].
    pub down: FloatLinear,
    /// After the feed-forward part.
    pub norm2: FloatNorm,
}

/// An encoder.
pub struct FloatBert {
    /// Its sizes.
    pub recipe: BertRecipe,
    /// [vocabulary][width].
    pub words: Vec<f32>,
    /// Positions and the one token type together: [positions][width].
    pub positions: Vec<f32>,
    /// After the embedding.
    pub first: FloatNorm,
    /// In order.
    pub layers: Vec<FloatLayer>,
    /// Added to the variance in every normalisation.
    pub epsilon: f32,
}

/// A place in a layer (or before the first, for `Embedded` and `Normed(0)`) whose values calibration looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Site {
    /// What normalisation n sees: 0 after the embedding, then two per layer.
    Sum(usize),
    /// What a projection adds to the stream before normalisation n.
    Added(usize),
    /// What normalisation n gives.
    Normed(usize),
    /// Queries, keys and values of a layer.
    Qkv(usize),
    /// Attention's context of a layer.
    Context(usize),
    /// What GELU sees in a layer.
    Inner(usize),
    /// What GELU gives in a layer.
    Activated(usize),
}

/// Called with the rows at each site.
pub type Observe<'a> = dyn FnMut(Site, &[f32]) + 'a;

impl FloatBert {
    /// Finds the tensors by the names that the `transformers` library gives them, with or without the prefix `bert.`.
    ///
    /// # Errors
    /// [`Error::ImportTensor`] for the first that is missing or of another shape.
    pub fn new(weights: &Weights, recipe: &BertRecipe, types: usize, epsilon: f32) -> Result<Self, Error> {
        let [width, inner] = [recipe.width as usize, recipe.inner as usize];
        let prefix = if weights.shape("bert.embeddings.word_embeddings.weight").is_some() { "bert." } else { "" };
        let get = |name: String, shape: &[usize]| weights.read(&format!("{prefix}{name}"), shape);
        let dense = |name: String, outputs: usize, inputs: usize| {
            let (weight, bias) =
                (get(format!("{name}.weight"), &[outputs, inputs])?, get(format!("{name}.bias"), &[outputs])?);
            Ok::<_, Error>(FloatLinear { weight, bias })
        };
        let norm = |name: String| {
            let (gain, bias) = (get(format!("{name}.weight"), &[width])?, get(format!("{name}.bias"), &[width])?);
            Ok::<_, Error>(FloatNorm { gain, bias })
        };
        let mut layers = Vec::new();
        for i in 0..recipe.layers {
            let at = format!("encoder.layer.{i}");
            let mut qkv = FloatLinear { weight: vec![], bias: vec![] };
            for part in ["query", "key", "value"] {
                let part = dense(format!("{at}.attention.self.{part}"), width, width)?;
                qkv.weight.extend(part.weight);
                qkv.bias.extend(part.bias);
            }
            layers.push(FloatLayer {
                qkv,
                output: dense(format!("{at}.attention.output.dense"), width, width)?,
                norm1: norm(format!("{at}.attention.output.LayerNorm"))?,
                up: dense(format!("{at}.intermediate.dense"), inner, width)?,
                down: dense(format!("{at}.output.dense"), width, inner)?,
                norm2: norm(format!("{at}.output.LayerNorm"))?,
            });
        }
        let table = |name: &str, rows: usize| get(format!("embeddings.{name}.weight"), &[rows, width]);
        let types = table("token_type_embeddings", types)?;
        let mut positions = table("position_embeddings", recipe.positions as usize)?;
        for row in positions.chunks_exact_mut(width) {
            row.iter_mut().zip(&types).for_each(|(p, t)| *p += t);
        }
        Ok(Self {
            recipe: recipe.clone(),
            words: table("word_embeddings", recipe.vocabulary as usize)?,
            positions,
            first: norm("embeddings.LayerNorm".into())?,
            layers,
            epsilon,
        })
    }

    /// The vector of length one of a text's tokens.
    pub fn embed(&self, ids: &[u32], observe: &mut Observe<'_>) -> Vec<f32> {
        let width = self.recipe.width as usize;
        let mut x: Vec<f32> = Vec::with_capacity(ids.len() * width);
        for (id, position) in ids.iter().zip(self.positions.chunks_exact(width)) {
            let word = &self.words[*id as usize * width..(*id as usize + 1) * width];
            x.extend(word.iter().zip(position).map(|(w, p)| w + p));
        }
        self.normalise(0, &mut x, &self.first, observe);
        for (i, layer) in self.layers.iter().enumerate() {
            let qkv = linear(&x, &layer.qkv.weight, &layer.qkv.bias);
            observe(Site::Qkv(i), &qkv);
            let context = attend(&qkv, width, self.recipe.heads as usize);
            observe(Site::Context(i), &context);
            self.add(2 * i + 1, &mut x, &context, &layer.output, &layer.norm1, observe);
            let mut inner = linear(&x, &layer.up.weight, &layer.up.bias);
            observe(Site::Inner(i), &inner);
            inner.par_chunks_mut(self.recipe.inner as usize).flatten().for_each(|v| *v = gelu(f64::from(*v)) as f32);
            observe(Site::Activated(i), &inner);
            self.add(2 * i + 2, &mut x, &inner, &layer.down, &layer.norm2, observe);
        }
        let mut pooled = vec![0f32; width];
        for row in x.chunks_exact(width) {
            pooled.iter_mut().zip(row).for_each(|(p, v)| *p += v);
        }
        let length = pooled.iter().map(|v| v * v).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        pooled.iter().map(|v| v / length).collect()
    }

    /// x becomes norm(x + linear(from)).
    fn add(
        &self,
        n: usize,
        x: &mut [f32],
        from: &[f32],
        dense: &FloatLinear,
        norm: &FloatNorm,
        observe: &mut Observe<'_>,
    ) {
        let added = linear(from, &dense.weight, &dense.bias);
        observe(Site::Added(n), &added);
        x.iter_mut().zip(&added).for_each(|(x, a)| *x += a);
        self.normalise(n, x, norm, observe);
    }

    fn normalise(&self, n: usize, x: &mut [f32], norm: &FloatNorm, observe: &mut Observe<'_>) {
        observe(Site::Sum(n), x);
        for row in x.chunks_exact_mut(norm.gain.len()) {
            let count = row.len() as f32;
            let mean = row.iter().sum::<f32>() / count;
            let variance = row.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / count;
            let factor = 1.0 / (variance + self.epsilon).sqrt();
            for (v, (gain, bias)) in row.iter_mut().zip(norm.gain.iter().zip(&norm.bias)) {
                *v = (*v - mean) * factor * gain + bias;
            }
        }
        observe(Site::Normed(n), x);
    }
}

/// Attention of every token to every token over rows of queries, keys and values.
fn attend(qkv: &[f32], width: usize, heads: usize) -> Vec<f32> {
    let (depth, rows) = (width / heads, qkv.len() / (3 * width));
    let part = |row: usize, from: usize| &qkv[row * 3 * width + from..row * 3 * width + from + depth];
    let mut out = vec![0f32; rows * width];
    for head in 0..heads {
        let at = head * depth;
        for i in 0..rows {
            let score = |j| super::product::dot(part(i, at), part(j, width + at)) / (depth as f32).sqrt();
            let scores: Vec<f32> = (0..rows).map(score).collect();
            let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let weights: Vec<f32> = scores.iter().map(|s| (s - largest).exp()).collect();
            let total: f32 = weights.iter().sum();
            for (j, weight) in weights.iter().enumerate() {
                let value = part(j, 2 * width + at);
                let to = &mut out[i * width + at..i * width + at + depth];
                to.iter_mut().zip(value).for_each(|(o, v)| *o += weight / total * v);
            }
        }
    }
    out
}
