//! A claim costs the same for two holders and for ten thousand.

use provena_royalty::DEFAULT_TOTAL_SHARES;
use provena_tests::{
    Cost, World,
    royalty::{Scene, claim, configure, transfer_shares},
    tokens::Money,
    world::keypair,
};
use solana_signer::Signer;

const HOLDERS: usize = 10_000;
/// What a claim may cost with every called program.
const LIMIT: u64 = 7_000;

fn cost_of_a_claim(world: &mut World, scene: &Scene, money: Money) -> Cost {
    let alice = keypair("alice");
    scene.deposit(world, money, 1_000_000_000);
    world.measure(&[claim(&alice.pubkey(), &scene.pool, money)], &[&alice])
}

fn check(mut world: World, money: Money) {
    configure(&mut world, &[money]);
    let (alice, bob) = (world.wallet("alice"), world.wallet("bob"));
    money.give(&mut world, &alice.pubkey(), 0);
    let half = DEFAULT_TOTAL_SHARES / 2;
    let scene = Scene::new(&mut world, "digits", &[(alice.pubkey(), half), (bob.pubkey(), half)], &[money]);
    let first = cost_of_a_claim(&mut world, &scene, money);
    assert!(first.total <= LIMIT, "a claim costs {}", first.total);
    assert_eq!(cost_of_a_claim(&mut world, &scene, money), first, "a later claim costs what the first did");

    // Bob's half goes to 9,998 others; each position opens by a transfer of its own.
    world.add_lamports(&bob.pubkey(), 100_000_000_000);
    for n in 2..HOLDERS {
        let recipient = keypair(&format!("holder {n}")).pubkey();
        let shares = 1 + n as u64 % 7;
        world.accept(&[transfer_shares(&bob.pubkey(), &recipient, &scene.pool, shares, &[money])], &[&bob]);
    }
    assert_eq!(cost_of_a_claim(&mut world, &scene, money), first, "holders make claims dearer");
}

#[test]
fn a_claim_of_sol_costs_the_same_for_two_and_ten_thousand_holders() {
    check(World::new(), Money::Sol);
}

#[test]
fn a_claim_of_tokens_costs_the_same_for_two_and_ten_thousand_holders() {
    let mut world = World::new();
    let money = Money::token(&mut world, "dollar");
    check(world, money);
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
