//! `publish_licence` and `retire_licence`.

use anchor_lang::prelude::Address;
use provena_common::error::CommonError;
use provena_registry::{
    LicenceTerms, Price, client,
    constants::{pause, uses},
    error::RegistryError,
    pda,
    state::{Asset, AssetStatus, Floor, Licence},
};
use provena_tests::{
    World,
    registry::{Registered, dataset, model, terms, world},
    world::keypair,
};
use solana_instruction_error::InstructionError;
use solana_signer::Signer;

/// The System program's error for an account that exists.
const EXISTS: u32 = 0;

/// A dataset with the licence 1.
fn stage() -> (World, Registered) {
    let mut world = world();
    let digits = dataset(&mut world, "digits", &[]);
    (world, digits)
}

fn retiring(asset: &Registered, id: u32) -> solana_instruction::Instruction {
    client::retire_licence(&asset.creator.pubkey(), &asset.mint.pubkey(), &asset.nft(), id)
}

#[test]
fn a_licence_says_what_is_granted_and_asked() {
    let (mut world, digits) = stage();
    world.svm.warp_to_slot(7_000);
    let dollar = keypair("dollar").pubkey();
    let terms = LicenceTerms {
        text_hash: [4; 32],
        bps: 1_500,
        floor_bps: 300,
        floor: Some(Floor { mint: dollar, per_unit: 2 }),
        consent: true,
        absolute: true,
        uses: uses::SERVE | uses::DERIVE,
        price: Some(Price { mint: dollar, amount: 70 }),
        expires: 7_000,
        most_children: 3,
    };
    digits.publish(&mut world, u32::MAX, terms);
    let licence = digits.licence(&world, u32::MAX);
    assert_eq!((licence.asset, licence.grantor, licence.id), (digits.asset, digits.creator.pubkey(), u32::MAX));
    assert_eq!((licence.terms_hash, licence.bps, licence.floor_bps), ([4; 32], 1_500, 300));
    assert_eq!((licence.floor_mint, licence.floor_per_unit), (dollar, 2));
    assert_eq!((licence.issued, licence.flags), (7_000, Licence::ACTIVE | Licence::CONSENT | Licence::ABSOLUTE));
    assert_eq!((licence.price, licence.price_mint, licence.expires), (70, dollar, 7_000));
    assert_eq!((licence.most_children, licence.children, licence.uses), (3, 0, 3));
    let account = world.account(&pda::licence(&digits.asset, u32::MAX).0).expect("it exists");
    assert_eq!((account.data.len(), account.lamports), (288, 2_895_360));
}

#[test]
fn publish_licence_rejects_terms_that_make_no_sense() {
    let (mut world, digits) = stage();
    let mut refused = |terms: LicenceTerms, error: u32| {
        world.refuses(&[digits.publishing(2, terms)], &[&digits.creator], error);
    };
    refused(terms(10_001), CommonError::BpsTooHigh.code());
    refused(LicenceTerms { floor_bps: 10_001, ..terms(0) }, CommonError::BpsTooHigh.code());
    let nothing = Floor { mint: Address::default(), per_unit: 0 };
    refused(LicenceTerms { floor: Some(nothing), ..terms(0) }, RegistryError::ZeroFloor.code());
    let free = Price { mint: Address::default(), amount: 0 };
    refused(LicenceTerms { price: Some(free), ..terms(0) }, RegistryError::ZeroPrice.code());
    refused(LicenceTerms { uses: 0, ..terms(0) }, RegistryError::NoUses.code());
    digits.publish(&mut world, 2, LicenceTerms { floor_bps: 10_000, ..terms(10_000) });
}

#[test]
fn publish_licence_rejects_a_number_that_is_used() {
    let (mut world, digits) = stage();
    world.refuses(&[digits.publishing(1, terms(0))], &[&digits.creator], EXISTS);
    // Retired, it is used still: edges name it.
    world.accept(&[retiring(&digits, 1)], &[&digits.creator]);
    world.refuses(&[digits.publishing(1, terms(0))], &[&digits.creator], EXISTS);
}

#[test]
fn publish_licence_rejects_another_address() {
    let (mut world, digits) = stage();
    for address in [pda::licence(&digits.asset, 3).0, keypair("elsewhere").pubkey()] {
        let mut publishing = digits.publishing(2, terms(0));
        publishing.accounts[4].pubkey = address;
        world.refuses(&[publishing], &[&digits.creator], CommonError::WrongPda);
    }
}

#[test]
fn publish_licence_rejects_a_paused_program() {
    let (mut world, digits) = stage();
    let authority = world.wallet("registry authority");
    world.accept(&[client::set_pause(&authority.pubkey(), pause::PUBLISH_LICENCE)], &[&authority]);
    world.refuses(&[digits.publishing(2, terms(0))], &[&digits.creator], CommonError::Paused);
    // Retiring is never paused.
    world.accept(&[retiring(&digits, 1)], &[&digits.creator]);
}

#[test]
fn publish_licence_rejects_an_asset_that_is_not_active() {
    let (mut world, digits) = stage();
    let state = Asset { status: AssetStatus::Disputed as u8, ..digits.state(&world) };
    world.set_state(&digits.asset, &state);
    world.refuses(&[digits.publishing(2, terms(0))], &[&digits.creator], RegistryError::AssetNotActive);
    world.accept(&[retiring(&digits, 1)], &[&digits.creator]);
}

#[test]
fn publish_licence_rejects_another_system_program() {
    let (mut world, digits) = stage();
    let mut publishing = digits.publishing(2, terms(0));
    publishing.accounts[5].pubkey = provena_royalty::ID;
    world.refuses(&[publishing], &[&digits.creator], InstructionError::IncorrectProgramId);
}

#[test]
fn a_retired_licence_stays_on_record_and_reaches_no_edge() {
    let (mut world, digits) = stage();
    let child = model(&mut world, "classifier", &[(&digits, 1_000)]);
    let before = child.lineage(&world);
    world.accept(&[retiring(&digits, 1)], &[&digits.creator]);
    let licence = digits.licence(&world, 1);
    assert_eq!((licence.flags, licence.bps), (0, 1_000));
    assert_eq!(child.lineage(&world), before);
}

#[test]
fn retire_licence_rejects_a_retired_one() {
    let (mut world, digits) = stage();
    world.accept(&[retiring(&digits, 1)], &[&digits.creator]);
    world.refuses(&[retiring(&digits, 1)], &[&digits.creator], RegistryError::LicenceRetired);
}

#[test]
fn retire_licence_rejects_another_assets() {
    let (mut world, digits) = stage();
    let mine = model(&mut world, "classifier", &[]);
    // The holder of one asset goes for the licence of another.
    let mut retire = retiring(&mine, 1);
    retire.accounts[3].pubkey = pda::licence(&digits.asset, 1).0;
    world.refuses(&[retire], &[&mine.creator], RegistryError::WrongLicence);
}
