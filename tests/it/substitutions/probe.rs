//! Tries every substitution in a call before it is made.

use std::collections::BTreeMap;

use anchor_lang::prelude::Address;
use provena_tests::{
    Calls, Cost, World,
    idl::{Idl, IdlAccount, IdlInstruction},
    programs,
    trial::Trial,
};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_message::Message;
use solana_transaction_error::TransactionError;

use super::{
    kinds::{Kind, Place, Substitution},
    stock::{Stock, siblings},
};

/// The programs' descriptions, by name.
pub(crate) type Idls = BTreeMap<String, Idl>;

/// One account of one call.
#[derive(Clone, Debug)]
pub(crate) struct Slot<'a> {
    /// `program.instruction` or `program.instruction.case`.
    pub call: String,
    /// Its name, or of those that follow the named ones `+` and a number.
    pub account: String,
    /// As the IDL has it; none for those that follow.
    pub declared: Option<&'a IdlAccount>,
    /// Whether one of our programs' accounts belongs here, at an address that no key pair has.
    pub ours: bool,
    /// Whether a wallet belongs here, which is known by its address alone.
    pub wallet: bool,
}

impl Slot<'_> {
    /// `program.instruction`.
    pub(crate) fn instruction(&self) -> &str {
        self.call.match_indices('.').nth(1).map_or(&self.call, |(end, _)| &self.call[..end])
    }
}

/// Something that was tried, and how it ended.
#[derive(Clone, Debug)]
pub(crate) struct Attempt<'a> {
    pub slot: Slot<'a>,
    pub kind: Kind,
    pub outcome: Result<(), TransactionError>,
    /// Index of the call's instruction in its transaction.
    pub instruction: usize,
}

/// Tries everything that the stock has in every call of a table.
pub(crate) struct Probe<'a> {
    stock: &'a Stock,
    idls: &'a Idls,
    pub attempts: Vec<Attempt<'a>>,
}

impl<'a> Probe<'a> {
    /// Nothing was tried yet.
    pub(crate) fn new(stock: &'a Stock, idls: &'a Idls) -> Self {
        Self { stock, idls, attempts: Vec::new() }
    }

    fn probe(&mut self, call: &str, world: &World, instructions: &[Instruction]) {
        let (idl, described) = described(self.idls, call);
        let index = instructions.len() - 1;
        let instruction = &instructions[index];
        check(call, &idl, described, instruction);
        let siblings = siblings(world);
        let mut trial = Trial::of(world);
        let sound = trial.message(instructions);
        self.stock.place(call, &instruction.accounts, &mut trial);
        assert_eq!(trial.outcome(sound.clone()), Ok(()), "{call} is not valid");
        for (position, meta) in instruction.accounts.iter().enumerate() {
            let declared = described.accounts.get(position);
            let optional = declared.is_some_and(|account| account.optional);
            if optional && meta.pubkey == idl {
                continue;
            }
            let account = trial.account(&meta.pubkey);
            let slot = Slot {
                call: call.to_owned(),
                account: declared.map_or_else(
                    || format!("+{}", position - described.accounts.len()),
                    |account| account.name.clone(),
                ),
                declared,
                ours: !meta.pubkey.is_on_curve()
                    && account
                        .as_ref()
                        .is_some_and(|account| programs::OURS.iter().any(|(_, id)| *id == account.owner)),
                wallet: account.as_ref().is_some_and(|account| {
                    account.owner == Address::default() && account.data.is_empty() && !account.executable
                }),
            };
            let place = Place {
                call,
                index: position,
                meta,
                account,
                all: &instruction.accounts,
                absent: optional.then_some(idl),
            };
            for substitution in place.substitutions(self.stock, &siblings, &trial) {
                let kind = substitution.kind;
                if let Some(outcome) = attempt(&mut trial, instructions, position, substitution, &sound) {
                    self.attempts.push(Attempt { slot: slot.clone(), kind, outcome, instruction: index });
                }
            }
        }
    }
}

/// The program and the description of the instruction that a call names.
///
/// # Panics
///
/// When there is no such program or instruction.
pub(crate) fn described<'a>(idls: &'a Idls, call: &str) -> (Address, &'a IdlInstruction) {
    let mut parts = call.split('.');
    let idl = parts.next().and_then(|program| idls.get(program)).unwrap_or_else(|| panic!("{call}: no such program"));
    let name = parts.next().unwrap_or_default();
    let instruction = idl.instructions.iter().find(|instruction| instruction.name == name);
    (idl.address(), instruction.unwrap_or_else(|| panic!("{call} is no instruction of the IDL")))
}

/// Checks that a call is what its name says, with the accounts and the rights that the IDL asks for and no more.
fn check(call: &str, program: &Address, described: &IdlInstruction, instruction: &Instruction) {
    assert_eq!(instruction.program_id, *program, "{call} calls another program");
    assert!(instruction.data.starts_with(&described.discriminator), "{call} is another instruction");
    assert!(instruction.accounts.len() >= described.accounts.len(), "{call} leaves accounts out");
    for (declared, meta) in described.accounts.iter().zip(&instruction.accounts) {
        if declared.optional && meta.pubkey == *program {
            continue;
        }
        assert_eq!(meta.is_writable, declared.writable, "{call}: whether {} is writable", declared.name);
        assert!(meta.is_signer || !declared.signer, "{call}: {} must sign", declared.name);
    }
}

/// Tries a substitution, and leaves the trial as it was; nothing where the transaction is the very same one.
fn attempt(
    trial: &mut Trial,
    instructions: &[Instruction],
    position: usize,
    substitution: Substitution,
    sound: &Message,
) -> Option<Result<(), TransactionError>> {
    let Substitution { kind, meta, put } = substitution;
    let mut instructions = instructions.to_vec();
    let accounts = &mut instructions.last_mut()?.accounts;
    // A right that is given once counts wherever the account is named.
    for same in accounts.iter_mut().filter(|same| same.pubkey == meta.pubkey) {
        same.is_writable &= kind != Kind::ReadOnly;
        same.is_signer &= kind != Kind::Unsigned;
    }
    let address = meta.pubkey;
    accounts[position] = meta;
    let message = trial.message(&instructions);
    if put.is_none() && message == *sound {
        return None;
    }
    let Some(account) = put else { return Some(trial.outcome(message)) };
    let before = trial.account(&address);
    trial.put(&address, Some(account));
    let outcome = trial.outcome(message);
    trial.put(&address, before);
    Some(outcome)
}

impl Calls for Probe<'_> {
    fn call(&mut self, name: &str, world: &mut World, instructions: &[Instruction], signers: &[&Keypair]) -> Cost {
        self.probe(name, world, instructions);
        world.measure(instructions, signers)
    }
}
