//! Runs every group of operations in the VM and on the host, and compares.

use litesvm::{LiteSVM, types::TransactionMetadata};
use provena_sbf::Arch;
use solana_keypair::Keypair;
use solana_message::{Address, Instruction, Message};
use solana_signer::Signer;
use solana_transaction::Transaction;

use self::operations::{GROUPS, Input, Results};
use crate::programs;

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

#[test]
fn every_operation_gives_in_the_vm_what_it_gives_on_the_host() {
    let built = programs::build("differential", Arch::V0);
    let mut vm = Vm::new(&built.path);
    let mut random = fastrand::Rng::with_seed(SEED);
    let inputs: Vec<[u64; Input::WORDS]> = (0..CASES).map(|_| std::array::from_fn(|_| word(&mut random))).collect();

    let mut differences = Vec::new();
    for (index, (name, group)) in GROUPS.iter().enumerate() {
        let mut units = 0;
        for batch in inputs.chunks(BATCH) {
            let outcome =
                vm.run(index as u64, batch).unwrap_or_else(|logs| panic!("{name}: the program failed: {logs}"));
            units = units.max(outcome.compute_units_consumed);
            let digests: Vec<u64> = outcome
                .return_data
                .data
                .chunks(8)
                // The runtime cuts zeros off the end.
                .map(|bytes| bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)))
                .collect();
            for (i, words) in batch.iter().enumerate() {
                let mut expected = Results::default();
                group(&Input::from_words(words), &mut expected);
                if digests.get(i).copied().unwrap_or(0) != expected.digest() {
                    differences.push(describe(&mut vm, name, index as u64, words, &expected));
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
fn describe(vm: &mut Vm, name: &str, group: u64, words: &[u64; Input::WORDS], expected: &Results) -> String {
    let got = match vm.run(group | 1 << 32, &[*words]) {
        Ok(outcome) => outcome.return_data.data,
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

/// The VM with the program in it.
struct Vm {
    svm: LiteSVM,
    program: Address,
    payer: Keypair,
}

impl Vm {
    fn new(path: &std::path::Path) -> Self {
        let mut svm = LiteSVM::new().with_sigverify(false).with_blockhash_check(false).with_transaction_history(0);
        let program = Address::new_from_array([7; 32]);
        svm.add_program_from_file(program, path).expect("the VM accepts the program");
        let payer = Keypair::new();
        svm.airdrop(&payer.pubkey(), 500_000_000_000_000).expect("an airdrop");
        Self { svm, program, payer }
    }

    fn run(&mut self, command: u64, inputs: &[[u64; Input::WORDS]]) -> Result<TransactionMetadata, String> {
        let data = [command].iter().chain(inputs.iter().flatten()).flat_map(|word| word.to_le_bytes()).collect();
        let instruction = Instruction { program_id: self.program, accounts: Vec::new(), data };
        let message = Message::new(&[instruction], Some(&self.payer.pubkey()));
        let transaction = Transaction::new(&[&self.payer], message, self.svm.latest_blockhash());
        self.svm.send_transaction(transaction).map_err(|failed| format!("{:?} {:?}", failed.err, failed.meta.logs))
    }
}
