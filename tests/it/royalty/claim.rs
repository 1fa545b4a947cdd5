//! `claim`.

use provena_common::error::CommonError;
use provena_royalty::{client, error::RoyaltyError, pda};
use provena_tests::{
    World,
    royalty::{Scene, configure},
    tokens::{Money, set_frozen, set_token_owner, token_balance},
    world::{WALLET_LAMPORTS, keypair},
};
use solana_instruction_error::InstructionError;
use solana_signer::Signer;

use super::{QUARTER, Stage, with};

/// The token programs' error for a frozen account.
const ACCOUNT_FROZEN: u32 = 17;

#[test]
fn claim_pays_what_is_owed_once() {
    for mut stage in Stage::each() {
        stage.deposit(1_001);
        let alice = stage.alice.insecure_clone();
        assert_eq!(stage.claim(&alice), 750, "750.75, rounded down");
        assert_eq!(stage.owed(&alice), 0);
        assert_eq!(stage.scene.holdings(&stage.world, stage.money), 251);
        let books = stage.scene.books(&stage.world, stage.money);
        assert_eq!((books.held, books.received.lo, books.paid.lo), (251, 1_001, 750));

        // The second claim pays nothing and changes nothing.
        let claim = stage.claiming(&alice);
        stage.world.changes_nothing(&[claim], &[&alice]);
    }
}

#[test]
fn fractions_of_a_unit_reach_the_holder_later() {
    for mut stage in Stage::each() {
        let alice = stage.alice.insecure_clone();
        let mut paid = 0;
        for _ in 0..4 {
            stage.deposit(1_001);
            paid += stage.claim(&alice);
        }
        assert_eq!(paid, 3_003, "3/4 of 4,004 to the last unit");
    }
}

#[test]
fn the_holder_can_be_paid_elsewhere() {
    for mut stage in Stage::each() {
        stage.deposit(100);
        let before = stage.balance(&stage.bob);
        let elsewhere = stage.money.account_of(&stage.bob.pubkey());
        let claim = client::claim_to(&stage.alice.pubkey(), &stage.scene.pool, stage.money.currency(), &elsewhere);
        stage.world.accept(&[claim], &[&stage.alice]);
        assert_eq!(stage.balance(&stage.bob) - before, 75);
    }
}

#[test]
fn anybody_can_have_the_holder_paid_at_its_own_address() {
    for mut stage in Stage::each() {
        stage.deposit(100);
        let before = stage.balance(&stage.alice);
        let claim = client::claim_for(&stage.alice.pubkey(), &stage.scene.pool, stage.money.currency());
        stage.world.accept(&[claim], &[]);
        assert_eq!(stage.balance(&stage.alice) - before, 75);
    }
}

#[test]
fn claim_rejects_any_other_destination_without_the_holders_signature() {
    for mut stage in Stage::each() {
        stage.deposit(100);
        let alice = stage.alice.pubkey();
        let claim = client::claim_for(&alice, &stage.scene.pool, stage.money.currency());
        // Mallory's own, another account of Alice's, the pool's own.
        let mallory = stage.world.wallet("mallory").pubkey();
        stage.money.give(&mut stage.world, &mallory, 0);
        let second = keypair("second account of alice").pubkey();
        stage.money.give_at(&mut stage.world, &second, &alice, 0);
        for destination in [stage.money.account_of(&mallory), second, stage.scene.pool] {
            let mut diverted = claim.clone();
            diverted.accounts[4].pubkey = destination;
            stage.world.refuses(&[diverted], &[], RoyaltyError::WrongDestination);
        }
    }
}

/// The owner of an associated token account can give it away, and it keeps its address.
#[test]
fn claim_rejects_an_associated_account_that_belongs_to_somebody_else() {
    let mut stage = Stage::token();
    stage.deposit(100);
    let alice = stage.alice.pubkey();
    set_token_owner(&mut stage.world, &stage.money.account_of(&alice), &keypair("mallory").pubkey());
    let claim = client::claim_for(&alice, &stage.scene.pool, stage.money.currency());
    stage.world.refuses(&[claim], &[], CommonError::WrongTokenAccount);
}

#[test]
fn two_claims_in_one_transaction_pay_once() {
    for mut stage in Stage::each() {
        stage.deposit(1_000);
        let before = stage.balance(&stage.bob);
        let claim = stage.claiming(&stage.bob);
        stage.world.accept(&[claim.clone(), claim], &[&stage.bob]);
        assert_eq!(stage.balance(&stage.bob) - before, 250);
    }
}

#[test]
fn claim_into_the_books_themselves_creates_nothing() {
    let mut stage = Stage::sol();
    stage.deposit(1_000);
    let alice = stage.alice.pubkey();
    let into_itself = client::claim_to(&alice, &stage.scene.pool, stage.money.currency(), &stage.books());
    // Anchor refuses a second reference to a writable account.
    stage.world.refuses(&[into_itself], &[&stage.alice], 2040);
    let mut stage = Stage::token();
    stage.deposit(1_000);
    let vault = stage.scene.vault(stage.money);
    let into_itself = client::claim_to(&alice, &stage.scene.pool, stage.money.currency(), &vault);
    stage.world.refuses(&[into_itself], &[&stage.alice], 2040);
}

#[test]
fn claim_rejects_somebody_elses_position() {
    for mut stage in Stage::each() {
        stage.deposit(1_000);
        let claim = with(&stage.claiming(&stage.bob), &stage.position(&stage.bob), &stage.position(&stage.alice));
        stage.world.refuses(&[claim], &[&stage.bob], RoyaltyError::WrongHolder);
    }
}

#[test]
fn claim_rejects_look_alikes_of_another_pool() {
    for mut stage in Stage::each() {
        // Mallory holds all of a pool of her own that received far more.
        let mallory = stage.world.wallet("mallory");
        stage.money.give(&mut stage.world, &mallory.pubkey(), 0);
        let own = stage.other("worthless", &mallory.pubkey());
        stage.deposit(1_000);
        own.deposit(&mut stage.world, stage.money, 1_000_000);
        let claim = client::claim(&mallory.pubkey(), &own.pool, stage.money.currency());
        let mut books = with(&claim, &own.books_address(stage.money), &stage.books());
        if stage.money.is_token() {
            books = with(&books, &own.vault(stage.money), &stage.scene.vault(stage.money));
        }
        stage.world.refuses(&[books], &[&mallory], RoyaltyError::WrongPool);

        // Alice shows the index of Mallory's pool, by which she would have earned 750,000.
        let claim = with(&stage.claiming(&stage.alice), &stage.index(), &pda::index(&own.pool).0);
        stage.world.refuses(std::slice::from_ref(&claim), &[&stage.alice], RoyaltyError::WrongPool);
        // And with it the other books: everything but her position fits together.
        let mut both = with(&claim, &stage.books(), &own.books_address(stage.money));
        if stage.money.is_token() {
            both = with(&both, &stage.scene.vault(stage.money), &own.vault(stage.money));
        }
        stage.world.refuses(&[both], &[&stage.alice], RoyaltyError::WrongPool);
    }
}

#[test]
fn claim_rejects_a_destination_of_another_mint() {
    let mut stage = Stage::token();
    stage.deposit(1_000);
    let other = Money::token(&mut stage.world, "another");
    other.give(&mut stage.world, &stage.alice.pubkey(), 0);
    let account = other.account_of(&stage.alice.pubkey());
    let claim = client::claim_to(&stage.alice.pubkey(), &stage.scene.pool, stage.money.currency(), &account);
    // The token program's own error for another mint.
    stage.world.refuses(&[claim], &[&stage.alice], 3);
}

#[test]
fn a_frozen_destination_keeps_the_money_owed() {
    let mut stage = Stage::token();
    stage.deposit(1_000);
    let alice = stage.alice.insecure_clone();
    let account = stage.money.account_of(&alice.pubkey());
    set_frozen(&mut stage.world, &account, true);
    let claim = stage.claiming(&alice);
    stage.world.refuses(&[claim], &[&alice], ACCOUNT_FROZEN);
    // Bob is not held up.
    let bob = stage.bob.insecure_clone();
    assert_eq!(stage.claim(&bob), 250);
    set_frozen(&mut stage.world, &account, false);
    assert_eq!(stage.claim(&alice), 750);
}

#[test]
fn claim_rejects_a_mint_that_the_pool_has_no_books_for() {
    let mut stage = Stage::sol();
    let token = Money::token(&mut stage.world, "dollar");
    token.give(&mut stage.world, &stage.alice.pubkey(), 0);
    let claim = client::claim(&stage.alice.pubkey(), &stage.scene.pool, token.currency());
    stage.world.refuses(&[claim], &[&stage.alice], InstructionError::AccountDataTooSmall);
}

#[test]
fn mints_are_counted_apart() {
    let mut world = World::new();
    let [dollar, euro] = ["dollar", "euro"].map(|name| Money::token(&mut world, name));
    configure(&mut world, &[dollar, euro]);
    let alice = world.wallet("alice");
    let scene = Scene::new(&mut world, "digits", &[(alice.pubkey(), 4 * QUARTER)], &[dollar, euro]);
    for (money, amount) in [(Money::Sol, 5), (dollar, 7), (euro, 11)] {
        money.give(&mut world, &alice.pubkey(), 0);
        scene.deposit(&mut world, money, amount);
    }
    world.accept(&[client::claim(&alice.pubkey(), &scene.pool, euro.currency())], &[&alice]);
    assert_eq!(token_balance(&world, &euro.account_of(&alice.pubkey())), 11);
    assert_eq!(token_balance(&world, &dollar.account_of(&alice.pubkey())), 0);
    assert_eq!(scene.owed(&world, &alice.pubkey(), Money::Sol), 5);
    let position = scene.position(&world, &alice.pubkey());
    assert_eq!(position.checkpoints[..3].iter().map(|checkpoint| checkpoint.claimed).collect::<Vec<_>>(), [0, 0, 11]);

    // The books of one of the pool's mints with the vault of another.
    let claim = client::claim(&alice.pubkey(), &scene.pool, dollar.currency());
    let mixed = with(&claim, &scene.vault(dollar), &scene.vault(euro));
    world.refuses(&[mixed], &[&alice], RoyaltyError::WrongVault);
}

/// A wallet that is empty cannot keep fewer lamports than its rent: the chain refuses, and the money stays owed.
#[test]
fn a_claim_too_small_for_an_empty_wallet_waits() {
    let mut stage = Stage::sol();
    let carol = keypair("carol").pubkey();
    let transfer = client::transfer_shares(&stage.bob.pubkey(), &carol, &stage.scene.pool, QUARTER);
    stage.world.accept(&[transfer], &[&stage.bob]);
    stage.deposit(4 * 890_879);
    let claim = client::claim_for(&carol, &stage.scene.pool, stage.money.currency());
    assert!(stage.world.send(std::slice::from_ref(&claim), &[]).is_err());
    assert_eq!(stage.scene.owed(&stage.world, &carol, stage.money), 890_879);
    stage.deposit(4);
    stage.world.accept(&[claim], &[]);
    assert_eq!(stage.world.lamports(&carol), 890_880);
}

/// AUDIT row S2: the rent that books keep is what the chain asks for at the moment. When it asks for more than when the
/// books were made, claims are paid as far as the account can go, and the rest stays owed.
#[test]
fn s2_a_higher_rent_delays_the_last_claims_and_loses_nothing() {
    let mut stage = Stage::sol();
    stage.deposit(1_000_000);
    let (alice, bob) = (stage.alice.insecure_clone(), stage.bob.insecure_clone());
    stage.world.raise_rent();
    // (128 + 256) bytes cost 384 lamports more: 2,673,024 in place of 2,672,640.
    assert_eq!(stage.world.svm.minimum_balance_for_rent_exemption(256), 2_673_024);
    assert_eq!(stage.claim(&alice), 750_000);
    assert_eq!(stage.claim(&bob), 249_616);
    assert_eq!(stage.owed(&bob), 384);
    let waiting = stage.claiming(&bob);
    stage.world.changes_nothing(&[waiting], &[&bob]);
    // What is missing is not booked as revenue once somebody has paid it.
    let books = stage.books();
    stage.world.add_lamports(&books, 384);
    stage.world.changes_nothing(&[client::sync(&stage.scene.pool, stage.money.currency(), &[])], &[]);
    assert_eq!(stage.claim(&bob), 384);
    assert_eq!(stage.world.lamports(&books), 2_673_024);
    assert_eq!(stage.world.lamports(&bob.pubkey()), WALLET_LAMPORTS + 250_000);
}
