//! `sweep`.

use provena_royalty::{client, error::RoyaltyError, pda};
use provena_tests::{
    royalty::{Scene, holders},
    tokens::Money,
    world::keypair,
};
use solana_instruction::Instruction;
use solana_signer::Signer;

use super::{QUARTER, Stage, with};

/// A pool of which the stage's pool holds a quarter and Bob the rest.
fn child_of(stage: &mut Stage) -> Scene {
    let shares = [(stage.scene.pool, QUARTER), (stage.bob.pubkey(), 3 * QUARTER)];
    Scene::new(&mut stage.world, "child", &shares, &[stage.money])
}

fn sweeping(stage: &Stage, child: &Scene) -> Instruction {
    client::sweep(&child.pool, &stage.scene.pool, stage.money.currency())
}

#[test]
fn sweep_brings_a_childs_revenue_to_the_parents_holders() {
    for mut stage in Stage::each() {
        let child = child_of(&mut stage);
        child.deposit(&mut stage.world, stage.money, 1_600);
        assert_eq!(stage.owed(&stage.alice), 0);
        let sweep = sweeping(&stage, &child);
        stage.world.accept(std::slice::from_ref(&sweep), &[]);
        assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (300, 100));
        assert_eq!(stage.scene.holdings(&stage.world, stage.money), 400);
        assert_eq!(child.holdings(&stage.world, stage.money), 1_200);
        assert_eq!(child.owed(&stage.world, &stage.bob.pubkey(), stage.money), 1_200);
        // A second sweep succeeds and changes nothing.
        stage.world.changes_nothing(&[sweep], &[]);
    }
}

#[test]
fn the_fractions_that_a_sweep_leaves_come_with_a_later_one() {
    for mut stage in Stage::each() {
        let child = child_of(&mut stage);
        for _ in 0..4 {
            child.deposit(&mut stage.world, stage.money, 3);
            let sweep = sweeping(&stage, &child);
            stage.world.accept(&[sweep], &[]);
        }
        assert_eq!(stage.scene.holdings(&stage.world, stage.money), 3);
    }
}

/// Revenue waits once in the child and once in the parent.
#[test]
fn with_windows_a_sweep_arrives_in_the_parents_next_window() {
    for mut stage in Stage::each_windowed(100) {
        stage.world.svm.warp_to_slot(1_000);
        let all = holders(&[(stage.scene.pool, 4 * QUARTER)]);
        let terms = provena_tests::royalty::Terms { total_shares: 4 * QUARTER, window: 50, holders: &all };
        let child = Scene::with_terms(&mut stage.world, "child", &terms, &[stage.money]);
        child.deposit(&mut stage.world, stage.money, 800);
        // Released in the child from 1,050 to 1,100.
        stage.world.svm.warp_to_slot(1_075);
        let sweep = sweeping(&stage, &child);
        stage.world.accept(std::slice::from_ref(&sweep), &[]);
        assert_eq!(stage.scene.books(&stage.world, stage.money).held, 400);
        assert_eq!((stage.owed(&stage.alice), stage.scene.unreleased(&stage.world, stage.money)), (0, 400));
        // In the parent from 1,100 to 1,200.
        stage.world.svm.warp_to_slot(1_150);
        assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (150, 50));
        stage.world.accept(&[sweep], &[]);
        stage.world.svm.warp_to_slot(1_200);
        assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (300, 100));
        stage.world.svm.warp_to_slot(1_300);
        assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (600, 200));
    }
}

#[test]
fn a_sweep_pays_no_more_than_the_child_holds() {
    let mut stage = Stage::sol();
    let child = child_of(&mut stage);
    child.deposit(&mut stage.world, stage.money, 1_600);
    // A state that cannot come about: the books know of less than is owed.
    let address = child.books_address(stage.money);
    let mut books = child.books(&stage.world, stage.money);
    (books.held, books.received.lo) = (150, 150);
    stage.world.set_state(&address, &books);
    let sweep = sweeping(&stage, &child);
    stage.world.accept(&[sweep], &[]);
    assert_eq!(stage.scene.holdings(&stage.world, stage.money), 150);
    assert_eq!(child.owed(&stage.world, &stage.scene.pool, stage.money), 250, "the rest stays owed");
}

#[test]
fn sweep_rejects_another_holders_position() {
    for mut stage in Stage::each() {
        let child = child_of(&mut stage);
        child.deposit(&mut stage.world, stage.money, 1_600);
        let [ours, bobs] = [stage.scene.pool, stage.bob.pubkey()].map(|holder| pda::position(&child.pool, &holder).0);
        let sweep = with(&sweeping(&stage, &child), &ours, &bobs);
        stage.world.refuses(&[sweep], &[], RoyaltyError::WrongHolder);
    }
}

#[test]
fn sweep_rejects_another_parent() {
    for mut stage in Stage::each() {
        let child = child_of(&mut stage);
        child.deposit(&mut stage.world, stage.money, 1_600);
        let mallory = stage.world.wallet("mallory").pubkey();
        let other = stage.other("mallory's", &mallory);
        // Mallory's pool in place of the parent: books, index and vault.
        let sweep = sweeping(&stage, &child);
        let mut changed = with(&sweep, &stage.books(), &other.books_address(stage.money));
        if stage.money.is_token() {
            changed = with(&changed, &stage.scene.vault(stage.money), &other.vault(stage.money));
        }
        changed = with(&changed, &stage.index(), &pda::index(&other.pool).0);
        stage.world.refuses(&[changed], &[], RoyaltyError::WrongHolder);
        // Only the index: the parent's money would be counted for Mallory.
        let changed = with(&sweep, &stage.index(), &pda::index(&other.pool).0);
        stage.world.refuses(&[changed], &[], RoyaltyError::WrongPool);
    }
}

#[test]
fn sweep_rejects_look_alikes_of_another_child() {
    for mut stage in Stage::each() {
        let child = child_of(&mut stage);
        let richer = Scene::new(&mut stage.world, "richer", &[(stage.bob.pubkey(), 4 * QUARTER)], &[stage.money]);
        richer.deposit(&mut stage.world, stage.money, 1_000_000);
        child.deposit(&mut stage.world, stage.money, 1_600);
        let sweep = sweeping(&stage, &child);
        let index = with(&sweep, &pda::index(&child.pool).0, &pda::index(&richer.pool).0);
        stage.world.refuses(std::slice::from_ref(&index), &[], RoyaltyError::WrongPool);
        let mut books = with(&sweep, &child.books_address(stage.money), &richer.books_address(stage.money));
        if stage.money.is_token() {
            books = with(&books, &child.vault(stage.money), &richer.vault(stage.money));
        }
        stage.world.refuses(std::slice::from_ref(&books), &[], RoyaltyError::WrongPool);
        let both = with(&books, &pda::index(&child.pool).0, &pda::index(&richer.pool).0);
        stage.world.refuses(&[both], &[], RoyaltyError::WrongPool);
    }
}

#[test]
fn sweep_rejects_another_mint() {
    let mut stage = Stage::token();
    let child = child_of(&mut stage);
    child.deposit(&mut stage.world, stage.money, 1_000);
    let sweep = with(&sweeping(&stage, &child), &stage.books(), &stage.scene.books_address(Money::Sol));
    stage.world.refuses(&[sweep], &[], RoyaltyError::WrongBooks);
}

#[test]
fn sweep_rejects_vaults_that_are_not_those_of_the_books() {
    let mut stage = Stage::token();
    let child = child_of(&mut stage);
    child.deposit(&mut stage.world, stage.money, 1_000);
    let elsewhere = stage.money.account_of(&stage.bob.pubkey());
    for vault in [child.vault(stage.money), stage.scene.vault(stage.money)] {
        let sweep = with(&sweeping(&stage, &child), &vault, &elsewhere);
        stage.world.refuses(&[sweep], &[], RoyaltyError::WrongVault);
    }
}

/// A pool that holds itself cannot be made; and a sweep from a pool into itself names its books twice.
#[test]
fn sweep_rejects_a_child_that_is_its_own_parent() {
    for mut stage in Stage::each() {
        stage.deposit(1_000);
        let pool = stage.scene.pool;
        let give = client::transfer_shares(&stage.alice.pubkey(), &pool, &pool, QUARTER);
        stage.world.refuses(&[give], &[&stage.alice], RoyaltyError::SelfHolding);
        let mut sweep = client::sweep(&pool, &pool, stage.money.currency());
        sweep.accounts[2].pubkey = stage.position(&stage.alice);
        stage.world.refuses(&[sweep], &[], 2040);
    }
}

/// Two pools can hold each other. Money then goes round, less each time, and every unit reaches a wallet.
#[test]
fn pools_that_hold_each_other_pay_everything_out() {
    for mut stage in Stage::each() {
        let (alice, bob) = (stage.alice.insecure_clone(), stage.bob.insecure_clone());
        // The stage's pool holds half of the other; Alice gives the other pool half of hers.
        let shares = [(stage.scene.pool, 2 * QUARTER), (bob.pubkey(), 2 * QUARTER)];
        let other = Scene::new(&mut stage.world, "other", &shares, &[stage.money]);
        let give = client::transfer_shares(&alice.pubkey(), &other.pool, &stage.scene.pool, 2 * QUARTER);
        stage.world.accept(&[give], &[&alice]);
        stage.deposit(1_000_000);
        let currency = stage.money.currency();
        let there = client::sweep(&stage.scene.pool, &other.pool, currency);
        let back = client::sweep(&other.pool, &stage.scene.pool, currency);
        for _ in 0..12 {
            stage.world.accept(&[there.clone(), back.clone()], &[]);
        }
        // Of what leaves the two pools Alice has a quarter of the first, Bob a quarter of the first and half of the second.
        let claims = [
            client::claim(&alice.pubkey(), &stage.scene.pool, currency),
            client::claim(&bob.pubkey(), &stage.scene.pool, currency),
            client::claim(&bob.pubkey(), &other.pool, currency),
        ];
        let before = stage.balance(&alice) + stage.balance(&bob);
        stage.world.accept(&claims, &[&alice, &bob]);
        let paid = stage.balance(&alice) + stage.balance(&bob) - before;
        let left = stage.scene.holdings(&stage.world, stage.money) + other.holdings(&stage.world, stage.money);
        assert_eq!(paid + left, 1_000_000);
        assert!(left <= 3, "{left} base units are left, fractions of the last round");
    }
}

#[test]
fn sweep_rejects_a_parent_that_is_not_sealed() {
    let mut stage = Stage::sol();
    let (creator, asset) = (stage.world.wallet("creator"), keypair("unsealed"));
    let create = client::create_pool(&creator.pubkey(), &asset.pubkey(), 10, 0, 0, &[]);
    stage.world.accept(&[create], &[&creator, &asset]);
    let parent = pda::pool(&asset.pubkey()).0;
    let give = client::transfer_shares(&stage.alice.pubkey(), &parent, &stage.scene.pool, QUARTER);
    stage.world.accept(&[give], &[&stage.alice]);
    let sweep = client::sweep(&stage.scene.pool, &parent, Money::Sol.currency());
    stage.world.changes_nothing(std::slice::from_ref(&sweep), &[]);
    stage.deposit(400);
    stage.world.refuses(&[sweep], &[], RoyaltyError::PoolNotSealed);
}
