//! `register_model`: what differs from a dataset.

use provena_registry::{
    client,
    error::RegistryError,
    pda,
    state::{AssetKind, EdgeKind, Version},
};
use provena_tests::registry::{claim, content, dataset, decode, draft, model, prepare, register, terms, world};
use solana_signer::Signer;

#[test]
fn register_model_records_the_recipe() {
    let mut world = world();
    let registered = model(&mut world, "classifier", &[]);
    assert_eq!(registered.state(&world).kind(), Ok(AssetKind::Model));
    let version: Version = decode(&world, &pda::version(&registered.asset, 1).0);
    assert_eq!((version.recipe_root, version.recipe_len), ([7; 32], 4_096));
}

#[test]
fn register_model_freezes_what_its_parents_granted() {
    let mut world = world();
    let (digits, more) = (dataset(&mut world, "digits", &[]), dataset(&mut world, "more digits", &[]));
    more.publish(&mut world, 7, terms(500));
    let holders = [(digits.pool, 200_000_000), (more.pool, 100_000_000)];
    let (creator, mint) = prepare(&mut world, "trainer", "classifier", &holders);
    let mut draft = draft(AssetKind::Model, &creator, &mint);
    draft.parents = vec![digits.as_parent(1), more.as_parent(7)];
    let registered = register(&mut world, &draft, creator, mint);

    assert_eq!(registered.state(&world).direct_parents, 2);
    let (lineage, edges) = registered.lineage(&world);
    assert_eq!((lineage.asset, lineage.direct, lineage.inherited), (registered.asset, 2, 0));
    let frozen: Vec<_> = edges.iter().map(|edge| (edge.parent, edge.pool, edge.licence, edge.bps)).collect();
    assert_eq!(frozen, [(digits.asset, digits.pool, 1, 1_000), (more.asset, more.pool, 7, 500)]);
    for edge in &edges {
        assert_eq!((edge.parent_version, edge.since, edge.kind), (1, 1, EdgeKind::Direct as u8));
    }
    let account = world.account(&pda::lineage(&registered.asset).0).expect("the lineage exists");
    assert_eq!(account.data.len(), 292);
    // Asset, version, content and lineage of two parents together.
    let parts = [
        registered.asset,
        pda::version(&registered.asset, 1).0,
        pda::content(&draft.content.root).0,
        pda::lineage(&registered.asset).0,
    ];
    let locked: u64 = parts.iter().map(|address| world.lamports(address)).sum();
    assert_eq!(locked, 8_880_960);
}

#[test]
fn register_model_rejects_an_empty_recipe() {
    let mut world = world();
    let (creator, mint) = prepare(&mut world, "trainer", "classifier", &[]);
    let mut draft = draft(AssetKind::Model, &creator, &mint);
    claim(&mut world, &creator, &draft.content);
    let sound = draft.recipe.expect("a model has a recipe");
    draft.recipe = Some(provena_registry::Recipe { root: [0; 32], ..sound });
    world.refuses(&[draft.instruction()], &[&creator, &mint], RegistryError::EmptyRecipe);
    draft.recipe = Some(provena_registry::Recipe { len: 0, ..sound });
    world.refuses(&[draft.instruction()], &[&creator, &mint], RegistryError::EmptyRecipe);
}

#[test]
fn add_version_of_a_model_needs_a_recipe() {
    let mut world = world();
    let registered = model(&mut world, "classifier", &[]);
    let next = content("classifier 2");
    claim(&mut world, &registered.creator, &next);
    let (holder, mint) = (registered.creator.pubkey(), registered.mint.pubkey());
    let add = client::add_version(&holder, &mint, &registered.nft(), 2, next, None);
    world.refuses(&[add], &[&registered.creator], RegistryError::EmptyRecipe);
}
