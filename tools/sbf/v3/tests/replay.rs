//! Every recorded transaction must end on bytecode v3, under the newest virtual machine, exactly as it ended on
//! bytecode v0 under the one that the main suite uses: same error or none, same lamports, same bytes.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::BufReader,
    path::{Path, PathBuf},
};

use litesvm::LiteSVM;
use provena_sbf_v3::vector::{self, Vector};
use solana_account::Account;
use solana_address::{Address, address};
use solana_clock::Clock;
use solana_instruction::{AccountMeta, Instruction};
use solana_message::Message;
use solana_rent::Rent;
use solana_transaction::Transaction;

const PROGRAMS: [(Address, &str); 4] = [
    (address!("FLMpa898vXMExH9CgE6LQF8BaEfWn7X3XCtuGZxEm512"), "v3/provena_registry.so"),
    (address!("5gKboBXosoqHHjNaukp6kWPxXiR4W9B4PgR3e7JvfjUQ"), "v3/provena_royalty.so"),
    (address!("CQ69g4TxZLBeRdPqohZZp2kYrGRjqhbZnG5M1FjwHHxu"), "v3/provena_market.so"),
    (address!("metaqbxxUerdq28cj1RbAWkYQm3ybzjb6a8bt518x1s"), "token_metadata.so"),
];

/// A thinner recording proves too little.
const LEAST_TRANSACTIONS: usize = 200;

#[test]
fn every_recorded_transaction_ends_as_it_did_on_v0() {
    let vectors = vectors();
    let mut svm = chain();
    let mut failures = Vec::new();
    let mut succeeded = BTreeMap::new();
    for vector in &vectors {
        match replay(&mut svm, vector) {
            Ok(()) if vector.error.is_none() => {
                for instruction in &vector.instructions {
                    *succeeded.entry(instruction.program).or_insert(0usize) += 1;
                }
            }
            Ok(()) => {}
            Err(difference) => failures.push(format!("{}: {difference}", vector.test)),
        }
    }
    let refused = vectors.iter().filter(|vector| vector.error.is_some()).count();
    println!("{} transactions, {refused} of them refused, on v3", vectors.len());
    assert!(
        failures.is_empty(),
        "{} of {} transactions ended differently:\n{}",
        failures.len(),
        vectors.len(),
        failures[..failures.len().min(12)].join("\n\n")
    );
    assert!(vectors.len() >= LEAST_TRANSACTIONS, "only {} transactions were recorded", vectors.len());
    for (id, name) in &PROGRAMS[..3] {
        assert!(succeeded.contains_key(&id.to_bytes()), "no recorded transaction succeeds in {name}");
    }
}

/// The files are v3: the version is the ELF header's flags.
#[test]
fn our_programs_are_bytecode_v3() {
    for (_, name) in &PROGRAMS[..3] {
        let elf = program(name);
        assert_eq!(elf[48..52], 3u32.to_le_bytes(), "{name}");
    }
}

fn replay(svm: &mut LiteSVM, vector: &Vector) -> Result<(), String> {
    let mut clock: Clock = svm.get_sysvar();
    (clock.slot, clock.unix_timestamp) = (vector.slot, vector.time);
    svm.set_sysvar(&clock);
    if svm.minimum_balance_for_rent_exemption(0) != vector.rent_base {
        svm.set_sysvar(&Rent { lamports_per_byte: vector.rent_per_byte, ..Rent::default() });
        assert_eq!(
            svm.minimum_balance_for_rent_exemption(0),
            vector.rent_base,
            "the two chains' rents can be made equal"
        );
    }
    for account in &vector.before {
        svm.set_account(account.address.into(), restored(account)).map_err(|error| format!("setting up: {error}"))?;
    }
    let instructions: Vec<Instruction> = vector.instructions.iter().map(instruction).collect();
    let message = Message::new(&instructions, Some(&vector.payer.into()));
    svm.expire_blockhash();
    let outcome = svm.send_transaction(Transaction::new_unsigned(message));
    let (error, logs) = match outcome {
        Ok(done) => (None, done.logs),
        Err(failed) => (Some(format!("{:?}", failed.err)), failed.meta.logs),
    };
    if error != vector.error {
        return Err(format!("ended with {error:?}, not {:?}\n{}", vector.error, logs.join("\n")));
    }
    for expected in &vector.after {
        let address = Address::from(expected.address);
        let found = svm.get_account(&address).filter(|account| account.lamports > 0).unwrap_or_default();
        let expected = if expected.lamports == 0 { Account::default() } else { restored(expected) };
        if (found.lamports, found.owner, &found.data) != (expected.lamports, expected.owner, &expected.data) {
            return Err(format!("account {address} differs:\n  v3 {found:?}\n  v0 {expected:?}\n{}", logs.join("\n")));
        }
    }
    Ok(())
}

fn restored(account: &vector::Account) -> Account {
    Account {
        lamports: account.lamports,
        data: account.data.clone(),
        owner: account.owner.into(),
        executable: account.executable,
        rent_epoch: u64::MAX,
    }
}

fn instruction(recorded: &vector::Instruction) -> Instruction {
    let metas = recorded.accounts.iter().map(|meta| AccountMeta {
        pubkey: meta.address.into(),
        is_signer: meta.signer,
        is_writable: meta.writable,
    });
    Instruction { program_id: recorded.program.into(), accounts: metas.collect(), data: recorded.data.clone() }
}

/// A chain with our programs. Recorded transactions carry neither signatures nor this chain's blockhashes, and one that
/// two tests send must run twice.
fn chain() -> LiteSVM {
    let mut svm = LiteSVM::new()
        .with_sigverify(false)
        .with_blockhash_check(false)
        .with_transaction_history(0)
        .with_log_bytes_limit(None);
    for (id, name) in PROGRAMS {
        svm.add_program(id, &program(name)).unwrap_or_else(|error| panic!("{name} does not load: {error}"));
    }
    svm
}

fn program(name: &str) -> Vec<u8> {
    let path = repository().join("target/deploy").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask build --v3`", path.display()))
}

/// What the main suite recorded, in the order of the files' names.
fn vectors() -> Vec<Vector> {
    let folder =
        std::env::var_os("PROVENA_RECORDINGS").map_or_else(|| repository().join("target/recordings"), PathBuf::from);
    let missing = "run the main suite first: PROVENA_RECORD=1 cargo test -p provena-tests";
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}; {missing}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty; {missing}", folder.display());
    files.iter().flat_map(|path| read(path)).collect()
}

fn read(path: &Path) -> Vec<Vector> {
    let mut file = BufReader::new(File::open(path).expect("the recording opens"));
    std::iter::from_fn(|| provena_sbf_v3::read(&mut file).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
        .collect()
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}
