//! A claim costs the same for two holders and for ten thousand.

use anchor_lang::{Discriminator, prelude::Address};
use provena_arith::hash::sha256;
use provena_royalty::{DEFAULT_TOTAL_SHARES, state::Position};
use provena_tests::{
    Cost, World,
    royalty::{Scene, claim, configure, transfer_shares},
    tokens::Money,
    world::keypair,
};
use solana_account::ReadableAccount;
use solana_signer::Signer;

const HOLDERS: u64 = 10_000;
/// As many transfers as fit a transaction.
const BATCH: usize = 8;
/// What a claim may cost with every called program.
const LIMIT: u64 = 7_000;

fn cost_of_a_claim(world: &mut World, scene: &Scene, money: Money) -> Cost {
    let alice = keypair("alice");
    scene.deposit(world, money, 1_000_000_000);
    world.measure(&[claim(&alice.pubkey(), &scene.pool, money)], &[&alice])
}

#[test]
fn a_claim_costs_the_same_for_two_and_ten_thousand_holders() {
    let mut world = World::new();
    let token = Money::token(&mut world, "dollar");
    let both = [Money::Sol, token];
    configure(&mut world, &both);
    let (alice, bob) = (world.wallet("alice"), world.wallet("bob"));
    token.give(&mut world, &alice.pubkey(), 0);
    let half = DEFAULT_TOTAL_SHARES / 2;
    let scene = Scene::new(&mut world, "digits", &[(alice.pubkey(), half), (bob.pubkey(), half)], &both);
    let two_holders = both.map(|money| cost_of_a_claim(&mut world, &scene, money));
    assert!(two_holders.iter().all(|cost| cost.total <= LIMIT), "{two_holders:?}");

    // Bob gives some of his half to 9,998 others; each position opens by a transfer of its own.
    let transfers: Vec<_> = (2..HOLDERS)
        .map(|n| {
            let recipient = Address::new_from_array(sha256(&[b"holder", &n.to_le_bytes()]));
            transfer_shares(&bob.pubkey(), &recipient, &scene.pool, 1 + n % 7, &both)
        })
        .collect();
    for batch in transfers.chunks(BATCH) {
        world.accept(batch, &[&bob]);
    }
    let positions = world.svm.accounts_db().inner.values();
    let positions = positions.filter(|account| account.data().starts_with(Position::DISCRIMINATOR)).count();
    assert_eq!(positions as u64, HOLDERS);
    let ten_thousand_holders = both.map(|money| cost_of_a_claim(&mut world, &scene, money));
    assert_eq!(ten_thousand_holders, two_holders);
}

#[test]
fn a_claim_stays_within_its_limit_where_the_classic_token_program_runs() {
    let mut world = World::with_classic_token();
    let money = Money::token(&mut world, "dollar");
    configure(&mut world, &[money]);
    let alice = world.wallet("alice");
    money.give(&mut world, &alice.pubkey(), 0);
    let scene = Scene::new(&mut world, "digits", &[(alice.pubkey(), DEFAULT_TOTAL_SHARES)], &[money]);
    let cost = cost_of_a_claim(&mut world, &scene, money);
    assert!(cost.total <= LIMIT, "a claim costs {}", cost.total);
}
