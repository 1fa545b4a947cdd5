//! A float encoder and its ranges become an artifact.
//!
//! "Step" is the real amount that one unit of an integer stands for.

use provena_arith::fixed::{CONTEXT_BITS, EXP_ONE, I16_MAX, NORM_BITS};

use super::super::{
    balance::{BYTES, balance_scores},
    calibration::Ranges,
    quantise::{Dense, Quantised, about},
    scale::{encode, encode_all},
};
use crate::{
    artifact::{ArtifactWriter, BertRecipe, Dtype, Entry},
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

/// Rows of the word table that are in memory at a time.
const ROWS: usize = 1_024;

/// Every tensor of an artifact.
pub(super) fn entries(recipe: &BertRecipe) -> Vec<Entry> {
    let [vocabulary, positions, width] = [recipe.vocabulary, recipe.positions, recipe.width].map(|n| n as usize);
    let [heads, inner] = [recipe.heads, recipe.inner].map(|n| n as usize);
    let norm = |name: &str, quantised: bool| {
        let part = |part: &str, dtype| Entry::vector(format!("{name}.{part}"), dtype, width);
        let scale = quantised.then(|| part("scale", Dtype::Scale));
        [part("gain", Dtype::Scale), part("bias", Dtype::I32)].into_iter().chain(scale)
    };
    let mut all = vec![
        Entry::new("embed.words", Dtype::I16, vocabulary, width),
        Entry::new("embed.positions", Dtype::I16, positions, width),
        Entry::vector("attention.exp.table", Dtype::I32, EXP_ENTRIES),
    ];
    all.extend(norm("embed.norm", true));
    for i in 0..recipe.layers {
        let name = |part: &str| format!("layer.{i:03}.{part}");
        let products =
            [("qkv", 3 * width, width), ("output", width, width), ("up", inner, width), ("down", width, inner)];
        all.extend(
            products.into_iter().flat_map(|(part, outputs, inputs)| Entry::product(&name(part), outputs, inputs)),
        );
        all.push(Entry::vector(name("score.scale"), Dtype::Scale, heads));
        all.push(Entry::vector(name("context.scale"), Dtype::Scale, width));
        all.push(Entry::vector(name("gelu.table"), Dtype::I32, GELU_ENTRIES));
        all.push(Entry::vector(name("gelu.scale"), Dtype::Scale, inner));
        all.extend(norm(&name("norm1"), true));
        all.extend(norm(&name("norm2"), i + 1 < recipe.layers));
    }
    all
}

/// Writes the artifact of a float encoder, a layer at a time; `progress` is told how many are done.
///
/// # Errors
/// [`Error::Import`] and [`Error::ImportTensor`] when something could wrap or is not finite, [`Error::File`] when a file
/// fails.
pub(super) fn quantise(
    model: &FloatBert<'_>,
    ranges: &Ranges<Site>,
    writer: ArtifactWriter,
    progress: &mut dyn FnMut(usize),
) -> Result<(), Error> {
    let layers = model.recipe.layers as usize;
    let norms = 2 * layers;
    let streams = (0..=norms).map(|n| {
        let next =
            if n < norms { ranges.largest(Site::Added(n + 1)).max(ranges.largest(Site::Sum(n + 1))) } else { 0.0 };
        ranges.largest(Site::Normed(n)).max(next) * STREAM_MARGIN / f64::from(I16_MAX)
    });
    let streams: Vec<f64> = streams.collect();
    if let Some(n) = streams.iter().position(|s| !s.is_normal()) {
        return Err(Error::Import(format!("normalisation {n} gives nothing but zeros, or overflows")));
    }
    let mut quantiser = Quantiser { writer, model, ranges, streams };
    quantiser.tables()?;
    // The normalisation before the layer, whose bytes the queries, keys and values read.
    let (mut name, mut norm) = ("embed.norm".to_owned(), model.first()?);
    for i in 0..layers {
        progress(i);
        let layer = model.layer(i)?;
        quantiser.layer(i, &layer, &name, &norm)?;
        (name, norm) = (format!("layer.{i:03}.norm2"), layer.norm2);
    }
    quantiser.norm(&name, norms, &norm, None)?;
    quantiser.writer.finish().map(drop)
}

struct Quantiser<'a> {
    writer: ArtifactWriter,
    model: &'a FloatBert<'a>,
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
    fn tables(&mut self) -> Result<(), Error> {
        let largest = |values: &[f32]| values.iter().fold(0f32, |m, v| m.max(v.abs()));
        let vocabulary = self.model.recipe.vocabulary as usize;
        let pieces = || (0..vocabulary).step_by(ROWS).map(|from| from..vocabulary.min(from + ROWS));
        let mut words = 0f32;
        for rows in pieces() {
            words = words.max(largest(&self.model.words(rows)?));
        }
        let positions = self.model.positions()?;
        let step = (f64::from(words) + f64::from(largest(&positions))).max(1e-30) / f64::from(I16_MAX);
        let ints = |values: Vec<f32>| values.iter().map(|v| (f64::from(*v) / step).round() as i16).collect::<Vec<_>>();
        for rows in pieces() {
            self.writer.i16("embed.words", &ints(self.model.words(rows)?))?;
        }
        self.writer.i16("embed.positions", &ints(positions))?;
        let exp = |i: usize| (f64::from(EXP_ONE) * (-(i as f64) / EXP_PER_UNIT).exp()).round() as i32;
        self.writer.i32("attention.exp.table", &(0..EXP_ENTRIES).map(exp).collect::<Vec<_>>())
    }

    /// A layer, and the normalisation before it.
    fn layer(&mut self, i: usize, layer: &FloatLayer, before: &str, norm: &FloatNorm) -> Result<(), Error> {
        let name = format!("layer.{i:03}");
        let steps = self.norm(before, 2 * i, norm, Some((&layer.qkv, Site::Qkv(i))))?;
        self.attention(&name, i, layer, &steps)?;
        let steps = self.norm(&format!("{name}.norm1"), 2 * i + 1, &layer.norm1, Some((&layer.up, Site::Inner(i))))?;
        self.feed_forward(&name, i, layer, &steps)
    }

    /// Writes scales; each is a factor and the largest value that it is applied to.
    fn scales(&mut self, name: &str, factors: impl IntoIterator<Item = (f64, f64)>) -> Result<(), Error> {
        self.writer.scales(name, &about(name, encode_all(factors))?)
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
        self.scales(&format!("{name}.gain"), gains)?;
        let bias = |b: &f32| (f64::from(*b) / step).round().clamp(-65_534.0, 65_534.0) as i32;
        self.writer.i32(&format!("{name}.bias"), &norm.bias.iter().map(bias).collect::<Vec<_>>())?;
        let Some((next, to)) = next else { return Ok(vec![]) };
        let steps = self.balance(Site::Normed(n), next, to);
        let scales = steps.iter().map(|s| (step / s, f64::from(I16_MAX)));
        self.scales(&format!("{name}.scale"), scales)?;
        Ok(steps)
    }

    fn dense(&mut self, name: &str, dense: &FloatLinear, input_steps: &[f64]) -> Result<Quantised, Error> {
        let ints = Dense { weight: &dense.weight, bias: &dense.bias, input_steps }.quantise();
        let ints = about(&format!("{name}.weight"), ints)?;
        ints.write(&mut self.writer, name)?;
        Ok(ints)
    }

    /// A matrix product whose result is added to stream n.
    fn project(&mut self, name: &str, dense: &FloatLinear, input_steps: &[f64], n: usize) -> Result<(), Error> {
        let ints = self.dense(name, dense, input_steps)?;
        let to = vec![self.streams[n]; self.width()];
        ints.write_scale(&mut self.writer, name, &to)
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
        ints.write_scale(&mut self.writer, &format!("{name}.qkv"), &[queries, keys, values.clone()].concat())?;
        self.writer.scales(&format!("{name}.score.scale"), &scores)?;
        let steps = self.balance(Site::Context(i), &layer.output, Site::Added(2 * i + 1));
        let unit = f64::from(1 << CONTEXT_BITS);
        let scales = values.iter().zip(&steps).map(|(from, to)| (from / unit / to, 128.0 * unit));
        self.scales(&format!("{name}.context.scale"), scales)?;
        self.project(&format!("{name}.output"), &layer.output, &steps, 2 * i)
    }

    fn feed_forward(&mut self, name: &str, i: usize, layer: &FloatLayer, input_steps: &[f64]) -> Result<(), Error> {
        let largest = (self.ranges.largest(Site::Activated(i)) * GELU_MARGIN).max(4.0);
        let (half, out) = (GELU_ENTRIES / 2, largest / f64::from(I16_MAX));
        let step = largest / half as f64;
        let entry = |at: usize| (gelu((at as f64 - half as f64) * step) / out).round() as i32;
        self.writer.i32(&format!("{name}.gelu.table"), &(0..GELU_ENTRIES).map(entry).collect::<Vec<_>>())?;
        let ints = self.dense(&format!("{name}.up"), &layer.up, input_steps)?;
        ints.write_scale(&mut self.writer, &format!("{name}.up"), &vec![step; ints.bias.len()])?;
        let steps = self.balance(Site::Activated(i), &layer.down, Site::Added(2 * i + 2));
        let scales = steps.iter().map(|s| (out / s, f64::from(I16_MAX)));
        self.scales(&format!("{name}.gelu.scale"), scales)?;
        self.project(&format!("{name}.down"), &layer.down, &steps, 2 * i + 1)
    }
}
