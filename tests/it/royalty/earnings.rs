//! Who earns what along a lineage: what the clients say is what the program pays.

use std::collections::BTreeMap;

use anchor_lang::prelude::Address;
use provena_royalty::{
    client::{self, PoolShares, earnings, sweep_path},
    error::RoyaltyError,
};
use provena_tests::{
    World,
    random::Random,
    royalty::{Scene, Terms, configure, holders},
    tokens::Money,
    world::keypair,
};
use solana_signer::Signer;

/// Compute units that four sweeps along a path may cost.
const MOST_FOR_A_PATH: u64 = 16_000;

/// Pools, each of which holds shares of some that follow, and the shares of all of them.
fn random_lineage(world: &mut World, random: &mut Random, money: Money) -> (Vec<Scene>, BTreeMap<Address, PoolShares>) {
    let (mut scenes, mut known): (Vec<Scene>, _) = (Vec::new(), BTreeMap::new());
    for number in 0..6 {
        let total: u64 = [7, 100, 1_009, 1_000_000_000][random.below(4)];
        let mut left = total;
        let mut shares: Vec<(Address, u64)> = Vec::new();
        for ancestor in &scenes {
            let part = (random.word() % total.div_ceil(3)).min(left);
            if part > 0 && random.below(3) > 0 {
                shares.push((ancestor.pool, part));
                left -= part;
            }
        }
        let friend = random.word() % (left + 1);
        let wallets = [(format!("friend {}", random.below(3)), friend), (format!("creator {number}"), left - friend)];
        shares.extend(wallets.iter().filter(|(_, part)| *part > 0).map(|(name, part)| (keypair(name).pubkey(), *part)));
        let terms = Terms { total_shares: total, window: 0, holders: &holders(&shares) };
        let scene = Scene::with_terms(world, &format!("asset {number}"), &terms, &[money]);
        known.insert(scene.pool, PoolShares { total, holders: shares });
        scenes.push(scene);
    }
    (scenes, known)
}

/// Sweeps in random order until nothing moves any more.
fn sweep_all(
    world: &mut World,
    random: &mut Random,
    scenes: &[Scene],
    known: &BTreeMap<Address, PoolShares>,
    money: Money,
) {
    let mut edges: Vec<(Address, Address)> = Vec::new();
    for (child, shares) in known {
        edges.extend(
            shares.holders.iter().filter(|(holder, _)| known.contains_key(holder)).map(|(parent, _)| (*child, *parent)),
        );
    }
    loop {
        let held = |world: &World| scenes.iter().map(|scene| scene.books(world, money).received).collect::<Vec<_>>();
        let before = held(world);
        for _ in 0..edges.len() {
            let at = random.below(edges.len());
            let last = edges.len() - 1;
            edges.swap(at, last);
        }
        for (child, parent) in &edges {
            world.accept(&[client::sweep(child, parent, money.currency())], &[]);
        }
        if held(world) == before {
            return;
        }
    }
}

#[test]
fn what_is_said_of_one_payment_is_what_the_program_pays_whatever_the_order() {
    for seed in 0..12 {
        let mut random = Random(seed);
        let mut world = World::new();
        let token = Money::token(&mut world, "dollar");
        let money = if seed % 2 == 0 { Money::Sol } else { token };
        configure(&mut world, &[token]);
        let (scenes, known) = random_lineage(&mut world, &mut random, money);
        let paid = [1, 999, 1_000_000_007][random.below(3)];
        let youngest = scenes.last().expect("there are six");
        let said = earnings(&known, &youngest.pool, paid).expect("it flows");
        youngest.deposit(&mut world, money, paid);
        sweep_all(&mut world, &mut random, &scenes, &known, money);
        let mut kept = 0;
        for earning in said.iter().filter(|earning| !known.contains_key(&earning.holder)) {
            let scene = scenes.iter().find(|scene| scene.pool == earning.pool).expect("it is known");
            assert_eq!(scene.owed(&world, &earning.holder, money), earning.amount, "seed {seed}");
            kept += earning.amount;
        }
        // A position loses less than a unit; nothing is made.
        let positions = known.values().map(|pool| pool.holders.len() as u64).sum::<u64>();
        assert!(kept <= paid && paid - kept < positions, "seed {seed}: {kept} of {paid}");
    }
}

#[test]
fn an_ancestor_gets_its_part_of_everything_that_reaches_it() {
    let [root, middle, leaf] = ["root", "middle", "leaf"].map(|name| keypair(name).pubkey());
    let [ada, bob, cleo] = ["ada", "bob", "cleo"].map(|name| keypair(name).pubkey());
    let known = BTreeMap::from([
        (root, PoolShares { total: 100, holders: vec![(ada, 100)] }),
        (middle, PoolShares { total: 100, holders: vec![(root, 10), (bob, 90)] }),
        (leaf, PoolShares { total: 100, holders: vec![(middle, 20), (root, 5), (cleo, 75)] }),
    ]);
    let of = |holder: Address, pool: Address| {
        let said = earnings(&known, &leaf, 1_000_000_000).expect("it flows");
        said.into_iter().find(|one| one.holder == holder && one.pool == pool).expect("it holds shares").amount
    };
    // A fifth to the middle, of which a tenth to the root, and a twentieth to the root at once.
    assert_eq!((of(cleo, leaf), of(middle, leaf), of(root, leaf)), (750_000_000, 200_000_000, 50_000_000));
    assert_eq!((of(bob, middle), of(root, middle), of(ada, root)), (180_000_000, 20_000_000, 70_000_000));
    let stranger = keypair("stranger").pubkey();
    assert_eq!(earnings(&known, &stranger, 1), Err(RoyaltyError::WrongPool.into()));
}

#[test]
fn money_in_a_circle_comes_to_rest_unless_nobody_takes_any() {
    let [one, other] = ["one", "other"].map(|name| keypair(name).pubkey());
    let ada = keypair("ada").pubkey();
    let circle = |part: u64| {
        let second = if part < 100 { vec![(one, part), (ada, 100 - part)] } else { vec![(one, part)] };
        let known = BTreeMap::from([
            (one, PoolShares { total: 100, holders: vec![(other, 100)] }),
            (other, PoolShares { total: 100, holders: second }),
        ]);
        earnings(&known, &one, 1_000_000)
    };
    let said = circle(50).expect("it comes to rest");
    let adas = said.iter().find(|earning| earning.holder == ada).expect("she holds shares").amount;
    assert!((999_998..=1_000_000).contains(&adas), "{adas}");
    assert_eq!(circle(100), Err(RoyaltyError::BrokenInvariant.into()));
}

#[test]
fn a_path_of_four_steps_is_swept_in_one_transaction() {
    for kind in 0..2 {
        let mut world = World::new();
        let token = Money::token(&mut world, "dollar");
        let money = [Money::Sol, token][kind];
        configure(&mut world, &[token]);
        let mut path: Vec<Scene> = Vec::new();
        for generation in 0..5 {
            let mut shares: Vec<_> = path.last().map(|parent| (parent.pool, 50)).into_iter().collect();
            shares.push((keypair("holder").pubkey(), 100 - 50 * shares.len() as u64));
            let terms = Terms { total_shares: 100, window: 0, holders: &holders(&shares) };
            path.push(Scene::with_terms(&mut world, &format!("generation {generation}"), &terms, &[money]));
        }
        path.reverse();
        path[0].deposit(&mut world, money, 8_000);
        let pools: Vec<Address> = path.iter().map(|scene| scene.pool).collect();
        let sweeps = sweep_path(&pools, money.currency());
        assert_eq!(sweeps.len(), 4);
        let cost = world.accept(&sweeps, &[]).compute_units_consumed;
        println!("a path of four steps in {money:?}: {cost} compute units");
        assert!(cost <= MOST_FOR_A_PATH, "{cost}");
        assert_eq!(path[4].owed(&world, &keypair("holder").pubkey(), money), 500);
    }
}
