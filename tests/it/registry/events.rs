//! What the registry announces, read from the logs as indexers do.

use anchor_lang::prelude::Address;
use provena_registry::{
    client,
    events::{AssetRegistered, FloorRaised, LicencePublished, LicenceRetired, VersionAdded},
    pda,
    state::{AssetKind, Floor},
};
use provena_tests::{
    events::announces,
    registry::{PERCENT, RECIPE, claim, content, dataset, draft, prepare, terms, world},
    world::keypair,
};
use solana_signer::Signer;

#[test]
fn everything_that_changes_an_asset_is_announced() {
    let mut world = world();
    let digits = dataset(&mut world, "digits", &[]);
    let (creator, mint) = prepare(&mut world, "trainer", "classifier", &[(digits.pool, 20 * PERCENT)]);
    let mut draft = draft(AssetKind::Model, &creator, &mint);
    draft.parents = vec![digits.as_parent(1)];
    claim(&mut world, &creator, &draft.content);
    let done = world.accept(&[draft.instruction()], &[&creator, &mint]);
    let (asset, holder, mint) = (pda::asset(&mint.pubkey()).0, creator.pubkey(), mint.pubkey());
    let registered = AssetRegistered {
        asset,
        mint,
        creator: holder,
        content_root: draft.content.root,
        kind: 2,
        parents: 1,
        padding: [0; 6],
    };
    assert!(announces(&done.logs, &registered));

    let nft = pda::token_account(&holder, &mint);
    let second = content("classifier 2");
    claim(&mut world, &creator, &second);
    let adding = client::add_version(&holder, &mint, &nft, 2, second, Some(RECIPE));
    let done = world.accept(&[adding], &[&creator]);
    let added = VersionAdded { asset, content_root: second.root, n: 2, padding: [0; 4] };
    assert!(announces(&done.logs, &added));

    let dollar = keypair("dollar").pubkey();
    let floor = Floor { mint: dollar, per_unit: 4 };
    for (bps, floor, mint_named, per_unit) in [(20, None, Address::default(), 0), (30, Some(floor), dollar, 4)] {
        let done = world.accept(&[client::raise_floor(&holder, &mint, &nft, bps, floor)], &[&creator]);
        let raised = FloorRaised { asset, mint: mint_named, per_unit, bps, padding: [0; 6] };
        assert!(announces(&done.logs, &raised));
    }

    let licence = pda::licence(&asset, 5).0;
    let done = world.accept(&[client::publish_licence(&holder, &mint, &nft, 5, terms(1))], &[&creator]);
    assert!(announces(&done.logs, &LicencePublished { asset, licence }));
    let done = world.accept(&[client::retire_licence(&holder, &mint, &nft, 5)], &[&creator]);
    assert!(announces(&done.logs, &LicenceRetired { asset, licence }));
}
