//! `add_parent` to the next version of an asset.

use provena_common::error::CommonError;
use provena_registry::{
    LicenceTerms,
    client::{self, NewParent},
    constants::pause,
    error::RegistryError,
};
use provena_tests::{
    World,
    registry::{
        Building, PERCENT, RECIPE, Registered, building::later_parent, claim, content, dataset, model, sell, terms,
        world,
    },
};
use solana_instruction::Instruction;
use solana_signer::Signer;

/// `transfer_shares` of some per cents from the child's creator to the parent's pool.
fn funding(child: &Registered, parent: &Registered, percent: u64) -> Instruction {
    let creator = child.creator.pubkey();
    provena_royalty::client::transfer_shares(&creator, &parent.pool, &child.pool, percent * PERCENT)
}

fn second_version(world: &mut World, child: &Registered, n: u32) -> Instruction {
    let new = content(&format!("version {n} of {}", child.asset));
    claim(world, &child.creator, &new);
    client::add_version(&child.creator.pubkey(), &child.mint.pubkey(), &child.nft(), n, new, Some(RECIPE))
}

#[test]
fn a_version_can_add_parents_out_of_its_owners_shares() {
    let mut world = world();
    let child = model(&mut world, "classifier", &[]);
    let parent = dataset(&mut world, "later digits", &[]);
    let add = later_parent(&world, &child, &parent).instruction();
    let signers = [&child.creator];
    world.refuses(
        std::slice::from_ref(&add),
        &signers,
        solana_instruction_error::InstructionError::UninitializedAccount,
    );
    world.accept(&[funding(&child, &parent, 10)], &signers);
    world.accept(std::slice::from_ref(&add), &signers);
    world.refuses(&[add], &signers, RegistryError::DuplicateParent);
    let (lineage, edges) = child.lineage(&world);
    assert_eq!((lineage.direct, lineage.registrant), (1, Default::default()));
    assert_eq!((edges[0].parent, edges[0].since, edges[0].bps), (parent.asset, 2, 1_000));
    let next = second_version(&mut world, &child, 2);
    world.accept(&[next], &signers);
    let state = child.state(&world);
    assert_eq!((state.latest, state.direct_parents), (2, 1));
    // What it owes cannot be given back: nobody signs for the parent's pool.
    let position = provena_royalty::pda::position(&child.pool, &parent.pool).0;
    let held: provena_royalty::state::Position = world.state(&position);
    assert_eq!((held.holder, held.shares), (parent.pool, 10 * PERCENT));
}

#[test]
fn only_the_nfts_holder_adds_parents() {
    let mut world = world();
    let child = model(&mut world, "classifier", &[]);
    let parent = dataset(&mut world, "digits", &[]);
    world.accept(&[funding(&child, &parent, 10)], &[&child.creator]);
    let add = later_parent(&world, &child, &parent);
    let buyer = world.wallet("buyer");
    let nft = sell(&mut world, &child, &buyer);
    world.refuses(&[add.instruction()], &[&child.creator], CommonError::NotNftHolder);
    let theirs = NewParent { builder: buyer.pubkey(), nft: Some(nft), ..add.clone() };
    // Without naming an NFT it would have to be a draft.
    let draft = NewParent { nft: None, ..theirs.clone() };
    world.refuses(&[draft.instruction()], &[&buyer], RegistryError::NotDraft);
    let authority = world.wallet("registry authority");
    world.accept(&[client::set_pause(&authority.pubkey(), pause::ADD_VERSION)], &[&authority]);
    world.refuses(&[theirs.instruction()], &[&buyer], CommonError::Paused);
    world.accept(&[client::set_pause(&authority.pubkey(), 0)], &[&authority]);
    world.accept(&[theirs.instruction()], &[&buyer]);
}

/// Whoever adds such a parent and sells the NFT would leave a version behind that waits for shares which the buyer does not have.
#[test]
fn a_later_version_takes_no_parent_that_passes_ancestors_on() {
    let mut world = world();
    let root = dataset(&mut world, "root", &[]);
    root.publish(&mut world, 2, LicenceTerms { absolute: true, ..terms(500) });
    let building = Building::begin(&mut world, "middle", &[(root.pool, 5 * PERCENT)]);
    let add = building.parent(&world, &root, 2).instruction();
    world.accept(&[add], &[&building.creator]);
    let middle = building.seal(&mut world);
    middle.publish(&mut world, 1, terms(1_000));

    let child = model(&mut world, "child", &[]);
    let signers = [&child.creator];
    world.accept(&[funding(&child, &middle, 10), funding(&child, &root, 5)], &signers);
    let add = later_parent(&world, &child, &middle).instruction();
    world.refuses(&[add], &signers, RegistryError::InheritanceDue);
    // The root itself can be one, and then there is nothing left to inherit.
    let mut add = later_parent(&world, &child, &root);
    add.parent.licence = 2;
    world.accept(&[add.instruction()], &signers);
    let inherit = client::inherit(&child.creator.pubkey(), &child.mint.pubkey(), &middle.asset, 0, 1, &[]);
    world.refuses(&[inherit], &signers, RegistryError::NotDraft);
    let next = second_version(&mut world, &child, 2);
    world.accept(&[next], &signers);
}

/// What a parent takes on for its second version does not bind who built on its first.
#[test]
fn later_parents_bind_later_children_alone() {
    let mut world = world();
    let root = dataset(&mut world, "root", &[]);
    root.publish(&mut world, 2, LicenceTerms { absolute: true, ..terms(500) });
    let parent = model(&mut world, "parent", &[]);
    let signers = [&parent.creator];
    world.accept(&[funding(&parent, &root, 5)], &signers);
    let mut add = later_parent(&world, &parent, &root);
    add.parent.licence = 2;
    world.accept(&[add.instruction()], &signers);
    let next = second_version(&mut world, &parent, 2);
    world.accept(&[next], &signers);

    let first = Building::begin(&mut world, "on version 1", &[(parent.pool, 10 * PERCENT)]);
    first.add(&mut world, &parent);
    first.inherit_all(&mut world);
    let first = first.seal(&mut world);
    assert_eq!(first.lineage(&world).1.len(), 1);

    let second = Building::begin(&mut world, "on version 2", &[(parent.pool, 10 * PERCENT), (root.pool, 5 * PERCENT)]);
    let mut add = second.parent(&world, &parent, 1);
    add.parent.version = 2;
    world.accept(&[add.instruction()], &[&second.creator]);
    second.inherit_all(&mut world);
    let second = second.seal(&mut world);
    assert_eq!(second.lineage(&world).1.len(), 2);
}

#[test]
fn add_parent_rejects_cycles() {
    let mut world = world();
    let elder = model(&mut world, "elder", &[]);
    let younger = model(&mut world, "younger", &[(&elder, 1_000)]);
    let signers = [&elder.creator];
    world.accept(&[funding(&elder, &younger, 10)], &signers);
    let add = later_parent(&world, &elder, &younger);
    world.refuses(&[add.instruction()], &signers, RegistryError::Cycle);
    // The parent's lineage must be shown where it has one, and is no other's.
    let hidden = NewParent { derived: false, ..add.clone() };
    world.refuses(&[hidden.instruction()], &signers, RegistryError::WrongLineage);
    let other = model(&mut world, "other", &[(&elder, 1_000)]);
    let mut wrong = add.instruction();
    wrong.accounts[7].pubkey = provena_registry::pda::lineage(&other.asset).0;
    world.refuses(&[wrong], &signers, RegistryError::WrongLineage);
}

/// Also where the parent has it of an ancestor.
#[test]
fn add_parent_rejects_a_cycle_through_an_inherited_ancestor() {
    let mut world = world();
    let elder = model(&mut world, "elder", &[]);
    elder.publish(&mut world, 2, LicenceTerms { absolute: true, ..terms(500) });
    let building = Building::begin(&mut world, "middle", &[(elder.pool, 5 * PERCENT)]);
    let add = building.parent(&world, &elder, 2).instruction();
    world.accept(&[add], &[&building.creator]);
    let middle = building.seal(&mut world);
    middle.publish(&mut world, 1, terms(1_000));
    let building = Building::begin(&mut world, "younger", &[(middle.pool, 10 * PERCENT), (elder.pool, 5 * PERCENT)]);
    building.add(&mut world, &middle);
    building.inherit_all(&mut world);
    let younger = building.seal(&mut world);
    younger.publish(&mut world, 1, terms(1_000));
    let signers = [&elder.creator];
    world.accept(&[funding(&elder, &younger, 10)], &signers);
    world.refuses(&[later_parent(&world, &elder, &younger).instruction()], &signers, RegistryError::Cycle);
}
