//! One layer becomes integers.
//!
//! "Step" is the real amount that one unit of an integer stands for. What depends on the steps of the residual stream
//! and of the attention's table, which are known only after the last layer, is deferred.

use provena_arith::fixed::{CONTEXT_BITS, I16_MAX, NORM_BITS, SPLIT_MAX};

use super::Inputs;
use crate::{
    artifact::{Activations, ArtifactWriter, LlamaRecipe},
    error::Error,
    float::llama::{FloatLayer, FloatLinear, Site, silu},
    import::{
        balance::{BYTES, Levels, SPLIT},
        calibration::Ranges,
        quantise::{Dense, Quantised, about},
        scale::encode_all,
    },
};

/// Room of a stream of 16 bits, and of the queries, above the largest value that calibration saw.
const STREAM_MARGIN: f64 = 2.0;
/// Room of keys and values, which have eight bits, above the largest that calibration saw.
const CACHE_MARGIN: f64 = 1.15;
/// Room of what the activation takes. Its table shares 16 bits with all channels; beyond, the activation is nearly
/// straight, and its output stops growing.
const GATE_MARGIN: f64 = 1.5;
/// Pieces of the activation's table, each a line.
pub(super) const GATE_PIECES: usize = 2_048;
/// The least range that is believed, as a part of the site's largest.
const FLOOR: f64 = 1e-4;

/// What is written once the last layer is known.
pub(super) struct Deferred {
    /// What attention adds to the stream.
    pub output: Accumulators,
    /// What the feed-forward part adds to the stream.
    pub down: Accumulators,
    /// Per query head the real amount of one step of a score, before its division by sqrt(depth).
    pub scores: Vec<f64>,
    /// The largest magnitude of the stream.
    pub stream: f64,
}

/// The accumulators of a matrix product.
pub(super) struct Accumulators {
    /// The real amount of one step of each.
    pub steps: Vec<f64>,
    /// The largest magnitude that each can reach, whatever the input.
    pub largest: Vec<f64>,
}

impl From<Quantised> for Accumulators {
    fn from(ints: Quantised) -> Self {
        Self { steps: ints.steps, largest: ints.largest }
    }
}

/// The levels of what matrix products read.
pub(super) fn levels(activations: Activations) -> &'static Levels {
    match activations {
        Activations::Bytes => &BYTES,
        Activations::Split => &SPLIT,
    }
}

/// What one step of the bytes that a matrix product reads stands for, where one step of the activation is `step`: the
/// accumulators of a split activation count 256 of its steps.
pub(super) fn byte_step(activations: Activations, step: f64) -> f64 {
    match activations {
        Activations::Bytes => step,
        Activations::Split => 256.0 * step,
    }
}

/// The scales of a normalisation that gives steps of these sizes.
pub(super) fn gains(writer: &mut ArtifactWriter, name: &str, gain: &[f32], steps: &[f64]) -> Result<(), Error> {
    let unit = (gain.len() as f64).sqrt() / f64::from(1 << NORM_BITS);
    let largest = f64::from((1 << NORM_BITS) + (1 << 10));
    let factors = gain.iter().zip(steps).map(|(gain, step)| (f64::from(*gain) * unit / step, largest));
    writer.scales(name, &about(name, encode_all(factors))?)
}

/// Quantises one layer.
pub(super) struct LayerQuantiser<'a> {
    /// The sizes.
    pub recipe: &'a LlamaRecipe,
    /// What calibration saw in this layer.
    pub ranges: &'a Ranges<Site>,
    /// How what its matrix products read goes together.
    pub inputs: &'a Inputs,
    /// Which layer it is.
    pub i: usize,
}

impl LayerQuantiser<'_> {
    /// Writes the layer's tensors, but for those whose scales are deferred.
    ///
    /// # Errors
    /// [`Error::ImportTensor`] when something could wrap, [`Error::File`] when it cannot be written.
    pub(super) fn quantise(&self, layer: &FloatLayer, writer: &mut ArtifactWriter) -> Result<Deferred, Error> {
        let input = self.balance(Site::Normed1, &layer.qkv, Site::Qkv);
        gains(writer, &self.name("norm1.gain"), &layer.norm1, &input)?;
        let heads = self.heads();
        let ints = self.dense("qkv", Site::Normed1, &layer.qkv, &input, writer)?;
        ints.write_scale(writer, &self.name("qkv"), &heads.columns)?;
        let output = self.context(&layer.output, &heads.values, writer)?;
        let input = self.balance(Site::Normed2, &layer.up, Site::Up);
        gains(writer, &self.name("norm2.gain"), &layer.norm2, &input)?;
        let ints = self.dense("up", Site::Normed2, &layer.up, &input, writer)?;
        let down = self.gate(&ints, &layer.down, writer)?;
        Ok(Deferred { output, down, scores: heads.scores, stream: self.ranges.largest(Site::Stream) })
    }

    fn name(&self, part: &str) -> String {
        format!("{}.{part}", crate::models::layer_prefix(self.i))
    }

    /// The steps of the channels of `from`, which `dense` reads to give `to`.
    fn balance(&self, from: Site, dense: &FloatLinear, to: Site) -> Vec<f64> {
        self.ranges.balance(from, &dense.weight, to, levels(self.recipe.activations))
    }

    /// Writes the weight and the bias of a matrix product that reads `from`.
    fn dense(
        &self,
        part: &str,
        from: Site,
        dense: &FloatLinear,
        steps: &[f64],
        writer: &mut ArtifactWriter,
    ) -> Result<Quantised, Error> {
        let input_steps: Vec<f64> = steps.iter().map(|step| byte_step(self.recipe.activations, *step)).collect();
        let floats = Dense { weight: &dense.weight, bias: &dense.bias, input_steps: &input_steps };
        let ints = match self.inputs.get(&from) {
            Some(covariance) => floats.quantise_with(&covariance.compensation(&input_steps)),
            None => floats.quantise(),
        };
        let ints = about(&self.name(&format!("{part}.weight")), ints)?;
        ints.write(writer, &self.name(part))?;
        Ok(ints)
    }

    /// The steps of queries, keys and values.
    fn heads(&self) -> Heads {
        let [heads, kv_heads, depth] = [self.recipe.heads, self.recipe.kv_heads, self.recipe.depth].map(|n| n as usize);
        let (half, pairs) = (depth / 2, floored(self.ranges.columns(Site::Pairs)));
        let (queries, keys) = pairs.split_at(heads * half);
        // The cache keeps the upper eight bits of a key.
        let keys: Vec<f64> = keys.iter().map(|k| k * CACHE_MARGIN / (127.0 * 256.0)).collect();
        let values = floored(&self.ranges.columns(Site::Qkv)[(heads + kv_heads) * depth..]);
        let values: Vec<f64> = values.iter().map(|v| v * CACHE_MARGIN / (127.0 * 256.0)).collect();
        let (mut columns, mut scores) = (vec![], vec![]);
        for (head, queries) in queries.chunks_exact(half).enumerate() {
            let keys = &keys[head / (heads / kv_heads) * half..][..half];
            // One product of steps for all pairs, so that a score has one step.
            let product = queries.iter().zip(keys).map(|(q, k)| q * k).fold(0.0, f64::max);
            let product = product * STREAM_MARGIN / f64::from(SPLIT_MAX);
            columns.extend(keys.iter().chain(keys).map(|k| product / k));
            scores.push(256.0 * product);
        }
        for keys in keys.chunks_exact(half) {
            columns.extend(keys.iter().chain(keys));
        }
        columns.extend(&values);
        Heads { columns, values, scores }
    }

    /// The context, and the projection that reads it.
    fn context(
        &self,
        output: &FloatLinear,
        values: &[f64],
        writer: &mut ArtifactWriter,
    ) -> Result<Accumulators, Error> {
        let depth = self.recipe.depth as usize;
        let group = (self.recipe.heads / self.recipe.kv_heads) as usize;
        let steps = self.balance(Site::Context, output, Site::Output);
        // A value in the cache has 256 of the stream's steps, and the context as many fraction bits.
        let unit = 256.0 / f64::from(1 << CONTEXT_BITS);
        let value = |c: usize| values[c / depth / group * depth + c % depth];
        let factors = steps.iter().enumerate().map(|(c, step)| (value(c) * unit / step, 128.0 * 256.0));
        let name = self.name("context.scale");
        writer.scales(&name, &about(&name, encode_all(factors))?)?;
        Ok(self.dense("output", Site::Context, output, &steps, writer)?.into())
    }

    /// The gated activation, and the projection that reads it; `up` are the accumulators before it.
    fn gate(&self, up: &Quantised, down: &FloatLinear, writer: &mut ArtifactWriter) -> Result<Accumulators, Error> {
        let inner = self.recipe.inner as usize;
        let seen = self.ranges.columns(Site::Up);
        let most = f64::from(seen[..inner].iter().copied().fold(0f32, f32::max));
        let gate = (most * GATE_MARGIN).max(1e-3) / f64::from(I16_MAX);
        let ups: Vec<f64> = floored(&seen[inner..]).iter().map(|v| v * STREAM_MARGIN / f64::from(I16_MAX)).collect();
        up.write_scale(writer, &self.name("up"), &[vec![gate; inner], ups.clone()].concat())?;
        let at = |piece: usize| silu((piece as f64 / GATE_PIECES as f64 * 65_536.0 - 32_768.0) * gate);
        let table_step = at(0).abs().max(at(GATE_PIECES)) / f64::from(I16_MAX);
        let table: Vec<i32> = (0..=GATE_PIECES).map(|piece| (at(piece) / table_step).round() as i32).collect();
        writer.i32(&self.name("gate.table"), &table)?;
        let steps = self.balance(Site::Gated, down, Site::Down);
        let largest = f64::from(I16_MAX) * f64::from(I16_MAX);
        let factors = ups.iter().zip(&steps).map(|(up, step)| (table_step * up / step, largest));
        let name = self.name("gate.scale");
        writer.scales(&name, &about(&name, encode_all(factors))?)?;
        Ok(self.dense("down", Site::Gated, down, &steps, writer)?.into())
    }
}

/// The steps of queries, keys and values.
struct Heads {
    /// Of each column of the stream before rotation; the two of a pair share one.
    columns: Vec<f64>,
    /// Of each value's column: `[kv_heads * depth]`.
    values: Vec<f64>,
    /// Of each head's scores.
    scores: Vec<f64>,
}

/// The magnitudes, none below a part of the largest.
fn floored(values: &[f32]) -> Vec<f64> {
    let floor = FLOOR * values.iter().copied().fold(1e-6, f32::max) as f64;
    values.iter().map(|v| f64::from(*v).max(floor)).collect()
}
