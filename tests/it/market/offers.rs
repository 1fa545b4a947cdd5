//! `create_offer`, `close_offer`: bounds, floors, and whose right they are.

use provena_common::error::CommonError;
use provena_market::{
    client::{self, OfferOf},
    constants::FIRST_COME,
    error::MarketError,
    pda,
    state::{Offer, OfferTerms},
};
use provena_registry::{
    constants::uses,
    state::{Asset, AssetStatus, Version},
};
use provena_tests::{
    ExpectedError,
    market::{ALL_MONEY, MOST, PaidIn, Scene, open_books, quorum, terms},
    registry::{self, RECIPE, decode},
    royalty,
    tokens::Money,
    world::keypair,
};
use solana_instruction_error::InstructionError;
use solana_signer::Signer;

/// A scene in which offers are tried with one number after the other.
struct Trial {
    scene: Scene,
    offer_id: u64,
}

impl Trial {
    fn new() -> Self {
        Self { scene: Scene::new(PaidIn::Sol, terms()), offer_id: 1 }
    }

    /// An offer with these terms is refused with this error.
    #[track_caller]
    fn refused(&mut self, terms: OfferTerms, error: impl ExpectedError) {
        let create = self.scene.create_offer(self.offer_id, terms);
        self.scene.world.refuses(&[create], &[&self.scene.model.creator], error);
    }

    /// An offer with these terms is made.
    #[track_caller]
    fn accepted(&mut self, terms: OfferTerms) {
        let create = self.scene.create_offer(self.offer_id, terms);
        self.scene.world.accept(&[create], &[&self.scene.model.creator]);
        let offer: Offer = self.scene.state(&pda::offer(&self.scene.model.mint.pubkey(), self.offer_id).0);
        assert_eq!(offer.terms(), terms);
        self.offer_id += 1;
    }
}

#[test]
fn an_offer_names_the_model_its_version_and_its_books() {
    for paid_in in ALL_MONEY {
        let scene = Scene::new(paid_in, terms());
        let offer = scene.offer();
        let asset = scene.model.state(&scene.world);
        let version: Version = scene.state(&provena_registry::pda::version(&scene.model.asset, 1).0);
        let books = provena_royalty::pda::books(&asset.pool, &scene.money.mint()).0;
        assert_eq!(offer.terms(), terms());
        assert_eq!((offer.asset, offer.asset_account), (asset.mint, scene.model.asset));
        assert_eq!((offer.pool, offer.books, offer.mint), (asset.pool, books, scene.money.mint()));
        assert_eq!(offer.token_program, scene.money.currency().token_program().unwrap_or_default());
        assert_eq!((offer.asset_version, offer.offer_id, offer.active), (1, 0, 1));
        assert_eq!((offer.content_root, offer.recipe_root), (version.content_root, version.recipe_root));
        assert_eq!((offer.least_royalty, offer.rent_payer), (0, scene.model.creator.pubkey()));
        assert_eq!(offer.terms_hash, offer.hash_terms());
    }
}

#[test]
fn the_terms_hash_changes_with_every_term() {
    let scene = Scene::new(PaidIn::Sol, terms());
    let offer = scene.offer();
    let changes: [fn(&mut Offer); 21] = [
        |o| o.asset = keypair("other").pubkey(),
        |o| o.pool = keypair("other").pubkey(),
        |o| o.books = keypair("other").pubkey(),
        |o| o.mint = keypair("other").pubkey(),
        |o| o.asset_version += 1,
        |o| o.content_root[0] ^= 1,
        |o| o.recipe_root[0] ^= 1,
        |o| o.base_price += 1,
        |o| o.input_price += 1,
        |o| o.output_price += 1,
        |o| o.bond_lamports += 1,
        |o| o.open_window += 1,
        |o| o.commit_window += 1,
        |o| o.reveal_window += 1,
        |o| o.max_input_units += 1,
        |o| o.max_output_units += 1,
        |o| o.royalty_bps += 1,
        |o| o.seats += 1,
        |o| o.quorum += 1,
        |o| o.flags += 1,
        |o| o.least_royalty += 1,
    ];
    let mut hashes = vec![offer.terms_hash];
    for change in changes {
        let mut changed = offer;
        change(&mut changed);
        hashes.push(changed.hash_terms());
    }
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), 22);
}

#[test]
fn create_offer_rejects_terms_out_of_bounds() {
    let mut trial = Trial::new();
    let free = OfferTerms { base_price: 0, input_price: 0, output_price: 0, ..terms() };
    trial.refused(free, MarketError::ZeroPrice);
    trial.accepted(OfferTerms { output_price: 1, ..free });
    trial.accepted(OfferTerms { base_price: 1, ..free });
    trial.refused(OfferTerms { max_input_units: 0, max_output_units: 0, ..terms() }, MarketError::ZeroUnits);
    trial.accepted(OfferTerms { max_input_units: 1, max_output_units: 0, ..terms() });
    trial.accepted(OfferTerms { max_input_units: 0, max_output_units: 1, ..terms() });
    trial.refused(OfferTerms { bond_lamports: 0, ..terms() }, MarketError::ZeroBond);
    trial.refused(OfferTerms { royalty_bps: 10_001, ..terms() }, CommonError::BpsTooHigh);
    trial.accepted(OfferTerms { royalty_bps: 10_000, ..terms() });
    trial.refused(OfferTerms { engine_class: 2, ..terms() }, MarketError::BadEngineClass);
    for flags in [0, FIRST_COME | 2, 128] {
        trial.refused(OfferTerms { flags, ..terms() }, MarketError::BadFlags);
    }
}

#[test]
fn create_offer_rejects_what_is_no_majority() {
    let mut trial = Trial::new();
    for (n, m) in [(0, 0), (1, 0), (1, 2), (2, 1), (3, 1), (4, 2), (5, 2), (6, 4), (5, 6), (255, 128)] {
        trial.refused(quorum(n, m), MarketError::BadQuorum);
    }
    for (n, m) in [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (5, 5)] {
        trial.accepted(quorum(n, m));
    }
}

#[test]
fn create_offer_rejects_windows_out_of_bounds() {
    let mut trial = Trial::new();
    trial.refused(OfferTerms { open_window: 149, ..terms() }, MarketError::BadWindow);
    trial.refused(OfferTerms { commit_window: 149, ..terms() }, MarketError::BadWindow);
    trial.refused(OfferTerms { reveal_window: 149, ..terms() }, MarketError::BadWindow);
    trial.refused(OfferTerms { reveal_window: 0, ..terms() }, MarketError::BadWindow);
    let longest = OfferTerms { open_window: 1_511_700, commit_window: 150, reveal_window: 150, ..terms() };
    trial.accepted(longest);
    trial.refused(OfferTerms { commit_window: 151, ..longest }, MarketError::BadWindow);
    // A sum that 32 bits cannot count.
    trial.refused(OfferTerms { open_window: u32::MAX, ..terms() }, MarketError::BadWindow);
}

#[test]
fn create_offer_rejects_a_price_that_cannot_be_counted() {
    let mut trial = Trial::new();
    let most = OfferTerms { base_price: 0, input_price: u64::MAX / 64, output_price: 0, ..terms() };
    trial.accepted(most);
    trial.refused(OfferTerms { input_price: u64::MAX / 64 + 1, ..most }, MarketError::PriceTooHigh);
    trial.refused(OfferTerms { base_price: u64::MAX, ..most }, MarketError::PriceTooHigh);
}

#[test]
fn create_offer_rejects_a_stranger() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let stranger = scene.world.wallet("stranger");
    let dollar = Money::token(&mut scene.world, "dollar");
    dollar.give(&mut scene.world, &stranger.pubkey(), 1);
    // The holder's token account, one of the stranger's own, one that is none.
    for nft in [scene.model.nft(), dollar.account_of(&stranger.pubkey()), keypair("nothing").pubkey()] {
        let create = client::create_offer(stranger.pubkey(), nft, scene.offer_of(1), terms());
        scene.world.refuses(&[create], &[&stranger], CommonError::NotNftHolder);
    }
    // An empty token account for the NFT.
    let empty = Money::Token(scene.model.mint.pubkey());
    empty.give(&mut scene.world, &stranger.pubkey(), 0);
    let nft = empty.account_of(&stranger.pubkey());
    let create = client::create_offer(stranger.pubkey(), nft, scene.offer_of(1), terms());
    scene.world.refuses(&[create], &[&stranger], CommonError::NotNftHolder);
}

#[test]
fn create_offer_rejects_a_missing_signature() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let mut create = scene.create_offer(1, terms());
    create.accounts[0].is_signer = false;
    scene.world.refuses(&[create], &[], InstructionError::MissingRequiredSignature);
}

#[test]
fn create_offer_rejects_another_assets_nft() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let other = registry::model(&mut scene.world, "other model", &[]);
    let create = client::create_offer(other.creator.pubkey(), other.nft(), scene.offer_of(1), terms());
    scene.world.refuses(&[create], &[&other.creator], CommonError::NotNftHolder);
}

#[test]
fn create_offer_rejects_an_nft_of_token_2022() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let forger = scene.world.wallet("forger");
    let fake = Money::Token2022(scene.model.mint.pubkey());
    fake.give(&mut scene.world, &forger.pubkey(), 1);
    let nft = fake.account_of(&forger.pubkey());
    let create = client::create_offer(forger.pubkey(), nft, scene.offer_of(1), terms());
    scene.world.refuses(&[create], &[&forger], CommonError::NotNftHolder);
}

#[test]
fn create_offer_rejects_a_dataset() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let dataset = registry::dataset(&mut scene.world, "dataset", &[]);
    let of = OfferOf { asset: dataset.mint.pubkey(), ..scene.offer_of(0) };
    let create = client::create_offer(dataset.creator.pubkey(), dataset.nft(), of, terms());
    scene.world.refuses(&[create], &[&dataset.creator], MarketError::NotModel);
}

#[test]
fn create_offer_rejects_an_asset_that_is_not_active() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let asset = scene.model.state(&scene.world);
    for status in [AssetStatus::Draft, AssetStatus::Disputed, AssetStatus::Frozen] {
        scene.world.set_state(&scene.model.asset, &Asset { status: status as u8, ..asset });
        let create = scene.create_offer(1, terms());
        scene.world.refuses(&[create], &[&scene.model.creator], MarketError::AssetNotActive);
    }
}

/// The licences that it was built under do not allow it; a version that adds such a parent ends what was offered before.
#[test]
fn an_asset_that_may_not_serve_sells_nothing() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let asset = scene.model.state(&scene.world);
    scene.world.set_state(&scene.model.asset, &Asset { uses: uses::DERIVE, ..asset });
    let create = scene.create_offer(1, terms());
    scene.world.refuses(&[create], &[&scene.model.creator], MarketError::UseNotAllowed);
    let posting = scene.posting(scene.request(0, MOST));
    scene.world.refuses(&[posting], &[&scene.payer], MarketError::UseNotAllowed);
}

#[test]
fn an_offer_can_be_of_any_version_of_its_own_asset() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let (holder, mint) = (scene.model.creator.pubkey(), scene.model.mint.pubkey());
    let content = registry::content("model, better");
    registry::claim(&mut scene.world, &scene.model.creator, &content);
    let nft = scene.model.nft();
    let add = provena_registry::client::add_version(&holder, &mint, &nft, 2, content, Some(RECIPE));
    scene.world.accept(&[add], &[&scene.model.creator]);
    for (offer_id, version) in [(1, 1), (2, 2)] {
        let of = OfferOf { version, ..scene.offer_of(offer_id) };
        scene.world.accept(&[client::create_offer(holder, nft, of, terms())], &[&scene.model.creator]);
        let offer: Offer = scene.state(&pda::offer(&mint, offer_id).0);
        assert_eq!(offer.asset_version, version);
    }
    let second: Offer = scene.state(&pda::offer(&mint, 2).0);
    assert_eq!(second.content_root, content.root);
    // Another asset's version; one that does not exist.
    let other = registry::model(&mut scene.world, "other model", &[]);
    let mut create = scene.create_offer(3, terms());
    create.accounts[3].pubkey = provena_registry::pda::version(&other.asset, 1).0;
    scene.world.refuses(&[create], &[&scene.model.creator], MarketError::WrongAsset);
    let of = OfferOf { version: 3, ..scene.offer_of(3) };
    let create = client::create_offer(holder, nft, of, terms());
    scene.world.refuses(&[create], &[&scene.model.creator], InstructionError::UninitializedAccount);
}

#[test]
fn create_offer_rejects_other_books() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let other = royalty::Scene::new(&mut scene.world, "other asset", &[(scene.treasury, 1_000_000_000)], &[]);
    let genuine = provena_royalty::pda::books(&scene.model.pool, &scene.money.mint()).0;
    let (foreign, typed) = (keypair("foreign").pubkey(), keypair("typed").pubkey());
    // The right bytes under another program; another kind of the royalty program's accounts.
    scene.world.forge(&genuine, &foreign, Some(provena_market::ID));
    scene.world.forge(&scene.model.pool, &typed, None);
    for (books, error) in [
        (other.books_address(Money::Sol), MarketError::WrongBooks.instruction_error()),
        (foreign, InstructionError::IllegalOwner),
        (typed, InstructionError::InvalidAccountData),
    ] {
        let mut create = scene.create_offer(1, terms());
        create.accounts[5].pubkey = books;
        scene.world.refuses(&[create], &[&scene.model.creator], error);
    }
}

#[test]
fn create_offer_rejects_forged_registry_accounts() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let version = provena_registry::pda::version(&scene.model.asset, 1).0;
    let (foreign_asset, foreign_version) = (keypair("foreign asset").pubkey(), keypair("foreign version").pubkey());
    let asset = scene.model.asset;
    scene.world.forge(&asset, &foreign_asset, Some(provena_market::ID));
    scene.world.forge(&version, &foreign_version, Some(provena_market::ID));
    for (place, address, error) in [
        (2, foreign_asset, InstructionError::IllegalOwner),
        (3, foreign_version, InstructionError::IllegalOwner),
        (2, version, InstructionError::InvalidAccountData),
        (3, asset, InstructionError::AccountDataTooSmall),
    ] {
        let mut create = scene.create_offer(1, terms());
        create.accounts[place].pubkey = address;
        scene.world.refuses(&[create], &[&scene.model.creator], error);
    }
}

#[test]
fn create_offer_rejects_an_id_in_use() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let create = scene.create_offer(0, OfferTerms { base_price: 1, ..terms() });
    scene.world.refuses(&[create], &[&scene.model.creator], 0);
}

/// H4: the holder of a model whose parents are to be paid offers it without a royalty, and takes the fees with a node of
/// his own.
#[test]
fn h4_lineage_shares_are_void() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    // What the parents' licences ask, set with the asset and never falling.
    scene.raise_floor(1_500, Some(400));
    for royalty_bps in [0, 1, 1_499] {
        let create = scene.create_offer(1, OfferTerms { royalty_bps, ..terms() });
        scene.world.refuses(&[create], &[&scene.model.creator], MarketError::RoyaltyBelowFloor);
    }
    // A share of nothing is nothing: units are not sold for less than the least royalty on them.
    let just = OfferTerms { royalty_bps: 1_500, input_price: 400, output_price: 400, ..terms() };
    for cheap in [
        OfferTerms { input_price: 399, ..just },
        OfferTerms { output_price: 399, ..just },
        OfferTerms { input_price: 0, output_price: 0, base_price: 1, ..just },
    ] {
        let create = scene.create_offer(1, cheap);
        scene.world.refuses(&[create], &[&scene.model.creator], MarketError::PriceBelowFloor);
    }
    // Units that cannot be asked for need no price.
    let no_output = OfferTerms { output_price: 0, max_output_units: 0, ..just };
    for (offer_id, terms) in [(1, just), (2, no_output)] {
        let create = scene.create_offer(offer_id, terms);
        scene.world.accept(&[create], &[&scene.model.creator]);
        let offer: Offer = scene.state(&pda::offer(&scene.model.mint.pubkey(), offer_id).0);
        assert_eq!((offer.least_royalty, offer.royalty_bps), (400, 1_500));
        assert_eq!(offer.terms_hash, offer.hash_terms());
    }
}

/// H4, of offers that are older than the floor: they are kept out where jobs are posted, by the same check.
#[test]
fn a_raised_floor_makes_old_offers_unfit() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let offer = scene.offer();
    let fit = |scene: &Scene| {
        let (asset, floors) = (scene.model.state(&scene.world), scene.model.floors(&scene.world));
        offer.check_asset(&scene.model.asset, &asset, &floors)
    };
    let code = |error: MarketError| Err(anchor_lang::prelude::ProgramError::Custom(error.code()));
    assert_eq!(fit(&scene), Ok(()));
    scene.raise_floor(2_000, None);
    assert_eq!(fit(&scene), Ok(()), "the offer pays this much");
    scene.raise_floor(2_000, Some(1));
    assert_eq!(fit(&scene), code(MarketError::FloorRaised), "its terms promise no least royalty per unit");
    scene.raise_floor(2_000, Some(1_000_004));
    assert_eq!(fit(&scene), code(MarketError::PriceBelowFloor));
    scene.raise_floor(2_001, None);
    assert_eq!(fit(&scene), code(MarketError::RoyaltyBelowFloor));
    let asset = scene.model.state(&scene.world);
    scene.world.set_state(&scene.model.asset, &Asset { status: AssetStatus::Disputed as u8, ..asset });
    assert_eq!(fit(&scene), code(MarketError::AssetNotActive));
    assert_eq!(offer.check_asset(&scene.model.pool, &asset, &[]), code(MarketError::WrongAsset));
}

#[test]
fn a_floor_in_another_mint_does_not_bind() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    scene.raise_floor(0, Some(1_000_000));
    let dollar = Money::token(&mut scene.world, "dollar");
    let authority = keypair("royalty authority");
    let allow = provena_royalty::client::allow_mint(&authority.pubkey(), &dollar.mint());
    scene.world.accept(&[allow], &[&authority]);
    open_books(&mut scene.world, &scene.model, dollar);
    let cheap = OfferTerms { input_price: 1, output_price: 1, ..terms() };
    let in_sol = scene.create_offer(1, cheap);
    scene.world.refuses(&[in_sol], &[&scene.model.creator], MarketError::PriceBelowFloor);
    let of = OfferOf { mint: dollar.mint(), ..scene.offer_of(1) };
    let in_dollars = client::create_offer(scene.model.creator.pubkey(), scene.model.nft(), of, cheap);
    scene.world.accept(&[in_dollars], &[&scene.model.creator]);
    let offer: Offer = scene.state(&pda::offer(&scene.model.mint.pubkey(), 1).0);
    assert_eq!(offer.least_royalty, 0);
}

/// M1: whoever sells a model's NFT leaves offers for next to nothing behind.
#[test]
fn m1_seller_leaves_cheap_offers() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let seller = keypair("trainer");
    let cheap = OfferTerms { base_price: 1, input_price: 0, output_price: 0, royalty_bps: 0, ..terms() };
    let create = scene.create_offer(1, cheap);
    scene.world.accept(&[create], &[&seller]);
    let (mint, seller_nft) = (scene.model.mint.pubkey(), scene.model.nft());
    let left_behind = pda::offer(&mint, 1).0;
    let buyer = scene.world.wallet("buyer");
    let close = |scene: &Scene, holder, nft, address| {
        client::close_offer(holder, nft, address, &scene.state::<Offer>(&address))
    };
    // Not before the sale.
    let early = close(&scene, buyer.pubkey(), seller_nft, left_behind);
    scene.world.refuses(&[early], &[&buyer], CommonError::NotNftHolder);
    let buyer_nft = scene.sell_nft(&buyer.pubkey());
    // Now the offer is the buyer's to close; the rent goes to the seller, who paid it.
    let before = scene.world.lamports(&seller.pubkey());
    let closing = close(&scene, buyer.pubkey(), buyer_nft, left_behind);
    scene.world.accept(&[closing], &[&buyer]);
    assert_eq!(scene.world.account(&left_behind), None);
    assert_eq!(scene.world.lamports(&seller.pubkey()), before + 4_231_680);
    // The seller can neither offer any more nor close what the buyer offers.
    let again = scene.create_offer(2, cheap);
    scene.world.refuses(&[again], &[&seller], CommonError::NotNftHolder);
    let dear = client::create_offer(buyer.pubkey(), buyer_nft, scene.offer_of(1), terms());
    scene.world.accept(&[dear], &[&buyer]);
    let spite = close(&scene, seller.pubkey(), seller_nft, left_behind);
    scene.world.refuses(&[spite], &[&seller], CommonError::NotNftHolder);
    assert_eq!(scene.state::<Offer>(&left_behind).rent_payer, buyer.pubkey());
}

#[test]
fn l6_the_rent_of_an_offer_comes_back() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let creator = scene.model.creator.pubkey();
    assert_eq!(scene.world.lamports(&scene.offer), (128 + 480) * 6_960);
    scene.world.add_lamports(&scene.offer, 3);
    let before = scene.world.lamports(&creator);
    let close = scene.close_offer();
    scene.world.accept(std::slice::from_ref(&close), &[&scene.model.creator]);
    assert_eq!(scene.world.account(&scene.offer), None);
    assert_eq!(scene.world.lamports(&creator), before + 4_231_683);
    scene.world.refuses(&[close], &[&scene.model.creator], InstructionError::AccountDataTooSmall);
    // The id is free again.
    let create = scene.create_offer(0, terms());
    scene.world.accept(&[create], &[&scene.model.creator]);
}

#[test]
fn close_offer_rejects_another_receiver_of_the_rent() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let mut close = scene.close_offer();
    close.accounts[3].pubkey = scene.payer.pubkey();
    scene.world.refuses(&[close], &[&scene.model.creator], MarketError::NotRentPayer);
}

#[test]
fn close_offer_rejects_a_missing_signature() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let mut close = scene.close_offer();
    close.accounts[0].is_signer = false;
    // The creator is the rent's receiver, too, who need not sign.
    scene.world.refuses(&[close], &[], InstructionError::MissingRequiredSignature);
}

#[test]
fn close_offer_rejects_forged_offers() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let (foreign, typed) = (keypair("foreign").pubkey(), pda::node(&scene.nodes[0].pubkey()).0);
    let genuine = scene.offer;
    scene.world.forge(&genuine, &foreign, Some(provena_registry::ID));
    for (address, error) in [(foreign, InstructionError::IllegalOwner), (typed, InstructionError::AccountDataTooSmall)]
    {
        let mut close = scene.close_offer();
        close.accounts[2].pubkey = address;
        scene.world.refuses(&[close], &[&scene.model.creator], error);
    }
}

#[test]
fn close_offer_rejects_the_holder_of_another_asset() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let other = registry::model(&mut scene.world, "other model", &[]);
    let close = client::close_offer(other.creator.pubkey(), other.nft(), scene.offer, &scene.offer());
    scene.world.refuses(&[close], &[&other.creator], CommonError::NotNftHolder);
    assert_eq!(decode::<Offer>(&scene.world, &scene.offer).active, 1);
}
