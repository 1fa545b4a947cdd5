//! `claim_many`.

use provena_common::error::CommonError;
use provena_royalty::{client, error::RoyaltyError, pda};
use provena_tests::{royalty::Scene, tokens::Money};
use solana_instruction::Instruction;
use solana_signer::Signer;

use super::{QUARTER, Stage, with};

/// The stage and two more pools of which Alice holds three quarters.
fn three_pools(stage: &mut Stage) -> [Scene; 2] {
    let shares = [(stage.alice.pubkey(), 3 * QUARTER), (stage.bob.pubkey(), QUARTER)];
    ["second", "third"].map(|name| Scene::new(&mut stage.world, name, &shares, &[stage.money]))
}

fn claiming(stage: &Stage, more: &[Scene], signed: bool) -> Instruction {
    let pools: Vec<_> = std::iter::once(&stage.scene).chain(more).map(|scene| scene.pool).collect();
    client::claim_many(&stage.alice.pubkey(), &pools, stage.money.currency(), signed)
}

#[test]
fn claim_many_pays_from_every_pool() {
    for signed in [true, false] {
        for mut stage in Stage::each() {
            let more = three_pools(&mut stage);
            stage.deposit(400);
            more[0].deposit(&mut stage.world, stage.money, 4_000);
            more[1].deposit(&mut stage.world, stage.money, 40_000);
            let before = stage.balance(&stage.alice);
            let claim = claiming(&stage, &more, signed);
            let alice = stage.alice.insecure_clone();
            stage.world.accept(&[claim], if signed { vec![&alice] } else { vec![] }.as_slice());
            assert_eq!(stage.balance(&stage.alice) - before, 33_300);
            assert_eq!(stage.owed(&stage.bob), 100);
        }
    }
}

#[test]
fn claim_many_pays_a_pool_named_twice_once() {
    for mut stage in Stage::each() {
        stage.deposit(400);
        let before = stage.balance(&stage.alice);
        let pool = stage.scene.pool;
        let claim = client::claim_many(&stage.alice.pubkey(), &[pool, pool], stage.money.currency(), true);
        stage.world.accept(&[claim], &[&stage.alice]);
        assert_eq!(stage.balance(&stage.alice) - before, 300);
    }
}

#[test]
fn claim_many_of_nothing_changes_nothing() {
    for mut stage in Stage::each() {
        let more = three_pools(&mut stage);
        let claim = claiming(&stage, &more, true);
        stage.world.changes_nothing(&[claim], &[&stage.alice]);
        let none = client::claim_many(&stage.alice.pubkey(), &[], stage.money.currency(), true);
        stage.world.changes_nothing(&[none], &[&stage.alice]);
    }
}

#[test]
fn claim_many_rejects_somebody_elses_position() {
    for mut stage in Stage::each() {
        let more = three_pools(&mut stage);
        more[1].deposit(&mut stage.world, stage.money, 400);
        let [alice, bob] = [&stage.alice, &stage.bob].map(|holder| pda::position(&more[1].pool, &holder.pubkey()).0);
        let claim = with(&claiming(&stage, &more, true), &alice, &bob);
        stage.world.refuses(&[claim], &[&stage.alice], RoyaltyError::WrongHolder);
    }
}

#[test]
fn claim_many_rejects_accounts_of_different_pools() {
    for mut stage in Stage::each() {
        let more = three_pools(&mut stage);
        more[1].deposit(&mut stage.world, stage.money, 400);
        let claim = claiming(&stage, &more, true);
        let [second, third] = [&more[0], &more[1]].map(|scene| pda::index(&scene.pool).0);
        stage.world.refuses(&[with(&claim, &second, &third)], &[&stage.alice], RoyaltyError::WrongPool);
        // The third pool's money for the second pool's shares.
        let mut changed = with(&claim, &more[0].books_address(stage.money), &more[1].books_address(stage.money));
        if stage.money.is_token() {
            changed = with(&changed, &more[0].vault(stage.money), &more[1].vault(stage.money));
        }
        stage.world.refuses(&[changed], &[&stage.alice], RoyaltyError::WrongPool);
    }
}

#[test]
fn claim_many_rejects_books_in_another_mint() {
    let mut stage = Stage::token();
    let (pool, alice) = (stage.scene.pool, stage.alice.pubkey());
    stage.deposit(400);
    stage.scene.deposit(&mut stage.world, Money::Sol, 400);
    // Books in SOL where a token is claimed, and books in a token where SOL is.
    let token = client::claim_many(&alice, &[pool], stage.money.currency(), true);
    let token = with(&token, &stage.books(), &stage.scene.books_address(Money::Sol));
    stage.world.refuses(&[token], &[&stage.alice], RoyaltyError::WrongBooks);
    let sol = client::claim_many(&alice, &[pool], Money::Sol.currency(), true);
    let sol = with(&sol, &stage.scene.books_address(Money::Sol), &stage.books());
    stage.world.refuses(&[sol], &[&stage.alice], RoyaltyError::WrongBooks);
}

#[test]
fn claim_many_rejects_another_vault() {
    let mut stage = Stage::token();
    let more = three_pools(&mut stage);
    stage.deposit(400);
    more[1].deposit(&mut stage.world, stage.money, 400);
    let vaults = [&stage.scene, &more[1]].map(|scene| scene.vault(stage.money));
    let claim = with(&claiming(&stage, &more, true), &vaults[0], &vaults[1]);
    stage.world.refuses(&[claim], &[&stage.alice], RoyaltyError::WrongVault);
}

#[test]
fn claim_many_rejects_incomplete_groups() {
    for mut stage in Stage::each() {
        let more = three_pools(&mut stage);
        let mut claim = claiming(&stage, &more, true);
        claim.accounts.pop();
        stage.world.refuses(&[claim], &[&stage.alice], RoyaltyError::WrongAccounts);
    }
}

#[test]
fn claim_many_rejects_any_other_destination_without_the_holders_signature() {
    for mut stage in Stage::each() {
        let more = three_pools(&mut stage);
        stage.deposit(400);
        let mut claim = claiming(&stage, &more, false);
        claim.accounts[1].pubkey = stage.money.account_of(&stage.bob.pubkey());
        stage.world.refuses(std::slice::from_ref(&claim), &[], RoyaltyError::WrongDestination);
        // With it, anywhere.
        let before = stage.balance(&stage.bob);
        claim.accounts[0].is_signer = true;
        stage.world.accept(&[claim], &[&stage.alice]);
        assert_eq!(stage.balance(&stage.bob) - before, 300);
    }
}

#[test]
fn claim_many_rejects_a_token_program_that_is_none_or_the_other_one() {
    let mut stage = Stage::token();
    let claim = claiming(&stage, &[], true);
    let [spl, newer] = [provena_common::token::TOKEN_PROGRAM, provena_common::token::TOKEN_2022_PROGRAM];
    for other in [newer, provena_royalty::TOKEN_METADATA_PROGRAM] {
        stage.world.refuses(&[with(&claim, &spl, &other)], &[&stage.alice], CommonError::WrongTokenProgram);
    }
    let absent = super::without(&claim, &spl);
    stage.world.refuses(&[absent], &[&stage.alice], CommonError::MissingTokenAccount);
}

/// Whoever sends its own claim into the pool gives it to all holders; nothing is created and nothing is lost.
#[test]
fn claim_many_into_the_books_themselves_creates_nothing() {
    for mut stage in Stage::each() {
        stage.deposit(400);
        let mut claim = claiming(&stage, &[], true);
        claim.accounts[1].pubkey = stage.scene.vault(stage.money);
        stage.world.accept(&[claim], &[&stage.alice]);
        assert_eq!(stage.scene.holdings(&stage.world, stage.money), 400);
        assert_eq!(stage.scene.unbooked(&stage.world, stage.money), 300);
        stage.world.accept(&[client::sync(&stage.scene.pool, stage.money.currency(), &[])], &[]);
        assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (225, 175));
    }
}
