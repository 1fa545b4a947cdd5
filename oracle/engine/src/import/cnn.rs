//! Imports convolutional classifiers.
//!
//! Beside `model_type` ("cnn"), `config.json` has `image_size` (height, width), `channels` (1 by default),
//! `input_scale` (the largest value of a pixel, a whole number by which pixels are divided first), `convolutions`, a
//! list of `{"channels", "kernel", "stride", "padding", "pool"}` of which the last three are 1, 0 and 1 by default, and
//! `widths`, what each matrix product after them gives, the last one a logit per class. `activation_max` states the
//! largest activation of each convolution and each layer but the last, for imports without calibration images. The
//! tensors' names and layouts are those of [`FloatCnn::new`]. The values of a calibration image are row after row, a
//! pixel's channels side by side.

use serde::Deserialize;

use super::{
    Imported, Job, calibration,
    mlp::{balance, compare, quantise_layers, seen, stated},
    quantise::Dense,
};
use crate::{
    artifact::{Artifact, ArtifactBuilder, CnnRecipe, Convolution, MlpLayer, ModelRecipe},
    error::Error,
    float::{
        cnn::FloatCnn,
        mlp::{FloatLayer, likeliest},
    },
};

/// What a classifier's `config.json` says.
#[derive(Deserialize)]
struct Config {
    activation: Option<String>,
    input_scale: f64,
    image_size: [u32; 2],
    channels: Option<u32>,
    convolutions: Vec<ConvolutionConfig>,
    widths: Vec<u32>,
    activation_max: Option<Vec<f32>>,
}

#[derive(Deserialize)]
struct ConvolutionConfig {
    channels: u32,
    kernel: u32,
    stride: Option<u32>,
    padding: Option<u32>,
    pool: Option<u32>,
}

impl Config {
    fn recipe(&self) -> Result<CnnRecipe, Error> {
        if self.activation.as_deref().unwrap_or("relu") != "relu" {
            return Err(Error::Import(format!("activation {:?} is not supported, only relu", self.activation)));
        }
        let scale = self.input_scale;
        if scale.fract() != 0.0 || !(1.0..=127.0).contains(&scale) {
            return Err(Error::Import(format!("input_scale is {scale}, not a whole number of 1 to 127")));
        }
        let convolution = |c: &ConvolutionConfig| Convolution {
            outputs: c.channels,
            kernel: c.kernel,
            stride: c.stride.unwrap_or(1),
            pad: c.padding.unwrap_or(0),
            pool: c.pool.unwrap_or(1),
        };
        let recipe = CnnRecipe {
            height: self.image_size[0],
            width: self.image_size[1],
            channels: self.channels.unwrap_or(1),
            max_value: scale as u8,
            convolutions: self.convolutions.iter().map(convolution).collect(),
            layers: self.widths.iter().map(|outputs| MlpLayer { outputs: *outputs }).collect(),
        };
        let checked = ModelRecipe::Cnn(recipe.clone()).check();
        checked.map_err(|reason| Error::Import(format!("config.json: {reason}")))?;
        Ok(recipe)
    }
}

pub(super) fn import(job: &mut Job<'_>) -> Result<Imported, Error> {
    let config: Config = serde_json::from_value(job.checkpoint.config.clone())
        .map_err(|error| Error::Import(format!("config.json: {error}")))?;
    let recipe = config.recipe()?;
    let model = FloatCnn::new(&job.checkpoint.weights, &recipe)?;
    let pixels = (recipe.height * recipe.width * recipe.channels) as usize;
    let images = job.options.calibration.as_deref().map(|path| calibration::images(path, pixels, recipe.max_value));
    let images = images.transpose()?;
    let largest = match &images {
        Some(images) => seen(model.activations(&images.images)?.iter().zip(channels(&model))),
        None => {
            let channels: Vec<usize> = channels(&model).collect();
            stated(config.activation_max.as_deref(), &channels, "convolution and each hidden layer")?
        }
    };
    job.report("quantising", 0, 1);
    let artifact = quantise(job, &model, &largest)?;
    job.report("quantising", 1, 1);
    let quality = match images {
        Some(images) => {
            let logits = model.activations(&images.images)?.pop().unwrap_or_default();
            let classes = model.layers.last().map_or(1, |layer| layer.bias.len());
            compare(&likeliest(&logits, classes), &artifact, images)?
        }
        None => vec![],
    };
    Ok(Imported { artifact, quality })
}

/// Channels of every activation but the logits: what each convolution and then each hidden layer gives.
fn channels(model: &FloatCnn) -> impl Iterator<Item = usize> {
    let all = model.convolutions.iter().chain(&model.layers).map(|layer| layer.bias.len());
    all.take(model.convolutions.len() + model.layers.len() - 1)
}

fn quantise(job: &Job<'_>, model: &FloatCnn, largest: &[Vec<f32>]) -> Result<Artifact, Error> {
    let recipe = &model.recipe;
    let mut builder = ArtifactBuilder::new();
    // The real amount of one step of each channel of the image that a convolution sees.
    let mut steps = vec![1.0 / f64::from(recipe.max_value); recipe.channels as usize];
    for (i, layer) in model.convolutions.iter().enumerate() {
        let dense = Dense { weight: &layer.weight, bias: &layer.bias, input_steps: &per_column(&steps, layer) };
        let ints = dense.quantise()?;
        let next = model.convolutions.get(i + 1).or(model.layers.first());
        let next = next.ok_or_else(|| Error::Import("config.json: widths is empty".into()))?;
        steps = balance(&largest[i], next);
        let name = format!("convolution.{i}");
        ints.put_scale(&mut builder, &name, &steps)?;
        ints.put(&mut builder, &name);
    }
    let flat = model.layers.first().map_or_else(Vec::new, |layer| per_column(&steps, layer));
    quantise_layers(&mut builder, &model.layers, flat, &largest[model.convolutions.len()..])?;
    builder.build(job.recipe(ModelRecipe::Cnn(recipe.clone())))
}

/// The steps of the channels, for each pixel that a row of the layer's weight reads.
fn per_column(steps: &[f64], layer: &FloatLayer) -> Vec<f64> {
    steps.iter().copied().cycle().take(layer.weight.len() / layer.bias.len()).collect()
}
