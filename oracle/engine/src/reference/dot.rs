//! The dot product of signed bytes, which is nearly all of the work.

/// For each row of `rows` (of `stride` bytes) its dot product with x: exact for up to 131,000 elements, wrapping beyond.
pub fn dots(x: &[i8], rows: &[i8], stride: usize, out: &mut [i32]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, which is all that the function needs beyond the safe version.
        return unsafe { dots_avx2(x, rows, stride, out) };
    }
    dots_portable(x, rows, stride, out);
}

#[inline(always)]
fn dots_portable(x: &[i8], rows: &[i8], stride: usize, out: &mut [i32]) {
    for (out, row) in out.iter_mut().zip(rows.chunks_exact(stride)) {
        *out = x.iter().zip(row).fold(0i32, |sum, (a, b)| sum.wrapping_add(i32::from(*a) * i32::from(*b)));
    }
}

/// The same code, compiled for wider registers.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn dots_avx2(x: &[i8], rows: &[i8], stride: usize, out: &mut [i32]) {
    dots_portable(x, rows, stride, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_gives_the_exact_sum() {
        let mut random = fastrand::Rng::with_seed(7);
        for len in [16usize, 48, 384, 1_536] {
            let mut bytes = |n: usize| (0..n).map(|_| random.i8(..)).collect::<Vec<_>>();
            let (x, rows) = (bytes(len), bytes(5 * len));
            let exact: Vec<i32> = rows
                .chunks_exact(len)
                .map(|row| row.iter().zip(&x).map(|(a, b)| i64::from(*a) * i64::from(*b)).sum::<i64>() as i32)
                .collect();
            let (mut fast, mut plain) = ([0i32; 5], [0i32; 5]);
            dots(&x, &rows, len, &mut fast);
            dots_portable(&x, &rows, len, &mut plain);
            assert_eq!(fast.as_slice(), exact);
            assert_eq!(plain.as_slice(), exact);
        }
    }
}
