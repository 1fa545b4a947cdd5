//! The fuzz targets on the stable compiler: over the corpus, over all of its truncations and over seeded mutations.

#[path = "../../../fuzz/targets.rs"]
mod targets;

use super::corpus::committed;

/// Mutations per file of the corpus.
const ROUNDS: usize = 400;
/// Words that lengths, counts and offsets are set to.
const EXTREMES: [u64; 12] =
    [0, 1, 2, 7, 255, 1 << 16, (1 << 31) - 1, 1 << 32, 1 << 40, 1 << 62, i64::MAX as u64, u64::MAX];

/// Changes some bytes, as a fuzzer would.
fn mutate(random: &mut fastrand::Rng, bytes: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..random.usize(1..5) {
        if bytes.is_empty() {
            return;
        }
        let at = random.usize(..bytes.len());
        match random.u8(..8) {
            0 => bytes[at] ^= 1 << random.u8(..8),
            1 => bytes[at] = random.u8(..),
            2 => bytes[at] = bytes[at].wrapping_add(random.choice([1, 255]).unwrap()),
            3 => {
                let word = random.choice(EXTREMES).unwrap().to_le_bytes();
                let len = random.choice([1, 4, 8]).unwrap().min(bytes.len() - at);
                bytes[at..at + len].copy_from_slice(&word[..len]);
            }
            4 => bytes.truncate(at),
            5 => drop(bytes.drain(at..(at + random.usize(..16)).min(bytes.len()))),
            6 => {
                let again = bytes[at..(at + random.usize(..64)).min(bytes.len())].to_vec();
                bytes.splice(at..at, again);
            }
            _ => {
                let from = random.usize(..=other.len());
                let to = at + (other.len() - from).min(32).min(bytes.len() - at);
                bytes.splice(at..to, other[from..].iter().take(32).copied());
            }
        }
    }
}

fn run(name: &str, target: fn(&[u8])) {
    let files: Vec<(String, Vec<u8>)> = committed(name).into_iter().collect();
    assert!(files.len() >= 20, "{name}: {} files", files.len());
    // A panic is told with the bytes that caused it.
    let run = |what: &str, bytes: &[u8]| {
        let done = std::panic::catch_unwind(|| target(bytes));
        assert!(done.is_ok(), "{name}, {what}: {bytes:?}");
    };
    let mut random = fastrand::Rng::with_seed(3);
    for (file, bytes) in &files {
        (0..=bytes.len()).for_each(|len| run(&format!("{file} cut to {len} bytes"), &bytes[..len]));
        for round in 0..ROUNDS {
            let mut bytes = bytes.clone();
            let other = &files[random.usize(..files.len())].1;
            mutate(&mut random, &mut bytes, other);
            run(&format!("{file} in round {round}"), &bytes);
        }
    }
}

#[test]
fn no_bytes_get_through_the_reader_of_gguf() {
    run("gguf", targets::gguf);
}

#[test]
fn no_bytes_get_through_the_reader_of_safetensors() {
    run("safetensors", targets::safetensors);
}
