//! `deposit` and `sync`.

use provena_royalty::{error::RoyaltyError, pda, view};
use provena_tests::{
    royalty::{claim, deposit, sync},
    tokens::{Money, donate_tokens},
    world::keypair,
};
use solana_instruction_error::InstructionError;
use solana_signer::Signer;

use super::{QUARTER, Stage};

/// The SPL Token program's error for a source with too little.
const INSUFFICIENT_FUNDS: u32 = 1;

#[test]
fn deposit_is_owed_in_proportion_to_shares() {
    for mut stage in Stage::both() {
        stage.deposit(1_000);
        assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (750, 250));
        let pool_mint = stage.scene.pool_mint(&stage.world, stage.money);
        assert_eq!((pool_mint.received, pool_mint.paid), (1_000, 0));
        assert_eq!(stage.scene.holdings(&stage.world, stage.money), 1_000);
    }
}

#[test]
fn deposits_smaller_than_a_share_are_not_lost() {
    for mut stage in Stage::both() {
        for _ in 0..4 {
            stage.deposit(1);
        }
        assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (3, 1));
    }
}

#[test]
fn deposit_rejects_zero() {
    for mut stage in Stage::both() {
        let instruction = deposit(&stage.alice.pubkey(), &stage.pool_mint(), stage.money, 0);
        stage.world.refuses(&[instruction], &[&stage.alice], RoyaltyError::ZeroAmount);
    }
}

#[test]
fn deposit_rejects_more_than_the_payer_has() {
    for mut stage in Stage::both() {
        let amount = stage.balance(&stage.alice) + 1;
        let instruction = deposit(&stage.alice.pubkey(), &stage.pool_mint(), stage.money, amount);
        stage.world.refuses(&[instruction], &[&stage.alice], INSUFFICIENT_FUNDS);
    }
}

#[test]
fn deposit_rejects_another_vault() {
    let mut stage = Stage::token();
    stage.money.give(&mut stage.world, &stage.alice.pubkey(), 100);
    let mut instruction = deposit(&stage.alice.pubkey(), &stage.pool_mint(), stage.money, 10);
    instruction.accounts[3].pubkey = stage.money.account_of(&stage.bob.pubkey());
    stage.world.refuses(&[instruction], &[&stage.alice], RoyaltyError::WrongVault);
}

#[test]
fn deposit_rejects_a_source_of_another_mint() {
    let mut stage = Stage::token();
    let other = Money::token(&mut stage.world, "euro");
    other.give(&mut stage.world, &stage.alice.pubkey(), 100);
    let mut instruction = deposit(&stage.alice.pubkey(), &stage.pool_mint(), stage.money, 10);
    instruction.accounts[2].pubkey = other.account_of(&stage.alice.pubkey());
    // The token program's own error: the mints differ.
    stage.world.refuses(&[instruction], &[&stage.alice], 3);
}

#[test]
fn deposit_rejects_missing_token_accounts() {
    let mut stage = Stage::token();
    let instruction = deposit(&stage.alice.pubkey(), &stage.pool_mint(), Money::Sol, 10);
    stage.world.refuses(&[instruction], &[&stage.alice], RoyaltyError::MissingTokenAccount);
}

#[test]
fn deposit_rejects_another_token_program() {
    let mut stage = Stage::token();
    let mut instruction = deposit(&stage.alice.pubkey(), &stage.pool_mint(), stage.money, 10);
    instruction.accounts[4].pubkey = provena_registry::TOKEN_METADATA_PROGRAM;
    stage.world.refuses(&[instruction], &[&stage.alice], RoyaltyError::WrongTokenProgram);
}

#[test]
fn deposit_rejects_a_forged_pool_mint() {
    for mut stage in Stage::both() {
        let forged = keypair("forged pool mint").pubkey();
        stage.world.forge(&stage.pool_mint(), &forged, Some(provena_registry::ID));
        let instruction = deposit(&stage.alice.pubkey(), &forged, stage.money, 10);
        stage.world.refuses(&[instruction], &[&stage.alice], InstructionError::IllegalOwner);
    }
}

#[test]
fn deposit_rejects_an_overflow_of_lifetime_revenue() {
    let mut stage = Stage::token();
    stage.deposit(u64::MAX);
    assert_eq!(stage.owed(&stage.alice) + stage.owed(&stage.bob), u64::MAX - 1, "each is rounded down by itself");
    for holder in [&stage.alice, &stage.bob] {
        stage.world.accept(&[claim(&holder.pubkey(), &stage.scene.pool, stage.money)], &[holder]);
    }
    // The vault is all but empty again, but what was received since the beginning cannot be counted any further.
    let instruction = deposit(&stage.bob.pubkey(), &stage.pool_mint(), stage.money, 1);
    stage.world.refuses(&[instruction], &[&stage.bob], RoyaltyError::AmountOverflow);
}

#[test]
fn a_donation_moves_nothing_until_sync() {
    for mut stage in Stage::both() {
        stage.deposit(40);
        donate(&mut stage, 60);
        assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (30, 10));
        let pool_mint = stage.scene.pool_mint(&stage.world, stage.money);
        assert_eq!(view::unbooked(&pool_mint, stage.scene.holdings(&stage.world, stage.money)), 60);

        stage.world.accept(&[sync(&stage.pool_mint(), stage.money)], &[]);
        assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (75, 25));
        stage.world.changes_nothing(&[sync(&stage.pool_mint(), stage.money)], &[]);
    }
}

#[test]
fn sync_counts_claims_as_gone() {
    for mut stage in Stage::both() {
        stage.deposit(100);
        stage.world.accept(&[claim(&stage.alice.pubkey(), &stage.scene.pool, stage.money)], &[&stage.alice]);
        stage.world.changes_nothing(&[sync(&stage.pool_mint(), stage.money)], &[]);
        assert_eq!(stage.owed(&stage.bob), 25);
    }
}

#[test]
fn sync_rejects_another_vault() {
    let mut stage = Stage::token();
    let mut instruction = sync(&stage.pool_mint(), stage.money);
    stage.money.give(&mut stage.world, &stage.bob.pubkey(), 1_000);
    instruction.accounts[1].pubkey = stage.money.account_of(&stage.bob.pubkey());
    stage.world.refuses(&[instruction], &[], RoyaltyError::WrongVault);
}

#[test]
fn sync_rejects_a_missing_vault() {
    let mut stage = Stage::token();
    let instruction = sync(&stage.pool_mint(), Money::Sol);
    stage.world.refuses(&[instruction], &[], RoyaltyError::MissingTokenAccount);
}

#[test]
fn sync_rejects_a_forged_pool_mint() {
    let mut stage = Stage::sol();
    // A position is an account of the program too, but not a pool mint.
    let position = pda::position(&stage.scene.pool, &stage.alice.pubkey()).0;
    stage.world.refuses(&[sync(&position, Money::Sol)], &[], InstructionError::InvalidAccountData);
}

#[test]
fn sync_rejects_an_overflow_of_lifetime_revenue() {
    let mut stage = Stage::token();
    stage.deposit(u64::MAX - 5);
    stage.world.accept(&[claim(&stage.alice.pubkey(), &stage.scene.pool, stage.money)], &[&stage.alice]);
    donate(&mut stage, 6);
    let instruction = sync(&stage.pool_mint(), stage.money);
    stage.world.refuses(&[instruction], &[], RoyaltyError::AmountOverflow);
}

fn donate(stage: &mut Stage, amount: u64) {
    let address = stage.pool_mint();
    match pda::vault(&address).0 {
        vault if stage.money.is_token() => donate_tokens(&mut stage.world, &vault, amount),
        _ => {
            stage.world.add_lamports(&address, amount);
        }
    }
}

#[test]
fn quarters_add_up() {
    assert_eq!(4 * QUARTER, provena_royalty::DEFAULT_TOTAL_SHARES);
}
