//! BERT sentence encoders in floats.

use rayon::prelude::*;

use super::{gelu, linear};
use crate::{artifact::BertRecipe, error::Error, format::Weights};

/// A matrix product.
pub struct FloatLinear {
    /// `[outputs][inputs]`.
    pub weight: Vec<f32>,
    /// `[outputs]`.
    pub bias: Vec<f32>,
}

/// A layer normalisation.
pub struct FloatNorm {
    /// `[width]`.
    pub gain: Vec<f32>,
    /// `[width]`.
    pub bias: Vec<f32>,
}

/// One layer.
pub struct FloatLayer {
    /// Queries, keys and values: `[3 * width][width]`.
    pub qkv: FloatLinear,
    /// `[width][width]`.
    pub output: FloatLinear,
    /// After attention.
    pub norm1: FloatNorm,
    /// `[inner][width]`.
    pub up: FloatLinear,
    /// `[width][inner]`.
    pub down: FloatLinear,
    /// After the feed-forward part.
    pub norm2: FloatNorm,
}

/// An encoder, whose weights are read when they are needed.
pub struct FloatBert<'a> {
    /// Its sizes.
    pub recipe: BertRecipe,
    /// Added to the variance in every normalisation.
    pub epsilon: f32,
    weights: &'a Weights,
    /// What all names begin with.
    prefix: &'static str,
    /// Token types, of which the first is every token's.
    types: usize,
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

impl<'a> FloatBert<'a> {
    /// Checks that every tensor is there by the name that the `transformers` library gives it, with or without the
    /// prefix `bert.`, and has its shape.
    ///
    /// # Errors
    /// [`Error::ImportTensor`] for the first that is missing or of another shape.
    pub fn new(weights: &'a Weights, recipe: &BertRecipe, types: usize, epsilon: f32) -> Result<Self, Error> {
        let prefix = if weights.shape("bert.embeddings.word_embeddings.weight").is_some() { "bert." } else { "" };
        let model = Self { recipe: recipe.clone(), epsilon, weights, prefix, types };
        let [width, inner] = model.sizes();
        for i in 0..recipe.layers {
            let at = format!("encoder.layer.{i}");
            for part in ["query", "key", "value"] {
                model.check_dense(&format!("{at}.attention.self.{part}"), width, width)?;
            }
            model.check_dense(&format!("{at}.attention.output.dense"), width, width)?;
            model.check_norm(&format!("{at}.attention.output.LayerNorm"))?;
            model.check_dense(&format!("{at}.intermediate.dense"), inner, width)?;
            model.check_dense(&format!("{at}.output.dense"), width, inner)?;
            model.check_norm(&format!("{at}.output.LayerNorm"))?;
        }
        let rows = [types, recipe.positions as usize, recipe.vocabulary as usize];
        for (name, rows) in ["token_type", "position", "word"].into_iter().zip(rows) {
            model.check(&format!("embeddings.{name}_embeddings.weight"), &[rows, width])?;
        }
        model.check_norm("embeddings.LayerNorm")?;
        Ok(model)
    }

    /// The width and the inner width.
    fn sizes(&self) -> [usize; 2] {
        [self.recipe.width as usize, self.recipe.inner as usize]
    }

    fn check(&self, name: &str, shape: &[usize]) -> Result<(), Error> {
        self.weights.check(&format!("{}{name}", self.prefix), shape)
    }

    fn check_dense(&self, name: &str, outputs: usize, inputs: usize) -> Result<(), Error> {
        self.check(&format!("{name}.weight"), &[outputs, inputs])?;
        self.check(&format!("{name}.bias"), &[outputs])
    }

    fn check_norm(&self, name: &str) -> Result<(), Error> {
        let width = self.sizes()[0];
        self.check(&format!("{name}.weight"), &[width])?;
        self.check(&format!("{name}.bias"), &[width])
    }

    fn read(&self, name: String, shape: &[usize]) -> Result<Vec<f32>, Error> {
        self.weights.read(&format!("{}{name}", self.prefix), shape)
    }

    fn dense(&self, name: &str, outputs: usize, inputs: usize) -> Result<FloatLinear, Error> {
        let weight = self.read(format!("{name}.weight"), &[outputs, inputs])?;
        Ok(FloatLinear { weight, bias: self.read(format!("{name}.bias"), &[outputs])? })
    }

    fn norm(&self, name: &str) -> Result<FloatNorm, Error> {
        let width = self.sizes()[0];
        let gain = self.read(format!("{name}.weight"), &[width])?;
        Ok(FloatNorm { gain, bias: self.read(format!("{name}.bias"), &[width])? })
    }

    /// Reads one layer.
    ///
    /// # Errors
    /// [`Error::ImportTensor`] for a weight that is not finite, [`Error::File`] when the file cannot be read; so too for
    /// all that follow.
    pub fn layer(&self, i: usize) -> Result<FloatLayer, Error> {
        let ([width, inner], at) = (self.sizes(), format!("encoder.layer.{i}"));
        let mut qkv = FloatLinear { weight: vec![], bias: vec![] };
        for part in ["query", "key", "value"] {
            let part = self.dense(&format!("{at}.attention.self.{part}"), width, width)?;
            qkv.weight.extend(part.weight);
            qkv.bias.extend(part.bias);
        }
        Ok(FloatLayer {
            qkv,
            output: self.dense(&format!("{at}.attention.output.dense"), width, width)?,
            norm1: self.norm(&format!("{at}.attention.output.LayerNorm"))?,
            up: self.dense(&format!("{at}.intermediate.dense"), inner, width)?,
            down: self.dense(&format!("{at}.output.dense"), width, inner)?,
            norm2: self.norm(&format!("{at}.output.LayerNorm"))?,
        })
    }

    /// The normalisation before the first layer.
    ///
    /// # Errors
    /// As for [`FloatBert::layer`].
    pub fn first(&self) -> Result<FloatNorm, Error> {
        self.norm("embeddings.LayerNorm")
    }

    /// Some rows of the word table: `[rows][width]`.
    ///
    /// # Errors
    /// As for [`FloatBert::layer`]; also for rows that the table does not have.
    pub fn words(&self, rows: std::ops::Range<usize>) -> Result<Vec<f32>, Error> {
        self.weights.read_rows(&format!("{}embeddings.word_embeddings.weight", self.prefix), rows)
    }

    /// Positions and the one token type together: `[positions][width]`.
    ///
    /// # Errors
    /// As for [`FloatBert::layer`].
    pub fn positions(&self) -> Result<Vec<f32>, Error> {
        let width = self.sizes()[0];
        let table = |name: &str, rows: usize| self.read(format!("embeddings.{name}_embeddings.weight"), &[rows, width]);
        let types = table("token_type", self.types)?;
        let mut positions = table("position", self.recipe.positions as usize)?;
        for row in positions.chunks_exact_mut(width) {
            row.iter_mut().zip(&types).for_each(|(p, t)| *p += t);
        }
        Ok(positions)
    }

    /// The vectors of length one of several texts' tokens; `progress` is told how many layers are done.
    ///
    /// # Errors
    /// As for [`FloatBert::words`].
    pub fn embed(
        &self,
        texts: &[Vec<u32>],
        observe: &mut Observe<'_>,
        progress: &mut dyn FnMut(usize),
    ) -> Result<Vec<Vec<f32>>, Error> {
        let (first, positions) = (self.first()?, self.positions()?);
        let begin = |ids: &Vec<u32>| {
            let mut x: Vec<f32> = Vec::with_capacity(ids.len() * self.sizes()[0]);
            for (id, position) in ids.iter().zip(positions.chunks_exact(self.sizes()[0])) {
                let word = self.words(*id as usize..*id as usize + 1)?;
                x.extend(word.iter().zip(position).map(|(w, p)| w + p));
            }
            Ok(x)
        };
        let mut streams = texts.iter().map(begin).collect::<Result<Vec<Vec<f32>>, Error>>()?;
        streams.iter_mut().for_each(|x| self.normalise(0, x, &first, observe));
        for i in 0..self.recipe.layers as usize {
            progress(i);
            let layer = self.layer(i)?;
            streams.iter_mut().for_each(|x| self.forward(i, &layer, x, observe));
        }
        Ok(streams.iter().map(|x| self.pool(x)).collect())
    }

    /// Takes the stream of one text, `[tokens][width]`, through a layer.
    fn forward(&self, i: usize, layer: &FloatLayer, x: &mut [f32], observe: &mut Observe<'_>) {
        let [width, inner] = self.sizes();
        let qkv = linear(x, &layer.qkv.weight, &layer.qkv.bias);
        observe(Site::Qkv(i), &qkv);
        let context = attend(&qkv, width, self.recipe.heads as usize);
        observe(Site::Context(i), &context);
        self.add(2 * i + 1, x, &context, (&layer.output, &layer.norm1), observe);
        let mut up = linear(x, &layer.up.weight, &layer.up.bias);
        observe(Site::Inner(i), &up);
        up.par_chunks_mut(inner).flatten().for_each(|v| *v = gelu(f64::from(*v)) as f32);
        observe(Site::Activated(i), &up);
        self.add(2 * i + 2, x, &up, (&layer.down, &layer.norm2), observe);
    }

    /// The mean of the rows, brought to length one.
    fn pool(&self, x: &[f32]) -> Vec<f32> {
        let width = self.sizes()[0];
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
        (dense, norm): (&FloatLinear, &FloatNorm),
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
