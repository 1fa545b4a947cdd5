//! The operations, compiled for the VM and for the host from this one source.
//!
//! They are grouped by the lowering or the backend's habit that they try. A result is written down as
//! 64-bit words; what fails (a checked operation) is written down as such.

// The paths are written out because the host's test includes this file from elsewhere.
#[path = "operations/arithmetic.rs"]
mod arithmetic;
#[path = "operations/bits.rs"]
mod bits;
#[path = "operations/calls.rs"]
mod calls;
#[path = "operations/division.rs"]
mod division;
#[path = "operations/memory.rs"]
mod memory;

/// What one run works on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Input {
    pub a: u64,
    pub b: u64,
    /// An amount: of bits, of bytes.
    pub n: u64,
    pub x: u128,
    pub y: u128,
    pub seed: u64,
}

impl Input {
    pub(super) const WORDS: usize = 8;

    /// # Panics
    /// When there are fewer than [`Self::WORDS`] words.
    pub(super) fn from_words(words: &[u64]) -> Self {
        let wide = |low: u64, high: u64| u128::from(high) << 64 | u128::from(low);
        Self {
            a: words[0],
            b: words[1],
            n: words[2],
            x: wide(words[3], words[4]),
            y: wide(words[5], words[6]),
            seed: words[7],
        }
    }
}

/// The results of one group for one input.
pub(super) struct Results {
    words: [u64; Self::CAPACITY],
    used: usize,
}

impl Default for Results {
    fn default() -> Self {
        Self { words: [0; Self::CAPACITY], used: 0 }
    }
}

impl Results {
    /// As many as return data can hold.
    pub(super) const CAPACITY: usize = 128;

    pub(super) fn words(&self) -> &[u64] {
        &self.words[..self.used]
    }

    /// A digest of all words (FNV-1a by words).
    pub(super) fn digest(&self) -> u64 {
        self.words().iter().fold(0xcbf2_9ce4_8422_2325, |hash, word| {
            let mixed = (hash ^ word).wrapping_mul(0x0000_0100_0000_01b3);
            mixed ^ mixed >> 29
        })
    }

    fn put(&mut self, value: impl Record) {
        value.record(self);
    }
}

/// What can be written down.
trait Record {
    fn record(self, results: &mut Results);
}

impl Record for u64 {
    fn record(self, results: &mut Results) {
        results.words[results.used] = self;
        results.used += 1;
    }
}

macro_rules! record_as_u64 {
    ($($ty:ty)*) => { $(impl Record for $ty {
        fn record(self, results: &mut Results) { results.put(self as u64); }
    })* };
}
record_as_u64!(u8 u16 u32 usize i8 i16 i32 i64 bool);

impl Record for u128 {
    fn record(self, results: &mut Results) {
        results.put(self as u64);
        results.put((self >> 64) as u64);
    }
}

impl Record for i128 {
    fn record(self, results: &mut Results) {
        results.put(self as u128);
    }
}

impl<T: Record> Record for Option<T> {
    fn record(self, results: &mut Results) {
        match self {
            Some(value) => value.record(results),
            None => results.put(0x6e6f_6e65u64),
        }
    }
}

impl<A: Record, B: Record> Record for (A, B) {
    fn record(self, results: &mut Results) {
        self.0.record(results);
        self.1.record(results);
    }
}

impl Record for std::cmp::Ordering {
    fn record(self, results: &mut Results) {
        results.put(self as i8);
    }
}

/// A group of operations.
pub(super) type Group = fn(&Input, &mut Results);

/// All groups.
pub(super) const GROUPS: &[(&str, Group)] = &[
    ("products of 64 bits", arithmetic::products_64),
    ("products of 128 bits", arithmetic::products_128),
    ("sums and differences", arithmetic::sums),
    ("narrow arithmetic", arithmetic::narrow),
    ("division up to 64 bits", division::narrow),
    ("division of 128 bits", division::wide),
    ("shifts", bits::shifts),
    ("counting and swapping bits", bits::counts),
    ("comparisons", bits::comparisons),
    ("memory", memory::blocks),
    ("sign extension", memory::sign_extension),
    ("atomics", memory::atomics),
    ("calls", calls::calls),
];
