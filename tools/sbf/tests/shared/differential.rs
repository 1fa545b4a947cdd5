//! Runs every group of operations in a VM and on the host, and compares. Both versions of the bytecode are tested with it,
//! each under the VM that runs it.

use self::operations::{GROUPS, Input, Results};

#[path = "../programs/differential/src/operations.rs"]
mod operations;

/// Inputs that each group runs on.
const CASES: usize = 4_200;
/// Inputs that fit one transaction.
const BATCH: usize = 12;
const SEED: u64 = 7;

/// Values at which arithmetic tends to go wrong.
const EDGES: [u64; 20] = [
    0,
    1,
    2,
    3,
    7,
    63,
    64,
    127,
    128,
    255,
    (1 << 15) - 1,
    1 << 31,
    (1 << 32) - 1,
    1 << 32,
    (1 << 63) - 1,
    1 << 63,
    (1 << 63) + 1,
    u64::MAX - 1,
    u64::MAX,
    0xffff_ffff_0000_0000,
];

/// A VM with the program in it.
pub(super) trait Machine {
    /// Sends the program `words` as its instruction's data: what it returns and the compute units it took, or the logs
    /// of its failure.
    fn send(&mut self, words: &[u64]) -> Result<(Vec<u8>, u64), String>;
}

/// # Panics
/// When any result in the VM is not the host's, naming the operation, its input and both results.
pub(super) fn compare(vm: &mut impl Machine) {
    let mut random = fastrand::Rng::with_seed(SEED);
    let inputs: Vec<[u64; Input::WORDS]> = (0..CASES).map(|_| std::array::from_fn(|_| word(&mut random))).collect();

    let mut differences = Vec::new();
    for (index, (name, group)) in GROUPS.iter().enumerate() {
        let mut units = 0;
        for batch in inputs.chunks(BATCH) {
            let (data, took) =
                run(vm, index as u64, batch).unwrap_or_else(|logs| panic!("{name}: the program failed: {logs}"));
            units = units.max(took);
            let digests: Vec<u64> = data
                .chunks(8)
                // The runtime cuts zeros off the end.
                .map(|bytes| bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)))
                .collect();
            for (i, words) in batch.iter().enumerate() {
                let mut expected = Results::default();
                group(&Input::from_words(words), &mut expected);
                if digests.get(i).copied().unwrap_or(0) != expected.digest() {
                    differences.push(describe(vm, name, index as u64, words, &expected));
                }
            }
        }
        println!("{name}: {CASES} inputs, up to {units} compute units for {BATCH}");
    }
    println!("{} inputs x {} groups, {} differences", CASES, GROUPS.len(), differences.len());
    assert!(
        differences.is_empty(),
        "{} differences, among them:\n{}",
        differences.len(),
        differences[..differences.len().min(12)].join("\n")
    );
}

/// A word that is an edge value, small, or of any length.
fn word(random: &mut fastrand::Rng) -> u64 {
    match random.u8(0..4) {
        0 => EDGES[random.usize(0..EDGES.len())],
        1 => random.u64(..),
        2 => u64::from(random.u32(..)).wrapping_neg() ^ random.u64(0..2),
        _ => random.u64(..) >> random.u32(0..64),
    }
}

/// Which results differ for one input.
fn describe(vm: &mut impl Machine, name: &str, group: u64, words: &[u64; Input::WORDS], expected: &Results) -> String {
    let got = match run(vm, group | 1 << 32, &[*words]) {
        Ok((data, _)) => data,
        Err(logs) => return format!("{name}, {words:x?}: the program failed: {logs}"),
    };
    let differing: Vec<String> = expected
        .words()
        .iter()
        .enumerate()
        .filter_map(|(i, expected)| {
            let mut bytes = [0u8; 8];
            let rest = got.get(i * 8..).unwrap_or(&[]);
            let length = rest.len().min(8);
            bytes[..length].copy_from_slice(&rest[..length]);
            let got = u64::from_le_bytes(bytes);
            (got != *expected).then(|| format!("word {i} is {got:x} instead of {expected:x}"))
        })
        .collect();
    format!("{name}, {words:x?}: {}", differing.join(", "))
}

fn run(vm: &mut impl Machine, command: u64, inputs: &[[u64; Input::WORDS]]) -> Result<(Vec<u8>, u64), String> {
    let words: Vec<u64> = [command].iter().chain(inputs.iter().flatten()).copied().collect();
    vm.send(&words)
}
