//! A chain for one test: the SVM with all programs, wallets derived from names, and exact assertions.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    sync::{Mutex, OnceLock},
};

use anchor_lang::{AccountDeserialize, Discriminator, bytemuck::Pod, prelude::Address};
use litesvm::{
    LiteSVM,
    types::{FailedTransactionMetadata, TransactionMetadata},
};
use provena_arith::hash::sha256;
use solana_account::Account;
use solana_clock::Clock;
use solana_instruction::Instruction;
use solana_instruction_error::InstructionError;
use solana_keypair::Keypair;
use solana_message::Message;
use solana_signer::Signer;
use solana_transaction::Transaction;
use solana_transaction_error::TransactionError;

use crate::{compute_units::Cost, programs, recording::Recording};

/// Lamports of a fresh wallet: 1,000 SOL.
pub const WALLET_LAMPORTS: u64 = 1_000_000_000_000;

/// The chain. Fees are paid by a wallet of its own, so that the wallets under test lose nothing but what programs take.
pub struct World {
    pub svm: LiteSVM,
    fee_payer: Keypair,
}

/// The exact error that an instruction must end with.
pub trait ExpectedError {
    /// As the runtime reports it.
    fn instruction_error(self) -> InstructionError;
}

impl ExpectedError for InstructionError {
    fn instruction_error(self) -> InstructionError {
        self
    }
}

impl ExpectedError for u32 {
    fn instruction_error(self) -> InstructionError {
        InstructionError::Custom(self)
    }
}

impl ExpectedError for provena_common::error::CommonError {
    fn instruction_error(self) -> InstructionError {
        InstructionError::Custom(self.code())
    }
}

impl ExpectedError for provena_royalty::error::RoyaltyError {
    fn instruction_error(self) -> InstructionError {
        InstructionError::Custom(self.code())
    }
}

impl ExpectedError for provena_registry::error::RegistryError {
    fn instruction_error(self) -> InstructionError {
        InstructionError::Custom(self.code())
    }
}

impl ExpectedError for provena_market::error::MarketError {
    fn instruction_error(self) -> InstructionError {
        InstructionError::Custom(self.code())
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// A chain with mainnet's features and all programs.
    ///
    /// Loading the programs takes long, so it happens once; every world is a copy.
    pub fn new() -> Self {
        static LOADED: OnceLock<Mutex<World>> = OnceLock::new();
        let loaded = LOADED.get_or_init(|| Mutex::new(Self::on(LiteSVM::new())));
        let loaded = loaded.lock().expect("copying a world does not panic");
        Self { svm: loaded.svm.clone(), fee_payer: loaded.fee_payer.insecure_clone() }
    }

    /// A chain whose SPL Token program is the classic one, which costs more than its successor.
    pub fn with_classic_token() -> Self {
        let mut features = LiteSVM::mainnet_feature_set();
        features.deactivate(&P_TOKEN_FEATURE);
        Self::on(LiteSVM::new().with_feature_set(features).with_default_programs())
    }

    fn on(svm: LiteSVM) -> Self {
        let mut svm = svm.with_log_bytes_limit(None);
        for program in programs::all() {
            svm.add_program(program.id, &program.bytes).expect("the program loads");
        }
        let fee_payer = keypair("fee payer");
        svm.airdrop(&fee_payer.pubkey(), WALLET_LAMPORTS).expect("the airdrop lands");
        Self { svm, fee_payer }
    }

    /// Address of the wallet that pays the fees.
    pub fn fee_payer(&self) -> Address {
        self.fee_payer.pubkey()
    }

    /// The chain itself, and the wallet that pays its fees.
    pub fn into_parts(self) -> (LiteSVM, Address) {
        (self.svm, self.fee_payer.pubkey())
    }

    /// A wallet with at least [`WALLET_LAMPORTS`], the same for the same name in every world.
    pub fn wallet(&mut self, name: &str) -> Keypair {
        let wallet = keypair(name);
        let missing = WALLET_LAMPORTS.saturating_sub(self.lamports(&wallet.pubkey()));
        self.add_lamports(&wallet.pubkey(), missing);
        wallet
    }

    /// Makes `authority` the one who may upgrade a program. Nobody may in a fresh world.
    pub fn set_upgrade_authority(&mut self, program: &Address, authority: &Address) {
        let address = provena_common::upgrade::program_data(program);
        let mut account = self.account(&address).expect("the program is loaded");
        account.data[12] = 1;
        account.data[13..45].copy_from_slice(authority.as_ref());
        self.svm.set_account(address, account).expect("the account is sound");
    }

    /// Gives an address lamports from nowhere, as a donation would.
    pub fn add_lamports(&mut self, address: &Address, lamports: u64) {
        let mut account = self.svm.get_account(address).unwrap_or_default();
        account.lamports = account.lamports.checked_add(lamports).expect("the balance fits 64 bits");
        self.svm.set_account(*address, account).expect("the account is sound");
    }

    /// The present slot.
    pub fn slot(&self) -> u64 {
        self.svm.get_sysvar::<Clock>().slot
    }

    /// Lets this many slots pass.
    pub fn pass_slots(&mut self, slots: u64) {
        let slot = self.slot().checked_add(slots).expect("the slot fits 64 bits");
        self.svm.warp_to_slot(slot);
    }

    /// Raises what the chain asks for each byte of an account by one unit of its first field.
    pub fn raise_rent(&mut self) {
        let mut account = self.account(&RENT_SYSVAR).expect("the chain has rent");
        account.data[0] += 1;
        self.svm.set_account(RENT_SYSVAR, account).expect("the account is sound");
    }

    /// Sends a transaction; the chain's own wallet pays the fee.
    ///
    /// # Errors
    ///
    /// The chain's refusal.
    pub fn send(
        &mut self,
        instructions: &[Instruction],
        signers: &[&Keypair],
    ) -> Result<TransactionMetadata, Box<FailedTransactionMetadata>> {
        self.svm.expire_blockhash();
        let message = Message::new(instructions, Some(&self.fee_payer.pubkey()));
        let mut all = vec![&self.fee_payer];
        all.extend_from_slice(signers);
        let transaction = Transaction::new(&all, message, self.svm.latest_blockhash());
        let recording = Recording::begin(&self.svm, &self.fee_payer.pubkey(), instructions);
        let outcome = self.svm.send_transaction(transaction).map_err(Box::new);
        if let Some(recording) = recording {
            recording.end(&self.svm, outcome.as_ref().err().map(|failed| &failed.err));
        }
        outcome
    }

    /// Sends a transaction that must succeed.
    #[track_caller]
    pub fn accept(&mut self, instructions: &[Instruction], signers: &[&Keypair]) -> TransactionMetadata {
        match self.send(instructions, signers) {
            Ok(done) => done,
            Err(failed) => panic!("refused with {:?}\n{}", failed.err, failed.meta.logs.join("\n")),
        }
    }

    /// Sends a transaction whose LAST instruction must end with exactly `error`, and which must change no account that it
    /// could write.
    #[track_caller]
    pub fn refuses(&mut self, instructions: &[Instruction], signers: &[&Keypair], error: impl ExpectedError) {
        let before = self.writable_accounts(instructions);
        let last = u8::try_from(instructions.len() - 1).expect("few instructions");
        match self.send(instructions, signers) {
            Ok(done) => panic!("accepted\n{}", done.logs.join("\n")),
            Err(failed) => {
                let expected = TransactionError::InstructionError(last, error.instruction_error());
                assert_eq!(failed.err, expected, "\n{}", failed.meta.logs.join("\n"));
            }
        }
        assert_eq!(self.writable_accounts(instructions), before, "a refused transaction changed an account");
    }

    /// Sends a transaction that must succeed and change no account that it could write.
    #[track_caller]
    pub fn changes_nothing(&mut self, instructions: &[Instruction], signers: &[&Keypair]) {
        let before = self.writable_accounts(instructions);
        self.accept(instructions, signers);
        assert_eq!(self.writable_accounts(instructions), before, "an account changed");
    }

    /// Sends a transaction that must succeed and returns what its LAST instruction cost.
    #[track_caller]
    pub fn measure(&mut self, instructions: &[Instruction], signers: &[&Keypair]) -> Cost {
        let done = self.accept(instructions, signers);
        let cost = Cost::from_logs(&done.logs, instructions.len() - 1);
        cost.unwrap_or_else(|| panic!("the log does not add up:\n{}", done.logs.join("\n")))
    }

    /// Everything that the instructions may write, as it is now; `None` where no account exists.
    fn writable_accounts(&self, instructions: &[Instruction]) -> BTreeMap<Address, Option<Account>> {
        let metas = instructions.iter().flat_map(|instruction| &instruction.accounts);
        let writable = metas.filter(|meta| meta.is_writable).map(|meta| meta.pubkey);
        writable.map(|address| (address, self.account(&address))).collect()
    }

    /// The account at an address, if it holds anything.
    pub fn account(&self, address: &Address) -> Option<Account> {
        self.svm.get_account(address).filter(|account| account.lamports > 0)
    }

    /// Lamports at an address.
    pub fn lamports(&self, address: &Address) -> u64 {
        self.svm.get_balance(address).unwrap_or(0)
    }

    /// A program's account, decoded.
    #[track_caller]
    pub fn state<T: AccountDeserialize>(&self, address: &Address) -> T {
        let account = self.account(address).unwrap_or_else(|| panic!("{address} does not exist"));
        T::try_deserialize(&mut account.data.as_slice()).unwrap_or_else(|error| panic!("{address}: {error:?}"))
    }

    /// Overwrites a program's account with another state, keeping owner and lamports: for states that are hard to reach.
    #[track_caller]
    pub fn set_state<T: Pod + Discriminator>(&mut self, address: &Address, state: &T) {
        let mut account = self.account(address).unwrap_or_else(|| panic!("{address} does not exist"));
        let body = &mut account.data[T::DISCRIMINATOR.len()..][..size_of::<T>()];
        body.copy_from_slice(anchor_lang::bytemuck::bytes_of(state));
        self.svm.set_account(*address, account).expect("the account is sound");
    }

    /// Puts a copy of the account at `from` to another address: a forgery that a program must notice by its address alone,
    /// or, with another `owner`, by its owner.
    #[track_caller]
    pub fn forge(&mut self, from: &Address, to: &Address, owner: Option<Address>) {
        let mut account = self.account(from).unwrap_or_else(|| panic!("{from} does not exist"));
        account.owner = owner.unwrap_or(account.owner);
        self.svm.set_account(*to, account).expect("the account is sound");
    }
}

/// Where the chain says what accounts cost.
pub const RENT_SYSVAR: Address = Address::from_str_const("SysvarRent111111111111111111111111111111111");

/// The feature that replaces the SPL Token program.
const P_TOKEN_FEATURE: Address = Address::from_str_const("ptokFjwyJtrwCa9Kgo9xoDS59V4QccBGEaRFnRPnSdP");

thread_local! {
    /// What this thread adds to every name.
    static SURNAME: RefCell<String> = const { RefCell::new(String::new()) };
}

/// The key pair that belongs to a name.
pub fn keypair(name: &str) -> Keypair {
    SURNAME.with_borrow(|surname| {
        Keypair::new_from_array(sha256(&[b"provena test key ", name.as_bytes(), surname.as_bytes()]))
    })
}

/// Plays a scene with other people: whatever has a name in it gets another key pair than the same name elsewhere, and
/// everything that is derived from keys another address.
pub fn with_surname<T>(surname: &str, scene: impl FnOnce() -> T) -> T {
    // A world's own wallet is made once for all threads.
    drop(World::new());
    let before = SURNAME.replace(surname.to_owned());
    let done = scene();
    SURNAME.set(before);
    done
}
