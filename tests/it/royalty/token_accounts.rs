//! Payments in tokens: each instruction needs the mint, the token program and the vault, and takes no others.

use anchor_lang::prelude::Address;
use provena_common::{
    error::CommonError,
    token::{TOKEN_2022_PROGRAM, TOKEN_PROGRAM},
};
use provena_royalty::{TOKEN_METADATA_PROGRAM, error::RoyaltyError};
use provena_tests::{ExpectedError, tokens::Money, world::keypair};
use solana_instruction_error::InstructionError;
use solana_signer::Signer;

use super::{
    Stage,
    cases::{self, Case},
    with, without,
};

/// The instructions that move tokens and name their accounts one by one, and how many vaults of books each names.
const CASES: [(&str, usize); 7] =
    [("deposit", 1), ("sync", 1), ("collect", 1), ("sweep", 2), ("claim", 1), ("open_inbox", 0), ("close_inbox", 0)];

struct Tokens {
    cases: Vec<Case>,
    mint: Address,
    vaults: Vec<Address>,
    elsewhere: Address,
}

fn tokens() -> Tokens {
    let mut stage = Stage::token();
    let (mint, money) = (stage.money.mint(), stage.money);
    // Mallory's own token account of the right mint, and another mint with the same decimals.
    let elsewhere = keypair("account of mallory").pubkey();
    money.give_at(&mut stage.world, &elsewhere, &keypair("mallory").pubkey(), 5_000);
    Money::token(&mut stage.world, "look-alike");
    let ours = stage.scene.vault(money);
    let cases: Vec<_> =
        cases::all(stage).into_iter().filter(|case| CASES.iter().any(|(name, _)| *name == case.name)).collect();
    let sweep = cases.iter().find(|case| case.name == "sweep").expect("there is a sweep");
    let childs = sweep.instruction.accounts[5].pubkey;
    Tokens { cases, mint, vaults: vec![ours, childs], elsewhere }
}

#[track_caller]
fn refused(case: &mut Case, instruction: solana_instruction::Instruction, error: InstructionError) {
    println!("{}", case.name);
    let signers: Vec<_> = case.signers.iter().collect();
    case.world.refuses(&[instruction], &signers, error);
}

#[test]
fn payments_in_tokens_reject_missing_accounts() {
    let tokens = tokens();
    assert_eq!(tokens.cases.len(), CASES.len());
    for mut case in tokens.cases {
        case.accepted();
        let named = |address: &&Address| case.instruction.accounts.iter().any(|meta| meta.pubkey == **address);
        let needed: Vec<Address> =
            tokens.vaults.iter().chain([&tokens.mint, &TOKEN_PROGRAM]).filter(named).copied().collect();
        let (_, vaults) = CASES.iter().find(|(name, _)| *name == case.name).expect("listed");
        assert_eq!(needed.len(), vaults + 2, "{}", case.name);
        for absent in needed {
            let instruction = without(&case.instruction, &absent);
            refused(&mut case, instruction, CommonError::MissingTokenAccount.instruction_error());
        }
    }
}

#[test]
fn payments_in_tokens_reject_other_vaults() {
    let tokens = tokens();
    for mut case in tokens.cases {
        for vault in &tokens.vaults {
            if case.instruction.accounts.iter().any(|meta| meta.pubkey == *vault) {
                let instruction = with(&case.instruction, vault, &tokens.elsewhere);
                refused(&mut case, instruction, RoyaltyError::WrongVault.instruction_error());
            }
        }
    }
}

#[test]
fn payments_in_tokens_reject_another_mint() {
    let tokens = tokens();
    let look_alike = keypair("look-alike").pubkey();
    for mut case in tokens.cases {
        let instruction = with(&case.instruction, &tokens.mint, &look_alike);
        refused(&mut case, instruction, CommonError::WrongMint.instruction_error());
    }
}

#[test]
fn payments_in_tokens_reject_another_token_program() {
    for other in [TOKEN_2022_PROGRAM, TOKEN_METADATA_PROGRAM] {
        for mut case in tokens().cases {
            let instruction = with(&case.instruction, &TOKEN_PROGRAM, &other);
            refused(&mut case, instruction, CommonError::WrongTokenProgram.instruction_error());
        }
    }
}
