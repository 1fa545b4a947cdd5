//! Matrix products with ReLU between, trained by Adam on the cross-entropy.

use safetensors::Dtype;
use safetensors::tensor::TensorView;

use crate::random::Random;

const MOMENTUM: f32 = 0.9;
const SMOOTHING: f32 = 0.999;
const EPSILON: f32 = 1e-8;
/// Pulls weights towards zero, which also keeps the range that quantisation has to cover small.
const DECAY: f32 = 0.02;

/// A classifier.
pub struct Net {
    layers: Vec<Layer>,
    /// Steps taken, as the powers that Adam's correction needs.
    momentum_left: f32,
    smoothing_left: f32,
}

struct Layer {
    inputs: usize,
    outputs: usize,
    /// [outputs][inputs]
    weight: Parameters,
    bias: Parameters,
}

/// Numbers to be learnt, with their gradient and Adam's two averages of it.
struct Parameters {
    values: Vec<f32>,
    gradient: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
    decay: f32,
}

impl Net {
    /// A classifier with these widths, from the input to the output.
    pub fn new(widths: &[usize], random: &mut Random) -> Self {
        let layers = widths.windows(2).map(|pair| {
            let (inputs, outputs) = (pair[0], pair[1]);
            // He's initialisation: a uniform distribution with variance 2 / inputs.
            let bound = (6.0 / inputs as f32).sqrt();
            let weight = (0..inputs * outputs).map(|_| bound * random.symmetric()).collect();
            Layer {
                inputs,
                outputs,
                weight: Parameters::new(weight, DECAY),
                bias: Parameters::new(vec![0.0; outputs], 0.0),
            }
        });
        Self { layers: layers.collect(), momentum_left: 1.0, smoothing_left: 1.0 }
    }

    /// Widths from the input to the output.
    pub fn widths(&self) -> Vec<usize> {
        let outputs = self.layers.iter().map(|layer| layer.outputs);
        self.layers.first().map(|layer| layer.inputs).into_iter().chain(outputs).collect()
    }

    /// The class with the largest output.
    pub fn classify(&self, input: &[f32]) -> usize {
        let outputs = self.forward(input).pop().unwrap_or_default();
        let mut best = 0;
        for (class, value) in outputs.iter().enumerate() {
            if *value > outputs[best] {
                best = class;
            }
        }
        best
    }

    /// The largest value that each layer but the last gives on `inputs`.
    pub fn largest_hidden<'a>(&self, inputs: impl Iterator<Item = &'a [f32]>) -> Vec<f32> {
        let mut largest = vec![0.0f32; self.layers.len().saturating_sub(1)];
        for input in inputs {
            for (largest, output) in largest.iter_mut().zip(self.forward(input)) {
                *largest = output.into_iter().fold(*largest, f32::max);
            }
        }
        largest
    }

    /// The output of every layer.
    fn forward(&self, input: &[f32]) -> Vec<Vec<f32>> {
        let mut outputs: Vec<Vec<f32>> = Vec::with_capacity(self.layers.len());
        for (index, layer) in self.layers.iter().enumerate() {
            let mut output = layer.apply(outputs.last().map_or(input, Vec::as_slice));
            if index + 1 < self.layers.len() {
                output.iter_mut().for_each(|value| *value = value.max(0.0));
            }
            outputs.push(output);
        }
        outputs
    }

    /// Adds the gradient of one image.
    pub fn learn(&mut self, input: &[f32], label: usize) {
        let outputs = self.forward(input);
        let Some(logits) = outputs.last() else { return };
        let mut error = softmax(logits);
        error[label] -= 1.0;
        for index in (0..self.layers.len()).rev() {
            let below = if index == 0 { input } else { &outputs[index - 1] };
            error = self.layers[index].backward(below, &error);
        }
    }

    /// Moves every parameter against its mean gradient over `count` images.
    pub fn step(&mut self, rate: f32, count: usize) {
        self.momentum_left *= MOMENTUM;
        self.smoothing_left *= SMOOTHING;
        let correction = (1.0 - self.smoothing_left).sqrt() / (1.0 - self.momentum_left);
        for layer in &mut self.layers {
            layer.weight.step(rate, correction, count as f32);
            layer.bias.step(rate, correction, count as f32);
        }
    }

    /// The weights as `layers.<n>.weight` [outputs][inputs] and `layers.<n>.bias` [outputs].
    pub fn to_safetensors(&self) -> Result<Vec<u8>, String> {
        let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let shape = vec![layer.outputs, layer.inputs];
            tensors.push((format!("layers.{index}.weight"), shape, layer.weight.bytes()));
            tensors.push((format!("layers.{index}.bias"), vec![layer.outputs], layer.bias.bytes()));
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
    fn apply(&self, input: &[f32]) -> Vec<f32> {
        let rows = self.weight.values.chunks_exact(self.inputs);
        rows.zip(&self.bias.values).map(|(row, bias)| bias + dot(row, input)).collect()
    }

    /// Adds this layer's gradient and returns the input's, as far as ReLU lets it through.
    fn backward(&mut self, input: &[f32], error: &[f32]) -> Vec<f32> {
        let mut below = vec![0.0; self.inputs];
        for (output, &error) in error.iter().enumerate() {
            self.bias.gradient[output] += error;
            let row = output * self.inputs..(output + 1) * self.inputs;
            let weights = &self.weight.values[row.clone()];
            let gradient = &mut self.weight.gradient[row];
            for column in 0..self.inputs {
                below[column] += weights[column] * error;
                gradient[column] += input[column] * error;
            }
        }
        for (value, &input) in below.iter_mut().zip(input) {
            if input <= 0.0 {
                *value = 0.0;
            }
        }
        below
    }
}

impl Parameters {
    fn new(values: Vec<f32>, decay: f32) -> Self {
        let zeros = vec![0.0; values.len()];
        Self { gradient: zeros.clone(), first: zeros.clone(), second: zeros, values, decay }
    }

    fn step(&mut self, rate: f32, correction: f32, count: f32) {
        for index in 0..self.values.len() {
            let gradient = self.gradient[index] / count;
            self.gradient[index] = 0.0;
            self.first[index] = MOMENTUM * self.first[index] + (1.0 - MOMENTUM) * gradient;
            self.second[index] = SMOOTHING * self.second[index] + (1.0 - SMOOTHING) * gradient * gradient;
            let adam = correction * self.first[index] / (self.second[index].sqrt() + EPSILON);
            self.values[index] -= rate * (adam + self.decay * self.values[index]);
        }
    }

    fn bytes(&self) -> Vec<u8> {
        self.values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }
}

/// A dot product in eight interleaved sums, an order that compilers can vectorise and must not change.
fn dot(left: &[f32], right: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    for (left, right) in left.chunks_exact(8).zip(right.chunks_exact(8)) {
        for lane in 0..8 {
            sums[lane] += left[lane] * right[lane];
        }
    }
    let done = left.len() / 8 * 8;
    let rest: f32 = left[done..].iter().zip(&right[done..]).map(|(left, right)| left * right).sum();
    sums.iter().sum::<f32>() + rest
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
