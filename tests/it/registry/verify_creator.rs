//! The royalty program's `verify_creator`, on real metadata.

use provena_registry::pda;
use provena_royalty::{
    Holder,
    client::{create_pool, verify_creator},
    error::RoyaltyError,
};
use provena_tests::{
    registry::{dataset, prepare, world},
    world::keypair,
};
use solana_signer::Signer;

#[test]
fn verify_creator_may_be_repeated() {
    let mut world = world();
    let digits = dataset(&mut world, "digits", &[]);
    let metadata = pda::metadata(&digits.mint.pubkey()).0;
    world.changes_nothing(&[verify_creator(&digits.pool, &metadata)], &[]);
}

#[test]
fn verify_creator_rejects_another_assets_metadata() {
    let mut world = world();
    let digits = dataset(&mut world, "digits", &[]);
    let other = dataset(&mut world, "other", &[]);
    let metadata = pda::metadata(&other.mint.pubkey()).0;
    world.refuses(&[verify_creator(&digits.pool, &metadata)], &[], RoyaltyError::WrongMetadata);
}

#[test]
fn verify_creator_rejects_a_master_edition() {
    let mut world = world();
    let digits = dataset(&mut world, "digits", &[]);
    let edition = pda::master_edition(&digits.mint.pubkey()).0;
    world.refuses(&[verify_creator(&digits.pool, &edition)], &[], RoyaltyError::WrongMetadata);
}

#[test]
fn verify_creator_rejects_forged_metadata() {
    let mut world = world();
    let digits = dataset(&mut world, "digits", &[]);
    let forged = keypair("forged metadata").pubkey();
    world.forge(&pda::metadata(&digits.mint.pubkey()).0, &forged, Some(provena_registry::ID));
    world.refuses(&[verify_creator(&digits.pool, &forged)], &[], RoyaltyError::WrongMetadata);
}

#[test]
fn verify_creator_rejects_metadata_that_does_not_exist() {
    let mut world = world();
    let (_, mint) = prepare(&mut world, "curator", "digits", &[]);
    let pool = provena_royalty::pda::pool(&mint.pubkey()).0;
    world.refuses(&[verify_creator(&pool, &pda::metadata(&mint.pubkey()).0)], &[], RoyaltyError::WrongMetadata);
}

#[test]
fn verify_creator_rejects_a_pool_that_is_not_sealed() {
    let mut world = world();
    let (creator, mint) = (world.wallet("curator"), keypair("digits"));
    let holders = [Holder::new(creator.pubkey(), 9)];
    let create = create_pool(&creator.pubkey(), &mint.pubkey(), 10, 0, 0, &holders);
    world.accept(&[create], &[&creator, &mint]);
    let pool = provena_royalty::pda::pool(&mint.pubkey()).0;
    world.refuses(&[verify_creator(&pool, &pda::metadata(&mint.pubkey()).0)], &[], RoyaltyError::PoolNotSealed);
}
