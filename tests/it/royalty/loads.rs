//! AUDIT row L4: every account of the program is checked when it is loaded, by every instruction: its owner, its kind, its
//! exact length and its version.

use std::mem::offset_of;

use anchor_lang::{Discriminator, prelude::Address};
use provena_common::error::CommonError;
use provena_royalty::{
    TOKEN_METADATA_PROGRAM,
    state::{Admin, Books, Inbox, Index, Pool, Position},
};
use provena_tests::{ExpectedError, World, tokens::Money};
use solana_account::Account;
use solana_instruction_error::InstructionError;

use super::{
    Stage,
    cases::{self, Case},
};

/// One way to spoil an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Version,
    Longer,
    Shorter,
    Owner,
    Kind,
}

/// Accounts of the program that all instructions name, counted by hand: 6 by the authority's; 1 by `create_pool`, 2 by
/// `add_holders`, 5 by `abandon_pool`; 2 and 5 by `open_books`, 2 by each of the inboxes' two; 3 by `deposit`, `sync`, `collect`
/// and `claim`, 5 by `sweep`, 6 by `claim_many`; 3 and 2 by `transfer_shares`, 1 by each of the three others on positions.
const ACCOUNTS: usize = 6 + 1 + 2 + 5 + 2 + 5 + 2 + 2 + 4 * 3 + 5 + 6 + 3 + 2 + 3;

const FAULTS: [Fault; 5] = [Fault::Version, Fault::Longer, Fault::Shorter, Fault::Owner, Fault::Kind];

impl Fault {
    fn spoil(self, account: &mut Account) {
        match self {
            Self::Version => {
                let offset = version_offset(&account.data);
                account.data[offset] += 1;
            }
            Self::Longer => account.data.push(0),
            Self::Shorter => {
                account.data.pop();
            }
            Self::Owner => account.owner = TOKEN_METADATA_PROGRAM,
            Self::Kind => account.data[0] ^= 1,
        }
    }

    fn error(self) -> InstructionError {
        match self {
            Self::Version => CommonError::StateVersion.instruction_error(),
            Self::Longer => CommonError::AccountLength.instruction_error(),
            Self::Shorter => InstructionError::AccountDataTooSmall,
            Self::Owner => InstructionError::IllegalOwner,
            Self::Kind => InstructionError::InvalidAccountData,
        }
    }
}

/// Where an account of the program says which version it has.
fn version_offset(data: &[u8]) -> usize {
    let offsets = [
        (Admin::DISCRIMINATOR, offset_of!(Admin, version)),
        (Pool::DISCRIMINATOR, offset_of!(Pool, version)),
        (Index::DISCRIMINATOR, offset_of!(Index, version)),
        (Books::DISCRIMINATOR, offset_of!(Books, version)),
        (Inbox::DISCRIMINATOR, offset_of!(Inbox, version)),
        (Position::DISCRIMINATOR, offset_of!(Position, version)),
    ];
    let (_, offset) = offsets.iter().find(|(kind, _)| data.starts_with(kind)).expect("an account of the program");
    8 + offset
}

/// What an instruction answers where it does not simply load the account.
fn error_of(case: &Case, address: &Address, fault: Fault) -> InstructionError {
    let is = |kind: &[u8]| case.world.account(address).is_some_and(|account| account.data.starts_with(kind));
    match (case.name, fault) {
        // Whether the recipient has a position is seen by the owner: the System program refuses to make another one.
        ("transfer_shares", Fault::Owner) if is_recipient(case, address) => InstructionError::Custom(0),
        // What is not recognised as the books is loaded as a position, which is longer.
        ("abandon_pool", Fault::Kind) if is(Books::DISCRIMINATOR) => InstructionError::AccountDataTooSmall,
        _ => fault.error(),
    }
}

fn is_recipient(case: &Case, address: &Address) -> bool {
    case.instruction.accounts[5].pubkey == *address
}

fn spoil_all(stage: Stage) -> usize {
    let mut refused = 0;
    for mut case in cases::all(stage) {
        case.accepted();
        let states = case.states();
        for address in states {
            let sound = case.world.account(&address).expect("the account exists");
            for fault in FAULTS {
                let error = error_of(&case, &address, fault);
                let mut spoiled = sound.clone();
                fault.spoil(&mut spoiled);
                set(&mut case.world, &address, spoiled);
                println!("{} with {address}: {fault:?}", case.name);
                let signers: Vec<_> = case.signers.iter().collect();
                case.world.refuses(std::slice::from_ref(&case.instruction), &signers, error);
                refused += 1;
            }
            set(&mut case.world, &address, sound);
        }
        case.accepted();
    }
    refused
}

fn set(world: &mut World, address: &Address, account: Account) {
    world.svm.set_account(*address, account).expect("the account is sound");
}

#[test]
fn l4_every_instruction_checks_every_account_in_sol() {
    assert_eq!(spoil_all(Stage::sol()), ACCOUNTS * FAULTS.len());
}

#[test]
fn l4_every_instruction_checks_every_account_in_tokens() {
    let mut world = World::new();
    let money = Money::token(&mut world, "dollar");
    assert_eq!(spoil_all(Stage::new(world, money, 0)), ACCOUNTS * FAULTS.len());
}
