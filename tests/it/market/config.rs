//! `initialize_config`.

use provena_market::{client, error::MarketError, pda, state::Config};
use provena_royalty::upgrade::program_data;
use provena_tests::{World, world::keypair};
use solana_instruction_error::InstructionError;
use solana_signer::Signer;

use super::scene::{CLUSTER, MIN_STAKE, PROTOCOL_BPS, configure};

#[test]
fn the_config_holds_what_was_given() {
    let mut world = World::new();
    let treasury = configure(&mut world);
    let config: Config = world.state(&pda::config().0);
    assert_eq!(config.treasury, treasury);
    assert_eq!(config.authority, keypair("market authority").pubkey());
    assert_eq!((config.cluster, config.protocol_fee_bps, config.min_stake), (CLUSTER, PROTOCOL_BPS, MIN_STAKE));
}

#[test]
fn initialize_config_rejects_a_second_time() {
    let mut world = World::new();
    configure(&mut world);
    let stranger = world.wallet("stranger");
    let again = client::initialize_config(stranger.pubkey(), stranger.pubkey(), CLUSTER, 0, 0);
    // The system program refuses to create an account that exists.
    world.refuses(&[again], &[&stranger], InstructionError::Custom(0));
}

#[test]
fn initialize_config_rejects_anybody_but_the_upgrade_authority() {
    let mut world = World::new();
    let (deployer, mallory) = (world.wallet("deployer"), world.wallet("mallory"));
    world.set_upgrade_authority(&provena_market::ID, &deployer.pubkey());
    world.refuses(
        &[client::initialize_config(mallory.pubkey(), mallory.pubkey(), CLUSTER, 0, 0)],
        &[&mallory],
        MarketError::NotUpgradeAuthority.code(),
    );
    world.accept(&[client::initialize_config(deployer.pubkey(), deployer.pubkey(), CLUSTER, 0, 0)], &[&deployer]);
}

#[test]
fn initialize_config_rejects_another_programs_data() {
    let mut world = World::new();
    let mallory = world.wallet("mallory");
    let mut create = client::initialize_config(mallory.pubkey(), mallory.pubkey(), CLUSTER, 0, 0);
    let data = create.accounts.iter_mut().find(|meta| meta.pubkey == program_data(&provena_market::ID)).unwrap();
    data.pubkey = program_data(&provena_registry::ID);
    world.refuses(&[create], &[&mallory], MarketError::NotUpgradeAuthority.code());
}

#[test]
fn initialize_config_rejects_too_high_a_fee() {
    let mut world = World::new();
    let authority = world.wallet("market authority");
    let create = client::initialize_config(authority.pubkey(), authority.pubkey(), CLUSTER, 1_001, 0);
    world.refuses(&[create], &[&authority], MarketError::BpsTooHigh.code());
}

#[test]
fn initialize_config_rejects_an_empty_treasury() {
    let mut world = World::new();
    let authority = world.wallet("market authority");
    let nobody = keypair("nobody").pubkey();
    let create = client::initialize_config(authority.pubkey(), nobody, CLUSTER, 0, 0);
    world.refuses(&[create], &[&authority], MarketError::BadTreasury.code());
}

#[test]
fn initialize_config_rejects_a_treasury_that_is_no_wallet() {
    let mut world = World::new();
    let authority = world.wallet("market authority");
    let create = client::initialize_config(authority.pubkey(), provena_market::ID, CLUSTER, 0, 0);
    world.refuses(&[create], &[&authority], MarketError::BadTreasury.code());
}
