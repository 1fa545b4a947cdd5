//! A float encoder and its ranges become an artifact.
//!
//! "Step" is the real amount that one unit of an integer stands for.

use provena_arith::fixed::{CONTEXT_BITS, EXP_ONE, I16_MAX, NORM_BITS};

use super::super::{
    Job,
    balance::{BYTES, balance_scores},
    calibration::Ranges,
    quantise::{Dense, Quantised},
    scale::{encode, encode_all},
};
use crate::{
    artifact::{Artifact, ArtifactBuilder, ModelRecipe, Recipe},
    error::Error,
    float::{
        bert::{FloatBert, FloatLayer, FloatLinear, FloatNorm, Site},
        gelu,
    },
};

/// Room in the residual stream above the largest value that calibration saw. It costs a fraction of one bit of 16.
const STREAM_MARGIN: f64 = 1.5;
/// Room in GELU's domain above the largest value that calibration saw.
const GELU_MARGIN: f64 = 1.25;
/// Entries of a GELU table.
const GELU_ENTRIES: usize = 4_096;
/// Entries of the exponential's table.
const EXP_ENTRIES: usize = 4_096;
/// Entries of the exponential's table per unit of its argument: the last weights are zero.
const EXP_PER_UNIT: f64 = 384.0;

/// The artifact of a float encoder.
pub fn quantise(
    job: &Job<'_>,
    model: &FloatBert,
    ranges: &Ranges<Site>,
    tokenizer: Vec<u8>,
) -> Result<Artifact, Error> {
    let norms = 2 * model.layers.len();
    let streams = (0..=norms).map(|n| {
        let next =
            if n < norms { ranges.largest(Site::Added(n + 1)).max(ranges.largest(Site::Sum(n + 1))) } else { 0.0 };
        ranges.largest(Site::Normed(n)).max(next) * STREAM_MARGIN / f64::from(I16_MAX)
    });
    let streams: Vec<f64> = streams.collect();
    if let Some(n) = streams.iter().position(|s| !s.is_normal()) {
        return Err(Error::Import(format!("normalisation {n} gives nothing but zeros, or overflows")));
    }
    let mut builder = ArtifactBuilder::new();
    builder.tokenizer(tokenizer);
    let mut quantiser = Quantiser { builder, model, ranges, streams };
    quantiser.tables();
    for (i, layer) in model.layers.iter().enumerate() {
        quantiser.layer(i, layer)?;
    }
    quantiser.builder.build(Recipe {
        name: job.name.clone(),
        engine_class: provena_arith::receipt::ENGINE_CLASS_INT_V1,
        model: ModelRecipe::Bert(model.recipe.clone()),
        tokenizer_sha256: None,
        source: job.source(),
    })
}

struct Quantiser<'a> {
    builder: ArtifactBuilder,
    model: &'a FloatBert,
    ranges: &'a Ranges<Site>,
    /// Per normalisation the step of the stream that it gives.
    streams: Vec<f64>,
}

impl Quantiser<'_> {
    fn width(&self) -> usize {
        self.model.recipe.width as usize
    }

    /// The steps of the channels of `from`, which `dense` reads to give `to`.
    fn balance(&self, from: Site, dense: &FloatLinear, to: Site) -> Vec<f64> {
        self.ranges.balance(from, &dense.weight, to, &BYTES)
    }

    /// Words, positions and the exponential.
    fn tables(&mut self) {
        let largest = |values: &[f32]| f64::from(values.iter().fold(0f32, |m, v| m.max(v.abs())));
        let step = (largest(&self.model.words) + largest(&self.model.positions)).max(1e-30) / f64::from(I16_MAX);
        for (name, values) in [("embed.words", &self.model.words), ("embed.positions", &self.model.positions)] {
            let ints: Vec<i16> = values.iter().map(|v| (f64::from(*v) / step).round() as i16).collect();
            let width = self.width();
            self.builder.i16(name, ints.len() / width, width, &ints);
        }
        let exp = |i: usize| (f64::from(EXP_ONE) * (-(i as f64) / EXP_PER_UNIT).exp()).round() as i32;
        self.builder.i32("attention.exp.table", &(0..EXP_ENTRIES).map(exp).collect::<Vec<_>>());
    }

    fn layer(&mut self, i: usize, layer: &FloatLayer) -> Result<(), Error> {
        let name = format!("layer.{i:03}");
        // The normalisation before this layer, whose bytes the queries, keys and values read.
        let before = if i == 0 { "embed.norm".into() } else { format!("layer.{:03}.norm2", i - 1) };
        let norm = if i == 0 { &self.model.first } else { &self.model.layers[i - 1].norm2 };
        let steps = self.norm(&before, 2 * i, norm, Some((&layer.qkv, Site::Qkv(i))))?;
        self.attention(&name, i, layer, &steps)?;
        let steps = self.norm(&format!("{name}.norm1"), 2 * i + 1, &layer.norm1, Some((&layer.up, Site::Inner(i))))?;
        self.feed_forward(&name, i, layer, &steps)?;
        if i + 1 == self.model.layers.len() {
            self.norm(&format!("{name}.norm2"), 2 * i + 2, &layer.norm2, None)?;
        }
        Ok(())
    }

    /// Normalisation n; where a matrix product reads its bytes, gives their steps.
    fn norm(
        &mut self,
        name: &str,
        n: usize,
        norm: &FloatNorm,
        next: Option<(&FloatLinear, Site)>,
    ) -> Result<Vec<f64>, Error> {
        let step = self.streams[n];
        let unit = (self.width() as f64).sqrt() / f64::from(1 << NORM_BITS) / step;
        let largest = f64::from((1 << NORM_BITS) + (1 << 10));
        let gains = norm.gain.iter().map(|g| (f64::from(*g) * unit, largest));
        self.builder.scales(format!("{name}.gain"), &encode_all(gains)?);
        let bias = |b: &f32| (f64::from(*b) / step).round().clamp(-65_534.0, 65_534.0) as i32;
        self.builder.i32(format!("{name}.bias"), &norm.bias.iter().map(bias).collect::<Vec<_>>());
        let Some((next, to)) = next else { return Ok(vec![]) };
        let steps = self.balance(Site::Normed(n), next, to);
        let scales = steps.iter().map(|s| (step / s, f64::from(I16_MAX)));
        self.builder.scales(format!("{name}.scale"), &encode_all(scales)?);
        Ok(steps)
    }

    fn dense(&mut self, name: &str, dense: &FloatLinear, input_steps: &[f64]) -> Result<Quantised, Error> {
        let ints = Dense { weight: &dense.weight, bias: &dense.bias, input_steps }.quantise()?;
        ints.put(&mut self.builder, name);
        Ok(ints)
    }

    /// A matrix product whose result is added to stream n.
    fn project(&mut self, name: &str, dense: &FloatLinear, input_steps: &[f64], n: usize) -> Result<(), Error> {
        let ints = self.dense(name, dense, input_steps)?;
        let to = vec![self.streams[n]; self.width()];
        ints.put_scale(&mut self.builder, name, &to)
    }

    fn attention(&mut self, name: &str, i: usize, layer: &FloatLayer, input_steps: &[f64]) -> Result<(), Error> {
        let (width, heads) = (self.width(), self.model.recipe.heads as usize);
        let depth = width / heads;
        let seen = self.ranges.columns(Site::Qkv(i));
        let (mut queries, mut keys, mut scores) = (vec![], vec![], vec![]);
        for head in 0..heads {
            let columns = head * depth..(head + 1) * depth;
            let (q, k, step) = balance_scores(&seen[..width][columns.clone()], &seen[width..2 * width][columns]);
            queries.extend(q);
            keys.extend(k);
            let largest = 2.0 * depth as f64 * 127.0 * 127.0;
            scores.push(encode(step / (depth as f64).sqrt() * EXP_PER_UNIT, largest)?);
        }
        let values: Vec<f64> = seen[2 * width..].iter().map(|v| f64::from(*v).max(1e-6) / 127.0).collect();
        let ints = self.dense(&format!("{name}.qkv"), &layer.qkv, input_steps)?;
        ints.put_scale(&mut self.builder, &format!("{name}.qkv"), &[queries, keys, values.clone()].concat())?;
        self.builder.scales(format!("{name}.score.scale"), &scores);
        let steps = self.balance(Site::Context(i), &layer.output, Site::Added(2 * i + 1));
        let unit = f64::from(1 << CONTEXT_BITS);
        let scales = values.iter().zip(&steps).map(|(from, to)| (from / unit / to, 128.0 * unit));
        self.builder.scales(format!("{name}.context.scale"), &encode_all(scales)?);
        self.project(&format!("{name}.output"), &layer.output, &steps, 2 * i)
    }

    fn feed_forward(&mut self, name: &str, i: usize, layer: &FloatLayer, input_steps: &[f64]) -> Result<(), Error> {
        let largest = (self.ranges.largest(Site::Activated(i)) * GELU_MARGIN).max(4.0);
        let (half, out) = (GELU_ENTRIES / 2, largest / f64::from(I16_MAX));
        let step = largest / half as f64;
        let entry = |at: usize| (gelu((at as f64 - half as f64) * step) / out).round() as i32;
        self.builder.i32(format!("{name}.gelu.table"), &(0..GELU_ENTRIES).map(entry).collect::<Vec<_>>());
        let ints = self.dense(&format!("{name}.up"), &layer.up, input_steps)?;
        ints.put_scale(&mut self.builder, &format!("{name}.up"), &vec![step; ints.bias.len()])?;
        let steps = self.balance(Site::Activated(i), &layer.down, Site::Added(2 * i + 2));
        let scales = steps.iter().map(|s| (out / s, f64::from(I16_MAX)));
        self.builder.scales(format!("{name}.gelu.scale"), &encode_all(scales)?);
        self.project(&format!("{name}.down"), &layer.down, &steps, 2 * i + 1)
    }
}
