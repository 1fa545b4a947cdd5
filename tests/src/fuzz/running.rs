//! Runs inputs: builds each instruction, sends it, and checks what it did.

use std::collections::{HashMap, HashSet};

use anchor_lang::prelude::Address;
use litesvm::LiteSVM;
use provena_registry::client::REGISTER_COMPUTE_UNITS;
use solana_instruction::{AccountMeta, Instruction};
use solana_instruction_error::InstructionError;
use solana_message::{Message, VersionedMessage};
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_error::TransactionError;

use super::{
    Outcomes,
    arguments::Arguments,
    claims, consent,
    identity::Identities,
    input::{EXTREMES, Edit, Input, Raw, Step, slots},
    snapshot::{Snapshot, is_ours},
    solvency, stage,
    stage::Stage,
};
use crate::{idl::description, programs::OURS, transactions::compute_unit_limit};

/// The longest data of an instruction: about what a transaction can hold.
const MAX_DATA: usize = 1_100;

/// The worlds and what is known about the programs, built once.
pub struct Runner {
    stages: [(Stage, Snapshot); 2],
    identities: Identities,
    /// Names and discriminators of each program's instructions, in the order of [`OURS`].
    instructions: Vec<Vec<(String, [u8; 8])>>,
    names: HashMap<(Address, [u8; 8]), String>,
    arguments: HashMap<Address, Arguments>,
}

impl Default for Runner {
    fn default() -> Self {
        let stages = Stage::all().map(|stage| {
            let snapshot = Snapshot::take(&stage.svm);
            solvency::check(&snapshot);
            (stage, snapshot)
        });
        let instructions: Vec<_> = OURS.iter().map(|(name, _)| stage::instructions(name)).collect();
        let mut names = HashMap::new();
        for ((program, id), instructions) in OURS.iter().zip(&instructions) {
            let program = program.trim_start_matches("provena_");
            for (name, discriminator) in instructions {
                names.insert((*id, *discriminator), format!("{program}.{name}"));
            }
        }
        let arguments = OURS.iter().map(|(name, id)| (*id, Arguments::of(&description(name)))).collect();
        Self { stages, identities: Identities::default(), instructions, names, arguments }
    }
}

impl Runner {
    /// A world.
    #[must_use]
    pub fn stage(&self, world: u8) -> &Stage {
        &self.stages[usize::from(world) % 2].0
    }

    /// The names of all instructions, as in `market.take_seat`.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.values().map(String::as_str)
    }

    /// Runs an input; says how each instruction ended.
    ///
    /// # Panics
    ///
    /// When something that must hold does not, saying what and by which instruction.
    #[must_use]
    pub fn run(&self, input: &Input) -> Outcomes {
        let (stage, start) = &self.stages[usize::from(input.world) % 2];
        let mut svm = stage.svm.clone();
        let mut latest: Option<Snapshot> = None;
        let mut outcomes = Outcomes::new();
        for step in &input.steps {
            if let Step::Wait(code) = step {
                let before = latest.as_ref().unwrap_or(start);
                let now = before.now.saturating_add(slots(*code));
                svm.warp_to_slot(now);
                latest = Some(before.at(now));
                continue;
            }
            let Some(instruction) = self.instruction(stage, step) else { continue };
            let before = latest.as_ref().unwrap_or(start);
            let name = self.name(&instruction);
            let (ended, after) = self.send(stage, &mut svm, before, &name, instruction);
            outcomes.push((name, ended));
            if after.is_some() {
                latest = after;
            }
        }
        outcomes
    }

    /// What an instruction is called; what calls another program is a gift.
    #[must_use]
    pub fn name(&self, instruction: &Instruction) -> String {
        if !is_ours(&instruction.program_id) {
            return "gift".to_owned();
        }
        let discriminator = instruction.data.first_chunk::<8>();
        let name = discriminator.and_then(|bytes| self.names.get(&(instruction.program_id, *bytes)));
        name.cloned().unwrap_or_else(|| "unknown".to_owned())
    }

    /// The instruction that a step means; `None` where there is nothing to call.
    #[must_use]
    pub fn instruction(&self, stage: &Stage, step: &Step) -> Option<Instruction> {
        match step {
            Step::Wait(_) => None,
            Step::Raw(raw) => Some(self.raw(stage, raw)),
            Step::Call { call, edits } => {
                let call = &stage.calls[usize::from(*call) % stage.calls.len()];
                let mut instruction = call.instruction.clone();
                if call.is_ours() {
                    edits.iter().for_each(|edit| apply(stage, &mut instruction, *edit));
                }
                Some(instruction)
            }
        }
    }

    fn raw(&self, stage: &Stage, raw: &Raw) -> Instruction {
        let program = usize::from(raw.program) % OURS.len();
        let known = &self.instructions[program];
        let mut data = Vec::new();
        if raw.instruction != 255 {
            data.extend(known[usize::from(raw.instruction) % known.len()].1);
        }
        data.extend(&raw.data);
        let accounts = raw.accounts.iter().map(|meta| named(stage, meta.account, meta.flags)).collect();
        Instruction { program_id: OURS[program].1, accounts, data }
    }

    /// Checks everything between two moments of a world, by an instruction of one of `ours` or of another program that these
    /// signed.
    ///
    /// # Panics
    ///
    /// When something that must hold does not, saying what.
    pub fn check(&self, stage: &Stage, before: &Snapshot, after: &Snapshot, signers: &[Address], ours: bool) {
        conserved(before, after, &stage.fee_payer, ours);
        self.identities.check(before, after);
        solvency::check(after);
        claims::check(before, after, &stage.wallets, signers);
        consent::check(before, after, signers);
        unused(before, after, &stage.signers, signers);
    }

    /// Sends one instruction and checks what it did. Returns how it ended, and the state after it if it was accepted.
    fn send(
        &self,
        stage: &Stage,
        svm: &mut LiteSVM,
        before: &Snapshot,
        name: &str,
        instruction: Instruction,
    ) -> (String, Option<Snapshot>) {
        let signing = instruction.accounts.iter().filter(|meta| meta.is_signer).map(|meta| meta.pubkey);
        let signers: Vec<Address> = signing.collect::<HashSet<_>>().into_iter().collect();
        let ours = is_ours(&instruction.program_id);
        let mut instructions = vec![instruction];
        if name.starts_with("registry.register_") {
            // Token Metadata searches for addresses: the client asks for more.
            instructions.insert(0, compute_unit_limit(REGISTER_COMPUTE_UNITS));
        }
        let message = Message::new(&instructions, Some(&stage.fee_payer));
        let signatures = vec![Default::default(); usize::from(message.header.num_required_signatures)];
        let transaction = VersionedTransaction { signatures, message: VersionedMessage::Legacy(message) };
        match svm.send_transaction(transaction) {
            Err(failed) => {
                let told = || format!("{name} ended with {:?}\n{}", failed.err, failed.meta.logs.join("\n"));
                let sent = instructions.last().expect("there is one");
                let lies = || self.arguments.get(&sent.program_id).is_some_and(|of| of.promise_more(&sent.data));
                assert!(is_refusal(&failed.err) || (is_failure(&failed.err) && lies()), "{}", told());
                (refusal(&failed.err), None)
            }
            Ok(done) => {
                let after = Snapshot::take(svm);
                let checks = std::panic::AssertUnwindSafe(|| self.check(stage, before, &after, &signers, ours));
                if let Err(reason) = std::panic::catch_unwind(checks) {
                    let instruction = instructions.last().expect("there is one");
                    eprintln!("{name} did it: {instruction:#?}\n{}", done.logs.join("\n"));
                    std::panic::resume_unwind(reason);
                }
                ("accepted".to_owned(), Some(after))
            }
        }
    }
}

/// Whether the runtime or a program refused, as opposed to a program that failed.
///
/// `ReadonlyLamportChange` and `ReadonlyDataModified` are refusals: the caller named an account without the right to write
/// it, and the runtime keeps it to that where a program does not ask. `AccountBorrowFailed` is how programs refuse an account
/// that is named twice where they write it.
fn is_refusal(error: &TransactionError) -> bool {
    use InstructionError::{
        AccountBorrowOutstanding, AccountDataSizeChanged, ComputationalBudgetExceeded, ExecutableDataModified,
        ExecutableLamportChange, ExternalAccountDataModified, ExternalAccountLamportSpend,
        MaxAccountsDataAllocationsExceeded, MaxInstructionTraceLengthExceeded, ModifiedProgramId,
        ProgramEnvironmentSetupFailure, ProgramFailedToCompile, ProgramFailedToComplete, UnbalancedInstruction,
    };
    match error {
        TransactionError::InstructionError(_, error) => !matches!(
            error,
            ProgramFailedToComplete
                | ComputationalBudgetExceeded
                | UnbalancedInstruction
                | ExternalAccountLamportSpend
                | ExternalAccountDataModified
                | ExecutableLamportChange
                | ExecutableDataModified
                | ModifiedProgramId
                | AccountDataSizeChanged
                | AccountBorrowOutstanding
                | MaxAccountsDataAllocationsExceeded
                | MaxInstructionTraceLengthExceeded
                | ProgramEnvironmentSetupFailure
                | ProgramFailedToCompile
        ),
        // What the runtime refuses for the caller's sake: a wallet left with too little, or a message that is none.
        TransactionError::InsufficientFundsForRent { .. } | TransactionError::InvalidAccountIndex => true,
        _ => false,
    }
}

/// Whether a program stopped in the middle.
fn is_failure(error: &TransactionError) -> bool {
    matches!(error, TransactionError::InstructionError(_, InstructionError::ProgramFailedToComplete))
}

/// An error in a few words.
fn refusal(error: &TransactionError) -> String {
    match error {
        TransactionError::InstructionError(_, error) => format!("{error:?}"),
        TransactionError::InsufficientFundsForRent { .. } => "InsufficientFundsForRent".to_owned(),
        other => format!("{other:?}"),
    }
}

/// Lamports are conserved but for the fee, tokens to the last one.
fn conserved(before: &Snapshot, after: &Snapshot, fee_payer: &Address, ours: bool) {
    // Fees of refused transactions are paid, too.
    let all = |snapshot: &Snapshot| snapshot.lamports - u128::from(snapshot.lamports(fee_payer));
    assert_eq!(all(before), all(after), "lamports came or went");
    assert!(after.lamports(fee_payer) <= before.lamports(fee_payer), "fees came back");
    if ours {
        let (mut was, mut is) = (before.supplies(), after.supplies());
        // An asset's NFT is made by its registration.
        for (mint, (amount, _)) in &is {
            if !was.contains_key(mint) || (was[mint].0 == 0 && *amount == 1) {
                assert!(*amount <= 1, "{amount} of {mint} were made");
                was.insert(*mint, (*amount, 0));
            }
        }
        was.retain(|_, (amount, _)| *amount > 0);
        is.retain(|_, (amount, _)| *amount > 0);
        for (mint, (amount, _)) in &was {
            assert_eq!(is.get(mint).map_or(0, |(amount, _)| *amount), *amount, "tokens of {mint} came or went");
        }
    }
}

/// Whoever can sign and did not keeps its address free of data: nobody makes an account there.
fn unused(before: &Snapshot, after: &Snapshot, all: &[Address], signers: &[Address]) {
    for one in all.iter().filter(|one| !signers.contains(one)) {
        let data = |snapshot: &Snapshot| {
            snapshot.get(one).map_or(0, |account| solana_account::ReadableAccount::data(account).len())
        };
        assert_eq!(data(before), data(after), "an account was made at {one}, which did not sign");
    }
}

fn named(stage: &Stage, number: u16, flags: u8) -> AccountMeta {
    let pubkey = stage.accounts[usize::from(number) % stage.accounts.len()];
    let is_signer = flags & 1 != 0 && stage.signers.contains(&pubkey);
    AccountMeta { pubkey, is_signer, is_writable: flags & 2 != 0 }
}

/// Changes an instruction.
fn apply(stage: &Stage, instruction: &mut Instruction, edit: Edit) {
    let (data, accounts) = (&mut instruction.data, &mut instruction.accounts);
    let place = |at: u8, len: usize| if len == 0 { None } else { Some(usize::from(at) % len) };
    match edit {
        Edit::Flip { at, bits } => {
            if let Some(at) = place(at, data.len()) {
                data[at] ^= bits;
            }
        }
        Edit::Word { at, value } => {
            if let Some(at) = place(at, data.len()) {
                let word = EXTREMES[usize::from(value) % EXTREMES.len()].to_le_bytes();
                let len = word.len().min(data.len() - at);
                data[at..at + len].copy_from_slice(&word[..len]);
            }
        }
        Edit::Resize { len } => data.resize(usize::from(len).min(MAX_DATA), 0),
        Edit::Replace { at, account } => {
            if let Some(at) = place(at, accounts.len()) {
                let flags = u8::from(accounts[at].is_signer) | (2 * u8::from(accounts[at].is_writable));
                accounts[at] = named(stage, account, flags);
            }
        }
        Edit::ReplaceAll { at, account } => {
            if let Some(at) = place(at, accounts.len()) {
                let old = accounts[at].pubkey;
                for meta in accounts.iter_mut().filter(|meta| meta.pubkey == old) {
                    let flags = u8::from(meta.is_signer) | (2 * u8::from(meta.is_writable));
                    *meta = named(stage, account, flags);
                }
            }
        }
        Edit::Flags { at, flags } => {
            if let Some(at) = place(at, accounts.len()) {
                let meta = &mut accounts[at];
                meta.is_signer = flags & 1 != 0 && stage.signers.contains(&meta.pubkey);
                meta.is_writable = flags & 2 != 0;
            }
        }
        Edit::Swap { at, with } => {
            if let (Some(at), Some(with)) = (place(at, accounts.len()), place(with, accounts.len())) {
                accounts.swap(at, with);
            }
        }
        Edit::Remove { at } => {
            if let Some(at) = place(at, accounts.len()) {
                accounts.remove(at);
            }
        }
        Edit::Insert { at, account, flags } => {
            let at = usize::from(at) % (accounts.len() + 1);
            accounts.insert(at, named(stage, account, flags));
        }
    }
}
