//! Imports classifiers.

use provena_wire::{Request, Response};

use super::{
    Figure, Imported, Job,
    balance::{BYTES, Reading},
    calibration::{self, Images},
    quantise::Dense,
};
use crate::{
    artifact::{Artifact, ArtifactBuilder, MlpLayer, MlpRecipe, ModelRecipe},
    error::Error,
    float::mlp::{FloatLayer, FloatMlp},
    reference,
};

/// Room above the largest activation that calibration saw.
const MARGIN: f32 = 1.05;

pub(super) fn import(job: &mut Job<'_>) -> Result<Imported, Error> {
    let (widths, max_value) = job.config.mlp()?;
    let model = FloatMlp::new(&job.checkpoint.weights, &widths, max_value)?;
    let images = job.options.calibration.as_deref().map(|path| calibration::images(path, widths[0], max_value));
    let images = images.transpose()?;
    let hidden = &widths[1..widths.len() - 1];
    let largest = match &images {
        Some(images) => seen(model.activations(&images.images).iter().zip(hidden.iter().copied())),
        None => stated(job.config.activation_max.as_deref(), hidden, "hidden layer")?,
    };
    job.report("quantising", 0, 1);
    let artifact = quantise(job, &model, &widths, &largest)?;
    job.report("quantising", 1, 1);
    let quality =
        images.map_or_else(|| Ok(vec![]), |images| compare(&model.classify(&images.images), &artifact, images))?;
    Ok(Imported { artifact, quality })
}

/// Per activation and channel the largest value that calibration saw, with some room; of each activation
/// `[rows][channels]`.
pub(super) fn seen<'a>(activations: impl IntoIterator<Item = (&'a Vec<f32>, usize)>) -> Vec<Vec<f32>> {
    let largest = |(values, channels): (&Vec<f32>, usize)| {
        let mut columns = vec![0f32; channels];
        for row in values.chunks_exact(channels) {
            columns.iter_mut().zip(row).for_each(|(m, v)| *m = m.max(*v * MARGIN));
        }
        columns
    };
    activations.into_iter().map(largest).collect()
}

/// The same from what `config.json` states: one value for all channels of an activation, which there is one of for
/// `each` part of the model.
pub(super) fn stated(stated: Option<&[f32]>, channels: &[usize], each: &str) -> Result<Vec<Vec<f32>>, Error> {
    let stated = stated.unwrap_or_default();
    if stated.len() != channels.len() || stated.iter().any(|v| !v.is_finite() || *v <= 0.0) {
        let reason =
            format!("give a calibration file of images, or state activation_max for each {each} in config.json");
        return Err(Error::Import(reason));
    }
    Ok(channels.iter().zip(stated).map(|(channels, max)| vec![max * MARGIN; *channels]).collect())
}

fn quantise(job: &Job<'_>, model: &FloatMlp, widths: &[usize], largest: &[Vec<f32>]) -> Result<Artifact, Error> {
    let mut builder = ArtifactBuilder::new();
    let input_steps = vec![1.0 / f64::from(model.max_value); widths[0]];
    quantise_layers(&mut builder, &model.layers, input_steps, largest)?;
    let layers = widths[1..].iter().map(|w| MlpLayer { outputs: *w as u32 }).collect();
    builder.build(job.recipe(ModelRecipe::Mlp(MlpRecipe {
        inputs: widths[0] as u32,
        max_value: model.max_value,
        layers,
    })))
}

/// Adds `layer.<i>.{weight, bias, scale}` for matrix products with ReLU between. `input_steps` is the real amount of one
/// step of each column of the first, `largest` has the largest activation of each channel of each hidden layer.
pub(super) fn quantise_layers(
    builder: &mut ArtifactBuilder,
    layers: &[FloatLayer],
    mut input_steps: Vec<f64>,
    largest: &[Vec<f32>],
) -> Result<(), Error> {
    for (i, layer) in layers.iter().enumerate() {
        let name = format!("layer.{i}");
        let dense = Dense { weight: &layer.weight, bias: &layer.bias, input_steps: &input_steps };
        let mut ints = dense.quantise()?;
        if i + 1 < layers.len() {
            input_steps = balance(&largest[i], &layers[i + 1]);
            ints.put_scale(builder, &name, &input_steps)?;
        } else {
            // Logits are compared with each other, so all of them need one step.
            let coarsest = ints.steps.iter().copied().fold(0.0, f64::max);
            ints = dense.quantise_to(coarsest)?;
        }
        ints.put(builder, &name);
    }
    Ok(())
}

/// The steps of the channels of an activation that the next weight reads.
///
/// Where it reads several pixels of each, every pixel of an output is an output to [`Reading`], since all of them share
/// the channels' steps.
pub(super) fn balance(largest: &[f32], next: &FloatLayer) -> Vec<f64> {
    // How often a channel is used is not known here; uniform use up to the largest value is the plain guess.
    let power: Vec<f64> = largest.iter().map(|v| f64::from(*v).powi(2) / 3.0).collect();
    let output_power = vec![1.0; next.weight.len() / largest.len()];
    Reading { largest, power: &power, weight: &next.weight, output_power: &output_power }.balance_to(&BYTES)
}

/// How often a classifier's artifact gives the float model's class, and how often each is right.
pub(super) fn compare(float: &[u8], artifact: &Artifact, images: Images) -> Result<Vec<Figure>, Error> {
    let Response::Classify { labels: ints, .. } =
        reference::run(artifact, &Request::Classify { images: images.images })?
    else {
        return Err(Error::Import("a classifier gave no classes".into()));
    };
    let share = |name: &str, a: &[u8], b: &[u8]| {
        let same = a.iter().zip(b).filter(|(a, b)| a == b).count();
        Figure { name: name.into(), value: same as f64 / a.len() as f64 }
    };
    let mut figures = vec![
        Figure { name: "images".into(), value: ints.len() as f64 },
        share("share of images on which int-v1 and float agree", &ints, float),
    ];
    if !images.labels.is_empty() {
        figures.push(share("accuracy of float", float, &images.labels));
        figures.push(share("accuracy of int-v1", &ints, &images.labels));
    }
    Ok(figures)
}
