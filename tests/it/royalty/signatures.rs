//! No instruction goes without the signatures that it asks for.

use provena_royalty::error::RoyaltyError;
use provena_tests::ExpectedError;
use solana_instruction_error::InstructionError;
use solana_signer::Signer;

use super::{Stage, cases};

#[test]
fn every_instruction_rejects_each_missing_signature() {
    let mut refused = 0;
    for stage in [Stage::sol(), Stage::token()] {
        for mut case in cases::all(stage) {
            for absent in &case.signers {
                let mut instruction = case.instruction.clone();
                for meta in instruction.accounts.iter_mut().filter(|meta| meta.pubkey == absent.pubkey()) {
                    meta.is_signer = false;
                }
                let others: Vec<_> = case.signers.iter().filter(|other| other.pubkey() != absent.pubkey()).collect();
                // Whoever has a claim paid for a holder must pay it to the holder.
                let error = match case.name {
                    "claim" | "claim_many" => RoyaltyError::WrongDestination.instruction_error(),
                    _ => InstructionError::MissingRequiredSignature,
                };
                println!("{} without {}", case.name, absent.pubkey());
                case.world.refuses(&[instruction], &others, error);
                refused += 1;
            }
        }
    }
    // 6 of the authority, 2 + 1 + 1 for pools, 4 for books, 3 for revenue, 5 for shares; twice.
    assert_eq!(refused, 2 * (6 + 4 + 4 + 3 + 5));
}
