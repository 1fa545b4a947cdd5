//! Classifiers in floats.

use super::linear;
use crate::{error::Error, format::Weights};

/// A classifier of images whose values are divided by `max_value` first; ReLU between its layers.
pub struct FloatMlp {
    /// Largest input value.
    pub max_value: u8,
    /// In order.
    pub layers: Vec<FloatLayer>,
}

/// One matrix product.
pub struct FloatLayer {
    /// `[outputs][inputs]`.
    pub weight: Vec<f32>,
    /// `[outputs]`.
    pub bias: Vec<f32>,
}

impl FloatMlp {
    /// Finds `layers.<i>.weight` and `layers.<i>.bias` for the widths given, the input's first.
    ///
    /// # Errors
    /// [`Error::ImportTensor`] for the first that is missing or of another shape.
    pub fn new(weights: &Weights, widths: &[usize], max_value: u8) -> Result<Self, Error> {
        let layer = |(i, pair): (usize, &[usize])| {
            Ok(FloatLayer {
                weight: weights.read(&format!("layers.{i}.weight"), &[pair[1], pair[0]])?,
                bias: weights.read(&format!("layers.{i}.bias"), &[pair[1]])?,
            })
        };
        Ok(Self { max_value, layers: widths.windows(2).enumerate().map(layer).collect::<Result<_, Error>>()? })
    }

    /// The outputs of every layer for a batch of images, after ReLU for all but the last.
    pub fn activations(&self, images: &[Vec<u8>]) -> Vec<Vec<f32>> {
        let mut x: Vec<f32> = images.iter().flatten().map(|v| f32::from(*v) / f32::from(self.max_value)).collect();
        let mut all = Vec::with_capacity(self.layers.len());
        for (i, layer) in self.layers.iter().enumerate() {
            x = linear(&x, &layer.weight, &layer.bias);
            if i + 1 < self.layers.len() {
                x.iter_mut().for_each(|v| *v = v.max(0.0));
            }
            all.push(x.clone());
        }
        all
    }

    /// The likeliest class of each image.
    pub fn classify(&self, images: &[Vec<u8>]) -> Vec<u8> {
        let classes = self.layers.last().map_or(1, |layer| layer.bias.len());
        let logits = self.activations(images).pop().unwrap_or_default();
        likeliest(&logits, classes)
    }
}

/// The class of each row of `classes` logits: the lowest of the largest.
pub fn likeliest(logits: &[f32], classes: usize) -> Vec<u8> {
    let best = |row: &[f32]| row.iter().enumerate().fold(0, |best, (i, v)| if *v > row[best] { i } else { best });
    logits.chunks_exact(classes).map(|row| best(row) as u8).collect()
}
