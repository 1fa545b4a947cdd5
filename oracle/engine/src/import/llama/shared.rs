//! What the layers share: words, logits, the steps of the residual stream, and the tables.

use provena_arith::fixed::{EXP_ONE, SPLIT_MAX, Scale, WIDE_MAX};

use super::{
    Streams,
    layer::{Accumulators, Deferred, byte_step, gains, levels},
};
use crate::{
    artifact::{ArtifactWriter, Dtype, Entry, LlamaRecipe},
    error::Error,
    float::llama::{FloatLlama, Rotation},
    import::{
        balance::Reading,
        quantise::{Dense, about},
        scale::{encode, encode_all},
    },
};

/// Room of the residual stream above the largest value that calibration saw.
const HEADROOM: f64 = 4.0;
/// What an accumulator may become on its way to a wide stream, so that no shift before the product wraps.
const MOST: f64 = (1u64 << 28) as f64;
/// Entries of the exponential's tables.
const EXP_ENTRIES: usize = 4_096;
/// Entries of the exponential's tables per unit of its argument: the last weights are zero.
pub(super) const EXP_PER_UNIT: f64 = 384.0;
/// Rows of a word table that are in memory at a time.
pub(super) const ROWS: usize = 1_024;

/// Every tensor of an artifact.
pub(super) fn entries(recipe: &LlamaRecipe) -> Vec<Entry> {
    let [width, inner, vocabulary] = [recipe.width, recipe.inner, recipe.vocabulary].map(|n| n as usize);
    let [heads, kv_heads, depth] = [recipe.heads, recipe.kv_heads, recipe.depth].map(|n| n as usize);
    let mut all = vec![
        Entry::new("embed.weight", Dtype::I8, vocabulary, width),
        Entry::vector("embed.scale", Dtype::Scale, vocabulary),
        Entry::new("rotation.table", Dtype::I16, recipe.positions as usize, depth),
        Entry::vector("attention.exp.table", Dtype::I32, EXP_ENTRIES),
        Entry::vector("sampling.exp.table", Dtype::I32, EXP_ENTRIES),
        Entry::vector("norm.epsilon", Dtype::I32, 2),
        Entry::vector("final.gain", Dtype::Scale, width),
        Entry::vector("head.bias", Dtype::I32, vocabulary),
        Entry::vector("head.scale", Dtype::Scale, vocabulary),
        Entry::vector("head.unit", Dtype::I32, 2),
    ];
    if !recipe.tied {
        all.push(Entry::new("head.weight", Dtype::I8, vocabulary, width));
    }
    for i in 0..recipe.layers {
        let name = |part: &str| format!("{}.{part}", crate::models::layer_prefix(i as usize));
        for (part, outputs, inputs) in [
            ("qkv", (heads + 2 * kv_heads) * depth, width),
            ("output", width, heads * depth),
            ("up", 2 * inner, width),
            ("down", width, inner),
        ] {
            all.extend(Entry::product(&name(part), outputs, inputs));
        }
        for (part, dtype, len) in [
            ("norm1.gain", Dtype::Scale, width),
            ("norm2.gain", Dtype::Scale, width),
            ("score.scale", Dtype::Scale, heads),
            ("context.scale", Dtype::Scale, heads * depth),
            ("gate.table", Dtype::I32, super::layer::GATE_PIECES + 1),
            ("gate.scale", Dtype::Scale, inner),
        ] {
            all.push(Entry::vector(name(part), dtype, len));
        }
    }
    all
}

/// Writes everything that is no layer's own or was deferred; gives the real amount of one step of a logit.
///
/// # Errors
/// [`Error::ImportTensor`] when something could wrap or is not finite, [`Error::File`] when a file fails.
pub(super) fn finish(
    model: &FloatLlama<'_>,
    recipe: &LlamaRecipe,
    streams: &Streams,
    deferred: &[Deferred],
    writer: &mut ArtifactWriter,
) -> Result<f64, Error> {
    let logit_step = head(model, recipe, streams, writer)?;
    let stream = stream_step(deferred);
    for (i, layer) in deferred.iter().enumerate() {
        for (part, from) in [("output", &layer.output), ("down", &layer.down)] {
            wide(&format!("layer.{i:03}.{part}.scale"), from, stream, writer)?;
        }
    }
    words(model, recipe, stream, writer)?;
    attention(&model.config.rotation, recipe, deferred, writer)?;
    exp_table("sampling.exp.table", EXP_PER_UNIT, writer)?;
    let squares = f64::from(recipe.width) * model.config.epsilon / (stream * stream);
    if squares >= 2f64.powi(48) {
        return Err(Error::import_tensor("norm.epsilon", format!("is {squares:e} squares of the stream's step")));
    }
    words_of("norm.epsilon", squares.round() as u64, writer)?;
    words_of("head.unit", (logit_step * EXP_PER_UNIT * 2f64.powi(40)).round() as u64, writer)?;
    Ok(logit_step)
}

/// The step of the residual stream: what calibration saw has room, and no accumulator that is added to it can wrap.
fn stream_step(deferred: &[Deferred]) -> f64 {
    let seen = deferred.iter().map(|layer| layer.stream * HEADROOM / f64::from(WIDE_MAX));
    let parts = deferred.iter().flat_map(|layer| [&layer.output, &layer.down]);
    let reached = parts.flat_map(|part| part.steps.iter().zip(&part.largest)).map(|(step, most)| step * most / MOST);
    seen.chain(reached).fold(1e-30, f64::max)
}

/// Writes the scales that bring accumulators to one wide step.
fn wide(name: &str, from: &Accumulators, to: f64, writer: &mut ArtifactWriter) -> Result<(), Error> {
    let factors = from.steps.iter().zip(&from.largest).map(|(step, largest)| (step / to, *largest));
    writer.scales(name, &about(name, encode_all(factors))?)
}

/// A number of two words, the low one first.
fn words_of(name: &str, value: u64, writer: &mut ArtifactWriter) -> Result<(), Error> {
    writer.i32(name, &[value as i32, (value >> 32) as i32])
}

fn exp_table(name: &str, per_unit: f64, writer: &mut ArtifactWriter) -> Result<(), Error> {
    let entry = |i: usize| (f64::from(EXP_ONE) * (-(i as f64) / per_unit).exp()).round() as i32;
    let mut table: Vec<i32> = (0..EXP_ENTRIES).map(entry).collect();
    table[EXP_ENTRIES - 1] = 0;
    writer.i32(name, &table)
}

/// The word table: one step per word.
fn words(model: &FloatLlama<'_>, recipe: &LlamaRecipe, stream: f64, writer: &mut ArtifactWriter) -> Result<(), Error> {
    let (vocabulary, width) = (recipe.vocabulary as usize, recipe.width as usize);
    let mut scales: Vec<Scale> = Vec::with_capacity(vocabulary);
    for from in (0..vocabulary).step_by(ROWS) {
        let to = vocabulary.min(from + ROWS);
        let weight = model.words(from..to)?;
        let ints = Dense { weight: &weight, bias: &vec![0.0; to - from], input_steps: &vec![1.0; width] }.quantise()?;
        writer.i8("embed.weight", &ints.weight)?;
        for step in ints.steps {
            let scale = encode(step / stream / f64::from(1 << 14), 127.0 * f64::from(1 << 14));
            scales.push(about("embed.scale", scale)?);
        }
    }
    writer.scales("embed.scale", &scales)
}

/// The last normalisation and the weight of the logits, which get one step; gives that step.
fn head(
    model: &FloatLlama<'_>,
    recipe: &LlamaRecipe,
    streams: &Streams,
    writer: &mut ArtifactWriter,
) -> Result<f64, Error> {
    let (vocabulary, width) = (recipe.vocabulary as usize, recipe.width as usize);
    let gain = model.final_norm()?;
    let mut largest = vec![0f32; width];
    let (mut power, mut rows) = (vec![0f64; width], 0f64);
    for stream in streams {
        for row in model.normalise(stream, &gain).chunks_exact(width) {
            rows += 1.0;
            for ((v, largest), power) in row.iter().zip(&mut largest).zip(&mut power) {
                *largest = largest.max(v.abs());
                *power += f64::from(*v).powi(2);
            }
        }
    }
    power.iter_mut().for_each(|power| *power /= rows);
    let levels = levels(recipe.activations);
    let steps = if recipe.tied {
        // The same integers are the words, so no channel can have a step of its own.
        let most = largest.iter().copied().fold(1e-6, f32::max);
        vec![f64::from(most) / levels.largest; width]
    } else {
        // Some words stand for all.
        let weight = model.head(0..vocabulary.min(ROWS))?;
        let output_power = vec![1.0; weight.len() / width];
        Reading { largest: &largest, power: &power, weight: &weight, output_power: &output_power }.balance_to(levels)
    };
    gains(writer, "final.gain", &gain, &steps)?;
    let mut input_steps: Vec<f64> = steps.iter().map(|step| byte_step(recipe.activations, *step)).collect();
    let mut common = 1.0;
    if recipe.tied {
        // Rounded exactly as the words are.
        common = input_steps[0];
        input_steps.fill(1.0);
    }
    let mut all = Accumulators { steps: vec![], largest: vec![] };
    for from in (0..vocabulary).step_by(ROWS) {
        let to = vocabulary.min(from + ROWS);
        let weight = model.head(from..to)?;
        let ints = Dense { weight: &weight, bias: &vec![0.0; to - from], input_steps: &input_steps }.quantise();
        let ints = about("head.weight", ints)?;
        if !recipe.tied {
            writer.i8("head.weight", &ints.weight)?;
        }
        all.steps.extend(ints.steps.iter().map(|step| step * common));
        all.largest.extend(ints.largest);
    }
    let step = all.steps.iter().zip(&all.largest).map(|(step, most)| step * most / f64::from(WIDE_MAX));
    let step = step.fold(1e-30, f64::max);
    writer.i32("head.bias", &vec![0; vocabulary])?;
    wide("head.scale", &all, step, writer)?;
    Ok(step)
}

/// Rotary positions and the scores' scales with their table.
fn attention(
    rotation: &Rotation,
    recipe: &LlamaRecipe,
    deferred: &[Deferred],
    writer: &mut ArtifactWriter,
) -> Result<(), Error> {
    for position in 0..recipe.positions as usize {
        let entry = |v: f64| (v * 32_768.0).round().clamp(-32_767.0, 32_767.0) as i16;
        let turn: Vec<i16> = rotation.turn(position).into_iter().map(entry).collect();
        writer.i16("rotation.table", &turn)?;
    }
    let unit = rotation.factor * rotation.factor / f64::from(recipe.depth).sqrt();
    let steps = || deferred.iter().flat_map(|layer| &layer.scores).map(|step| step * unit);
    // A factor of a quarter is the largest that needs no shift before its product, which could wrap.
    let per_unit = EXP_PER_UNIT.min(0.24 / steps().fold(1e-30, f64::max));
    exp_table("attention.exp.table", per_unit, writer)?;
    let largest = 2.0 * f64::from(recipe.depth) * f64::from(SPLIT_MAX) * 127.0;
    for (i, layer) in deferred.iter().enumerate() {
        let name = format!("layer.{i:03}.score.scale");
        let factors = layer.scores.iter().map(|step| (step * unit * per_unit, largest));
        writer.scales(&name, &about(&name, encode_all(factors))?)?;
    }
    Ok(())
}
