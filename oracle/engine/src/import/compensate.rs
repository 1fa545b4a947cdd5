//! Rounding of weights that makes up for itself: what one weight loses, the weights after it take over, as far as the
//! inputs that they read go together (as GPTQ does, from the covariance of the inputs).

use rayon::prelude::*;

use crate::float::linear;

/// The most channels whose covariance is looked at together.
const GROUP: usize = 640;
/// What is added to the covariance's diagonal, as a part of its mean: inputs that calibration did not see go together
/// in other ways.
const DAMPING: f64 = 0.03;
/// A row's squares count up to this many times the median row's.
const OUTLIER: f64 = 8.0;

/// The covariance of a matrix product's inputs within groups of channels.
pub(super) struct Covariance {
    /// Where each group begins and ends.
    groups: Vec<std::ops::Range<usize>>,
    /// Per group `[channels][channels]`.
    sums: Vec<Vec<f32>>,
}

impl Covariance {
    /// Of so many channels, before anything was seen.
    pub(super) fn new(channels: usize) -> Self {
        let count = channels.div_ceil(GROUP).max(1);
        let groups: Vec<_> = (0..count).map(|i| i * channels / count..(i + 1) * channels / count).collect();
        let sums = groups.iter().map(|group| vec![0f32; group.len() * group.len()]).collect();
        Self { groups, sums }
    }

    /// Takes in the rows of one text.
    pub(super) fn see(&mut self, rows: &[f32]) {
        let channels = self.groups.last().map_or(1, |group| group.end);
        let sizes: Vec<f32> = rows.chunks_exact(channels).map(|row| row.iter().map(|v| v * v).sum()).collect();
        let mut sorted = sizes.clone();
        sorted.sort_by(f32::total_cmp);
        let limit = OUTLIER as f32 * sorted.get(sizes.len() / 2).copied().unwrap_or(0.0);
        let parts: Vec<f32> =
            sizes.iter().map(|size| if *size > limit { (limit / size).sqrt() } else { 1.0 }).collect();
        for (group, sums) in self.groups.iter().zip(&mut self.sums) {
            // [channels][rows]
            let column = |c| rows.chunks_exact(channels).zip(&parts).map(move |(row, part): (&[f32], _)| row[c] * part);
            let turned: Vec<f32> = group.clone().flat_map(column).collect();
            let products = linear(&turned, &turned, &vec![0.0; group.len()]);
            sums.iter_mut().zip(products).for_each(|(sum, product)| *sum += product);
        }
    }

    /// What rounding needs for inputs whose channels have these steps; `None` where the covariance says nothing.
    pub(super) fn compensation(&self, steps: &[f64]) -> Compensation {
        let groups: Vec<_> = self.groups.iter().zip(&self.sums).collect();
        let factor = |(group, sums): &(&std::ops::Range<usize>, &Vec<f32>)| {
            let steps = &steps[group.start..group.end];
            inverse_factor(sums, steps)
        };
        let factors: Vec<Option<Vec<f64>>> = groups.par_iter().map(factor).collect();
        Compensation { groups: self.groups.clone().into_iter().zip(factors).collect() }
    }
}

/// How the loss of one weight is taken over by those after it.
pub(super) struct Compensation {
    /// Per group of channels the upper triangular factor U with inverse covariance = U^T U.
    groups: Vec<(std::ops::Range<usize>, Option<Vec<f64>>)>,
}

impl Compensation {
    /// The integers of a row of weights with this step.
    pub(super) fn round(&self, row: &[f64], step: f64) -> Vec<i8> {
        let nearest = |w: f64| (w / step).round().clamp(-127.0, 127.0);
        let mut row = row.to_vec();
        let mut ints = Vec::with_capacity(row.len());
        for (group, factor) in &self.groups {
            let row = &mut row[group.start..group.end];
            let count = row.len();
            for j in 0..count {
                let int = nearest(row[j]);
                ints.push(int as i8);
                let Some(factor) = factor else { continue };
                let line = &factor[j * count..(j + 1) * count];
                let loss = (row[j] - int * step) / line[j];
                row[j + 1..].iter_mut().zip(&line[j + 1..]).for_each(|(w, u)| *w -= loss * u);
            }
        }
        ints
    }
}

/// The upper triangular U with (S + damping)^-1 = U^T U, where S is the covariance of inputs counted in steps.
///
/// With all indices reversed, S = L L^T; turned back that is S = R R^T with an upper triangular R, and U = R^-1.
fn inverse_factor(sums: &[f32], steps: &[f64]) -> Option<Vec<f64>> {
    let n = steps.len();
    let turned = |i: usize| n - 1 - i;
    let entry = |i: usize, j: usize| f64::from(sums[turned(i) * n + turned(j)]) / steps[turned(i)] / steps[turned(j)];
    let mean = (0..n).map(|i| entry(i, i)).sum::<f64>() / n as f64;
    if !mean.is_normal() {
        return None;
    }
    // L, row after row.
    let mut lower = vec![0f64; n * n];
    for i in 0..n {
        let (before, rest) = lower.split_at_mut(i * n);
        let row = &mut rest[..n];
        for j in 0..=i {
            let other = if j < i { &before[j * n..j * n + j] } else { &[] };
            let known: f64 = if j < i { dot(&row[..j], other) } else { row[..j].iter().map(|v| v * v).sum() };
            if j < i {
                row[j] = (entry(i, j) - known) / before[j * n + j];
            } else {
                let left = entry(i, i) + DAMPING * mean - known;
                if !(left > 0.0 && left.is_finite()) {
                    return None;
                }
                row[i] = left.sqrt();
            }
        }
    }
    // L^-1 by rows: row i = (e_i - sum over k < i of L[i][k] * row k) / L[i][i].
    let mut inverse = vec![0f64; n * n];
    for i in 0..n {
        let (before, rest) = inverse.split_at_mut(i * n);
        let row = &mut rest[..n];
        for k in 0..i {
            let by = lower[i * n + k];
            row[..=k].iter_mut().zip(&before[k * n..=k * n + k]).for_each(|(to, from)| *to -= by * from);
        }
        row[i] = 1.0;
        let by = lower[i * n + i];
        row[..=i].iter_mut().for_each(|v| *v /= by);
    }
    inverse.reverse();
    Some(inverse)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0f64; 8];
    let (a_parts, b_parts) = (a.chunks_exact(8), b.chunks_exact(8));
    let tail: f64 = a_parts.remainder().iter().zip(b_parts.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a_parts.zip(b_parts) {
        lanes.iter_mut().zip(a.iter().zip(b)).for_each(|(lane, (a, b))| *lane += a * b);
    }
    lanes.iter().sum::<f64>() + tail
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_is_that_of_the_inverse_covariance() {
        let sums = [4.0f32, 1.0, 0.5, 1.0, 3.0, -0.25, 0.5, -0.25, 2.0];
        let steps = [1.0, 0.5, 2.0];
        let factor = inverse_factor(&sums, &steps).unwrap();
        let entry = |i: usize, j: usize| f64::from(sums[i * 3 + j]) / steps[i] / steps[j];
        let mean = (0..3).map(|i| entry(i, i)).sum::<f64>() / 3.0;
        let u = |i: usize, j: usize| factor[i * 3 + j];
        for i in 0..3 {
            for j in 0..3 {
                assert!(i <= j || u(i, j) == 0.0);
                // (U^T U) (S + damping) = 1
                let inverse = |a: usize, b: usize| (0..3).map(|k| u(k, a) * u(k, b)).sum::<f64>();
                let damped = |a: usize, b: usize| entry(a, b) + if a == b { DAMPING * mean } else { 0.0 };
                let found: f64 = (0..3).map(|k| inverse(i, k) * damped(k, j)).sum();
                assert!((found - f64::from(u8::from(i == j))).abs() < 1e-9, "{i} {j} {found}");
            }
        }
    }

    #[test]
    fn weights_that_read_the_same_input_make_up_for_each_other() {
        // Two channels that are always equal: only the sum of their weights matters.
        let mut covariance = Covariance::new(2);
        covariance.see(&[1.0, 1.0, -0.5, -0.5, 0.7, 0.7]);
        let ints = covariance.compensation(&[1.0, 1.0]).round(&[10.4, 10.4], 1.0);
        assert_eq!(ints, [10, 11]);
        // Nothing seen: to the nearest.
        assert_eq!(Covariance::new(2).compensation(&[1.0, 1.0]).round(&[10.4, 10.4], 1.0), [10, 10]);
    }
}
