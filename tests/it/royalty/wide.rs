//! AUDIT row M6: revenue since the beginning is counted with 128 bits. A holder who cycles deposit and claim until 64 bits
//! are used up stops nothing.

use provena_common::wide::Wide;
use provena_royalty::{
    client,
    state::{Books, Index, Position},
};
use solana_signer::Signer;

use super::Stage;

/// What 64 bits can count.
const LIMIT: u64 = u64::MAX;

/// Moves a pool's past on: `more` was received and paid out to the holders since the beginning.
fn age(stage: &mut Stage, more: Wide) {
    let place = usize::from(stage.money.is_token());
    let (index, books) = (stage.index(), stage.books());
    let mut state: Index = stage.world.state(&index);
    assert!(state.entries[place].released.is_zero(), "nothing was booked before");
    state.entries[place].released = more;
    stage.world.set_state(&index, &state);
    let mut state: Books = stage.world.state(&books);
    (state.received, state.paid) = (more, more);
    stage.world.set_state(&books, &state);
    for holder in [&stage.alice, &stage.bob] {
        let address = stage.position(holder);
        let mut state: Position = stage.world.state(&address);
        state.checkpoints[place].entry = more;
        stage.world.set_state(&address, &state);
    }
}

/// The real thing, as far as tokens go round: three times all that 64 bits can count.
#[test]
fn m6_cycling_all_tokens_does_not_overflow_the_books() {
    let mut stage = Stage::token();
    let (alice, bob) = (stage.alice.insecure_clone(), stage.bob.insecure_clone());
    let money = stage.money;
    money.give(&mut stage.world, &alice.pubkey(), LIMIT);
    let give = client::transfer_shares(&bob.pubkey(), &alice.pubkey(), &stage.scene.pool, super::QUARTER);
    stage.world.accept(&[give], &[&bob]);
    for _ in 0..3 {
        let deposit = client::deposit(&alice.pubkey(), &stage.scene.pool, money.currency(), LIMIT);
        let claim = stage.claiming(&alice);
        stage.world.accept(&[deposit, claim], &[&alice]);
        assert_eq!(stage.balance(&alice), LIMIT);
    }
    let books = stage.scene.books(&stage.world, money);
    assert_eq!(
        (books.held, books.received, books.paid),
        (0, Wide { lo: LIMIT - 2, hi: 2 }, Wide { lo: LIMIT - 2, hi: 2 })
    );
    // What a job pays is still booked.
    stage.scene.donate(&mut stage.world, money, 1_000);
    stage.world.accept(&[client::sync(&stage.scene.pool, money.currency(), &[])], &[]);
    assert_eq!(stage.owed(&alice), 1_000);
    let position = stage.scene.position(&stage.world, &alice.pubkey());
    assert_eq!(position.checkpoints[1].claimed, LIMIT, "the statistic stops where 64 bits end");
}

#[test]
fn m6_revenue_passes_the_64_bit_boundary_exactly() {
    for mut stage in Stage::each() {
        age(&mut stage, Wide { lo: LIMIT - 500, hi: 0 });
        stage.deposit(1_001);
        assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (750, 250));
        let place = usize::from(stage.money.is_token());
        assert_eq!(stage.scene.index(&stage.world).entries[place].released, Wide { lo: 500, hi: 1 });
        let (alice, bob) = (stage.alice.insecure_clone(), stage.bob.insecure_clone());
        assert_eq!((stage.claim(&alice), stage.claim(&bob)), (750, 250));
        stage.deposit(3);
        assert_eq!((stage.claim(&alice), stage.claim(&bob)), (3, 1));
    }
}

/// Far beyond what could ever come about, the books still refuse to wrap round.
#[test]
fn m6_128_bits_do_not_wrap() {
    for mut stage in Stage::each() {
        age(&mut stage, Wide { lo: LIMIT - 500, hi: LIMIT });
        stage.deposit(500);
        assert_eq!(stage.owed(&stage.alice), 375);
        let alice = stage.alice.insecure_clone();
        stage.money.give(&mut stage.world, &alice.pubkey(), 1);
        let deposit = client::deposit(&alice.pubkey(), &stage.scene.pool, stage.money.currency(), 1);
        stage.world.refuses(&[deposit], &[&alice], provena_common::error::CommonError::Overflow);
        assert_eq!(stage.claim(&alice), 375);
    }
}

/// A position that is ahead of the index, or whose remainder is no remainder, is refused, not guessed at.
#[test]
fn impossible_positions_are_refused() {
    use provena_royalty::error::RoyaltyError;

    let mut stage = Stage::sol();
    stage.deposit(1_000);
    let (alice, address) = (stage.alice.insecure_clone(), stage.position(&stage.alice));
    let sound: Position = stage.world.state(&address);
    let mut ahead = sound;
    ahead.checkpoints[0].entry = Wide { lo: 1_001, hi: 0 };
    let mut too_much = sound;
    too_much.checkpoints[0].remainder = provena_royalty::DEFAULT_TOTAL_SHARES;
    for broken in [ahead, too_much] {
        stage.world.set_state(&address, &broken);
        let claim = stage.claiming(&alice);
        stage.world.refuses(&[claim], &[&alice], RoyaltyError::BrokenInvariant);
        let give = client::transfer_shares(&alice.pubkey(), &stage.bob.pubkey(), &stage.scene.pool, 1);
        stage.world.refuses(&[give], &[&alice], RoyaltyError::BrokenInvariant);
    }
}
