//! Some rows of a stream.

/// The rows that `picks` names.
pub(super) fn gather(x: &[i32], cols: usize, picks: &[u32]) -> Vec<i32> {
    picks.iter().flat_map(|pick| x[*pick as usize * cols..][..cols].iter().copied()).collect()
}
