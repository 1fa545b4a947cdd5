//! `inherit`: licences that bind every descendant.

use provena_registry::{
    LicenceTerms, client,
    constants::{MAX_INHERITED, uses},
    error::RegistryError,
    state::{AssetKind, EdgeKind},
};
use provena_tests::{
    World,
    registry::{Building, PERCENT, Registered, claim, dataset, draft, prepare, terms, world},
};
use solana_signer::Signer;

/// Terms that bind every descendant.
fn absolute(bps: u16) -> LicenceTerms {
    LicenceTerms { absolute: true, ..terms(bps) }
}

/// A model built on these, under licence 1 of each, with everything inherited; every pool named gets its per cents. Its own
/// licence 1 has these terms.
fn built(
    world: &mut World,
    name: &str,
    parents: &[&Registered],
    pools: &[(&Registered, u64)],
    own: LicenceTerms,
) -> Registered {
    let holders: Vec<_> = pools.iter().map(|(ancestor, percent)| (ancestor.pool, percent * PERCENT)).collect();
    let building = Building::begin(world, name, &holders);
    for parent in parents {
        building.add(world, parent);
    }
    building.inherit_all(world);
    let registered = building.seal(world);
    registered.publish(world, 1, own);
    registered
}

/// A dataset whose licence 1 binds every descendant, and asks for so much.
fn root(world: &mut World, name: &str, bps: u16) -> Registered {
    let (creator, mint) = prepare(world, "curator", name, &[]);
    let new = draft(AssetKind::Dataset, &creator, &mint);
    let registered = provena_tests::registry::register(world, &new, creator, mint);
    registered.publish(world, 1, absolute(bps));
    registered
}

/// A root whose licence binds everybody, and a model of it whose licence binds its own derivatives alone.
fn two_generations() -> (World, Registered, Registered) {
    let mut world = world();
    let root = root(&mut world, "root", 500);
    let model = built(&mut world, "model", &[&root], &[(&root, 5)], terms(1_000));
    (world, root, model)
}

#[test]
fn a_grandchild_owes_what_the_root_asks_of_everybody() {
    let (mut world, root, model) = two_generations();
    let child = built(&mut world, "child", &[&model], &[(&model, 10), (&root, 5)], terms(100));
    let state = child.state(&world);
    assert_eq!((state.direct_parents, state.inherited_parents, state.absolute_parents, state.pending), (1, 1, 1, 0));
    let (lineage, edges) = child.lineage(&world);
    assert_eq!((lineage.direct, lineage.inherited), (1, 1));
    assert_eq!((edges[0].parent, edges[0].bps, edges[0].kind), (model.asset, 1_000, EdgeKind::Direct as u8));
    assert_eq!((edges[1].parent, edges[1].bps, edges[1].kind), (root.asset, 500, EdgeKind::Inherited as u8));
    assert_eq!((edges[1].pool, edges[1].licence, edges[1].since, edges[1].absolute), (root.pool, 1, 1, 1));
    // What binds direct derivatives alone goes no further: the model's own terms do not pass.
    let grandchild = built(&mut world, "grandchild", &[&child], &[(&child, 1), (&root, 5)], terms(0));
    let parents: Vec<_> = grandchild.lineage(&world).1.iter().map(|edge| edge.parent).collect();
    assert_eq!(parents, [child.asset, root.asset]);
}

#[test]
fn one_step_is_not_enough_where_something_is_inherited() {
    let (mut world, root, model) = two_generations();
    let holders = [(model.pool, 10 * PERCENT), (root.pool, 5 * PERCENT)];
    let (creator, mint) = prepare(&mut world, "trainer", "child", &holders);
    let mut new = draft(AssetKind::Model, &creator, &mint);
    claim(&mut world, &creator, &new.content);
    new.parents = vec![model.as_parent(1)];
    world.refuses(&[new.instruction()], &[&creator, &mint], RegistryError::InheritanceDue);
}

#[test]
fn a_step_left_out_or_repeated_is_refused() {
    let (mut world, root, model) = two_generations();
    let building = Building::begin(&mut world, "child", &[(model.pool, 10 * PERCENT), (root.pool, 5 * PERCENT)]);
    let creator = &building.creator;
    building.add(&mut world, &model);
    let signers = [creator, &building.mint];
    world.refuses(&building.sealing(), &signers, RegistryError::InheritanceDue);
    let inheriting = building.inheriting(&world, &model, 1);
    let nothing = building.inheriting(&world, &model, 0);
    world.refuses(&[nothing], &[creator], RegistryError::NothingToInherit);
    world.accept(std::slice::from_ref(&inheriting), &[creator]);
    world.refuses(&[inheriting], &[creator], RegistryError::NothingToInherit);
    world.accept(&building.sealing(), &signers);
}

#[test]
fn inherit_rejects_accounts_that_do_not_belong_together() {
    let (mut world, root, model) = two_generations();
    let other = root_with_child(&mut world);
    let building = Building::begin(&mut world, "child", &[(model.pool, 10 * PERCENT), (root.pool, 5 * PERCENT)]);
    building.add(&mut world, &model);
    let payer = building.creator.pubkey();
    let sound = building.inheriting(&world, &model, 1);
    let signers = [&building.creator];
    let with = |at: usize, address| {
        let mut instruction = sound.clone();
        instruction.accounts[at].pubkey = address;
        instruction
    };
    let lineage_of = |asset: &Registered| provena_registry::pda::lineage(&asset.asset).0;
    world.refuses(&[with(2, lineage_of(&other))], &signers, RegistryError::WrongLineage);
    world.refuses(&[with(4, lineage_of(&other))], &signers, RegistryError::WrongLineage);
    world.refuses(&[with(3, model.pool)], &signers, RegistryError::WrongPool);
    let others = provena_royalty::pda::position(&building.pool(), &model.pool).0;
    world.refuses(&[with(6, others)], &signers, RegistryError::WrongPosition);
    let mut missing = sound.clone();
    missing.accounts.pop();
    world.refuses(&[missing], &signers, RegistryError::WrongParentAccounts);
    let mut surplus = sound.clone();
    surplus.accounts.push(surplus.accounts[6].clone());
    world.refuses(&[surplus], &signers, RegistryError::WrongParentAccounts);
    let mint = building.mint.pubkey();
    let no_edge = client::inherit(&payer, &mint, &model.asset, 1, 1, &[]);
    world.refuses(&[no_edge], &signers, RegistryError::NothingToInherit);
    // A stranger may pay for it: nothing can be chosen.
    let stranger = world.wallet("stranger");
    let helping = provena_tests::registry::building::inheriting(&world, &stranger.pubkey(), &mint, &model.asset, 9);
    world.accept(&[helping], &[&stranger]);
    building.seal(&mut world);
}

fn root_with_child(world: &mut World) -> Registered {
    let root = root(world, "other root", 100);
    built(world, "other model", &[&root], &[(&root, 1)], terms(0))
}

#[test]
fn inherit_rejects_a_pool_that_gives_the_ancestor_too_little() {
    let (mut world, root, model) = two_generations();
    let holders = [(model.pool, 10 * PERCENT), (root.pool, 5 * PERCENT - 1)];
    let building = Building::begin(&mut world, "child", &holders);
    building.add(&mut world, &model);
    let inheriting = building.inheriting(&world, &model, 1);
    world.refuses(&[inheriting], &[&building.creator], RegistryError::ParentShareMissing);
}

#[test]
fn an_ancestor_reached_twice_is_paid_once_at_the_highest_rate() {
    let mut world = world();
    let root = root(&mut world, "root", 500);
    root.publish(&mut world, 2, LicenceTerms { uses: uses::ALL ^ 8, ..absolute(700) });
    let left = built(&mut world, "left", &[&root], &[(&root, 5)], terms(1_000));
    let right = {
        let building = Building::begin(&mut world, "right", &[(root.pool, 7 * PERCENT)]);
        let adding = building.parent(&world, &root, 2).instruction();
        world.accept(&[adding], &[&building.creator]);
        building.seal(&mut world)
    };
    right.publish(&mut world, 1, LicenceTerms { uses: uses::ALL ^ 8, ..terms(1_000) });
    for order in [[&left, &right], [&right, &left]] {
        let name = if order[0].asset == left.asset { "left first" } else { "right first" };
        let pools = [(&left, 10), (&right, 10), (&root, 7)];
        let child = built(&mut world, name, &order, &pools, LicenceTerms { uses: 1 | 2, ..terms(0) });
        let (_, edges) = child.lineage(&world);
        assert_eq!(edges.len(), 3);
        let edge = edges.iter().find(|edge| edge.parent == root.asset).expect("it is inherited");
        assert_eq!((edge.bps, edge.uses), (700, uses::ALL ^ 8));
        assert_eq!(child.state(&world).uses, uses::ALL ^ 8);
    }
    // With the shares that the lower rate would need, the higher one is refused.
    let holders = [(left.pool, 10 * PERCENT), (right.pool, 10 * PERCENT), (root.pool, 6 * PERCENT)];
    let building = Building::begin(&mut world, "cheap", &holders);
    building.add(&mut world, &left);
    building.add(&mut world, &right);
    let cheap = building.inheriting(&world, &left, 1);
    world.accept(&[cheap], &[&building.creator]);
    let dear = building.inheriting(&world, &right, 1);
    world.refuses(&[dear], &[&building.creator], RegistryError::ParentShareMissing);
}

#[test]
fn a_direct_parent_that_is_inherited_as_well_is_named_once() {
    let (mut world, root, model) = two_generations();
    let pools = [(&model, 10), (&root, 5)];
    let child = built(&mut world, "child", &[&root, &model], &pools, terms(0));
    let (lineage, edges) = child.lineage(&world);
    assert_eq!((lineage.direct, lineage.inherited, edges.len()), (2, 0, 2));
    // The other way round it is refused: what is inherited is in the lineage already.
    let building = Building::begin(&mut world, "late", &[(model.pool, 10 * PERCENT), (root.pool, 5 * PERCENT)]);
    building.add(&mut world, &model);
    building.inherit_all(&mut world);
    let adding = building.parent(&world, &root, 1).instruction();
    world.refuses(&[adding], &[&building.creator], RegistryError::DuplicateParent);
}

/// Thirty-two ancestors are inherited and one is direct; the next generation would inherit thirty-three.
#[test]
fn a_chain_of_thirty_three_is_as_deep_as_it_gets() {
    let mut world = world();
    let mut chain = vec![root(&mut world, "generation 0", 100)];
    for generation in 1..=MAX_INHERITED + 1 {
        let holders: Vec<_> = chain.iter().map(|ancestor| (ancestor.pool, PERCENT)).collect();
        let building = Building::begin(&mut world, &format!("generation {generation}"), &holders);
        building.add(&mut world, chain.last().expect("there is a root"));
        building.inherit_all(&mut world);
        let next = building.seal(&mut world);
        next.publish(&mut world, 1, absolute(100));
        chain.push(next);
    }
    let last = chain.last().expect("there are many");
    let state = last.state(&world);
    assert_eq!((state.direct_parents, usize::from(state.inherited_parents)), (1, MAX_INHERITED));
    assert_eq!(last.lineage(&world).1.iter().map(|edge| u32::from(edge.bps)).sum::<u32>(), 3_300);

    let holders: Vec<_> = chain.iter().map(|ancestor| (ancestor.pool, PERCENT)).collect();
    let building = Building::begin(&mut world, "too deep", &holders);
    building.add(&mut world, last);
    for _ in 0..MAX_INHERITED {
        let one = building.inheriting(&world, last, 1);
        world.accept(&[one], &[&building.creator]);
    }
    let one_more = building.inheriting(&world, last, 1);
    world.refuses(&[one_more], &[&building.creator], RegistryError::TooManyAncestors);
}

/// A dataset without parents has nothing to pass on, whatever its licence says.
#[test]
fn what_binds_everybody_is_still_one_step_for_the_first_derivative() {
    let mut world = world();
    let parent = dataset(&mut world, "digits", &[]);
    parent.publish(&mut world, 2, absolute(1_000));
    let (creator, mint) = prepare(&mut world, "trainer", "classifier", &[(parent.pool, 10 * PERCENT)]);
    let mut new = draft(AssetKind::Model, &creator, &mint);
    new.parents = vec![parent.as_parent(2)];
    let model = provena_tests::registry::register(&mut world, &new, creator, mint);
    assert_eq!(model.state(&world).absolute_parents, 1);
}
