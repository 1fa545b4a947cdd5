//! The authority: made once by whoever may upgrade the program, handed over slowly, and able to pause three things.

use anchor_lang::prelude::Address;
use provena_common::error::CommonError;
use provena_registry::{ID, client, constants::pause, error::RegistryError, pda, state::Admin};
use provena_tests::{
    World,
    registry::{decode, world},
    world::keypair,
};
use solana_instruction_error::InstructionError;
use solana_signer::Signer;

/// The System program's error for an account that exists.
const EXISTS: u32 = 0;

fn admin(world: &World) -> Admin {
    decode(world, &pda::admin().0)
}

#[test]
fn the_admin_account_starts_with_nothing_paused() {
    let world = world();
    let admin = admin(&world);
    assert_eq!(admin.control.authority, keypair("registry authority").pubkey());
    assert_eq!((admin.control.pending, admin.control.paused), (Address::default(), 0));
}

#[test]
fn initialize_admin_rejects_a_second_time() {
    let mut world = world();
    let stranger = world.wallet("stranger");
    world.refuses(&[client::initialize_admin(&stranger.pubkey())], &[&stranger], EXISTS);
}

#[test]
fn initialize_admin_rejects_all_but_the_upgrade_authority() {
    let mut world = World::new();
    let (deployer, stranger) = (world.wallet("deployer"), world.wallet("stranger"));
    world.set_upgrade_authority(&ID, &deployer.pubkey());
    let initialize = client::initialize_admin(&stranger.pubkey());
    world.refuses(&[initialize], &[&stranger], CommonError::NotUpgradeAuthority);
    // Another program's data account, of which the stranger is the authority.
    let mut initialize = client::initialize_admin(&stranger.pubkey());
    world.set_upgrade_authority(&provena_royalty::ID, &stranger.pubkey());
    initialize.accounts[2].pubkey = provena_common::upgrade::program_data(&provena_royalty::ID);
    world.refuses(&[initialize], &[&stranger], CommonError::NotUpgradeAuthority);
    world.accept(&[client::initialize_admin(&deployer.pubkey())], &[&deployer]);
}

#[test]
fn initialize_admin_rejects_another_address() {
    let mut world = World::new();
    let authority = world.wallet("registry authority");
    let mut initialize = client::initialize_admin(&authority.pubkey());
    initialize.accounts[1].pubkey = keypair("elsewhere").pubkey();
    world.refuses(&[initialize], &[&authority], CommonError::WrongPda);
}

#[test]
fn the_authority_is_handed_over_after_432_000_slots() {
    let mut world = world();
    let (old, new) = (world.wallet("registry authority"), world.wallet("heir"));
    world.accept(&[client::propose_authority(&old.pubkey(), new.pubkey())], &[&old]);
    world.pass_slots(431_999);
    world.refuses(&[client::accept_authority(&new.pubkey())], &[&new], CommonError::TimelockRunning);
    world.pass_slots(1);
    world.accept(&[client::accept_authority(&new.pubkey())], &[&new]);
    assert_eq!(admin(&world).control.authority, new.pubkey());
    assert_eq!(admin(&world).control.pending, Address::default());
    world.refuses(&[client::set_pause(&old.pubkey(), 1)], &[&old], CommonError::NotAuthority);
}

#[test]
fn propose_authority_rejects_a_stranger_and_nobody() {
    let mut world = world();
    let (old, mallory) = (world.wallet("registry authority"), world.wallet("mallory"));
    let propose = client::propose_authority(&mallory.pubkey(), mallory.pubkey());
    world.refuses(&[propose], &[&mallory], CommonError::NotAuthority);
    let propose = client::propose_authority(&old.pubkey(), Address::default());
    world.refuses(&[propose], &[&old], CommonError::BadAuthority);
    let mut propose = client::propose_authority(&old.pubkey(), mallory.pubkey());
    propose.accounts[0].is_signer = false;
    world.refuses(&[propose], &[], InstructionError::MissingRequiredSignature);
}

#[test]
fn accept_authority_rejects_who_was_not_proposed() {
    let mut world = world();
    let (old, heir, mallory) = (world.wallet("registry authority"), world.wallet("heir"), world.wallet("mallory"));
    world.refuses(&[client::accept_authority(&heir.pubkey())], &[&heir], CommonError::NoPendingAuthority);
    world.accept(&[client::propose_authority(&old.pubkey(), heir.pubkey())], &[&old]);
    world.pass_slots(432_000);
    world.refuses(&[client::accept_authority(&mallory.pubkey())], &[&mallory], CommonError::NoPendingAuthority);
}

#[test]
fn cancel_authority_rejects_a_stranger_and_no_proposal() {
    let mut world = world();
    let (old, heir) = (world.wallet("registry authority"), world.wallet("heir"));
    world.refuses(&[client::cancel_authority(&old.pubkey())], &[&old], CommonError::NoPendingAuthority);
    world.accept(&[client::propose_authority(&old.pubkey(), heir.pubkey())], &[&old]);
    world.refuses(&[client::cancel_authority(&heir.pubkey())], &[&heir], CommonError::NotAuthority);
    world.accept(&[client::cancel_authority(&old.pubkey())], &[&old]);
    world.pass_slots(432_000);
    world.refuses(&[client::accept_authority(&heir.pubkey())], &[&heir], CommonError::NoPendingAuthority);
}

#[test]
fn set_pause_rejects_a_stranger_and_unknown_bits() {
    let mut world = world();
    let (authority, mallory) = (world.wallet("registry authority"), world.wallet("mallory"));
    world.refuses(&[client::set_pause(&mallory.pubkey(), 1)], &[&mallory], CommonError::NotAuthority);
    world.refuses(&[client::set_pause(&authority.pubkey(), 8)], &[&authority], RegistryError::UnknownPauseBits);
    world.accept(&[client::set_pause(&authority.pubkey(), pause::ALL)], &[&authority]);
    assert_eq!(admin(&world).control.paused, 7);
    world.accept(&[client::set_pause(&authority.pubkey(), 0)], &[&authority]);
    assert_eq!(admin(&world).control.paused, 0);
}
