//! `deposit` and `sync` without inboxes.

use provena_common::error::CommonError;
use provena_royalty::{client, error::RoyaltyError};
use provena_tests::{tokens::Money, world::keypair};
use solana_instruction::Instruction;
use solana_signer::Signer;

use super::{Stage, with};

/// The token programs' and the System program's error for a source with too little.
const INSUFFICIENT_FUNDS: u32 = 1;

fn depositing(stage: &Stage, amount: u64) -> Instruction {
    client::deposit(&stage.alice.pubkey(), &stage.scene.pool, stage.money.currency(), amount)
}

fn syncing(stage: &Stage) -> Instruction {
    client::sync(&stage.scene.pool, stage.money.currency(), &[])
}

#[test]
fn deposit_is_owed_in_proportion_to_shares() {
    for mut stage in Stage::each() {
        stage.deposit(1_000);
        assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (750, 250));
        let books = stage.scene.books(&stage.world, stage.money);
        assert_eq!((books.held, books.received.lo, books.paid.lo), (1_000, 1_000, 0));
        assert_eq!(stage.scene.holdings(&stage.world, stage.money), 1_000);
    }
}

#[test]
fn deposits_smaller_than_a_share_are_not_lost() {
    for mut stage in Stage::each() {
        for _ in 0..4 {
            stage.deposit(1);
        }
        assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (3, 1));
    }
}

#[test]
fn deposit_rejects_zero() {
    for mut stage in Stage::each() {
        let deposit = depositing(&stage, 0);
        stage.world.refuses(&[deposit], &[&stage.alice], RoyaltyError::ZeroAmount);
    }
}

#[test]
fn deposit_rejects_more_than_the_payer_has() {
    for mut stage in Stage::each() {
        let deposit = depositing(&stage, stage.balance(&stage.alice) + 1);
        stage.world.refuses(&[deposit], &[&stage.alice], INSUFFICIENT_FUNDS);
    }
}

#[test]
fn deposit_rejects_a_source_of_another_mint() {
    let mut stage = Stage::token();
    let other = Money::token(&mut stage.world, "another");
    other.give(&mut stage.world, &stage.alice.pubkey(), 100);
    let key = stage.alice.pubkey();
    let deposit = with(&depositing(&stage, 10), &stage.money.account_of(&key), &other.account_of(&key));
    // The token program's own error: the mints differ.
    stage.world.refuses(&[deposit], &[&stage.alice], 3);
}

#[test]
fn deposit_rejects_a_source_of_somebody_else() {
    let mut stage = Stage::token();
    let (alice, bob) = (stage.alice.pubkey(), stage.bob.pubkey());
    stage.money.give(&mut stage.world, &bob, 100);
    let deposit = with(&depositing(&stage, 10), &stage.money.account_of(&alice), &stage.money.account_of(&bob));
    // The token program's own error: the owner does not match.
    stage.world.refuses(&[deposit], &[&stage.alice], 4);
}

#[test]
fn deposit_rejects_the_vault_as_its_own_source() {
    let mut stage = Stage::token();
    stage.deposit(100);
    let (source, vault) = (stage.money.account_of(&stage.alice.pubkey()), stage.scene.vault(stage.money));
    let deposit = with(&depositing(&stage, 10), &source, &vault);
    stage.world.refuses(&[deposit], &[&stage.alice], 2040);
}

#[test]
fn deposit_and_sync_reject_look_alikes_of_another_pool() {
    for mut stage in Stage::each() {
        stage.money.give(&mut stage.world, &stage.alice.pubkey(), 100);
        let alice = stage.alice.pubkey();
        let other = stage.other("other", &alice);
        stage.scene.donate(&mut stage.world, stage.money, 50);
        let index = provena_royalty::pda::index(&other.pool).0;
        let deposit = with(&depositing(&stage, 10), &stage.index(), &index);
        stage.world.refuses(&[deposit], &[&stage.alice], RoyaltyError::WrongPool);
        let sync = with(&syncing(&stage), &stage.index(), &index);
        stage.world.refuses(&[sync], &[], RoyaltyError::WrongPool);
    }
}

/// AUDIT row L5: what is booked is what arrives, not what is announced; see `fees` for mints that take some of it.
#[test]
fn l5_a_deposit_books_no_more_than_arrives() {
    for mut stage in Stage::each() {
        // What lies in the vault before is no part of the deposit.
        stage.scene.donate(&mut stage.world, stage.money, 500);
        stage.deposit(100);
        assert_eq!(stage.scene.books(&stage.world, stage.money).held, 100);
        assert_eq!(stage.scene.unbooked(&stage.world, stage.money), 500);
        assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (75, 25));
    }
}

#[test]
fn a_donation_moves_nothing_until_sync() {
    for mut stage in Stage::each() {
        stage.deposit(40);
        stage.scene.donate(&mut stage.world, stage.money, 60);
        assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (30, 10));
        assert_eq!(stage.scene.unbooked(&stage.world, stage.money), 60);

        let sync = syncing(&stage);
        stage.world.accept(std::slice::from_ref(&sync), &[]);
        assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (75, 25));
        stage.world.changes_nothing(&[sync], &[]);
    }
}

#[test]
fn sync_counts_claims_as_gone() {
    for mut stage in Stage::each() {
        stage.deposit(100);
        let alice = stage.alice.insecure_clone();
        assert_eq!(stage.claim(&alice), 75);
        let sync = syncing(&stage);
        stage.world.changes_nothing(&[sync], &[]);
        assert_eq!(stage.owed(&stage.bob), 25);
    }
}

#[test]
fn deposit_rejects_a_missing_source() {
    let mut stage = Stage::token();
    let deposit = super::without(&depositing(&stage, 10), &stage.money.account_of(&stage.alice.pubkey()));
    stage.world.refuses(&[deposit], &[&stage.alice], CommonError::MissingTokenAccount);
}

/// SOL books that are shown token accounts take lamports all the same.
#[test]
fn token_accounts_do_not_turn_sol_into_tokens() {
    let mut stage = Stage::sol();
    let token = Money::token(&mut stage.world, "dollar");
    let alice = stage.alice.pubkey();
    token.give(&mut stage.world, &alice, 1_000);
    let vault = keypair("a vault of mallory").pubkey();
    token.give_at(&mut stage.world, &vault, &keypair("mallory").pubkey(), 0);
    let sol = depositing(&stage, 10);
    let mut deposit = client::deposit(&alice, &stage.scene.pool, token.currency(), 10);
    deposit.accounts[3] = sol.accounts[3].clone();
    deposit.accounts[5].pubkey = vault;
    let before = stage.world.lamports(&alice);
    stage.world.accept(&[deposit], &[&stage.alice]);
    assert_eq!(before - stage.world.lamports(&alice), 10);
    assert_eq!(token.balance(&stage.world, &alice), 1_000);
    assert_eq!(stage.scene.books(&stage.world, Money::Sol).held, 10);
}
