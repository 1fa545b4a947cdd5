//! Drafts: `begin_asset`, `add_parent`, `seal_asset` and `abandon_asset`.

use anchor_lang::prelude::Address;
use provena_common::error::CommonError;
use provena_registry::{
    Floors, client,
    constants::{MAX_DRAFT_AGE, pause},
    error::RegistryError,
    pda,
    state::{Asset, AssetKind, AssetStatus, EdgeKind, Floor},
};
use provena_royalty::Holder;
use provena_tests::{
    World,
    registry::{Building, PERCENT, Registered, claim, content, dataset, draft, prepare, terms, world},
    world::keypair,
};
use solana_signer::Signer;

/// Anchor's error for an account that is named twice and written.
const DUPLICATE: u32 = 2040;

/// A dataset whose licence 1 asks for a tenth, and the draft of a model of whose pool its pool holds a fifth.
fn stage() -> (World, Registered, Building) {
    let mut world = world();
    let parent = dataset(&mut world, "digits", &[]);
    let building = Building::begin(&mut world, "classifier", &[(parent.pool, 20 * PERCENT)]);
    (world, parent, building)
}

/// What the asset's account says, while it is a draft and after.
fn state(world: &World, asset: &Address) -> Asset {
    let account = world.account(asset).expect("the asset exists");
    client::decode_asset(&account.data).expect("it is an asset").0
}

#[test]
fn a_draft_becomes_an_asset_in_three_transactions() {
    let (mut world, parent, building) = stage();
    let asset = building.asset();
    let begun = state(&world, &asset);
    assert_eq!((begun.status, begun.latest, begun.direct_parents), (AssetStatus::Draft as u8, 1, 0));
    assert!(world.account(&building.mint.pubkey()).is_none(), "there is no NFT yet");
    building.add(&mut world, &parent);
    let creator = building.creator.pubkey();
    let mint = building.mint.pubkey();
    let registered = building.seal(&mut world);
    let sealed = registered.state(&world);
    assert_eq!((sealed.status, sealed.latest, sealed.direct_parents), (AssetStatus::Active as u8, 1, 1));
    assert_eq!((sealed.inherited_parents, sealed.pending, sealed.uses), (0, 0, u32::MAX));
    let (lineage, edges) = registered.lineage(&world);
    assert_eq!((lineage.registrant, lineage.direct, lineage.inherited), (creator, 1, 0));
    let edge = edges[0];
    assert_eq!((edge.parent, edge.pool, edge.licence), (parent.asset, parent.pool, 1));
    assert_eq!((edge.parent_version, edge.since, edge.bps), (1, 1, 1_000));
    assert_eq!((edge.kind, edge.absolute, edge.to_inherit), (EdgeKind::Direct as u8, 0, 0));
    assert_eq!(parent.licence(&world, 1).children, 1);
    assert_eq!(provena_tests::tokens::token_balance(&world, &pda::token_account(&creator, &mint)), 1);
}

#[test]
fn a_draft_needs_no_parents() {
    let mut world = world();
    let building = Building::begin(&mut world, "classifier", &[]);
    let registered = building.seal(&mut world);
    assert_eq!(registered.state(&world).direct_parents, 0);
}

#[test]
fn sixteen_parents_and_not_one_more() {
    let mut world = world();
    let parents: Vec<_> = (0..17).map(|n| dataset(&mut world, &format!("digits {n}"), &[])).collect();
    let holders: Vec<_> = parents.iter().map(|parent| (parent.pool, 5 * PERCENT)).collect();
    for parent in &parents {
        parent.publish(&mut world, 2, terms(500));
    }
    let building = Building::begin(&mut world, "classifier", &holders);
    for parent in &parents[..16] {
        let adding = building.parent(&world, parent, 2).instruction();
        world.accept(&[adding], &[&building.creator]);
    }
    let adding = building.parent(&world, &parents[16], 2).instruction();
    world.refuses(&[adding], &[&building.creator], RegistryError::TooManyParents);
    let registered = building.seal(&mut world);
    assert_eq!(registered.lineage(&world).1.len(), 16);
}

#[test]
fn begin_asset_rejects_what_makes_no_sense() {
    let mut world = world();
    let building = Building::prepare(&mut world, "classifier", &[]);
    let signers = [&building.creator, &building.mint];
    let (registrant, mint) = (building.creator.pubkey(), building.mint.pubkey());
    let begin = |floors| client::begin_asset(&registrant, &mint, AssetKind::Model, floors);
    world.refuses(&[begin(Floors { bps: 10_001, per_unit: vec![] })], &signers, CommonError::BpsTooHigh);
    let floor = Floor { mint: Address::default(), per_unit: 0 };
    world.refuses(&[begin(Floors { bps: 0, per_unit: vec![floor] })], &signers, RegistryError::ZeroFloor);
    for kind in [0, 3, 255] {
        let mut instruction = begin(Floors::default());
        // Behind the discriminator, which may have any length, comes the kind.
        let at = instruction.data.len() - 7;
        assert_eq!(instruction.data[at], AssetKind::Model as u8);
        instruction.data[at] = kind;
        world.refuses(&[instruction], &signers, RegistryError::UnknownKind);
    }
    world.accept(&[begin(Floors::default())], &signers);
    // The System program refuses to make an account that exists.
    world.refuses(&[begin(Floors::default())], &signers, 0);
}

#[test]
fn begin_asset_rejects_another_pool_and_one_that_is_not_sealed() {
    let mut world = world();
    let building = Building::prepare(&mut world, "classifier", &[]);
    let other = dataset(&mut world, "digits", &[]);
    let signers = [&building.creator, &building.mint];
    let mut wrong = building.beginning();
    wrong.accounts[5].pubkey = other.pool;
    world.refuses(&[wrong], &signers, RegistryError::WrongPool);

    let (creator, mint) = (world.wallet("trainer"), keypair("half"));
    let half = [Holder::new(creator.pubkey(), 50)];
    let create = provena_royalty::client::create_pool(&creator.pubkey(), &mint.pubkey(), 100, 0, 0, &half);
    world.accept(&[create], &[&creator, &mint]);
    world.pass_slots(1);
    let begin = client::begin_asset(&creator.pubkey(), &mint.pubkey(), AssetKind::Model, Floors::default());
    world.refuses(&[begin], &[&creator, &mint], RegistryError::PoolNotSealed);
}

#[test]
fn drafts_stop_while_registering_is_paused() {
    let (mut world, parent, building) = stage();
    let other = Building::prepare(&mut world, "other", &[]);
    let authority = world.wallet("registry authority");
    let pausing = client::set_pause(&authority.pubkey(), pause::REGISTER);
    world.accept(&[pausing], &[&authority]);
    world.refuses(&[other.beginning()], &[&other.creator, &other.mint], CommonError::Paused);
    let adding = building.parent(&world, &parent, 1).instruction();
    world.refuses(&[adding], &[&building.creator], CommonError::Paused);
    world.refuses(&building.sealing(), &[&building.creator, &building.mint], CommonError::Paused);
    // Taking back is never paused.
    let abandoning = building.abandoning(&world, &building.creator.pubkey());
    world.accept(&[abandoning], &[&building.creator]);
}

#[test]
fn a_draft_is_its_registrants_alone() {
    let (mut world, parent, building) = stage();
    let thief = world.wallet("thief");
    let mut adding = building.parent(&world, &parent, 1);
    adding.builder = thief.pubkey();
    world.refuses(&[adding.instruction()], &[&thief], RegistryError::NotRegistrant);
    // Also by whoever holds some NFT: a draft has none.
    adding.nft = Some(parent.nft());
    world.refuses(&[adding.instruction()], &[&thief], RegistryError::AssetNotActive);
    let mut new = draft(AssetKind::Model, &thief, &building.mint);
    new.content = content("stolen");
    claim(&mut world, &thief, &new.content);
    world.refuses(&[new.sealing()], &[&thief, &building.mint], RegistryError::NotRegistrant);
    let abandoning = building.abandoning(&world, &thief.pubkey());
    world.refuses(&[abandoning], &[&thief], RegistryError::NotRegistrant);
}

#[test]
fn a_draft_is_no_parent_and_grants_nothing() {
    let (mut world, _, building) = stage();
    let asset = building.asset();
    let child = Building::begin(&mut world, "child", &[(building.pool(), 20 * PERCENT)]);
    let other = dataset(&mut world, "other", &[]);
    let mut adding = child.parent(&world, &other, 1).instruction();
    adding.accounts[6].pubkey = asset;
    world.refuses(&[adding], &[&child.creator], RegistryError::AssetNotActive);
}

#[test]
fn seal_asset_rejects_accounts_that_do_not_belong_together() {
    let (mut world, parent, building) = stage();
    building.add(&mut world, &parent);
    let other = Building::begin(&mut world, "other", &[]);
    let signers = [&building.creator, &building.mint];
    let sound = building.new.sealing();
    let with = |at: usize, address: Address| {
        let mut instruction = sound.clone();
        instruction.accounts[at].pubkey = address;
        instruction
    };
    world.refuses(&[with(4, other.asset())], &signers, RegistryError::WrongDraft);
    world.refuses(&[with(4, parent.asset)], &signers, RegistryError::WrongDraft);
    world.refuses(&[with(7, pda::lineage(&other.asset()).0)], &signers, RegistryError::WrongLineage);
    world.refuses(&[with(8, other.pool())], &signers, RegistryError::WrongPool);
    let mut none = sound.clone();
    none.accounts[7] = solana_instruction::AccountMeta::new_readonly(provena_registry::ID, false);
    world.refuses(&[none], &signers, RegistryError::WrongLineage);
    let mut surplus = sound.clone();
    surplus.accounts.push(surplus.accounts[2].clone());
    world.refuses(&[surplus], &signers, RegistryError::WrongParentAccounts);
    world.accept(&building.sealing(), &signers);
    // Once only.
    let again = content("again");
    claim(&mut world, &building.creator, &again);
    let mut new = building.new.clone();
    new.content = again;
    world.refuses(&[new.sealing()], &signers, RegistryError::NotDraft);
}

#[test]
fn add_parent_rejects_itself_twice_and_the_wrong_shares() {
    let (mut world, parent, building) = stage();
    let signers = [&building.creator];
    let sound = building.parent(&world, &parent, 1).instruction();
    let with = |at: usize, address: Address| {
        let mut instruction = sound.clone();
        instruction.accounts[at].pubkey = address;
        instruction
    };
    world.refuses(&[with(6, building.asset())], &signers, DUPLICATE);
    let other = dataset(&mut world, "other", &[]);
    world.refuses(&[with(4, pda::lineage(&other.asset).0)], &signers, CommonError::WrongPda);
    world.refuses(&[with(5, other.pool)], &signers, RegistryError::WrongPool);
    world.refuses(&[with(8, pda::licence(&other.asset, 1).0)], &signers, RegistryError::WrongLicence);
    let own = provena_royalty::pda::position(&building.pool(), &building.creator.pubkey()).0;
    world.refuses(&[with(9, own)], &signers, RegistryError::WrongPosition);
    parent.publish(&mut world, 3, terms(2_001));
    let too_much = building.parent(&world, &parent, 3).instruction();
    world.refuses(&[too_much], &signers, RegistryError::ParentShareMissing);
    let mut late = building.parent(&world, &parent, 1);
    late.parent.version = 2;
    world.refuses(&[late.instruction()], &signers, RegistryError::UnknownParentVersion);
    world.accept(std::slice::from_ref(&sound), &signers);
    world.refuses(&[sound], &signers, RegistryError::DuplicateParent);
}

#[test]
fn add_parent_asks_for_consent_exactly_where_the_licence_does() {
    let (mut world, parent, building) = stage();
    parent.publish(&mut world, 2, provena_registry::LicenceTerms { consent: true, ..terms(1_000) });
    let mut adding = building.parent(&world, &parent, 2);
    world.refuses(&[adding.instruction()], &[&building.creator], RegistryError::ConsentMissing);
    adding.parent = parent.as_consenting_parent(2);
    let mut unsigned = adding.instruction();
    for meta in unsigned.accounts.iter_mut().filter(|meta| meta.pubkey == parent.creator.pubkey()) {
        meta.is_signer = false;
    }
    world.refuses(&[unsigned], &[&building.creator], RegistryError::ConsentMissing);
    // Nobody is asked for more than the licence wants.
    let mut surplus = adding.clone();
    surplus.parent.licence = 1;
    let both = [&building.creator, &parent.creator];
    world.refuses(&[surplus.instruction()], &both, RegistryError::WrongParentAccounts);
    let mut half = adding.instruction();
    half.accounts[11] = solana_instruction::AccountMeta::new_readonly(provena_registry::ID, false);
    world.refuses(&[half], &[&building.creator], RegistryError::WrongParentAccounts);
    world.accept(&[adding.instruction()], &both);
}

/// As long as there is no NFT, the pool's creator can take its positions back. Were the draft blind to it, it could show a
/// parent its shares, take them back, and seal.
#[test]
fn a_pool_whose_holders_change_under_a_draft_is_refused() {
    let (mut world, parent, building) = stage();
    building.add(&mut world, &parent);
    let signers = [&building.creator, &building.mint];
    let before = world.svm.clone();

    // Some holders are exchanged.
    let pool = building.pool();
    let state = |world: &World| world.state::<provena_royalty::state::Pool>(&pool);
    let position = provena_royalty::pda::position(&pool, &parent.pool).0;
    let positions = [world.state::<provena_royalty::state::Position>(&position)];
    let taking = provena_royalty::client::abandon_pool(&pool, &state(&world), &positions, &[]);
    world.accept(&[taking], &[&building.creator]);
    let friend = [Holder::new(keypair("friend").pubkey(), 20 * PERCENT)];
    let adding = provena_royalty::client::add_holders(&building.creator.pubkey(), &pool, &friend);
    world.accept(&[adding], &[&building.creator]);
    assert!(state(&world).is_sealed());
    world.refuses(&building.sealing(), &signers, RegistryError::PoolChanged);
    let other = dataset(&mut world, "other", &[]);
    let adding = building.parent(&world, &other, 1).instruction();
    world.refuses(&[adding], &[&building.creator], RegistryError::PoolChanged);

    // Or the pool is made anew, with as many holders.
    world.svm = before;
    let own = provena_royalty::pda::position(&pool, &building.creator.pubkey()).0;
    let positions = [positions[0], world.state(&own)];
    let sol = provena_common::currency::Currency::Sol;
    let taking = provena_royalty::client::abandon_pool(&pool, &state(&world), &positions, &[sol]);
    world.accept(&[taking], &[&building.creator]);
    prepare(&mut world, "trainer", "classifier", &[(keypair("friend").pubkey(), 20 * PERCENT)]);
    world.refuses(&building.sealing(), &signers, RegistryError::PoolChanged);
    // It can never be sealed, so anybody clears it away; the rent goes to whoever began it, and the grant back.
    let stranger = world.wallet("stranger");
    let mut elsewhere = building.abandoning(&world, &stranger.pubkey());
    elsewhere.accounts[3].pubkey = parent.pool;
    world.refuses(&[elsewhere], &[&stranger], RegistryError::WrongPool);
    let abandoning = building.abandoning(&world, &stranger.pubkey());
    let had = world.lamports(&building.creator.pubkey());
    world.accept(&[abandoning], &[&stranger]);
    assert_eq!(parent.licence(&world, 1).children, 0);
    assert_eq!(world.lamports(&building.creator.pubkey()), had + (128 + 152) * 6_960 + (128 + 204) * 6_960);
}

/// What happens within one slot could not be told apart.
#[test]
fn begin_asset_rejects_a_pool_of_this_very_slot() {
    let mut world = world();
    let building = Building::prepare(&mut world, "classifier", &[]);
    let (creator, mint) = prepare(&mut world, "trainer", "quick", &[]);
    let begin = client::begin_asset(&creator.pubkey(), &mint.pubkey(), AssetKind::Model, Floors::default());
    world.refuses(std::slice::from_ref(&begin), &[&creator, &mint], RegistryError::PoolChanged);
    world.pass_slots(1);
    world.accept(&[begin], &[&creator, &mint]);
    world.accept(&[building.beginning()], &[&building.creator, &building.mint]);
}

#[test]
fn an_abandoned_draft_returns_its_rent_and_its_grants() {
    let (mut world, parent, building) = stage();
    let creator = building.creator.pubkey();
    let (asset, lineage) = (building.asset(), pda::lineage(&building.asset()).0);
    building.add(&mut world, &parent);
    assert_eq!(parent.licence(&world, 1).children, 1);
    let (before, rents) = (world.lamports(&creator), world.lamports(&asset) + world.lamports(&lineage));
    // 152 and 204 bytes.
    assert_eq!(rents, (128 + 152) * 6_960 + (128 + 204) * 6_960);
    let abandoning = building.abandoning(&world, &creator);
    world.accept(&[abandoning], &[&building.creator]);
    assert_eq!(world.lamports(&creator), before + rents);
    assert_eq!((world.lamports(&asset), world.lamports(&lineage)), (0, 0));
    assert_eq!(parent.licence(&world, 1).children, 0);
    // The same mint can be begun again.
    world.accept(&[building.beginning()], &[&building.creator, &building.mint]);
    building.add(&mut world, &parent);
    building.seal(&mut world);
}

#[test]
fn a_lapsed_draft_can_be_cleared_away_by_anybody() {
    let (mut world, parent, building) = stage();
    building.add(&mut world, &parent);
    let (creator, stranger) = (building.creator.pubkey(), world.wallet("stranger"));
    let begun = provena_tests::registry::building::edges(&world, &building.asset()).0.begun;
    let abandoning = building.abandoning(&world, &stranger.pubkey());
    world.svm.warp_to_slot(begun + MAX_DRAFT_AGE);
    world.refuses(std::slice::from_ref(&abandoning), &[&stranger], RegistryError::NotRegistrant);
    world.pass_slots(1);
    let mut diverted = abandoning.clone();
    diverted.accounts[4].pubkey = stranger.pubkey();
    world.refuses(&[diverted], &[&stranger], RegistryError::NotRegistrant);
    let (before, strangers) = (world.lamports(&creator), world.lamports(&stranger.pubkey()));
    world.accept(&[abandoning], &[&stranger]);
    assert!(world.lamports(&creator) > before, "the rent goes to whoever paid it");
    assert_eq!(world.lamports(&stranger.pubkey()), strangers);
}

#[test]
fn abandon_asset_rejects_assets_and_the_wrong_licences() {
    let (mut world, parent, building) = stage();
    building.add(&mut world, &parent);
    let creator = building.creator.pubkey();
    let sound = building.abandoning(&world, &creator);
    let mut missing = sound.clone();
    missing.accounts.pop();
    world.refuses(&[missing], &[&building.creator], RegistryError::WrongParentAccounts);
    let mut surplus = sound.clone();
    surplus.accounts.push(surplus.accounts[5].clone());
    world.refuses(&[surplus], &[&building.creator], RegistryError::WrongParentAccounts);
    // Another licence of the parent, whose grants would be counted wrongly.
    parent.publish(&mut world, 2, terms(1_000));
    let mut wrong = sound.clone();
    wrong.accounts[5].pubkey = pda::licence(&parent.asset, 2).0;
    world.refuses(&[wrong], &[&building.creator], RegistryError::WrongLicence);
    let other = Building::begin(&mut world, "other", &[]);
    let mut mixed = sound.clone();
    mixed.accounts[2].pubkey = pda::lineage(&other.asset()).0;
    world.refuses(&[mixed], &[&building.creator], RegistryError::WrongLineage);
    // What is registered stays.
    world.accept(&building.sealing(), &[&building.creator, &building.mint]);
    world.refuses(&[sound], &[&building.creator], RegistryError::NotDraft);
}
