//! `collect`: AUDIT row H5, resale royalties of the NFT reach the holders.

use provena_common::error::CommonError;
use provena_royalty::{client, error::RoyaltyError};
use provena_tests::{
    royalty::Scene,
    tokens::{Money, put_token_account, token_balance},
    world::keypair,
};
use solana_signer::Signer;

use super::{POOL_RENT, Stage, TOKEN_ACCOUNT_RENT, with, without};

/// A marketplace pays royalties as lamports to the verified creator, which is the pool, or into its associated token account.
fn pay_royalty(stage: &mut Stage, amount: u64) {
    let pool = stage.scene.pool;
    stage.money.give(&mut stage.world, &pool, amount);
}

#[test]
fn h5_resale_royalties_reach_the_holders() {
    for mut stage in Stage::each() {
        pay_royalty(&mut stage, 1_000);
        assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (0, 0));
        let collect = client::collect(&stage.scene.pool, stage.money.currency());
        stage.world.accept(std::slice::from_ref(&collect), &[]);
        assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (750, 250));
        assert_eq!(stage.scene.holdings(&stage.world, stage.money), 1_000);
        assert_eq!(stage.world.lamports(&stage.scene.pool), POOL_RENT, "the pool keeps what keeps it alive");
        let (alice, bob) = (stage.alice.insecure_clone(), stage.bob.insecure_clone());
        assert_eq!((stage.claim(&alice), stage.claim(&bob)), (750, 250));
        // Nothing waits any more.
        stage.world.changes_nothing(&[collect], &[]);
    }
}

/// With a window they are released like any revenue.
#[test]
fn h5_resale_royalties_are_released_over_the_next_window() {
    for mut stage in Stage::each_windowed(100) {
        stage.world.svm.warp_to_slot(1_000);
        pay_royalty(&mut stage, 1_000);
        stage.world.accept(&[client::collect(&stage.scene.pool, stage.money.currency())], &[]);
        for (slot, alice, bob) in [(1_000, 0, 0), (1_099, 0, 0), (1_100, 0, 0), (1_150, 375, 125), (1_200, 750, 250)] {
            stage.world.svm.warp_to_slot(slot);
            assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (alice, bob), "slot {slot}");
        }
    }
}

#[test]
fn collect_books_what_lies_beside_the_books_as_well() {
    for mut stage in Stage::each() {
        stage.deposit(40);
        pay_royalty(&mut stage, 60);
        stage.scene.donate(&mut stage.world, stage.money, 100);
        stage.world.accept(&[client::collect(&stage.scene.pool, stage.money.currency())], &[]);
        assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (150, 50));
    }
}

#[test]
fn collect_takes_any_token_account_of_the_pool() {
    let mut stage = Stage::token();
    let (pool, mint, second) = (stage.scene.pool, stage.money.mint(), keypair("second account").pubkey());
    put_token_account(&mut stage.world, &second, &mint, &pool, 400);
    let mut collect = client::collect(&pool, stage.money.currency());
    collect.accounts[3].pubkey = second;
    stage.world.accept(&[collect], &[]);
    assert_eq!((stage.owed(&stage.alice), token_balance(&stage.world, &second)), (300, 0));
    assert_eq!(stage.world.lamports(&second), TOKEN_ACCOUNT_RENT);
}

#[test]
fn collect_rejects_token_accounts_of_others() {
    let mut stage = Stage::token();
    pay_royalty(&mut stage, 100);
    let alice = stage.alice.pubkey();
    stage.money.give(&mut stage.world, &alice, 100);
    let other_mint = Money::token(&mut stage.world, "another");
    other_mint.give(&mut stage.world, &stage.scene.pool, 100);
    let collect = client::collect(&stage.scene.pool, stage.money.currency());
    let source = stage.money.account_of(&stage.scene.pool);
    for wrong in [stage.money.account_of(&alice), other_mint.account_of(&stage.scene.pool), stage.scene.pool, alice] {
        let mut changed = collect.clone();
        changed.accounts[3].pubkey = wrong;
        // The pool itself is named already, as writable.
        if wrong == stage.scene.pool {
            stage.world.refuses(&[changed], &[], 2040);
        } else {
            stage.world.refuses(&[changed], &[], CommonError::WrongTokenAccount);
        }
    }
    stage.world.refuses(&[without(&collect, &source)], &[], CommonError::MissingTokenAccount);
}

#[test]
fn collect_rejects_books_and_index_of_another_pool() {
    for mut stage in Stage::each() {
        pay_royalty(&mut stage, 100);
        let mallory = keypair("mallory").pubkey();
        let other = stage.other("other", &mallory);
        let collect = client::collect(&stage.scene.pool, stage.money.currency());
        let index = provena_royalty::pda::index(&other.pool).0;
        stage.world.refuses(&[with(&collect, &stage.index(), &index)], &[], RoyaltyError::WrongPool);
        let theirs = with(&collect, &stage.books(), &other.books_address(stage.money));
        stage.world.refuses(std::slice::from_ref(&theirs), &[], RoyaltyError::WrongPool);
        let theirs = with(&theirs, &stage.index(), &index);
        stage.world.refuses(&[theirs], &[], RoyaltyError::WrongPool);
    }
}

/// A claim for a holder that is a pool pays into that pool's own account, from where `collect` brings it into the books: a
/// second way to where `sweep` leads.
#[test]
fn what_a_stranger_claims_for_a_parent_pool_can_be_collected() {
    for mut stage in Stage::each() {
        let shares = [(stage.scene.pool, 2 * super::QUARTER), (stage.bob.pubkey(), 2 * super::QUARTER)];
        let child = Scene::new(&mut stage.world, "child", &shares, &[stage.money]);
        let pool = stage.scene.pool;
        stage.money.give(&mut stage.world, &pool, 0);
        child.deposit(&mut stage.world, stage.money, 800);
        let currency = stage.money.currency();
        stage.world.accept(&[client::claim_for(&pool, &child.pool, currency), client::collect(&pool, currency)], &[]);
        assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (300, 100));
    }
}
