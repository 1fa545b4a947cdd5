//! Convolutions over square images, channel after channel, with the pooling that follows.

use super::{Output, parameters::Parameters};
use crate::random::Random;

/// Height and width of a patch; a pixel of zeros around the image keeps its size.
const KERNEL: usize = 3;
const PAD: usize = 1;
/// Height and width of the squares of which the largest value is kept.
const POOL: usize = 2;

pub(super) struct Convolution {
    inputs: usize,
    outputs: usize,
    /// Pixels along each side of the image, before and after, but for the pooling.
    side: usize,
    /// `[outputs][inputs][KERNEL][KERNEL]`
    pub weight: Parameters,
    pub bias: Parameters,
}

impl Convolution {
    pub(super) fn new(inputs: usize, outputs: usize, side: usize, random: &mut Random) -> Self {
        let patch = inputs * KERNEL * KERNEL;
        let bound = (6.0 / patch as f32).sqrt();
        let weight = (0..patch * outputs).map(|_| bound * random.symmetric()).collect();
        Self { inputs, outputs, side, weight: Parameters::weights(weight), bias: Parameters::biases(outputs) }
    }

    /// Dimensions of the weight.
    pub(super) fn shape(&self) -> Vec<usize> {
        vec![self.outputs, self.inputs, KERNEL, KERNEL]
    }

    /// Pixels along each side after the pooling.
    pub(super) fn pooled_side(&self) -> usize {
        self.side / POOL
    }

    /// What is left after the pooling, and where each value came from.
    pub(super) fn apply(&self, input: &[f32]) -> Output {
        let side = self.side;
        let mut planes = vec![0.0f32; self.outputs * side * side];
        for (plane, (weights, bias)) in planes
            .chunks_exact_mut(side * side)
            .zip(self.weight.values.chunks_exact(self.inputs * KERNEL * KERNEL).zip(&self.bias.values))
        {
            plane.fill(*bias);
            for (at, weight) in weights.iter().enumerate() {
                let image = &input[at / (KERNEL * KERNEL) * side * side..][..side * side];
                let [down, right] = [at / KERNEL % KERNEL, at % KERNEL];
                for row in PAD.saturating_sub(down)..side.min(side + PAD - down) {
                    let from = &image[(row + down - PAD) * side..][..side];
                    let to = &mut plane[row * side..][..side];
                    for column in PAD.saturating_sub(right)..side.min(side + PAD - right) {
                        to[column] += weight * from[column + right - PAD];
                    }
                }
            }
        }
        self.pool(&planes)
    }

    fn pool(&self, planes: &[f32]) -> Output {
        let (side, pooled) = (self.side, self.pooled_side());
        let mut output = Output { values: vec![], picks: vec![] };
        for at in 0..self.outputs * pooled * pooled {
            let (plane, row, column) = (at / (pooled * pooled), at / pooled % pooled, at % pooled);
            let corner = (plane * side + row * POOL) * side + column * POOL;
            let mut pick = corner;
            for other in [corner + 1, corner + side, corner + side + 1] {
                if planes[other] > planes[pick] {
                    pick = other;
                }
            }
            output.values.push(planes[pick]);
            output.picks.push(pick);
        }
        output
    }

    /// Adds this layer's gradient and returns the input's.
    pub(super) fn backward(&mut self, input: &[f32], picks: &[usize], error: &[f32]) -> Vec<f32> {
        let side = self.side;
        let patch = self.inputs * KERNEL * KERNEL;
        let mut below = vec![0.0f32; input.len()];
        for (&pick, &error) in picks.iter().zip(error).filter(|(_, error)| **error != 0.0) {
            let (output, row, column) = (pick / (side * side), pick / side % side, pick % side);
            self.bias.gradient[output] += error;
            let weights = &self.weight.values[output * patch..][..patch];
            let gradient = &mut self.weight.gradient[output * patch..][..patch];
            for at in 0..patch {
                let y = (row + at / KERNEL % KERNEL).checked_sub(PAD).filter(|y| *y < side);
                let x = (column + at % KERNEL).checked_sub(PAD).filter(|x| *x < side);
                if let (Some(y), Some(x)) = (y, x) {
                    let from = (at / (KERNEL * KERNEL) * side + y) * side + x;
                    below[from] += weights[at] * error;
                    gradient[at] += input[from] * error;
                }
            }
        }
        below
    }
}
