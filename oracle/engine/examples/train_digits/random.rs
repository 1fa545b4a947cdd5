//! Random numbers that never change: SplitMix64.

/// A generator.
pub(crate) struct Random {
    state: u64,
}

impl Random {
    /// One that starts at `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Evenly from -1 to 1; exact, because 24 bits fit a float.
    pub(crate) fn symmetric(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    /// By how many pixels to move an image along one axis: -1, 0, 0 or 1.
    pub(crate) fn shift(&mut self) -> isize {
        [-1, 0, 0, 1][(self.next() >> 62) as usize]
    }

    /// Puts `items` into a random order.
    pub(crate) fn shuffle(&mut self, items: &mut [usize]) {
        for last in (1..items.len()).rev() {
            // The bias of the remainder is below 2^-50 for lists this short.
            let other = (self.next() % (last as u64 + 1)) as usize;
            items.swap(last, other);
        }
    }
}
