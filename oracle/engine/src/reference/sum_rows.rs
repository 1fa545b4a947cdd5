//! The sum over all rows.

/// Column sums of rows of `cols` values.
pub(super) fn sum_rows(x: &[i32], cols: usize) -> Vec<i32> {
    let mut sums = vec![0i32; cols];
    for row in x.chunks_exact(cols) {
        for (sum, v) in sums.iter_mut().zip(row) {
            *sum = sum.wrapping_add(*v);
        }
    }
    sums
}
