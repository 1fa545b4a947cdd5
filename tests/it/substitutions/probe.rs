//! Tries every substitution in a call before it is made.

use std::collections::BTreeMap;

use anchor_lang::prelude::Address;
use provena_tests::{
    Calls, Cost, World,
    idl::{Idl, IdlInstruction},
    trial::Trial,
};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_transaction_error::TransactionError;

use super::{
    kinds::{Kind, Place, Substitution},
    stock::Stock,
};

/// What was tried: a call, one of its accounts, and what was done to it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tried {
    pub call: String,
    pub account: String,
    pub kind: Kind,
}

/// How it ended, with the index of the call's instruction.
pub type Outcome = (Result<(), TransactionError>, usize);

/// All that was tried.
pub struct Probe<'a> {
    stock: &'a Stock,
    idls: &'a BTreeMap<String, Idl>,
    pub outcomes: BTreeMap<Tried, Vec<Outcome>>,
}

impl<'a> Probe<'a> {
    /// Nothing was tried yet.
    pub fn new(stock: &'a Stock, idls: &'a BTreeMap<String, Idl>) -> Self {
        Self { stock, idls, outcomes: BTreeMap::new() }
    }

    fn probe(&mut self, call: &str, world: &World, instructions: &[Instruction]) {
        let (idl, described) = described(self.idls, call);
        let index = instructions.len() - 1;
        let instruction = &instructions[index];
        assert_eq!(instruction.program_id, idl, "{call} is a call of another program");
        assert!(instruction.data.starts_with(&described.discriminator), "{call} is another instruction");
        assert!(instruction.accounts.len() >= described.accounts.len(), "{call} leaves accounts out");
        let mut trial = Trial::of(world);
        let sound = trial.message(instructions);
        assert_eq!(trial.outcome(sound.clone()), Ok(()), "{call} is not valid");
        self.stock.place(call, &instruction.accounts, &mut trial);
        assert_eq!(trial.outcome(sound.clone()), Ok(()), "{call} is not valid beside other people's accounts");
        for (position, meta) in instruction.accounts.iter().enumerate() {
            let named = described.accounts.get(position);
            let optional = named.is_some_and(|account| account.optional);
            if optional && meta.pubkey == idl {
                continue;
            }
            let place = Place {
                call,
                index: position,
                meta,
                account: trial.account(&meta.pubkey),
                all: &instruction.accounts,
                absent: optional.then_some(idl),
            };
            let account =
                named.map_or_else(|| format!("+{}", position - described.accounts.len()), |it| it.name.clone());
            for substitution in place.substitutions(self.stock, &trial) {
                let kind = substitution.kind;
                if let Some(outcome) = attempt(&mut trial, instructions, position, substitution, &sound) {
                    let tried = Tried { call: call.to_owned(), account: account.clone(), kind };
                    self.outcomes.entry(tried).or_default().push((outcome, index));
                }
            }
        }
    }
}

/// The program and the description of the instruction that a call names.
pub fn described<'a>(idls: &'a BTreeMap<String, Idl>, call: &str) -> (Address, &'a IdlInstruction) {
    let mut parts = call.split('.');
    let idl = parts.next().and_then(|program| idls.get(program)).unwrap_or_else(|| panic!("{call}: no such program"));
    let name = parts.next().unwrap_or_default();
    let instruction = idl.instructions.iter().find(|instruction| instruction.name == name);
    (idl.address(), instruction.unwrap_or_else(|| panic!("{call} is no instruction")))
}

/// Tries a substitution, and leaves the trial as it was; nothing where the transaction is the very same one.
fn attempt(
    trial: &mut Trial,
    instructions: &[Instruction],
    position: usize,
    substitution: Substitution,
    sound: &solana_message::Message,
) -> Option<Result<(), TransactionError>> {
    let Substitution { meta, put, .. } = substitution;
    let mut instructions = instructions.to_vec();
    let address = meta.pubkey;
    instructions.last_mut()?.accounts[position] = meta;
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
