//! `create_offer`, `close_offer`.

use provena_market::{
    client,
    error::MarketError,
    pda,
    state::{Offer, OfferTerms},
};
use provena_tests::{registry, royalty, world::keypair};
use solana_instruction_error::InstructionError;
use solana_signer::Signer;

use super::scene::{PaidIn, Scene, quorum, terms};

/// Creating an offer with these terms is refused with this error.
#[track_caller]
fn refused(terms: OfferTerms, error: MarketError) {
    let mut scene = Scene::new(PaidIn::Sol, super::scene::terms());
    let create = scene.create_offer(1, terms);
    scene.world.refuses(&[create], &[&scene.model.creator], error.code());
}

#[test]
fn an_offer_names_the_model_and_its_pool() {
    for paid_in in [PaidIn::Sol, PaidIn::Token] {
        let scene = Scene::new(paid_in, terms());
        let offer: Offer = scene.world.state(&scene.offer);
        let asset = scene.model.state(&scene.world);
        assert_eq!(offer.terms(), terms());
        assert_eq!((offer.asset, offer.pool, offer.mint), (asset.mint, asset.pool, scene.money.mint()));
        assert_eq!((offer.content_root, offer.recipe_root), (asset.content_root, asset.recipe_root));
        assert_eq!(offer.terms_hash, offer.hash_terms());
        assert_eq!(offer.active, 1);
    }
}

#[test]
fn the_terms_hash_changes_with_every_term() {
    let scene = Scene::new(PaidIn::Sol, terms());
    let offer: Offer = scene.world.state(&scene.offer);
    let changes: [fn(&mut Offer); 15] = [
        |o| o.asset = keypair("other").pubkey(),
        |o| o.pool = keypair("other").pubkey(),
        |o| o.mint = keypair("other").pubkey(),
        |o| o.content_root[0] ^= 1,
        |o| o.recipe_root[0] ^= 1,
        |o| o.price_per_unit += 1,
        |o| o.bond_lamports += 1,
        |o| o.open_window += 1,
        |o| o.commit_window += 1,
        |o| o.reveal_window += 1,
        |o| o.max_units += 1,
        |o| o.royalty_bps += 1,
        |o| o.slots += 1,
        |o| o.quorum += 1,
        |o| o.engine_class += 1,
    ];
    for (which, change) in changes.iter().enumerate() {
        let mut changed = offer;
        change(&mut changed);
        assert_ne!(changed.hash_terms(), offer.terms_hash, "change {which}");
    }
}

#[test]
fn create_offer_rejects_zero_price() {
    refused(OfferTerms { price_per_unit: 0, ..terms() }, MarketError::ZeroPrice);
}

#[test]
fn create_offer_rejects_zero_units() {
    refused(OfferTerms { max_units: 0, ..terms() }, MarketError::ZeroUnits);
}

#[test]
fn create_offer_rejects_zero_bond() {
    refused(OfferTerms { bond_lamports: 0, ..terms() }, MarketError::ZeroBond);
}

#[test]
fn create_offer_rejects_a_royalty_over_the_whole() {
    refused(OfferTerms { royalty_bps: 10_001, ..terms() }, MarketError::BpsTooHigh);
}

#[test]
fn create_offer_rejects_a_quorum_that_is_no_majority() {
    for (n, m) in [(0, 0), (1, 0), (2, 1), (4, 2), (5, 2), (3, 4), (6, 4)] {
        refused(quorum(n, m), MarketError::BadQuorum);
    }
}

#[test]
fn create_offer_rejects_windows_out_of_range() {
    refused(OfferTerms { open_window: 3, ..terms() }, MarketError::BadWindow);
    refused(OfferTerms { commit_window: 0, ..terms() }, MarketError::BadWindow);
    refused(OfferTerms { reveal_window: 2_500_001, ..terms() }, MarketError::BadWindow);
}

#[test]
fn create_offer_rejects_floats() {
    let engine_class = provena_arith::receipt::ENGINE_CLASS_F32;
    refused(OfferTerms { engine_class, ..terms() }, MarketError::WrongAsset);
}

#[test]
fn create_offer_rejects_a_price_beyond_64_bits() {
    refused(OfferTerms { price_per_unit: u64::MAX, max_units: 2, ..terms() }, MarketError::Overflow);
}

#[test]
fn create_offer_rejects_a_signer_without_the_nft() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let stranger = scene.world.wallet("stranger");
    let mut create = scene.create_offer(1, terms());
    create.accounts[0].pubkey = stranger.pubkey();
    scene.world.refuses(&[create], &[&stranger], MarketError::NotAssetOwner.code());
}

#[test]
fn create_offer_rejects_another_assets_nft() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let other = registry::model(&mut scene.world, "other model", &[], &[scene.money]);
    let mut create = scene.create_offer(1, terms());
    create.accounts[2].pubkey = provena_registry::pda::token_account(&other.creator.pubkey(), &other.mint.pubkey()).0;
    scene.world.refuses(&[create], &[&scene.model.creator], MarketError::NotAssetOwner.code());
}

#[test]
fn create_offer_rejects_a_dataset() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let dataset = registry::dataset(&mut scene.world, "dataset", &[], &[scene.money]);
    let owner = dataset.creator.pubkey();
    let nft = provena_registry::pda::token_account(&owner, &dataset.mint.pubkey()).0;
    let create = client::create_offer(owner, &dataset.mint.pubkey(), nft, &scene.money.mint(), 0, terms());
    scene.world.refuses(&[create], &[&dataset.creator], MarketError::WrongAsset.code());
}

#[test]
fn create_offer_rejects_a_forged_pool() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let other =
        royalty::Scene::new(&mut scene.world, "other asset", &[(scene.treasury, 1_000_000_000)], &[scene.money]);
    let mut create = scene.create_offer(1, terms());
    create.accounts[3].pubkey = other.pool_mint_address(scene.money);
    scene.world.refuses(&[create], &[&scene.model.creator], MarketError::WrongPool.code());
    // The right bytes under another program are no pool either.
    let forged = keypair("forged pool").pubkey();
    let genuine = provena_royalty::pda::pool_mint(&scene.model.pool, &scene.money.mint()).0;
    scene.world.forge(&genuine, &forged, Some(provena_market::ID));
    let mut create = scene.create_offer(1, terms());
    create.accounts[3].pubkey = forged;
    scene.world.refuses(&[create], &[&scene.model.creator], InstructionError::IllegalOwner);
}

#[test]
fn create_offer_rejects_a_forged_asset() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let forged = keypair("forged asset").pubkey();
    let genuine = scene.model.asset;
    scene.world.forge(&genuine, &forged, Some(provena_market::ID));
    let mut create = scene.create_offer(1, terms());
    create.accounts[1].pubkey = forged;
    scene.world.refuses(&[create], &[&scene.model.creator], InstructionError::IllegalOwner);
}

#[test]
fn create_offer_rejects_an_id_in_use() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let create = scene.create_offer(0, OfferTerms { price_per_unit: 1, ..terms() });
    scene.world.refuses(&[create], &[&scene.model.creator], InstructionError::Custom(0));
}

#[test]
fn a_closed_offer_leaves_its_jobs_alone() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 4);
    let close = client::close_offer(scene.model.creator.pubkey(), scene.offer);
    scene.world.accept(&[close], &[&scene.model.creator]);
    scene.work(job, &[(1, 4)]);
    let settle = scene.settle_instruction(job);
    scene.world.accept(&[settle], &[]);
    assert_eq!(scene.job(&job).units_used, 4);
    let post = scene.post_instruction(1, 4);
    scene.world.refuses(&[post], &[&scene.payer], MarketError::OfferInactive.code());
}

#[test]
fn close_offer_rejects_another_owner() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let close = client::close_offer(scene.payer.pubkey(), scene.offer);
    scene.world.refuses(&[close], &[&scene.payer], MarketError::Unauthorized.code());
}

#[test]
fn close_offer_rejects_a_closed_one() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let close = client::close_offer(scene.model.creator.pubkey(), pda::offer(&scene.model.mint.pubkey(), 0).0);
    scene.world.accept(std::slice::from_ref(&close), &[&scene.model.creator]);
    scene.world.refuses(&[close], &[&scene.model.creator], MarketError::OfferInactive.code());
}
