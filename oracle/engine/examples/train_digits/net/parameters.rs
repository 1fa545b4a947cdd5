//! Numbers to be learnt, and how Adam moves them.

const MOMENTUM: f32 = 0.9;
const SMOOTHING: f32 = 0.999;
const EPSILON: f32 = 1e-8;
/// Pulls weights towards zero, which also keeps the range that quantisation has to cover small.
const DECAY: f32 = 0.02;

/// Steps taken, as the powers that Adam's correction needs.
pub(super) struct Adam {
    momentum_left: f32,
    smoothing_left: f32,
}

/// How far one step moves.
#[derive(Clone, Copy)]
pub(super) struct Step {
    rate: f32,
    correction: f32,
    count: f32,
}

impl Default for Adam {
    fn default() -> Self {
        Self { momentum_left: 1.0, smoothing_left: 1.0 }
    }
}

impl Adam {
    /// The next step along the gradient over `count` images.
    pub(super) fn step(&mut self, rate: f32, count: usize) -> Step {
        self.momentum_left *= MOMENTUM;
        self.smoothing_left *= SMOOTHING;
        let correction = (1.0 - self.smoothing_left).sqrt() / (1.0 - self.momentum_left);
        Step { rate, correction, count: count as f32 }
    }
}

/// Numbers to be learnt, with their gradient and Adam's two averages of it.
pub(super) struct Parameters {
    /// What has been learnt so far.
    pub values: Vec<f32>,
    /// The sum over the images since the last step.
    pub gradient: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
    decay: f32,
}

impl Parameters {
    /// Weights, which decay.
    pub(super) fn weights(values: Vec<f32>) -> Self {
        Self::new(values, DECAY)
    }

    /// So many biases of zero.
    pub(super) fn biases(count: usize) -> Self {
        Self::new(vec![0.0; count], 0.0)
    }

    fn new(values: Vec<f32>, decay: f32) -> Self {
        let zeros = vec![0.0; values.len()];
        Self { gradient: zeros.clone(), first: zeros.clone(), second: zeros, values, decay }
    }

    /// Moves along the gradient and forgets it.
    pub(super) fn step(&mut self, step: Step) {
        for index in 0..self.values.len() {
            let gradient = self.gradient[index] / step.count;
            self.gradient[index] = 0.0;
            self.first[index] = MOMENTUM * self.first[index] + (1.0 - MOMENTUM) * gradient;
            self.second[index] = SMOOTHING * self.second[index] + (1.0 - SMOOTHING) * gradient * gradient;
            let adam = step.correction * self.first[index] / (self.second[index].sqrt() + EPSILON);
            self.values[index] -= step.rate * (adam + self.decay * self.values[index]);
        }
    }

    /// The values as they are stored.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }
}
