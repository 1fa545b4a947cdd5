//! Records transactions with everything they saw and did, so that the suite for bytecode v3 can repeat them on a newer
//! virtual machine. Off unless the environment variable `PROVENA_RECORD` is set; see `tools/sbf/v3`.

#[path = "../../tools/sbf/v3/src/vector.rs"]
#[expect(unreachable_pub, reason = "another crate shows them")]
mod vector;

use std::{
    cell::RefCell,
    collections::BTreeSet,
    env,
    fs::{self, File, OpenOptions},
    path::PathBuf,
    sync::OnceLock,
};

use anchor_lang::prelude::Address;
use litesvm::LiteSVM;
use solana_clock::Clock;
use solana_instruction::Instruction;
use solana_transaction_error::TransactionError;
use vector::{Account, Meta, Vector};

use crate::{programs, relay};

/// Of each test, only the first so many transactions: a property test sends thousands that show nothing new.
const MOST_PER_TEST: usize = 96;

const NATIVE_LOADER: Address = Address::from_str_const("NativeLoader1111111111111111111111111111111");
const SYSVARS: Address = Address::from_str_const("Sysvar1111111111111111111111111111111111111");

thread_local! {
    /// The running test's file, and how many transactions it holds. Each test has a thread of its own.
    static RECORDING: RefCell<Option<(File, usize)>> = const { RefCell::new(None) };
}

/// A transaction that is about to be sent.
pub struct Recording(Vector);

impl Recording {
    /// Notes what the transaction will see; nothing unless recording is on and the test's share is not used up.
    pub fn begin(svm: &LiteSVM, payer: &Address, instructions: &[Instruction]) -> Option<Self> {
        // Threads without a name would write into one file.
        std::thread::current().name()?;
        folder()?;
        let full = RECORDING.with_borrow(|recording| matches!(recording, Some((_, count)) if *count >= MOST_PER_TEST));
        if full || instructions.iter().any(|instruction| !can_be_repeated(svm, instruction)) {
            return None;
        }
        let clock: Clock = svm.get_sysvar();
        let rent = |len| svm.minimum_balance_for_rent_exemption(len);
        let vector = Vector {
            test: test(),
            slot: clock.slot,
            time: clock.unix_timestamp,
            rent_base: rent(0),
            rent_per_byte: rent(1) - rent(0),
            payer: payer.to_bytes(),
            instructions: instructions.iter().map(plain).collect(),
            before: accounts(svm, payer, instructions),
            error: None,
            after: Vec::new(),
        };
        Some(Self(vector))
    }

    /// Notes what it did, and writes it down.
    pub fn end(self, svm: &LiteSVM, error: Option<&TransactionError>) {
        let Self(mut vector) = self;
        vector.error = error.map(|error| format!("{error:?}"));
        vector.after = vector.before.iter().map(|account| account_at(svm, &Address::from(account.address))).collect();
        RECORDING.with_borrow_mut(|recording| {
            let (file, count) = recording.get_or_insert_with(|| (create(), 0));
            vector.write(file).expect("the recording can be written");
            *count += 1;
        });
    }
}

/// The chain that repeats transactions knows no program of the tests, and cannot be told that a wallet became a program.
fn can_be_repeated(svm: &LiteSVM, instruction: &Instruction) -> bool {
    let became_program = |address: &Address| {
        svm.get_account(address).is_some_and(|account| account.executable && account.data.is_empty())
    };
    let named = || instruction.accounts.iter().map(|meta| meta.pubkey).chain([instruction.program_id]);
    !named().any(|address| address == relay::id() || became_program(&address))
}

/// Where recordings go, emptied by the first question of this process.
fn folder() -> Option<&'static PathBuf> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        env::var_os("PROVENA_RECORD")?;
        let folder = programs::repository().join("target/recordings");
        if folder.exists() {
            fs::remove_dir_all(&folder).expect("old recordings can be removed");
        }
        fs::create_dir_all(&folder).expect("the folder for recordings can be made");
        Some(folder)
    });
    folder.as_ref()
}

fn create() -> File {
    let name = format!("{}.bin", test().replace("::", "."));
    let path = folder().expect("recording is on").join(name);
    OpenOptions::new().create(true).append(true).open(path).expect("the recording can be made")
}

fn test() -> String {
    std::thread::current().name().expect("only named threads record").to_owned()
}

fn plain(instruction: &Instruction) -> vector::Instruction {
    let accounts = instruction.accounts.iter().map(|meta| Meta {
        address: meta.pubkey.to_bytes(),
        signer: meta.is_signer,
        writable: meta.is_writable,
    });
    vector::Instruction {
        program: instruction.program_id.to_bytes(),
        accounts: accounts.collect(),
        data: instruction.data.clone(),
    }
}

/// Every account that the transaction names, but programs and what the chain itself keeps.
fn accounts(svm: &LiteSVM, payer: &Address, instructions: &[Instruction]) -> Vec<Account> {
    let named = instructions.iter().flat_map(|instruction| instruction.accounts.iter().map(|meta| meta.pubkey));
    let addresses: BTreeSet<Address> = named.chain([*payer]).collect();
    let chains = |address: &Address| {
        svm.get_account(address)
            .is_some_and(|account| account.executable || account.owner == NATIVE_LOADER || account.owner == SYSVARS)
    };
    addresses.iter().filter(|address| !chains(address)).map(|address| account_at(svm, address)).collect()
}

fn account_at(svm: &LiteSVM, address: &Address) -> Account {
    let account = svm.get_account(address).unwrap_or_default();
    Account {
        address: address.to_bytes(),
        owner: account.owner.to_bytes(),
        lamports: account.lamports,
        executable: account.executable,
        data: account.data,
    }
}
