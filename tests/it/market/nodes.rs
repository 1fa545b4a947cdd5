//! `register_node`, `add_stake`, `withdraw_stake`.

use provena_market::{client, error::MarketError, pda, state::Node};
use provena_tests::World;
use solana_instruction_error::InstructionError;
use solana_signer::Signer;

use super::scene::{MIN_STAKE, PaidIn, STAKE, Scene, configure, terms};

fn rent(world: &World) -> u64 {
    world.svm.minimum_balance_for_rent_exemption(Node::SPACE)
}

#[test]
fn a_node_registers_and_its_stake_lies_in_its_account() {
    let mut world = World::new();
    configure(&mut world);
    let authority = world.wallet("node");
    let endpoint = "https://node.example.org/".to_owned() + &"x".repeat(71);
    world.accept(&[client::register_node(authority.pubkey(), MIN_STAKE, &endpoint)], &[&authority]);
    let address = pda::node(&authority.pubkey()).0;
    let node: Node = world.state(&address);
    assert_eq!((node.authority, node.stake, node.locked), (authority.pubkey(), MIN_STAKE, 0));
    assert_eq!(node.endpoint(), endpoint);
    assert_eq!(world.lamports(&address), rent(&world) + MIN_STAKE);
}

#[test]
fn register_node_rejects_too_little_stake() {
    let mut world = World::new();
    configure(&mut world);
    let authority = world.wallet("node");
    let register = client::register_node(authority.pubkey(), MIN_STAKE - 1, "");
    world.refuses(&[register], &[&authority], MarketError::StakeTooLow.code());
}

#[test]
fn register_node_rejects_a_long_endpoint() {
    let mut world = World::new();
    configure(&mut world);
    let authority = world.wallet("node");
    let register = client::register_node(authority.pubkey(), MIN_STAKE, &"x".repeat(97));
    world.refuses(&[register], &[&authority], MarketError::EndpointTooLong.code());
}

#[test]
fn register_node_rejects_a_second_account() {
    let mut world = World::new();
    configure(&mut world);
    let authority = world.wallet("node");
    let register = client::register_node(authority.pubkey(), MIN_STAKE, "");
    world.accept(std::slice::from_ref(&register), &[&authority]);
    world.refuses(&[register], &[&authority], InstructionError::Custom(0));
}

#[test]
fn stake_goes_in_and_out_to_the_lamport() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let authority = scene.nodes[0].pubkey();
    let address = pda::node(&authority).0;
    let before = scene.world.lamports(&authority);
    scene.world.accept(&[client::add_stake(authority, 7)], &[&scene.nodes[0]]);
    assert_eq!(scene.node(0).stake, STAKE + 7);
    assert_eq!(scene.world.lamports(&address), rent(&scene.world) + STAKE + 7);
    scene.world.accept(&[client::withdraw_stake(authority, STAKE + 7)], &[&scene.nodes[0]]);
    assert_eq!(scene.node(0).stake, 0);
    assert_eq!(scene.world.lamports(&address), rent(&scene.world));
    assert_eq!(scene.world.lamports(&authority), before + STAKE);
}

#[test]
fn add_stake_rejects_another_authority() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let mut add = client::add_stake(scene.nodes[1].pubkey(), 1);
    add.accounts[1].pubkey = pda::node(&scene.nodes[0].pubkey()).0;
    scene.world.refuses(&[add], &[&scene.nodes[1]], MarketError::Unauthorized.code());
}

#[test]
fn withdraw_stake_rejects_another_authority() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let mut withdraw = client::withdraw_stake(scene.nodes[1].pubkey(), 1);
    withdraw.accounts[2].pubkey = pda::node(&scene.nodes[0].pubkey()).0;
    scene.world.refuses(&[withdraw], &[&scene.nodes[1]], MarketError::Unauthorized.code());
}

#[test]
fn withdraw_stake_rejects_locked_stake() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let job = scene.post(0, 1);
    scene.claim(job, 0, 0);
    let free = STAKE - terms().bond_lamports;
    let withdraw = client::withdraw_stake(scene.nodes[0].pubkey(), free + 1);
    scene.world.refuses(&[withdraw], &[&scene.nodes[0]], MarketError::StakeLocked.code());
}

#[test]
fn withdraw_stake_rejects_a_rest_below_the_minimum() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let withdraw = client::withdraw_stake(scene.nodes[0].pubkey(), STAKE - MIN_STAKE + 1);
    scene.world.refuses(&[withdraw], &[&scene.nodes[0]], MarketError::StakeTooLow.code());
}

#[test]
fn withdraw_stake_rejects_more_than_there_is() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let withdraw = client::withdraw_stake(scene.nodes[0].pubkey(), STAKE + 1);
    scene.world.refuses(&[withdraw], &[&scene.nodes[0]], MarketError::StakeLocked.code());
}
