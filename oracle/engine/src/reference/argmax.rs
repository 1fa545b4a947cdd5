//! The index of the largest value.

/// Per row of `cols` values the lowest index of the largest.
pub(super) fn argmax(x: &[i32], cols: usize) -> Vec<u32> {
    let best = |row: &[i32]| row.iter().enumerate().fold(0, |best, (i, v)| if *v > row[best] { i } else { best });
    x.chunks_exact(cols).map(|row| best(row) as u32).collect()
}
