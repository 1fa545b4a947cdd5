//! Drafts, parents of every kind, and what they pass on.

use provena_registry::{LicenceTerms, Price, state::AssetKind};
use provena_tests::{
    Calls, World,
    market::open_books,
    registry::{Building, PERCENT, Registered, building::later_parent, claim, dataset, draft, model, prepare, terms},
    tokens::Money,
};
use solana_signer::Signer;

const TENTH: u64 = 10 * PERCENT;

/// Both programs' admin accounts and a token that may be paid in.
fn stage() -> (World, Money) {
    let mut world = World::new();
    let token = Money::token(&mut world, "dollar");
    provena_tests::royalty::configure(&mut world, &[token]);
    provena_tests::registry::configure(&mut world);
    (world, token)
}

pub(super) fn calls(calls: &mut dyn Calls) {
    four_parents_at_once(calls);
    four_parents_in_steps(calls);
    ancestors(calls);
    next_version(calls);
}

fn four_parents_at_once(calls: &mut dyn Calls) {
    let (mut world, _) = stage();
    let parents: Vec<_> = (0..4).map(|n| dataset(&mut world, &format!("digits {n}"), &[])).collect();
    let holders: Vec<_> = parents.iter().map(|parent| (parent.pool, TENTH)).collect();
    let (creator, mint) = prepare(&mut world, "trainer", "model of four", &holders);
    let mut new = draft(AssetKind::Model, &creator, &mint);
    new.parents = parents.iter().map(|parent| parent.as_parent(1)).collect();
    claim(&mut world, &creator, &new.content);
    calls.call("registry.register_model.four_parents", &mut world, &[new.instruction()], &[&creator, &mint]);
}

/// One free, one whose owner must consent, one paid in SOL and one in a token.
fn four_parents_in_steps(calls: &mut dyn Calls) {
    let (mut world, token) = stage();
    let parents: Vec<_> = (0..4).map(|n| dataset(&mut world, &format!("digits {n}"), &[])).collect();
    let [free, asking, sol, dollar] = [&parents[0], &parents[1], &parents[2], &parents[3]];
    asking.publish(&mut world, 2, LicenceTerms { consent: true, ..terms(1_000) });
    for (parent, money) in [(sol, Money::Sol), (dollar, token)] {
        let price = Some(Price { mint: money.mint(), amount: 1_000_000 });
        parent.publish(&mut world, 2, LicenceTerms { price, ..terms(1_000) });
    }
    open_books(&mut world, dollar, token);
    let holders: Vec<_> = parents.iter().map(|parent| (parent.pool, TENTH)).collect();
    let building = Building::prepare(&mut world, "model of four", &holders);
    token.give(&mut world, &building.creator.pubkey(), 2_000_000);
    let (creator, mint) = (&building.creator, &building.mint);
    calls.call("registry.begin_asset", &mut world, &[building.beginning()], &[creator, mint]);

    let adding = building.parent(&world, free, 1).instruction();
    calls.call("registry.add_parent", &mut world, &[adding], &[creator]);
    let mut consenting = building.parent(&world, asking, 2);
    consenting.parent = asking.as_consenting_parent(2);
    calls.call("registry.add_parent.consent", &mut world, &[consenting.instruction()], &[creator, &asking.creator]);
    let paying = building.paid_parent(&world, sol, 2, Money::Sol.currency()).instruction();
    calls.call("registry.add_parent.sol", &mut world, &[paying], &[creator]);
    let before = world.svm.clone();
    let paying = building.paid_parent(&world, dollar, 2, token.currency()).instruction();
    calls.call("registry.add_parent.token", &mut world, &[paying], &[creator]);
    let abandoning = building.abandoning(&world, &creator.pubkey());
    calls.call("registry.abandon_asset", &mut world, &[abandoning], &[creator]);

    world.svm = before;
    calls.call("registry.seal_asset", &mut world, &[building.new.sealing()], &[creator, mint]);
}

/// A chain of five, whose licences bind every descendant.
fn ancestors(calls: &mut dyn Calls) {
    let (mut world, _) = stage();
    let absolute = LicenceTerms { absolute: true, ..terms(100) };
    let mut chain: Vec<Registered> = Vec::new();
    for generation in 0..5 {
        let holders: Vec<_> = chain.iter().map(|ancestor| (ancestor.pool, PERCENT)).collect();
        let building = Building::begin(&mut world, &format!("generation {generation}"), &holders);
        if let Some(parent) = chain.last() {
            building.add(&mut world, parent);
            building.inherit_all(&mut world);
        }
        let next = building.seal(&mut world);
        next.publish(&mut world, 1, absolute);
        chain.push(next);
    }
    let holders: Vec<_> = chain.iter().map(|ancestor| (ancestor.pool, PERCENT)).collect();
    let building = Building::begin(&mut world, "last generation", &holders);
    let parent = chain.last().expect("there are five");
    building.add(&mut world, parent);
    let one = building.inheriting(&world, parent, 1);
    calls.call("registry.inherit", &mut world, &[one], &[&building.creator]);
    let three = building.inheriting(&world, parent, 3);
    calls.call("registry.inherit.three", &mut world, &[three], &[&building.creator]);
}

/// A parent with parents of its own, added to an asset that had none.
fn next_version(calls: &mut dyn Calls) {
    let (mut world, _) = stage();
    let root = dataset(&mut world, "root", &[]);
    let middle = model(&mut world, "middle", &[(&root, 1_000)]);
    let asset = model(&mut world, "classifier", &[]);
    let holder = asset.creator.pubkey();
    let funding = provena_royalty::client::transfer_shares(&holder, &middle.pool, &asset.pool, TENTH);
    world.accept(&[funding], &[&asset.creator]);
    let adding = later_parent(&world, &asset, &middle);
    calls.call("registry.add_parent.version", &mut world, &[adding.instruction()], &[&asset.creator]);
}
