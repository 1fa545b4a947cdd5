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

/// Thirty-three generations, of which each holds a part of all that follow: a great many ways lead to the first.
#[test]
fn a_deep_lineage_is_divided_at_once() {
    let pools: Vec<Address> = (0..33).map(|n| keypair(&format!("generation {n}")).pubkey()).collect();
    let known: BTreeMap<Address, PoolShares> = (0u64..)
        .zip(&pools)
        .map(|(n, pool)| {
            let ancestors = pools.iter().take_while(|ancestor| *ancestor != pool).map(|ancestor| (*ancestor, 3));
            let owner = (keypair(&format!("owner {n}")).pubkey(), 100 - 3 * n);
            (*pool, PoolShares { total: 100, holders: ancestors.chain([owner]).collect() })
        })
        .collect();
    let said = earnings(&known, &pools[32], 1_000_000_000_000).expect("it flows");
    let kept: u64 = said.iter().filter(|one| !known.contains_key(&one.holder)).map(|one| one.amount).sum();
    assert!((1_000_000_000_000 - 33 * 33..=1_000_000_000_000).contains(&kept), "{kept}");
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

/// The example of `docs/ROYALTIES.md`: shares of each pool, and what everybody gets.
struct Example {
    pools: Vec<(String, Vec<(String, u64)>)>,
    paid: u64,
    gets: Vec<(String, u64)>,
}

impl Example {
    fn read() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/ROYALTIES.md");
        let page = std::fs::read_to_string(path).expect("docs/ROYALTIES.md exists");
        let block = page.split("```text\nshares\n").nth(1).and_then(|rest| rest.split("```").next());
        let (pools, gets) = block.and_then(|block| block.split_once("\n\n")).expect("it has an example");
        let named = |text: &str| {
            let (name, number) = text.trim().rsplit_once(' ').expect("a name and a number");
            (name.trim().to_owned(), number.parse().expect("a number"))
        };
        let pool = |line: &str| {
            let (pool, holders) = line.split_once(' ').expect("a pool and its holders");
            (pool.to_owned(), holders.split(',').map(named).collect())
        };
        let (first, rest) = gets.split_once('\n').expect("what reaches which pool");
        let paid = first.split(' ').next().and_then(|word| word.parse().ok()).expect("an amount");
        Self { pools: pools.lines().map(pool).collect(), paid, gets: rest.lines().map(named).collect() }
    }
}

#[test]
fn the_worked_example_of_the_document_is_what_the_program_pays() {
    let example = Example::read();
    let mut world = World::new();
    configure(&mut world, &[]);
    let (mut scenes, mut known) = (Vec::<Scene>::new(), BTreeMap::new());
    let names: Vec<&String> = example.pools.iter().map(|(name, _)| name).collect();
    for (name, holding) in &example.pools {
        let shares: Vec<(Address, u64)> = holding
            .iter()
            .map(|(holder, part)| {
                let pool = names.iter().position(|name| *name == holder);
                (pool.map_or_else(|| keypair(holder).pubkey(), |at| scenes[at].pool), *part)
            })
            .collect();
        let terms = Terms { total_shares: 100, window: 0, holders: &holders(&shares) };
        let scene = Scene::with_terms(&mut world, name, &terms, &[]);
        known.insert(scene.pool, PoolShares { total: 100, holders: shares });
        scenes.push(scene);
    }
    assert_eq!((scenes.len(), example.gets.len()), (4, 5));
    scenes.last().expect("there are four").deposit(&mut world, Money::Sol, example.paid);
    sweep_all(&mut world, &mut Random(1), &scenes, &known, Money::Sol);
    for (who, amount) in &example.gets {
        let wallet = keypair(who).pubkey();
        let holding =
            scenes.iter().filter(|scene| known[&scene.pool].holders.iter().any(|(holder, _)| *holder == wallet));
        let owed: u64 = holding.map(|scene| scene.owed(&world, &wallet, Money::Sol)).sum();
        assert_eq!(owed, *amount, "{who}");
    }
}
