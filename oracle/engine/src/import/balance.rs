//! Where an activation's range goes: per channel between the activation and the weights that read it.
//!
//! One step of an `i8` activation may stand for another amount in each channel, because the weight that reads the
//! channel takes the amount in. Channels with rare large values would otherwise cost all others their precision.

/// Exponent of the activation's range in the split; the rest goes to the weights.
const SHARE: f64 = 0.5;
/// Ranges below this part of the largest are treated as this: a channel that calibration hardly saw.
const FLOOR: f64 = 1e-3;

/// The real amount that one step of each channel stands for, from the largest magnitude of each channel and the weight
/// [outputs][channels] that reads it.
pub fn balance(largest: &[f32], weight: &[f32]) -> Vec<f64> {
    let channels = largest.len();
    let floored = |values: Vec<f64>| {
        let floor = FLOOR * values.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        values.into_iter().map(|v| v.max(floor)).collect::<Vec<_>>()
    };
    let ranges = floored(largest.iter().map(|v| f64::from(*v)).collect());
    let mut reads = vec![0f64; channels];
    for row in weight.chunks_exact(channels) {
        for (read, w) in reads.iter_mut().zip(row) {
            *read = read.max(f64::from(w.abs()));
        }
    }
    let reads = floored(reads);
    let factors: Vec<f64> =
        ranges.iter().zip(&reads).map(|(range, read)| range.powf(SHARE) / read.powf(1.0 - SHARE)).collect();
    let step = ranges.iter().zip(&factors).map(|(range, factor)| range / factor).fold(0.0, f64::max) / 127.0;
    factors.into_iter().map(|factor| factor * step).collect()
}

/// One real amount per channel for queries and one for keys, so that their product is the same in all channels of a
/// head: the scores' step is that product.
pub fn balance_scores(queries: &[f32], keys: &[f32]) -> (Vec<f64>, Vec<f64>, f64) {
    let magnitude = |v: &f32| f64::from(*v).max(1e-6);
    let product = queries.iter().zip(keys).map(|(q, k)| magnitude(q) * magnitude(k)).fold(0.0, f64::max) / 127.0 / 127.0;
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
        let largest = [1.0, 20.0, 0.0, 3.0];
        let weight = [0.5, 0.1, 2.0, -0.25, 0.125, -0.2, 0.0, 0.5];
        let steps = balance(&largest, &weight);
        let used: Vec<f64> = largest.iter().zip(&steps).map(|(l, s)| f64::from(*l) / s).collect();
        assert!(used.iter().all(|u| *u <= 127.0 + 1e-9), "{used:?}");
        assert!(used.iter().any(|u| *u > 126.9), "{used:?}");
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
