//! The audit's findings about the registry, played as attacks through the built programs.

use anchor_lang::prelude::Address;
use provena_common::error::CommonError;
use provena_registry::{
    ID, client,
    client::NewAsset,
    content_claim::claim_hash,
    error::RegistryError,
    pda,
    state::{Asset, AssetKind, Content, Floor, Version},
};
use provena_tests::{
    World,
    registry::{
        PERCENT, RECIPE, Registered, claim, content, dataset, decode, draft, model, prepare, register, sell, terms,
        world,
    },
    world::{WALLET_LAMPORTS, keypair},
};
use solana_instruction_error::InstructionError;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// Lamports that a claim locks.
const CLAIM_RENT: u64 = 1_280_640;

fn pool_of(mint: &Keypair) -> Address {
    provena_royalty::pda::pool(&mint.pubkey()).0
}

fn has_claim(world: &World, claimant: &Keypair, draft: &NewAsset) -> bool {
    let hash = claim_hash(&claimant.pubkey(), &draft.content.root, &draft.content.salt);
    world.account(&pda::claim(&hash).0).is_some()
}

/// A model made from a data set is registered; a copier registers the same bytes, without the parent, under his own
/// pool.
#[test]
fn m5_the_same_content_is_not_registered_again() {
    let mut world = world();
    let digits = dataset(&mut world, "digits", &[]);
    let original = model(&mut world, "classifier", &[(&digits, 2_000)]);
    let (mallory, mint) = prepare(&mut world, "mallory", "copy", &[]);
    let mut copy = draft(AssetKind::Model, &mallory, &mint);
    copy.content.root = original.mint.pubkey().to_bytes();
    claim(&mut world, &mallory, &copy.content);
    world.refuses(&[copy.instruction()], &[&mallory, &mint], RegistryError::ContentTaken);
    // Neither as a data set, nor as another version of an asset of his.
    copy.recipe = None;
    world.refuses(&[copy.instruction()], &[&mallory, &mint], RegistryError::ContentTaken);
    let other = draft(AssetKind::Model, &mallory, &mint);
    let his = register(&mut world, &other, mallory, mint);
    let (holder, mint) = (his.creator.pubkey(), his.mint.pubkey());
    let add = client::add_version(&holder, &mint, &his.nft(), 2, copy.content, Some(RECIPE));
    world.refuses(&[add], &[&his.creator], RegistryError::ContentTaken);

    let taken: Content = decode(&world, &pda::content(&copy.content.root).0);
    assert_eq!((taken.asset, taken.n), (original.asset, 1));
}

/// A front-runner sees the registration before it lands, and with it root and salt.
#[test]
fn m5_who_sees_the_reveal_comes_too_late() {
    let mut world = world();
    let (victim, victims_mint) = prepare(&mut world, "trainer", "classifier", &[]);
    let honest = draft(AssetKind::Model, &victim, &victims_mint);
    claim(&mut world, &victim, &honest.content);

    let (mallory, mint) = prepare(&mut world, "mallory", "copy", &[]);
    let mut copied = draft(AssetKind::Model, &mallory, &mint);
    copied.content = honest.content;
    // The victim's claim, in a registration of his own: it names another.
    let mut accounts = copied.accounts();
    accounts.claim = honest.accounts().claim;
    let stolen = copied.instruction_with(&accounts);
    world.refuses(&[stolen], &[&mallory, &mint], RegistryError::WrongClaim);
    // The victim as creator, without the victim's signature.
    let mut forged = honest.instruction();
    forged.accounts[0].is_signer = false;
    world.refuses(&[forged], &[&victims_mint], InstructionError::MissingRequiredSignature);
    // A claim of his own, made in the same slot and used until one slot too early.
    world.accept(&[client::claim_content(&mallory.pubkey(), &copied.content.root, &copied.content.salt)], &[&mallory]);
    world.refuses(&[copied.instruction()], &[&mallory, &mint], RegistryError::ClaimTooYoung);
    world.pass_slots(7);
    world.refuses(&[copied.instruction()], &[&mallory, &mint], RegistryError::ClaimTooYoung);
    // Within these slots the victim's transaction lands.
    world.accept(&[honest.instruction()], &[&victim, &victims_mint]);
    world.pass_slots(1);
    world.refuses(&[copied.instruction()], &[&mallory, &mint], RegistryError::ContentTaken);
    assert!(!has_claim(&world, &victim, &honest));
    assert!(has_claim(&world, &mallory, &copied), "the copier's claim is left over, and its rent with it");
    let taken: Content = decode(&world, &pda::content(&honest.content.root).0);
    assert_eq!(taken.asset, pda::asset(&victims_mint.pubkey()).0);
}

/// A claim in the same transaction as the registration is as late as any other.
#[test]
fn m5_a_claim_cannot_be_made_and_used_at_once() {
    let mut world = world();
    let (mallory, mint) = prepare(&mut world, "mallory", "copy", &[]);
    let copy = draft(AssetKind::Model, &mallory, &mint);
    let claiming = client::claim_content(&mallory.pubkey(), &copy.content.root, &copy.content.salt);
    world.refuses(&[claiming, copy.instruction()], &[&mallory, &mint], RegistryError::ClaimTooYoung);
}

/// A reveal that does not fit the claim: another root, another salt, another claimant.
#[test]
fn m5_a_claim_is_for_one_root_one_salt_and_one_claimant() {
    let mut world = world();
    let (creator, mint) = prepare(&mut world, "trainer", "classifier", &[]);
    let honest = draft(AssetKind::Model, &creator, &mint);
    claim(&mut world, &creator, &honest.content);
    let claim_account = honest.accounts().claim;
    for spoil_root in [true, false] {
        let mut other = honest.clone();
        let spoiled = if spoil_root { &mut other.content.root } else { &mut other.content.salt };
        spoiled[31] ^= 1;
        let mut accounts = other.accounts();
        accounts.claim = claim_account;
        let instruction = other.instruction_with(&accounts);
        world.refuses(&[instruction], &[&creator, &mint], RegistryError::WrongClaim);
    }
    // The length is no part of it.
    let mut other = honest;
    other.content.len += 1;
    world.accept(&[other.instruction()], &[&creator, &mint]);
}

/// A squatter claims what leaked, and never registers it. That stops nobody, and lapses.
#[test]
fn m5_a_squatters_claim_stops_nobody_and_lapses() {
    let mut world = world();
    world.svm.warp_to_slot(1_000);
    let (squatter, squatters_mint) = prepare(&mut world, "squatter", "squat", &[]);
    let before = world.lamports(&squatter.pubkey());
    let mut squat = draft(AssetKind::Dataset, &squatter, &squatters_mint);
    squat.content.root = keypair("digits").pubkey().to_bytes();
    let claiming = client::claim_content(&squatter.pubkey(), &squat.content.root, &squat.content.salt);
    world.accept(&[claiming], &[&squatter]);
    assert_eq!(before - world.lamports(&squatter.pubkey()), CLAIM_RENT);

    // In its last slot it could be used; one later it cannot.
    world.svm.warp_to_slot(217_000);
    let lasting = world.svm.clone();
    world.accept(&[squat.instruction()], &[&squatter, &squatters_mint]);
    world.svm = lasting;
    world.svm.warp_to_slot(217_001);
    world.refuses(&[squat.instruction()], &[&squatter, &squatters_mint], RegistryError::ClaimLapsed);

    // The author, who claimed later, registers; the squatter's claim is cleared away.
    let author = dataset(&mut world, "digits", &[]);
    let taken: Content = decode(&world, &pda::content(&squat.content.root).0);
    assert_eq!(taken.asset, author.asset);
    let stranger = world.wallet("stranger");
    let left = squat.accounts().claim;
    world.accept(&[client::abandon_claim(&stranger.pubkey(), &left, &squatter.pubkey())], &[&stranger]);
    assert_eq!(world.lamports(&squatter.pubkey()), before);
    assert_eq!(world.lamports(&stranger.pubkey()), WALLET_LAMPORTS);
    // Claimed anew it is too late.
    squat.content.salt = [6; 32];
    claim(&mut world, &squatter, &squat.content);
    world.refuses(&[squat.instruction()], &[&squatter, &squatters_mint], RegistryError::ContentTaken);
}

/// The creator of a model with a parent wants version 2 to pay a new pool, in which the parent has no share.
#[test]
fn m5_version_2_cannot_be_forked_to_another_pool() {
    let mut world = world();
    let digits = dataset(&mut world, "digits", &[]);
    let first = model(&mut world, "classifier", &[(&digits, 2_000)]);
    let (trainer, mint) = prepare(&mut world, "trainer", "fork", &[]);
    assert_eq!(trainer.pubkey(), first.creator.pubkey());
    let fork = register(&mut world, &draft(AssetKind::Model, &trainer, &mint), trainer, mint);

    // Version 2 of the first asset, recorded under the fork: at the fork's address it would be the fork's own version.
    let second = content("classifier 2");
    claim(&mut world, &first.creator, &second);
    let (holder, first_mint) = (first.creator.pubkey(), first.mint.pubkey());
    let adding = client::add_version(&holder, &first_mint, &first.nft(), 2, second, Some(RECIPE));
    let mut forked = adding.clone();
    forked.accounts[5].pubkey = pda::version(&fork.asset, 2).0;
    world.refuses(&[forked], &[&first.creator], CommonError::WrongPda);
    // The first asset, with the fork's NFT.
    let mut forked = adding.clone();
    forked.accounts[3].pubkey = fork.nft();
    world.refuses(&[forked], &[&first.creator], CommonError::NotNftHolder);
    // A pool appended to the accounts is no account of this instruction.
    let mut forked = adding;
    forked.accounts.push(solana_instruction::AccountMeta::new(fork.pool, false));
    world.accept(&[forked], &[&first.creator]);

    let asset: Asset = first.state(&world);
    assert_eq!((asset.pool, asset.latest), (pool_of(&first.mint), 2));
    let version: Version = decode(&world, &pda::version(&first.asset, 2).0);
    assert_eq!(version.asset, first.asset);
    // And what is version 2 of one asset is not version 1 of another.
    let (trainer, mint) = prepare(&mut world, "trainer", "another fork", &[]);
    let mut again = draft(AssetKind::Model, &trainer, &mint);
    again.content = provena_registry::ContentReveal { salt: [6; 32], ..second };
    claim(&mut world, &trainer, &again.content);
    world.refuses(&[again.instruction()], &[&trainer, &mint], RegistryError::ContentTaken);
}

/// Whoever copies a claim's hash blocks that one hash; with another salt the claimant is out of his way.
#[test]
fn a_copied_claim_hash_costs_the_claimant_one_more_try() {
    let mut world = world();
    let (creator, mint) = prepare(&mut world, "trainer", "classifier", &[]);
    let mallory = world.wallet("mallory");
    let mut honest = draft(AssetKind::Model, &creator, &mint);
    let claiming = client::claim_content(&creator.pubkey(), &honest.content.root, &honest.content.salt);
    let mut copied = claiming.clone();
    copied.accounts[0].pubkey = mallory.pubkey();
    world.accept(&[copied], &[&mallory]);
    world.refuses(&[claiming], &[&creator], 0);
    world.pass_slots(8);
    world.refuses(&[honest.instruction()], &[&creator, &mint], RegistryError::WrongClaim);
    honest.content.salt = [6; 32];
    claim(&mut world, &creator, &honest.content);
    world.accept(&[honest.instruction()], &[&creator, &mint]);
    assert_eq!(WALLET_LAMPORTS - world.lamports(&mallory.pubkey()), CLAIM_RENT);
}

/// Each right of the holder, used by whoever registered the asset after selling its NFT.
#[test]
fn m1_the_seller_keeps_no_rights() {
    let mut world = world();
    let model = model(&mut world, "classifier", &[]);
    let buyer = world.wallet("buyer");
    let second = content("classifier 2");
    claim(&mut world, &model.creator, &second);
    claim(&mut world, &buyer, &second);
    let sold = sell(&mut world, &model, &buyer);
    let mint = model.mint.pubkey();

    let by = |holder: &Keypair, nft: &Address| {
        let holder = holder.pubkey();
        [
            client::add_version(&holder, &mint, nft, 2, second, Some(RECIPE)),
            client::publish_licence(&holder, &mint, nft, 2, terms(0)),
            client::raise_floor(&holder, &mint, nft, 10_000, None),
            client::set_uri(&holder, &mint, nft, "https://example.org/mine"),
            client::retire_licence(&holder, &mint, nft, 1),
        ]
    };
    for nft in [model.nft(), sold] {
        for instruction in by(&model.creator, &nft) {
            world.refuses(&[instruction], &[&model.creator], CommonError::NotNftHolder);
        }
    }
    for instruction in by(&buyer, &sold) {
        world.accept(&[instruction], &[&buyer]);
    }
    assert_eq!(model.state(&world).latest, 2);
    assert_eq!(model.licence(&world, 2).grantor, buyer.pubkey());
}

/// A version added in the transaction of the sale, after the token has moved.
#[test]
fn m1_the_right_ends_within_the_transaction_of_the_sale() {
    let mut world = world();
    let model = model(&mut world, "classifier", &[]);
    let buyer = world.wallet("buyer");
    let second = content("classifier 2");
    claim(&mut world, &model.creator, &second);
    let (holder, mint) = (model.creator.pubkey(), model.mint.pubkey());
    let (account, transfer) = provena_tests::registry::selling(&mut world, &model, &buyer);
    let adding = client::add_version(&holder, &mint, &model.nft(), 2, second, Some(RECIPE));
    world.refuses(&[transfer, adding], &[&model.creator], CommonError::NotNftHolder);
    assert_eq!(provena_tests::tokens::token_balance(&world, &account), 0);
}

/// The creator of a derivative asks nothing of its users, so that the parent's share is a share of nothing.
#[test]
fn h4_a_derivatives_floor_is_at_least_its_parents() {
    let mut world = world();
    let base = model(&mut world, "base", &[]);
    let (holder, base_mint) = (base.creator.pubkey(), base.mint.pubkey());
    let asked = Floor { mint: Address::default(), per_unit: 25 };
    world.accept(&[client::raise_floor(&holder, &base_mint, &base.nft(), 1_000, Some(asked))], &[&base.creator]);

    let (creator, mint) = prepare(&mut world, "mallory", "derivative", &[(base.pool, 20 * PERCENT)]);
    let mut derived = draft(AssetKind::Model, &creator, &mint);
    derived.parents = vec![base.as_parent(1)];
    claim(&mut world, &creator, &derived.content);
    world.refuses(&[derived.instruction()], &[&creator, &mint], RegistryError::FloorBelowParent);
    derived.floors.bps = 1_000;
    derived.floors.per_unit = vec![Floor { per_unit: 24, ..asked }];
    world.refuses(&[derived.instruction()], &[&creator, &mint], RegistryError::FloorBelowParent);
    derived.floors.per_unit = vec![asked];
    world.accept(&[derived.instruction()], &[&creator, &mint]);
    let derived = registered(creator, mint);

    // A derivative of the derivative, under a licence of the derivative's creator that asks for nothing.
    derived.publish(&mut world, 1, terms(0));
    let (creator, mint) = prepare(&mut world, "mallory", "second derivative", &[(derived.pool, PERCENT)]);
    let mut second = draft(AssetKind::Model, &creator, &mint);
    second.parents = vec![derived.as_parent(1)];
    claim(&mut world, &creator, &second.content);
    world.refuses(&[second.instruction()], &[&creator, &mint], RegistryError::FloorBelowParent);
    second.floors.bps = 1_000;
    second.floors.per_unit = vec![asked];
    world.accept(&[second.instruction()], &[&creator, &mint]);
}

/// A floor does not fall, for nobody, and not through the sale of the NFT.
#[test]
fn h4_a_floor_never_falls() {
    let mut world = world();
    let model = model(&mut world, "classifier", &[]);
    let mint = model.mint.pubkey();
    let asked = Floor { mint: Address::default(), per_unit: 25 };
    let raise =
        |holder: &Keypair, nft: &Address, bps, floor| client::raise_floor(&holder.pubkey(), &mint, nft, bps, floor);
    world.accept(&[raise(&model.creator, &model.nft(), 1_000, Some(asked))], &[&model.creator]);
    let buyer = world.wallet("buyer");
    let sold = sell(&mut world, &model, &buyer);
    let attempts = [(999, None), (0, Some(asked)), (1_000, Some(Floor { per_unit: 24, ..asked }))];
    for (bps, floor) in attempts {
        world.refuses(&[raise(&buyer, &sold, bps, floor)], &[&buyer], RegistryError::FloorLowered);
    }
    // Nor by adding a version.
    let second = content("classifier 2");
    claim(&mut world, &buyer, &second);
    world.accept(&[client::add_version(&buyer.pubkey(), &mint, &sold, 2, second, Some(RECIPE))], &[&buyer]);
    assert_eq!(model.state(&world).floor_bps, 1_000);
    assert_eq!(model.floors(&world), [asked]);
}

fn registered(creator: Keypair, mint: Keypair) -> Registered {
    let (asset, pool) = (pda::asset(&mint.pubkey()).0, pool_of(&mint));
    assert_ne!(asset, ID);
    Registered { asset, mint, pool, creator }
}
