//! Layers with ReLU between, trained by Adam on the cross-entropy.

mod convolution;
mod dense;
mod parameters;

use convolution::Convolution;
use dense::Dense;
use parameters::Adam;
use safetensors::Dtype;
use safetensors::tensor::TensorView;

use crate::random::Random;

/// What a classifier consists of.
#[derive(Clone, Copy)]
pub(crate) enum Shape {
    /// A convolution with patches of 3 x 3 pixels, a pixel of zeros around the image, and the largest of each 2 x 2
    /// pixels of what it gives.
    Convolution {
        /// Channels that it gives.
        channels: usize,
    },
    /// A matrix product.
    Dense {
        /// Values that it gives.
        outputs: usize,
    },
}

/// A classifier.
pub(crate) struct Net {
    layers: Vec<Layer>,
    adam: Adam,
}

enum Layer {
    Convolution(Convolution),
    Dense(Dense),
}

/// What a layer gave for one image.
struct Output {
    /// After ReLU, for all layers but the last.
    values: Vec<f32>,
    /// For each value of a convolution the place, before the pooling, that it came from.
    picks: Vec<usize>,
}

impl Net {
    /// A classifier of square images of one channel with `side` pixels along each side.
    pub(crate) fn new(side: usize, shapes: &[Shape], random: &mut Random) -> Self {
        let (mut channels, mut side) = (1, side);
        let mut layers = Vec::with_capacity(shapes.len());
        for shape in shapes {
            match *shape {
                Shape::Convolution { channels: outputs } => {
                    let layer = Convolution::new(channels, outputs, side, random);
                    side = layer.pooled_side();
                    channels = outputs;
                    layers.push(Layer::Convolution(layer));
                }
                Shape::Dense { outputs } => {
                    layers.push(Layer::Dense(Dense::new(channels * side * side, outputs, random)));
                    (channels, side) = (outputs, 1);
                }
            }
        }
        Self { layers, adam: Adam::default() }
    }

    /// The class with the largest output.
    pub(crate) fn classify(&self, input: &[f32]) -> usize {
        let outputs = self.forward(input).pop().map_or_else(Vec::new, |output| output.values);
        let mut best = 0;
        for (class, value) in outputs.iter().enumerate() {
            if *value > outputs[best] {
                best = class;
            }
        }
        best
    }

    /// The largest value that each layer but the last gives on `inputs`.
    pub(crate) fn largest_hidden<'a>(&self, inputs: impl Iterator<Item = &'a [f32]>) -> Vec<f32> {
        let mut largest = vec![0.0f32; self.layers.len().saturating_sub(1)];
        for input in inputs {
            for (largest, output) in largest.iter_mut().zip(self.forward(input)) {
                *largest = output.values.into_iter().fold(*largest, f32::max);
            }
        }
        largest
    }

    /// The output of every layer.
    fn forward(&self, input: &[f32]) -> Vec<Output> {
        let mut outputs: Vec<Output> = Vec::with_capacity(self.layers.len());
        for (index, layer) in self.layers.iter().enumerate() {
            let mut output = layer.apply(outputs.last().map_or(input, |output| &output.values));
            if index + 1 < self.layers.len() {
                output.values.iter_mut().for_each(|value| *value = value.max(0.0));
            }
            outputs.push(output);
        }
        outputs
    }

    /// Adds the gradient of one image.
    pub(crate) fn learn(&mut self, input: &[f32], label: usize) {
        let outputs = self.forward(input);
        let Some(logits) = outputs.last() else { return };
        let mut error = softmax(&logits.values);
        error[label] -= 1.0;
        for index in (0..self.layers.len()).rev() {
            let below = if index == 0 { input } else { &outputs[index - 1].values };
            error = self.layers[index].backward(below, &outputs[index].picks, &error);
            // As far as ReLU let the value through.
            for (value, &input) in error.iter_mut().zip(below) {
                if input <= 0.0 {
                    *value = 0.0;
                }
            }
        }
    }

    /// Moves along the gradient over `count` images.
    pub(crate) fn step(&mut self, rate: f32, count: usize) {
        let step = self.adam.step(rate, count);
        for layer in &mut self.layers {
            let (weight, bias) = match layer {
                Layer::Convolution(layer) => (&mut layer.weight, &mut layer.bias),
                Layer::Dense(layer) => (&mut layer.weight, &mut layer.bias),
            };
            weight.step(step);
            bias.step(step);
        }
    }

    /// The weights: `conv.<n>.weight` `[channels][channels before][3][3]` and `conv.<n>.bias`, then `layers.<n>.weight`
    /// `[outputs][inputs]` and `layers.<n>.bias`.
    pub(crate) fn to_safetensors(&self) -> Result<Vec<u8>, String> {
        let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
        let (mut convolutions, mut products) = (0, 0);
        for layer in &self.layers {
            let (name, shape, weight, bias) = match layer {
                Layer::Convolution(layer) => {
                    convolutions += 1;
                    (format!("conv.{}", convolutions - 1), layer.shape(), &layer.weight, &layer.bias)
                }
                Layer::Dense(layer) => {
                    products += 1;
                    (format!("layers.{}", products - 1), layer.shape(), &layer.weight, &layer.bias)
                }
            };
            tensors.push((format!("{name}.bias"), vec![shape[0]], bias.bytes()));
            tensors.push((format!("{name}.weight"), shape, weight.bytes()));
        }
        let views = tensors.iter().map(|(name, shape, bytes)| {
            let view = TensorView::new(Dtype::F32, shape.clone(), bytes).map_err(|error| error.to_string());
            view.map(|view| (name.as_str(), view))
        });
        let views = views.collect::<Result<Vec<_>, String>>()?;
        safetensors::serialize(views, None).map_err(|error| error.to_string())
    }
}

impl Layer {
    fn apply(&self, input: &[f32]) -> Output {
        match self {
            Self::Convolution(layer) => layer.apply(input),
            Self::Dense(layer) => Output { values: layer.apply(input), picks: vec![] },
        }
    }

    /// Adds this layer's gradient and returns the input's.
    fn backward(&mut self, input: &[f32], picks: &[usize], error: &[f32]) -> Vec<f32> {
        match self {
            Self::Convolution(layer) => layer.backward(input, picks, error),
            Self::Dense(layer) => layer.backward(input, error),
        }
    }
}

fn softmax(logits: &[f32]) -> Vec<f32> {
    let largest = logits.iter().copied().fold(f32::MIN, f32::max);
    let powers: Vec<f32> = logits.iter().map(|logit| exp(logit - largest)).collect();
    let total: f32 = powers.iter().sum();
    powers.iter().map(|power| power / total).collect()
}

/// e^x for x <= 0 to about six digits: (1 + x/1024 + (x/1024)^2 / 2) squared ten times. The system's own function may
/// round differently from one machine to the next.
fn exp(x: f32) -> f32 {
    if x < -80.0 {
        return 0.0;
    }
    let part = x / 1024.0;
    let mut power = 1.0 + part + part * part * 0.5;
    for _ in 0..10 {
        power *= power;
    }
    power
}
