//! `register_model`: what differs from a dataset.

use provena_registry::{error::RegistryError, state::AssetKind};
use provena_tests::{
    World,
    registry::{Draft, dataset, model, prepare},
    royalty::configure,
    tokens::Money,
    world::keypair,
};
use solana_signer::Signer;

#[test]
fn register_model_freezes_its_parents() {
    let mut world = World::new();
    configure(&mut world, &[]);
    let digits = dataset(&mut world, "digits", &[], &[Money::Sol]);
    let more = dataset(&mut world, "more digits", &[], &[Money::Sol]);
    let registered = model(&mut world, "classifier", &[(&digits, 2_000), (&more, 1_000)], &[Money::Sol]);
    let asset = registered.state(&world);
    assert_eq!(asset.kind(), Some(AssetKind::Model));
    assert_eq!(asset.recipe_root, [7; 32]);
    let parents: Vec<_> = asset.parents().iter().map(|parent| (parent.asset, parent.pool, parent.bps)).collect();
    assert_eq!(parents, [(digits.asset, digits.pool, 2_000), (more.asset, more.pool, 1_000)]);
}

#[test]
fn register_model_rejects_an_empty_recipe_root() {
    let mut world = World::new();
    configure(&mut world, &[]);
    let (creator, mint) = prepare(&mut world, "trainer", "classifier", &[], &[]);
    let mut draft = Draft::new(AssetKind::Model, &creator.pubkey(), &mint.pubkey());
    draft.recipe_root = [0; 32];
    world.refuses(&[draft.instruction()], &[&creator, &mint], RegistryError::EmptyRecipeRoot);
}

#[test]
fn register_model_rejects_a_dataset_as_previous_version() {
    let mut world = World::new();
    configure(&mut world, &[]);
    let digits = dataset(&mut world, "digits", &[], &[]);
    let (creator, mint) = prepare(&mut world, "curator", "classifier", &[], &[]);
    let mut draft = Draft::new(AssetKind::Model, &creator.pubkey(), &mint.pubkey());
    draft.previous = Some(digits.asset);
    world.refuses(&[draft.instruction()], &[&creator, &mint], RegistryError::WrongPreviousKind);
}

#[test]
fn register_model_rejects_an_exhausted_version_number() {
    let mut world = World::new();
    configure(&mut world, &[]);
    let first = model(&mut world, "classifier", &[], &[]);
    let mut state = first.state(&world);
    state.version = u32::MAX;
    world.set_state(&first.asset, &state);
    let (creator, mint) = prepare(&mut world, "trainer", "classifier 2", &[], &[]);
    let mut draft = Draft::new(AssetKind::Model, &creator.pubkey(), &mint.pubkey());
    draft.previous = Some(first.asset);
    world.refuses(&[draft.instruction()], &[&creator, &mint], RegistryError::VersionOverflow);
}

#[test]
fn register_model_rejects_a_creator_who_cannot_pay() {
    let mut world = World::new();
    configure(&mut world, &[]);
    let (creator, mint) = prepare(&mut world, "trainer", "classifier", &[], &[]);
    let draft = Draft::new(AssetKind::Model, &creator.pubkey(), &mint.pubkey());
    let mut account = world.account(&creator.pubkey()).expect("the creator exists");
    account.lamports = 1_000_000;
    world.svm.set_account(creator.pubkey(), account).expect("the account is sound");
    // The System program's error for a lack of lamports.
    world.refuses(&[draft.instruction()], &[&creator, &mint], 1);
    assert!(world.account(&keypair("classifier").pubkey()).is_none(), "no mint was left behind");
}
