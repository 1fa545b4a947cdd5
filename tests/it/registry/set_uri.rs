//! `set_uri`: the one thing about an NFT's metadata that its holder can change.

use mpl_token_metadata::accounts::Metadata;
use provena_common::error::CommonError;
use provena_registry::{
    TOKEN_METADATA_PROGRAM, client,
    error::RegistryError,
    pda,
    state::{Asset, AssetStatus},
};
use provena_tests::{
    World,
    registry::{Registered, dataset, draft, model, prepare, register, world},
    world::keypair,
};
use solana_instruction::Instruction;
use solana_signer::Signer;

fn metadata(world: &World, asset: &Registered) -> Metadata {
    let account = world.account(&pda::metadata(&asset.mint.pubkey()).0).expect("the metadata exists");
    Metadata::safe_deserialize(&account.data).expect("it is metadata")
}

fn setting(asset: &Registered, uri: &str) -> Instruction {
    client::set_uri(&asset.creator.pubkey(), &asset.mint.pubkey(), &asset.nft(), uri)
}

/// Texts come back padded with zeros to their greatest length.
fn padded(text: &str, len: usize) -> String {
    format!("{text}{}", "\0".repeat(len - text.len()))
}

#[test]
fn set_uri_changes_the_uri_and_nothing_else() {
    let mut world = world();
    let digits = dataset(&mut world, "digits", &[]);
    let before = metadata(&world, &digits);
    for uri in ["https://example.org/new.json".to_owned(), String::new(), "u".repeat(200), "ü".repeat(100)] {
        world.accept(&[setting(&digits, &uri)], &[&digits.creator]);
        let after = metadata(&world, &digits);
        assert_eq!(after, Metadata { uri: padded(&uri, 200), ..before.clone() });
    }
}

/// Names that fill their field, and ones of a single byte.
#[test]
fn set_uri_keeps_texts_of_every_length() {
    for (name, symbol) in [("n".repeat(32), "s".repeat(10)), ("n".to_owned(), String::new())] {
        let mut world = world();
        let (creator, mint) = prepare(&mut world, "curator", "digits", &[]);
        let mut draft = draft(provena_registry::state::AssetKind::Dataset, &creator, &mint);
        draft.nft.name = name;
        draft.nft.symbol = symbol;
        draft.nft.seller_fee_basis_points = 10_000;
        let digits = register(&mut world, &draft, creator, mint);
        let before = metadata(&world, &digits);
        world.accept(&[setting(&digits, "https://example.org/new.json")], &[&digits.creator]);
        let uri = padded("https://example.org/new.json", 200);
        assert_eq!(metadata(&world, &digits), Metadata { uri, ..before });
    }
}

#[test]
fn set_uri_works_whatever_the_status() {
    let mut world = world();
    let digits = dataset(&mut world, "digits", &[]);
    let state = Asset { status: AssetStatus::Frozen as u8, ..digits.state(&world) };
    world.set_state(&digits.asset, &state);
    world.accept(&[setting(&digits, "https://example.org/new.json")], &[&digits.creator]);
}

#[test]
fn set_uri_rejects_one_that_is_too_long() {
    let mut world = world();
    let digits = dataset(&mut world, "digits", &[]);
    world.refuses(&[setting(&digits, &"u".repeat(201))], &[&digits.creator], RegistryError::UriTooLong);
    world.refuses(&[setting(&digits, &"ü".repeat(101))], &[&digits.creator], RegistryError::UriTooLong);
}

#[test]
fn set_uri_rejects_other_metadata() {
    let mut world = world();
    let digits = dataset(&mut world, "digits", &[]);
    let other = model(&mut world, "other", &[]);
    let mut set = setting(&digits, "https://example.org/new.json");
    let edition = pda::master_edition(&digits.mint.pubkey()).0;
    let forged = keypair("forged").pubkey();
    let real = pda::metadata(&digits.mint.pubkey()).0;
    world.forge(&real, &forged, Some(provena_registry::ID));
    let others = [pda::metadata(&other.mint.pubkey()).0, edition, forged, keypair("nothing").pubkey()];
    for address in others {
        set.accounts[3].pubkey = address;
        world.refuses(std::slice::from_ref(&set), &[&digits.creator], RegistryError::WrongMetadata);
    }
    // The holder of the other NFT, with this one's metadata.
    let mut set = setting(&other, "https://example.org/new.json");
    set.accounts[3].pubkey = real;
    world.refuses(&[set], &[&other.creator], RegistryError::WrongMetadata);
}

#[test]
fn set_uri_rejects_metadata_in_another_form() {
    let mut world = world();
    let digits = dataset(&mut world, "digits", &[]);
    let address = pda::metadata(&digits.mint.pubkey()).0;
    let sound = world.account(&address).expect("the metadata exists");
    // Lengths of name, symbol and URI; the option of creators; their number; and an account that ends early.
    for at in [65, 101, 115, 321, 322] {
        let mut spoiled = sound.clone();
        spoiled.data[at] ^= 2;
        world.svm.set_account(address, spoiled).expect("the account is sound");
        let set = setting(&digits, "https://example.org/new.json");
        world.refuses(&[set], &[&digits.creator], RegistryError::WrongMetadata);
    }
    let mut short = sound;
    short.data.truncate(359);
    world.svm.set_account(address, short).expect("the account is sound");
    let set = setting(&digits, "https://example.org/new.json");
    world.refuses(&[set], &[&digits.creator], RegistryError::WrongMetadata);
}

#[test]
fn set_uri_rejects_another_program() {
    let mut world = world();
    let digits = dataset(&mut world, "digits", &[]);
    let mut set = setting(&digits, "https://example.org/new.json");
    assert_eq!(set.accounts[4].pubkey, TOKEN_METADATA_PROGRAM);
    set.accounts[4].pubkey = provena_royalty::ID;
    world.refuses(&[set], &[&digits.creator], 2012);
}

#[test]
fn set_uri_rejects_a_holder_of_nothing() {
    let mut world = world();
    let digits = dataset(&mut world, "digits", &[]);
    let other = model(&mut world, "other", &[]);
    let set = client::set_uri(&other.creator.pubkey(), &digits.mint.pubkey(), &other.nft(), "x");
    world.refuses(&[set], &[&other.creator], CommonError::NotNftHolder);
}
