//! `approve`, `revoke`, and transfers by a delegate.

use anchor_lang::prelude::Address;
use provena_royalty::{client, error::RoyaltyError};
use provena_tests::world::{WALLET_LAMPORTS, keypair};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{POSITION_RENT, QUARTER, Stage, with};

struct Delegation {
    stage: Stage,
    delegate: Keypair,
}

impl Delegation {
    /// Alice lets somebody move 100 of her shares.
    fn new() -> Self {
        let mut stage = Stage::sol();
        let delegate = stage.world.wallet("delegate");
        let approve = client::approve(&stage.alice.pubkey(), &stage.scene.pool, &delegate.pubkey(), 100);
        stage.world.accept(&[approve], &[&stage.alice]);
        Self { stage, delegate }
    }

    fn moving(&self, holder: &Keypair, recipient: &Address, shares: u64) -> solana_instruction::Instruction {
        client::transfer_shares_by(&self.delegate.pubkey(), &holder.pubkey(), recipient, &self.stage.scene.pool, shares)
    }

    #[track_caller]
    fn refused(&mut self, shares: u64, error: RoyaltyError) {
        let alice = self.stage.alice.insecure_clone();
        let take = self.moving(&alice, &self.delegate.pubkey(), shares);
        self.stage.world.refuses(&[take], &[&self.delegate], error);
    }

    fn left(&self) -> (Address, u64) {
        let position = self.stage.scene.position(&self.stage.world, &self.stage.alice.pubkey());
        (position.delegate, position.delegated)
    }
}

#[test]
fn a_delegate_moves_what_it_was_allowed_and_no_more() {
    let mut delegation = Delegation::new();
    let (alice, carol) = (delegation.stage.alice.insecure_clone(), keypair("carol").pubkey());
    delegation.refused(101, RoyaltyError::AllowanceExceeded);
    let take = delegation.moving(&alice, &carol, 60);
    delegation.stage.world.accept(&[take], &[&delegation.delegate]);
    assert_eq!(delegation.left(), (delegation.delegate.pubkey(), 40));
    let spent = WALLET_LAMPORTS - delegation.stage.world.lamports(&delegation.delegate.pubkey());
    assert_eq!(spent, POSITION_RENT, "the delegate pays for the position that it opens");
    delegation.refused(41, RoyaltyError::AllowanceExceeded);
    let take = delegation.moving(&alice, &carol, 40);
    delegation.stage.world.accept(&[take], &[&delegation.delegate]);
    assert_eq!(delegation.left(), (Address::default(), 0));
    delegation.refused(1, RoyaltyError::NotDelegate);
    let position = delegation.stage.scene.position(&delegation.stage.world, &alice.pubkey());
    assert_eq!(position.shares, 3 * QUARTER - 100);
}

#[test]
fn a_delegate_cannot_claim() {
    let mut delegation = Delegation::new();
    delegation.stage.deposit(400);
    let (world, scene) = (&mut delegation.stage.world, &delegation.stage.scene);
    let claim = client::claim_to(
        &delegation.delegate.pubkey(),
        &scene.pool,
        client::Currency::Sol,
        &delegation.delegate.pubkey(),
    );
    let own = provena_royalty::pda::position(&scene.pool, &delegation.delegate.pubkey()).0;
    let alices = provena_royalty::pda::position(&scene.pool, &delegation.stage.alice.pubkey()).0;
    world.refuses(&[with(&claim, &own, &alices)], &[&delegation.delegate], RoyaltyError::WrongHolder);
}

#[test]
fn a_revoked_delegate_moves_nothing() {
    let mut delegation = Delegation::new();
    let revoke = client::revoke(&delegation.stage.alice.pubkey(), &delegation.stage.scene.pool);
    delegation.stage.world.accept(std::slice::from_ref(&revoke), &[&delegation.stage.alice]);
    delegation.refused(1, RoyaltyError::NotDelegate);
    delegation.stage.world.changes_nothing(&[revoke], &[&delegation.stage.alice]);
}

#[test]
fn a_new_approval_replaces_the_old_one() {
    let mut delegation = Delegation::new();
    let other = delegation.stage.world.wallet("other delegate");
    let (alice, pool) = (delegation.stage.alice.insecure_clone(), delegation.stage.scene.pool);
    let approve = client::approve(&alice.pubkey(), &pool, &other.pubkey(), 7);
    delegation.stage.world.accept(&[approve], &[&alice]);
    delegation.refused(1, RoyaltyError::NotDelegate);
    let take = client::transfer_shares_by(&other.pubkey(), &alice.pubkey(), &other.pubkey(), &pool, 8);
    delegation.stage.world.refuses(&[take], &[&other], RoyaltyError::AllowanceExceeded);
}

/// Whoever buys all the shares buys them free of the seller's delegate, and a seller who buys back starts without one.
#[test]
fn the_delegate_goes_with_the_last_share() {
    let mut delegation = Delegation::new();
    let (alice, bob, pool) =
        (delegation.stage.alice.insecure_clone(), delegation.stage.bob.insecure_clone(), delegation.stage.scene.pool);
    let all = client::transfer_shares(&alice.pubkey(), &bob.pubkey(), &pool, 3 * QUARTER);
    delegation.stage.world.accept(&[all], &[&alice]);
    assert_eq!(delegation.left(), (Address::default(), 0));
    let from_bob = delegation.moving(&bob, &delegation.delegate.pubkey(), 1);
    delegation.stage.world.refuses(&[from_bob], &[&delegation.delegate], RoyaltyError::NotDelegate);
    let back = client::transfer_shares(&bob.pubkey(), &alice.pubkey(), &pool, QUARTER);
    delegation.stage.world.accept(&[back], &[&bob]);
    delegation.refused(1, RoyaltyError::NotDelegate);
}

#[test]
fn a_delegate_may_take_everything_that_it_was_allowed_even_the_last_share() {
    let mut delegation = Delegation::new();
    let (alice, pool) = (delegation.stage.alice.insecure_clone(), delegation.stage.scene.pool);
    let approve = client::approve(&alice.pubkey(), &pool, &delegation.delegate.pubkey(), u64::from(u32::MAX));
    delegation.stage.world.accept(&[approve], &[&alice]);
    delegation.refused(3 * QUARTER + 1, RoyaltyError::NotEnoughShares);
    let take = delegation.moving(&alice, &delegation.delegate.pubkey(), 3 * QUARTER);
    delegation.stage.world.accept(&[take], &[&delegation.delegate]);
    assert_eq!(delegation.left(), (Address::default(), 0));
}

#[test]
fn revoke_rejects_anybody_but_the_holder_and_so_does_approve() {
    let mut delegation = Delegation::new();
    let delegate = delegation.delegate.insecure_clone();
    let (pool, alice) = (delegation.stage.scene.pool, delegation.stage.alice.pubkey());
    for attempt in [client::approve(&alice, &pool, &delegate.pubkey(), 1_000), client::revoke(&alice, &pool)] {
        let mut attempt = attempt;
        attempt.accounts[0].pubkey = delegate.pubkey();
        delegation.stage.world.refuses(&[attempt], &[&delegate], RoyaltyError::WrongHolder);
    }
}

#[test]
fn approve_rejects_zero_and_too_many_shares() {
    let mut delegation = Delegation::new();
    let (alice, pool) = (delegation.stage.alice.insecure_clone(), delegation.stage.scene.pool);
    for (shares, error) in [(0, RoyaltyError::ZeroShares), (1 << 32, RoyaltyError::TooManyShares)] {
        let approve = client::approve(&alice.pubkey(), &pool, &keypair("delegate").pubkey(), shares);
        delegation.stage.world.refuses(&[approve], &[&alice], error);
    }
}
