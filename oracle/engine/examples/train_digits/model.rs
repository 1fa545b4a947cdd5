//! The classifiers that this program trains.

use crate::net::Shape;

/// A classifier and how it is trained.
pub(crate) struct Model {
    /// Its name and that of its folder.
    pub name: &'static str,
    /// Its layers.
    pub shapes: &'static [Shape],
    /// The layers for people.
    pub architecture: &'static str,
    /// What it is there for.
    pub purpose: &'static str,
    /// Passes over the training images.
    pub epochs: usize,
    /// Images per step.
    pub batch: usize,
    /// Rate of the first step; it falls in a straight line towards zero.
    pub rate: f32,
    /// Seed of the initial weights, of the order of the images and of their shifts.
    pub seed: u64,
    /// What it must reach on images it was not trained on.
    pub least_accuracy: f64,
}

/// Both.
pub(crate) const MODELS: [Model; 2] = [
    Model {
        name: "digits",
        shapes: &[Shape::Dense { outputs: 96 }, Shape::Dense { outputs: 10 }],
        architecture: "64 - 96 - 10, ReLU between",
        purpose: "A small classifier of handwritten digits. It is the model that `cargo xtask demo` mints, and the one on \
                  which the\nwhole path is tested with real input.",
        epochs: 160,
        batch: 32,
        rate: 0.004,
        seed: 20_260_815,
        least_accuracy: 0.975,
    },
    Model {
        name: "digits-cnn",
        shapes: &[
            Shape::Convolution { channels: 16 },
            Shape::Convolution { channels: 32 },
            Shape::Dense { outputs: 48 },
            Shape::Dense { outputs: 10 },
        ],
        architecture: "convolution 3 x 3 to 16 channels, the largest of 2 x 2; the same to 32; 128 - 48 - 10; ReLU between",
        purpose: "A small convolutional classifier of handwritten digits: the engine's convolutions are tested and measured \
                  with it.",
        epochs: 80,
        batch: 32,
        rate: 0.004,
        seed: 20_261_122,
        least_accuracy: 0.98,
    },
];
