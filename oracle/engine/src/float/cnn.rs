//! Convolutional classifiers in floats.

use super::{linear, mlp::FloatLayer};
use crate::{
    artifact::{CnnRecipe, Convolution},
    error::Error,
    format::Weights,
};

/// A classifier of images whose values are divided by the recipe's `max_value` first; ReLU after all but the last
/// matrix product.
pub struct FloatCnn {
    /// Its sizes.
    pub recipe: CnnRecipe,
    /// In order: `[outputs][kernel * kernel * channels]`, columns as [`crate::plan::Op::Patches`] orders them.
    pub convolutions: Vec<FloatLayer>,
    /// In order; the first one's columns are pixel after pixel, the channels of each side by side.
    pub layers: Vec<FloatLayer>,
}

impl FloatCnn {
    /// Finds `conv.<i>.weight` `[outputs][channels][kernel][kernel]`, `conv.<i>.bias`, `layers.<i>.weight`
    /// `[outputs][inputs]` and `layers.<i>.bias`, as PyTorch lays them out: the first layer's inputs are channel after
    /// channel.
    ///
    /// # Errors
    /// [`Error::ImportTensor`] for the first that is missing or of another shape; [`Error::Import`] when the recipe's
    /// convolutions do not fit its image.
    pub fn new(weights: &Weights, recipe: &CnnRecipe) -> Result<Self, Error> {
        let sizes = recipe.sizes().map_err(Error::Import)?;
        let mut convolutions = Vec::with_capacity(recipe.convolutions.len());
        for (i, (convolution, [_, _, channels])) in recipe.convolutions.iter().zip(&sizes).enumerate() {
            let (outputs, kernel) = (convolution.outputs as usize, convolution.kernel as usize);
            let weight = weights.read(&format!("conv.{i}.weight"), &[outputs, *channels, kernel, kernel])?;
            convolutions.push(FloatLayer {
                weight: channels_last(&weight, *channels, kernel * kernel),
                bias: weights.read(&format!("conv.{i}.bias"), &[outputs])?,
            });
        }
        let [height, width, channels] = sizes.last().copied().unwrap_or_default();
        let mut inputs = height * width * channels;
        let mut layers = Vec::with_capacity(recipe.layers.len());
        for (i, layer) in recipe.layers.iter().enumerate() {
            let outputs = layer.outputs as usize;
            let weight = weights.read(&format!("layers.{i}.weight"), &[outputs, inputs])?;
            let weight = if i == 0 { channels_last(&weight, channels, height * width) } else { weight };
            layers.push(FloatLayer { weight, bias: weights.read(&format!("layers.{i}.bias"), &[outputs])? });
            inputs = outputs;
        }
        Ok(Self { recipe: recipe.clone(), convolutions, layers })
    }

    /// What every convolution gives, after ReLU and pooling, `[images * height * width][channels]`, and then every layer,
    /// `[images][outputs]`, after ReLU for all but the last.
    ///
    /// # Errors
    /// [`Error::Import`] when the recipe's convolutions do not fit its image.
    pub fn activations(&self, images: &[Vec<u8>]) -> Result<Vec<Vec<f32>>, Error> {
        let sizes = self.recipe.sizes().map_err(Error::Import)?;
        let max_value = f32::from(self.recipe.max_value);
        let mut x: Vec<f32> = images.iter().flatten().map(|v| f32::from(*v) / max_value).collect();
        let mut all = Vec::with_capacity(self.convolutions.len() + self.layers.len());
        for ((layer, convolution), size) in self.convolutions.iter().zip(&self.recipe.convolutions).zip(&sizes) {
            x = convolve(&x, *size, convolution, layer);
            all.push(x.clone());
        }
        // The rows of an image's pixels, one after the other, are the image's row.
        for (i, layer) in self.layers.iter().enumerate() {
            x = linear(&x, &layer.weight, &layer.bias);
            if i + 1 < self.layers.len() {
                x.iter_mut().for_each(|v| *v = v.max(0.0));
            }
            all.push(x.clone());
        }
        Ok(all)
    }
}

/// `[rows][channels][pixels]` as `[rows][pixels][channels]`.
fn channels_last(weight: &[f32], channels: usize, pixels: usize) -> Vec<f32> {
    let rows = weight.chunks_exact(channels * pixels);
    let row = |row: &[f32]| -> Vec<f32> {
        (0..pixels).flat_map(|p| (0..channels).map(move |c| (p, c))).map(|(p, c)| row[c * pixels + p]).collect()
    };
    rows.flat_map(row).collect()
}

/// One convolution over images of `size` (height, width, channels), ReLU, and the pooling that follows.
fn convolve(x: &[f32], size: [usize; 3], convolution: &Convolution, layer: &FloatLayer) -> Vec<f32> {
    let [height, width, channels] = size;
    let [kernel, stride, pad, pool] =
        [convolution.kernel, convolution.stride, convolution.pad, convolution.pool].map(|v| v as usize);
    let sides = [height, width].map(|side| (side + 2 * pad - kernel) / stride + 1);
    let outputs = layer.bias.len();
    let mut all = vec![];
    for image in x.chunks_exact(height * width * channels) {
        let mut patches = vec![0f32; sides[0] * sides[1] * kernel * kernel * channels];
        for (at, patch) in patches.chunks_exact_mut(kernel * kernel * channels).enumerate() {
            let corner = [at / sides[1] * stride, at % sides[1] * stride];
            for (k, to) in patch.chunks_exact_mut(channels).enumerate() {
                // Outside of the image there are zeros.
                let row = (corner[0] + k / kernel).checked_sub(pad).filter(|row| *row < height);
                let column = (corner[1] + k % kernel).checked_sub(pad).filter(|column| *column < width);
                if let (Some(row), Some(column)) = (row, column) {
                    let from = (row * width + column) * channels;
                    to.copy_from_slice(&image[from..from + channels]);
                }
            }
        }
        let out = linear(&patches, &layer.weight, &layer.bias);
        let pooled = sides.map(|side| side / pool);
        for at in 0..pooled[0] * pooled[1] {
            let corner = [at / pooled[1] * pool, at % pooled[1] * pool];
            let square = |k: usize| (corner[0] + k / pool) * sides[1] + corner[1] + k % pool;
            // Beginning at zero is ReLU.
            all.extend(
                (0..outputs).map(|c| (0..pool * pool).map(|k| out[square(k) * outputs + c]).fold(0.0, f32::max)),
            );
        }
    }
    all
}
