//! The populated world that every input begins with, the list of its accounts, and the table of valid calls.

use std::collections::HashMap;

use anchor_lang::prelude::Address;
use litesvm::LiteSVM;
use provena_common::token::{TOKEN_2022_PROGRAM, TOKEN_PROGRAM};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::{World, idl::Idl, programs::OURS, world::keypair};

mod assets;
mod bare;
mod drafts;
mod jobs;
mod node;
mod pools;
mod populated;

/// The instructions sysvar and others that instructions name.
const SYSVARS: [&str; 3] = [
    "Sysvar1nstructions1111111111111111111111111",
    "SysvarC1ock11111111111111111111111111111111",
    "SysvarRent111111111111111111111111111111111",
];

/// A call that is valid in some state of its world.
#[derive(Clone, Debug)]
pub struct Call {
    /// Unique in its world. What stands before the first space is the instruction's name, as in `market.take_seat`.
    pub label: String,
    /// The call.
    pub instruction: Instruction,
}

impl Call {
    /// Whether it calls one of our programs. What calls another one is a gift or the like, and stays as it is.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        OURS.iter().any(|(_, id)| *id == self.instruction.program_id)
    }

    /// The instruction's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.label.split(' ').next().unwrap_or_default()
    }
}

/// A world as an input finds it.
pub struct Stage {
    /// The chain.
    pub svm: LiteSVM,
    /// Pays the fees and takes part in nothing.
    pub fee_payer: Address,
    /// Everybody who holds anything: whose claims are looked at.
    pub wallets: Vec<Address>,
    /// All who can sign: the wallets, and mints that are still to be made.
    pub signers: Vec<Address>,
    /// The accounts that an instruction may name, by their number.
    pub accounts: Vec<Address>,
    /// The valid calls, by their number.
    pub calls: Vec<Call>,
    numbers: HashMap<String, u16>,
}

impl Stage {
    /// The worlds that an input chooses from.
    ///
    /// # Panics
    ///
    /// When a world cannot be built, because a program refuses what it should accept.
    #[must_use]
    pub fn all() -> [Self; 2] {
        [populated::build(), bare::build()]
    }

    /// The number of a call.
    ///
    /// # Panics
    ///
    /// When there is none of this label.
    #[must_use]
    #[track_caller]
    pub fn number(&self, label: &str) -> u16 {
        *self.numbers.get(label).unwrap_or_else(|| panic!("no call is labelled {label}"))
    }

    /// The number of an account; 0 when it is not listed.
    #[must_use]
    pub fn account(&self, address: &Address) -> u16 {
        let at = self.accounts.iter().position(|account| account == address).unwrap_or(0);
        u16::try_from(at).expect("the list is short")
    }

    fn new(world: World, wallets: Vec<Keypair>, mints: &[&str], calls: Vec<Call>, more: Vec<Address>) -> Self {
        let wallets: Vec<Address> = wallets.iter().map(Signer::pubkey).collect();
        let mut signers = wallets.clone();
        signers.extend(mints.iter().map(|name| keypair(name).pubkey()));
        let mut accounts = signers.clone();
        let named = calls.iter().flat_map(|call| &call.instruction.accounts).map(|meta| meta.pubkey);
        accounts.extend(named.chain(more));
        accounts.extend(SYSVARS.map(Address::from_str_const));
        accounts.extend(OURS.iter().map(|(_, id)| *id));
        accounts.extend([TOKEN_PROGRAM, TOKEN_2022_PROGRAM, Address::default(), keypair("nobody").pubkey()]);
        let mut seen = std::collections::HashSet::new();
        accounts.retain(|address| seen.insert(*address));
        let mut numbers = HashMap::new();
        for (number, call) in (0u16..).zip(&calls) {
            assert!(numbers.insert(call.label.clone(), number).is_none(), "{} twice", call.label);
        }
        let (svm, fee_payer) = world.into_parts();
        // Whose signatures an instruction asks for is the program's affair; whether they are genuine is the chain's.
        let svm = svm.with_sigverify(false).with_blockhash_check(false).with_transaction_history(0);
        Self { svm, fee_payer, wallets, signers, accounts, calls, numbers }
    }
}

/// The discriminators of a program's instructions, with their names, as its interface description has them.
///
/// # Panics
///
/// When the description is missing or unreadable.
#[must_use]
pub fn instructions(program: &str) -> Vec<(String, [u8; 8])> {
    let entries = Idl::of(program).instructions.into_iter();
    entries.map(|entry| (entry.name, entry.discriminator.try_into().expect("eight bytes"))).collect()
}

/// Calls as they are collected.
#[derive(Default)]
struct Calls(Vec<Call>);

impl Calls {
    /// Adds a call; `what` tells it from others of its instruction.
    fn add(&mut self, name: &str, what: &str, instruction: Instruction) {
        self.0.push(Call { label: format!("{name} {what}").trim_end().to_owned(), instruction });
    }
}
