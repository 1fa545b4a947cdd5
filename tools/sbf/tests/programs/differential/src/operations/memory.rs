//! Blocks of memory, loads of narrow integers, atomics.

use std::sync::atomic::{
    AtomicBool, AtomicI32, AtomicI64, AtomicU8, AtomicU16, AtomicU32, AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst},
    fence,
};

use super::{Input, Results};

const SIZE: usize = 193;

/// Bytes that depend on the whole input.
fn filled(i: &Input) -> [u8; SIZE] {
    let mut state = i.seed ^ i.a;
    std::array::from_fn(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    })
}

fn digest(bytes: &[u8]) -> u64 {
    let word = |bytes: &[u8]| bytes.iter().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
    let (words, rest) = bytes.as_chunks::<8>();
    words.iter().map(|bytes| u64::from_le_bytes(*bytes)).chain([word(rest)]).fold(
        14_695_981_039_346_656_037,
        |hash, word| {
            let mixed = (hash ^ word).wrapping_mul(1_099_511_628_211);
            mixed ^ mixed >> 31
        },
    )
}

pub(super) fn blocks(i: &Input, r: &mut Results) {
    let source = filled(i);
    let length = (i.n % 97) as usize;
    let (from, to) = ((i.a % 96) as usize, (i.b % 96) as usize);

    let mut copied = [0u8; SIZE];
    copied[to..to + length].copy_from_slice(&source[from..from + length]);
    r.put(digest(&copied));
    let mut moved = source;
    moved.copy_within(from..from + length, to);
    r.put(digest(&moved));
    let mut set = source;
    set[to..to + length].fill(i.a as u8);
    r.put(digest(&set));
    r.put(source[from..from + length].cmp(&copied[to..to + length]));
    r.put(source[from..from + length] == copied[to..to + length]);
    let mut changed = copied;
    changed[to + length / 2] ^= (i.b >> 32) as u8;
    r.put(changed[to..to + length].cmp(&copied[to..to + length]));
    r.put(changed == copied);
    // Fixed lengths, which are expanded in place.
    r.put(digest(&<[u8; 31]>::try_from(&source[from..from + 31]).unwrap_or_default()));
    r.put(digest(&<[u8; 32]>::try_from(&source[to..to + 32]).unwrap_or_default()));
    r.put(source[from..from + 32] == source[to..to + 32]);
    r.put(source[from..from + 7] < source[to..to + 7]);
    let mut all = [i.a as u8; 67];
    all[1..64].copy_from_slice(&source[1..64]);
    r.put(digest(&all));
    let (mut left, mut right) = (source, changed);
    left[..100].swap_with_slice(&mut right[50..150]);
    left.reverse();
    right.rotate_left(length);
    r.put(digest(&left));
    r.put(digest(&right));
    // Words at any address.
    let at = from | 1;
    r.put(u64::from_le_bytes(source[at..at + 8].try_into().unwrap_or_default()));
    r.put(u128::from_le_bytes(source[at..at + 16].try_into().unwrap_or_default()));
    r.put(u32::from_be_bytes(source[at..at + 4].try_into().unwrap_or_default()));
    let mut words = vec![0u64; length];
    words.iter_mut().zip(source.chunks(2)).for_each(|(word, pair)| *word = u64::from(pair[0]).wrapping_mul(i.b) % 251);
    words.sort_unstable();
    r.put(words.iter().fold(0u64, |sum, word| sum.wrapping_mul(31).wrapping_add(*word)));
    r.put(words.binary_search(&125).is_ok());
}

pub(super) fn sign_extension(i: &Input, r: &mut Results) {
    let bytes = filled(i);
    let at = (i.n % 100) as usize;
    let load = |k: usize| -> [u8; 8] { bytes[at + k..at + k + 8].try_into().unwrap_or_default() };
    for k in [0, 1, 2, 5] {
        let word = load(k);
        r.put(word[0] as i8);
        r.put(i64::from(word[0] as i8) + i64::from(word[1] as i8));
        r.put(i16::from_le_bytes([word[0], word[1]]));
        r.put(i32::from_le_bytes([word[0], word[1], word[2], word[3]]));
        r.put(i64::from(i32::from_le_bytes([word[4], word[5], word[6], word[7]])) - 1);
        r.put(i128::from(i16::from_le_bytes([word[3], word[4]])));
    }
    let narrow: [i8; 8] = std::array::from_fn(|k| bytes[at + k] as i8);
    r.put(narrow.iter().map(|v| i64::from(*v)).sum::<i64>());
    r.put(narrow.iter().zip(&bytes).map(|(v, w)| i32::from(*v) * i32::from(*w as i8)).sum::<i32>());
    r.put(i.a as i8 as i16 as u32);
    r.put(i.a as i16 as i64 as u64);
    r.put(i.a as i32 as u64);
    r.put(i.a as i32 as i128);
    r.put(i.a as u32 as i64);
    r.put(i.a as i64 as i128);
    r.put(((i.a << 37) as i64) >> 37);
    r.put(((i.a as i32) << 13) >> 13);
    r.put((i.a as i32).wrapping_add(i.b as i32) as i64);
    r.put((i.a as i8).wrapping_neg() as i64);
    r.put(i.a >> 63 == 1);
}

pub(super) fn atomics(i: &Input, r: &mut Results) {
    let (a, b) = (i.a, i.b);
    let word = AtomicU64::new(a);
    r.put(word.fetch_add(b, SeqCst));
    r.put(word.fetch_sub(i.n, AcqRel));
    r.put(word.fetch_and(!i.seed, Relaxed));
    r.put(word.fetch_or(b >> 7, Release));
    r.put(word.fetch_xor(i.seed, Acquire));
    r.put(word.fetch_nand(b, SeqCst));
    r.put(word.fetch_max(b, SeqCst));
    r.put(word.fetch_min(a, SeqCst));
    r.put(word.swap(b, AcqRel));
    for expected in [a, b] {
        match word.compare_exchange(expected, i.seed, AcqRel, Acquire) {
            Ok(old) => r.put((true, old)),
            Err(old) => r.put((false, old)),
        }
    }
    fence(SeqCst);
    r.put(word.load(Acquire));
    word.store(a ^ b, Release);
    r.put(word.fetch_update(SeqCst, SeqCst, |v| v.checked_add(i.n)).ok());
    r.put(word.into_inner());
    let signed = AtomicI64::new(a as i64);
    r.put(signed.fetch_max(b as i64, SeqCst));
    r.put(signed.fetch_min(i.n as i64, SeqCst));
    r.put(signed.load(SeqCst));
    let half = AtomicI32::new(a as i32);
    r.put(half.fetch_add(b as i32, SeqCst));
    r.put(half.fetch_min(0, SeqCst));
    r.put(half.load(Relaxed));
    let unsigned = AtomicU32::new(a as u32);
    r.put(unsigned.swap(b as u32, SeqCst));
    r.put(unsigned.compare_exchange_weak(b as u32, 7, SeqCst, Relaxed).is_ok());
    r.put(unsigned.load(Relaxed));
    let small = AtomicU16::new(a as u16);
    r.put(small.fetch_sub(b as u16, SeqCst));
    r.put(small.load(SeqCst));
    let byte = AtomicU8::new(a as u8);
    r.put(byte.fetch_add(b as u8, SeqCst));
    r.put(byte.fetch_xor(0x5a, SeqCst));
    r.put(byte.load(SeqCst));
    let flag = AtomicBool::new(a & 1 == 1);
    r.put(flag.fetch_and(b & 1 == 1, SeqCst));
    r.put(flag.swap(true, SeqCst));
    r.put(flag.compare_exchange(true, a > b, SeqCst, SeqCst).is_ok());
    r.put(flag.load(SeqCst));
}
