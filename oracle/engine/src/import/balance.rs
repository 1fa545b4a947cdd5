//! Where an activation's range goes: per channel between the activation and the weights that read it.
//!
//! One step of an `i8` activation may stand for another amount in each channel, because the weight that reads the
//! channel takes the amount in. Channels with rare large values would otherwise cost all others their precision.

use provena_arith::fixed::SPLIT_MAX;
use rayon::prelude::*;

/// Ranges below this part of the largest are treated as this: a channel that calibration hardly saw.
const FLOOR: f64 = 1e-3;

/// What an activation is stored as, and how its range may be split between it and the weights that read it.
pub(super) struct Levels {
    /// The largest integer that calibration's values may become.
    pub largest: f64,
    /// Exponents that are tried: of the channel's magnitude, and of one over what reads it.
    splits: &'static [(f64, f64)],
    /// Whether a channel's magnitude is its root mean square, and not its largest value.
    typical: bool,
    /// How much finer the steps may be than the widest channel allows, which then alone has a coarser one.
    finer: &'static [f64],
    /// About how many outputs are looked at.
    outputs: usize,
}

/// Signed bytes.
pub(super) const BYTES: Levels = Levels {
    largest: 127.0,
    splits: &[
        (0.3, 0.7),
        (0.4, 0.6),
        (0.5, 0.5),
        (0.55, 0.45),
        (0.6, 0.4),
        (0.65, 0.35),
        (0.7, 0.3),
        (0.75, 0.25),
        (0.8, 0.2),
        (0.85, 0.15),
        (0.9, 0.1),
        (1.0, 0.0),
    ],
    typical: false,
    finer: &[1.0],
    outputs: usize::MAX,
};

/// Two signed bytes per value, with room for twice what calibration saw. The weights' rounding is all that counts, so
/// that channels with large values should have the finer weights.
pub(super) const SPLIT: Levels = Levels {
    largest: SPLIT_MAX as f64 / 2.0,
    splits: &[
        (0.0, 0.0),
        (0.2, 0.0),
        (0.35, 0.0),
        (0.5, 0.0),
        (0.7, 0.0),
        (0.0, 0.5),
        (0.2, 0.3),
        (0.35, 0.35),
        (0.5, 0.3),
        (0.5, 0.5),
    ],
    typical: true,
    finer: &[1.0, 4.0, 16.0, 64.0],
    outputs: 384,
};

/// What is known about an activation and the weight that reads it.
pub(super) struct Reading<'a> {
    /// The largest magnitude of each channel.
    pub largest: &'a [f32],
    /// The mean square of each channel.
    pub power: &'a [f64],
    /// `[outputs][channels]`.
    pub weight: &'a [f32],
    /// The mean square of each output.
    pub output_power: &'a [f64],
}

impl Reading<'_> {
    /// The real amount that one step of each channel stands for.
    ///
    /// Of several splits it takes the one that adds the least noise to the outputs, each output measured by its own
    /// power, so that one with huge values does not decide for all.
    pub(super) fn balance_to(&self, levels: &Levels) -> Vec<f64> {
        let reads = self.reads();
        let tried = levels.splits.iter().flat_map(|split| levels.finer.iter().map(move |finer| (*split, *finer)));
        let steps: Vec<Vec<f64>> = tried.map(|(split, finer)| self.split(levels, split, finer, &reads)).collect();
        let noise: Vec<f64> = steps.iter().map(|steps| self.noise(steps, levels.outputs)).collect();
        let best = noise.iter().enumerate().fold(0, |best, (i, v)| if *v < noise[best] { i } else { best });
        steps.into_iter().nth(best).unwrap_or_default()
    }

    /// Per channel the largest magnitude of a weight that reads it.
    fn reads(&self) -> Vec<f64> {
        let mut reads = vec![0f32; self.largest.len()];
        for row in self.weight.chunks_exact(reads.len()) {
            reads.iter_mut().zip(row).for_each(|(read, w)| *read = read.max(w.abs()));
        }
        floored(reads.into_iter().map(f64::from).collect())
    }

    fn split(&self, levels: &Levels, (range, read): (f64, f64), finer: f64, reads: &[f64]) -> Vec<f64> {
        let ranges = floored(self.largest.iter().map(|v| f64::from(*v)).collect());
        let typical = || floored(self.power.iter().map(|v| v.sqrt()).collect());
        let magnitudes = if levels.typical { typical() } else { ranges.clone() };
        let factors: Vec<f64> =
            magnitudes.iter().zip(reads).map(|(size, reads)| size.powf(range) / reads.powf(read)).collect();
        let step = ranges.iter().zip(&factors).map(|(range, factor)| range / factor).fold(0.0, f64::max);
        let fits = |(factor, range): (f64, &f64)| (factor * step / finer).max(*range) / levels.largest;
        factors.into_iter().zip(&ranges).map(fits).collect()
    }

    /// The mean over outputs of the noise of rounding, relative to the output's power. A step s adds s^2 / 12.
    fn noise(&self, steps: &[f64], outputs: usize) -> f64 {
        let every = (self.output_power.len() / outputs).max(1);
        let rows = self.weight.par_chunks_exact(steps.len()).zip(self.output_power).step_by(every);
        let one = |(row, power): (&[f32], &f64)| {
            let range = row.iter().zip(steps).map(|(w, s)| f64::from(w.abs()) * s).fold(0.0, f64::max);
            let weight_step = range / 127.0;
            let channels = row.iter().zip(steps).zip(self.power);
            let noise = channels.map(|((w, s), power)| (f64::from(*w) * s).powi(2) + (weight_step / s).powi(2) * power);
            noise.sum::<f64>() / power.max(1e-12)
        };
        // Collected first, so that the sum has one order.
        rows.map(one).collect::<Vec<f64>>().into_iter().sum()
    }
}

/// The values, none below a part of the largest.
fn floored(values: Vec<f64>) -> Vec<f64> {
    let floor = FLOOR * values.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    values.into_iter().map(|v| v.max(floor)).collect()
}

/// One real amount per channel for queries and one for keys, so that their product is the same in all channels of a
/// head: the scores' step is that product.
pub(super) fn balance_scores(queries: &[f32], keys: &[f32]) -> (Vec<f64>, Vec<f64>, f64) {
    let magnitude = |v: &f32| f64::from(*v).max(1e-6);
    let product =
        queries.iter().zip(keys).map(|(q, k)| magnitude(q) * magnitude(k)).fold(0.0, f64::max) / 127.0 / 127.0;
    let split = queries.iter().zip(keys).map(|(q, k)| {
        let (q, k) = (magnitude(q) / 127.0, magnitude(k) / 127.0);
        let slack = (product / (q * k)).sqrt();
        (q * slack, k * slack)
    });
    let (queries, keys) = split.unzip();
    (queries, keys, product)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_channel_exceeds_its_bytes_and_the_widest_use_them_all() {
        let reading = Reading {
            largest: &[1.0, 20.0, 0.0, 3.0],
            power: &[0.3, 9.0, 0.0, 1.0],
            weight: &[0.5, 0.1, 2.0, -0.25, 0.125, -0.2, 0.0, 0.5],
            output_power: &[1.0, 2.0],
        };
        let steps = reading.balance_to(&BYTES);
        let used: Vec<f64> = reading.largest.iter().zip(&steps).map(|(l, s)| f64::from(*l) / s).collect();
        assert!(used.iter().all(|u| *u <= 127.0 + 1e-9), "{used:?}");
        assert!(used.iter().any(|u| *u > 126.9), "{used:?}");
    }

    #[test]
    fn a_rare_large_channel_that_one_output_reads_does_not_cost_the_others_their_precision() {
        let (mut weight, mut largest, mut power) = (vec![0.1f32; 32 * 32], vec![1f32; 32], vec![0.1; 32]);
        weight[5] = 8.0;
        for (n, row) in weight.chunks_exact_mut(32).enumerate().skip(1) {
            row[5] = 0.0;
            row[n] = 0.2;
        }
        (largest[5], power[5]) = (25.0, 0.5);
        let mut output_power = vec![0.04; 32];
        output_power[0] = 32.0;
        let reading = Reading { largest: &largest, power: &power, weight: &weight, output_power: &output_power };
        let steps = reading.balance_to(&BYTES);
        // Half and half would give 0.25 and more.
        assert!(reading.split(&BYTES, (0.5, 0.5), 1.0, &reading.reads())[0] > 0.2 && steps[0] < 0.03, "{steps:?}");
    }

    #[test]
    fn scores_have_one_step_and_their_parts_fit() {
        let (queries, keys) = ([1.0, 8.0, 0.5], [4.0, 2.0, 0.25]);
        let (q, k, step) = balance_scores(&queries, &keys);
        for c in 0..3 {
            assert!((q[c] * k[c] / step - 1.0).abs() < 1e-12);
            assert!(f64::from(queries[c]) / q[c] <= 127.0 + 1e-9 && f64::from(keys[c]) / k[c] <= 127.0 + 1e-9);
        }
    }
}
