//! Any bytes as instructions of the three programs against a populated world.

#![no_main]

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::atomic::{AtomicU8, Ordering::Relaxed},
};

/// What libFuzzer counts as coverage besides its own. The programs run as bytecode, which it does not see into: how an
/// instruction ended, and after which end of the one before, tells it that an input did something new.
#[unsafe(link_section = "__libfuzzer_extra_counters")]
static ENDS: [AtomicU8; 1 << 15] = [const { AtomicU8::new(0) }; 1 << 15];

fn count(what: impl Hash) {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    let at = hasher.finish() % (1 << 15);
    ENDS[usize::try_from(at).expect("it is small")].fetch_add(1, Relaxed);
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let ends = provena_tests::fuzz::run(bytes);
    ends.iter().for_each(count);
    ends.windows(2).for_each(count);
});
