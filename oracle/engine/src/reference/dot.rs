//! The dot product of signed bytes: exact for up to 131,000 elements, modulo 2^32 beyond.

/// a . b.
fn dot(a: &[i8], b: &[i8]) -> i32 {
    a.iter().zip(b).fold(0i32, |sum, (a, b)| sum.wrapping_add(i32::from(*a) * i32::from(*b)))
}

/// For each row of `rows` (of `stride` bytes) its dot product with x.
pub(super) fn dots(x: &[i8], rows: &[i8], stride: usize, out: &mut [i32]) {
    for (out, row) in out.iter_mut().zip(rows.chunks_exact(stride)) {
        *out = dot(x, row);
    }
}

/// `out[r][n] = x[r] . weight[n]` for rows of `stride` bytes; `out` has `weight.len() / stride` columns.
pub(super) fn products(x: &[i8], weight: &[i8], stride: usize, out: &mut [i32]) {
    for (out, x) in out.chunks_exact_mut(weight.len() / stride).zip(x.chunks_exact(stride)) {
        dots(x, weight, stride, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_exact_sums() {
        let mut random = fastrand::Rng::with_seed(7);
        for len in [16usize, 48, 4_112] {
            let mut bytes = |n: usize| (0..n).map(|_| random.i8(..)).collect::<Vec<_>>();
            let (x, rows) = (bytes(3 * len), bytes(5 * len));
            let exact = |x: &[i8], row: &[i8]| {
                row.iter().zip(x).map(|(a, b)| i64::from(*a) * i64::from(*b)).sum::<i64>() as i32
            };
            let all: Vec<i32> =
                x.chunks_exact(len).flat_map(|x| rows.chunks_exact(len).map(move |row| exact(x, row))).collect();
            let mut found = [0i32; 15];
            products(&x, &rows, len, &mut found);
            assert_eq!(found.as_slice(), all);
        }
    }
}
