//! Matrix products.

use super::parameters::Parameters;
use crate::random::Random;

pub(super) struct Dense {
    inputs: usize,
    outputs: usize,
    /// `[outputs][inputs]`
    pub weight: Parameters,
    pub bias: Parameters,
}

impl Dense {
    pub(super) fn new(inputs: usize, outputs: usize, random: &mut Random) -> Self {
        // He's initialisation: a uniform distribution with variance 2 / inputs.
        let bound = (6.0 / inputs as f32).sqrt();
        let weight = (0..inputs * outputs).map(|_| bound * random.symmetric()).collect();
        Self { inputs, outputs, weight: Parameters::weights(weight), bias: Parameters::biases(outputs) }
    }

    /// Dimensions of the weight.
    pub(super) fn shape(&self) -> Vec<usize> {
        vec![self.outputs, self.inputs]
    }

    pub(super) fn apply(&self, input: &[f32]) -> Vec<f32> {
        let rows = self.weight.values.chunks_exact(self.inputs);
        rows.zip(&self.bias.values).map(|(row, bias)| bias + dot(row, input)).collect()
    }

    /// Adds this layer's gradient and returns the input's.
    pub(super) fn backward(&mut self, input: &[f32], error: &[f32]) -> Vec<f32> {
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
        below
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
