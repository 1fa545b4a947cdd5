//! The dot product of signed bytes, which is nearly all of the work.
//!
//! Every function here is exact for up to 131,000 elements and wraps beyond. The loops are plain, so that compilers
//! turn them into whatever the processor does best; on x86-64 they are compiled a second time for AVX2.

/// The longest row that is widened on the stack.
const MAX_WIDENED: usize = 4_096;

/// For each row of `rows` (of `stride` bytes) its dot product with x.
pub fn dots(x: &[i8], rows: &[i8], stride: usize, out: &mut [i32]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, which is all that the function needs beyond the safe version.
        return unsafe { dots_avx2(x, rows, stride, out) };
    }
    dots_portable(x, rows, stride, out);
}

/// out[r][n] = x[r] . weight[n] for rows of `stride` bytes; `out` has `weight.len() / stride` columns.
pub fn products(x: &[i8], weight: &[i8], stride: usize, out: &mut [i32]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: as above.
        return unsafe { products_avx2(x, weight, stride, out) };
    }
    products_portable(x, weight, stride, out);
}

#[inline(always)]
fn dots_portable(x: &[i8], rows: &[i8], stride: usize, out: &mut [i32]) {
    for (out, row) in out.iter_mut().zip(rows.chunks_exact(stride)) {
        *out = x.iter().zip(row).fold(0i32, |sum, (a, b)| sum.wrapping_add(i32::from(*a) * i32::from(*b)));
    }
}

#[inline(always)]
fn products_portable(x: &[i8], weight: &[i8], stride: usize, out: &mut [i32]) {
    let outputs = weight.len() / stride;
    if stride > MAX_WIDENED {
        for (out, x) in out.chunks_exact_mut(outputs).zip(x.chunks_exact(stride)) {
            dots_portable(x, weight, stride, out);
        }
        return;
    }
    // Widening once per row and not once per product leaves one multiply-add per two elements.
    let x: Vec<i16> = x.iter().map(|v| i16::from(*v)).collect();
    let mut widened = [0i16; MAX_WIDENED];
    let widened = &mut widened[..stride];
    for (n, row) in weight.chunks_exact(stride).enumerate() {
        widened.iter_mut().zip(row).for_each(|(to, from)| *to = i16::from(*from));
        for (r, x) in x.chunks_exact(stride).enumerate() {
            out[r * outputs + n] =
                x.iter().zip(&*widened).fold(0i32, |sum, (a, b)| sum.wrapping_add(i32::from(*a) * i32::from(*b)));
        }
    }
}

/// The same code, compiled for wider registers.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn dots_avx2(x: &[i8], rows: &[i8], stride: usize, out: &mut [i32]) {
    dots_portable(x, rows, stride, out);
}

/// The same code, compiled for wider registers.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn products_avx2(x: &[i8], weight: &[i8], stride: usize, out: &mut [i32]) {
    products_portable(x, weight, stride, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_gives_the_exact_sum() {
        let mut random = fastrand::Rng::with_seed(7);
        for len in [16usize, 48, 384, 1_536, MAX_WIDENED, MAX_WIDENED + 16] {
            let mut bytes = |n: usize| (0..n).map(|_| random.i8(..)).collect::<Vec<_>>();
            let (x, rows) = (bytes(3 * len), bytes(5 * len));
            let exact = |x: &[i8]| {
                let dot =
                    |row: &[i8]| row.iter().zip(x).map(|(a, b)| i64::from(*a) * i64::from(*b)).sum::<i64>() as i32;
                rows.chunks_exact(len).map(dot).collect::<Vec<_>>()
            };
            let (mut fast, mut plain) = ([0i32; 5], [0i32; 5]);
            dots(&x[..len], &rows, len, &mut fast);
            dots_portable(&x[..len], &rows, len, &mut plain);
            assert_eq!(fast.as_slice(), exact(&x[..len]));
            assert_eq!(plain, fast);
            let all: Vec<i32> = x.chunks_exact(len).flat_map(exact).collect();
            let (mut fast, mut plain) = ([0i32; 15], [0i32; 15]);
            products(&x, &rows, len, &mut fast);
            products_portable(&x, &rows, len, &mut plain);
            assert_eq!(fast.as_slice(), all);
            assert_eq!(plain, fast);
        }
    }
}
