//! Shares that are not vested yet: they earn, and nobody can move them.

use provena_royalty::{Holder, client, error::RoyaltyError, pda, state::Vesting};
use provena_tests::{
    World,
    royalty::{Scene, Terms, configure},
    tokens::Money,
    world::keypair,
};
use solana_keypair::Keypair;
use solana_signer::Signer;

struct Stage {
    world: World,
    alice: Keypair,
    scene: Scene,
}

/// Alice holds all 1,000 shares, of which 900 vest from slot 1,000 to slot 2,000.
fn stage() -> Stage {
    let mut world = World::new();
    configure(&mut world, &[]);
    let alice = world.wallet("alice");
    let vesting = Some(Vesting { total: 900, start: 1_000, end: 2_000 });
    let holders = [Holder { holder: alice.pubkey(), shares: 1_000, vesting }];
    let terms = Terms { total_shares: 1_000, window: 0, holders: &holders };
    let scene = Scene::with_terms(&mut world, "digits", &terms, &[]);
    Stage { world, alice, scene }
}

impl Stage {
    /// Checks at a slot that exactly so many shares can be moved, without moving them.
    #[track_caller]
    fn movable(&mut self, slot: u64, shares: u64) {
        self.world.svm.warp_to_slot(slot);
        let bob = keypair("bob").pubkey();
        let give = |shares| client::transfer_shares(&self.alice.pubkey(), &bob, &self.scene.pool, shares);
        let (fits, more) = (give(shares), give(shares + 1));
        let error = if shares == 1_000 { RoyaltyError::NotEnoughShares } else { RoyaltyError::SharesLocked };
        self.world.refuses(&[more], &[&self.alice], error);
        let unchanged = self.world.svm.clone();
        self.world.accept(&[fits], &[&self.alice]);
        self.world.svm = unchanged;
    }
}

#[test]
fn what_is_locked_falls_linearly() {
    let mut stage = stage();
    for (slot, shares) in
        [(1, 100), (1_000, 100), (1_001, 100), (1_002, 101), (1_500, 550), (1_999, 999), (2_000, 1_000)]
    {
        stage.movable(slot, shares);
    }
    stage.movable(10_000_000, 1_000);
}

#[test]
fn locked_shares_earn() {
    let mut stage = stage();
    stage.scene.deposit(&mut stage.world, Money::Sol, 777);
    assert_eq!(stage.scene.owed(&stage.world, &stage.alice.pubkey(), Money::Sol), 777);
}

/// A delegate cannot move what the holder cannot.
#[test]
fn a_delegate_does_not_evade_vesting() {
    let mut stage = stage();
    let delegate = stage.world.wallet("delegate");
    let (alice, pool) = (stage.alice.insecure_clone(), stage.scene.pool);
    stage.world.accept(&[client::approve(&alice.pubkey(), &pool, &delegate.pubkey(), 1_000)], &[&alice]);
    let take =
        |shares| client::transfer_shares_by(&delegate.pubkey(), &alice.pubkey(), &delegate.pubkey(), &pool, shares);
    stage.world.refuses(&[take(101)], &[&delegate], RoyaltyError::SharesLocked);
    stage.world.accept(&[take(100)], &[&delegate]);
    stage.world.refuses(&[take(1)], &[&delegate], RoyaltyError::SharesLocked);
}

/// What is locked counts against all shares of the position: others that come in can go out again, the locked stay.
#[test]
fn shares_that_come_in_are_free() {
    let mut stage = stage();
    let bob = stage.world.wallet("bob");
    let (alice, pool) = (stage.alice.insecure_clone(), stage.scene.pool);
    stage.world.accept(&[client::transfer_shares(&alice.pubkey(), &bob.pubkey(), &pool, 100)], &[&alice]);
    stage.world.accept(&[client::transfer_shares(&bob.pubkey(), &alice.pubkey(), &pool, 70)], &[&bob]);
    let give = |shares| client::transfer_shares(&alice.pubkey(), &bob.pubkey(), &pool, shares);
    stage.world.refuses(&[give(71)], &[&alice], RoyaltyError::SharesLocked);
    stage.world.accept(&[give(70)], &[&alice]);
}

/// A lock leaves with nothing but time: an empty, closed and reopened position is possible only when nothing is locked.
#[test]
fn a_position_with_locked_shares_cannot_be_closed() {
    let mut stage = stage();
    let (alice, creator) = (stage.alice.insecure_clone(), stage.scene.creator.pubkey());
    let close = client::close_position(&alice.pubkey(), &alice.pubkey(), &creator, &stage.scene.pool);
    stage.world.refuses(&[close], &[&alice], RoyaltyError::PositionInUse);
    let position = stage.scene.position(&stage.world, &alice.pubkey());
    assert_eq!(position.vesting, Vesting { total: 900, start: 1_000, end: 2_000 });
    assert_eq!(pda::position(&stage.scene.pool, &alice.pubkey()).1, position.bump);
}

mod arithmetic {
    use proptest::prelude::*;
    use provena_common::slot::Slot;
    use provena_royalty::{MAX_VESTING, state::Vesting};

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_locked_is_exact_and_rounded_up(
            total in 1u64..=0xffff_ffff, start in 0u64..1 << 60, length in 1u64..=MAX_VESTING, part: u64,
        ) {
            let vesting = Vesting { total, start, end: start + length };
            let elapsed = part % (length + 1);
            let locked = vesting.locked_at(Slot(start + elapsed)).expect("sound terms").get();
            let exact = (u128::from(total) * u128::from(length - elapsed)).div_ceil(u128::from(length));
            prop_assert_eq!(u128::from(locked), exact);
            prop_assert_eq!(vesting.locked_at(Slot(start.saturating_sub(part))).expect("sound").get(), total);
            prop_assert_eq!(vesting.locked_at(Slot((start + length).saturating_add(part))).expect("sound").get(), 0);
        }
    }
}
