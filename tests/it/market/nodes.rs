//! `register_node`, `update_node`, `add_stake`, `withdraw_stake`, `close_node`.

use provena_common::error::CommonError;
use provena_market::{client, error::MarketError, pda, state::Node};
use provena_tests::{
    World,
    market::{ENDPOINT, MIN_STAKE, PaidIn, STAKE, Scene, configure, terms},
    registry::decode,
    world::keypair,
};
use solana_instruction::Instruction;
use solana_instruction_error::InstructionError;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// Rent of a node's 368 bytes.
const RENT: u64 = (128 + 368) * 6_960;

fn registering(authority: &Keypair, stake: u64, endpoint: &str) -> Instruction {
    client::register_node(authority.pubkey(), stake, endpoint, [7; 32], 12)
}

/// A market with one wallet.
fn market() -> (World, Keypair) {
    let mut world = World::new();
    configure(&mut world);
    let authority = world.wallet("node");
    (world, authority)
}

#[test]
fn a_node_registers_and_its_stake_lies_in_its_account() {
    let (mut world, authority) = market();
    world.pass_slots(77);
    let endpoint = "https://node.example.org/".to_owned() + &"x".repeat(71);
    world.accept(&[registering(&authority, MIN_STAKE, &endpoint)], &[&authority]);
    let address = pda::node(&authority.pubkey()).0;
    let node: Node = decode(&world, &address);
    assert_eq!((node.authority, node.stake, node.locked), (authority.pubkey(), 1_000_000_000, 0));
    assert_eq!((node.endpoint(), node.key, node.capacity), (endpoint.as_str(), [7; 32], 12));
    assert_eq!((node.registered_at, node.active_from), (world.slot(), world.slot()));
    assert_eq!((node.agreed, node.forfeited, node.unbonding, node.unbonding_at), (0, 0, 0, 0));
    assert_eq!(RENT, 3_452_160);
    assert_eq!(world.lamports(&address), 1_003_452_160);
}

#[test]
fn register_node_rejects_too_little_stake() {
    let (mut world, authority) = market();
    world.refuses(&[registering(&authority, MIN_STAKE - 1, "")], &[&authority], MarketError::StakeTooLow);
}

#[test]
fn register_node_rejects_a_long_endpoint() {
    let (mut world, authority) = market();
    let register = registering(&authority, MIN_STAKE, &"x".repeat(97));
    world.refuses(&[register], &[&authority], MarketError::EndpointTooLong);
}

#[test]
fn register_node_rejects_a_second_account() {
    let (mut world, authority) = market();
    world.accept(&[registering(&authority, MIN_STAKE, "")], &[&authority]);
    world.refuses(&[registering(&authority, MIN_STAKE, "")], &[&authority], 0);
}

#[test]
fn register_node_rejects_a_missing_signature() {
    let (mut world, authority) = market();
    let mut register = registering(&authority, MIN_STAKE, "");
    register.accounts[0].is_signer = false;
    world.refuses(&[register], &[], InstructionError::MissingRequiredSignature);
}

#[test]
fn register_node_rejects_another_address() {
    let (mut world, authority) = market();
    let mut register = registering(&authority, MIN_STAKE, "");
    register.accounts[2].pubkey = pda::node(&keypair("other").pubkey()).0;
    world.refuses(&[register], &[&authority], CommonError::WrongPda);
}

#[test]
fn register_node_rejects_another_system_program() {
    let (mut world, authority) = market();
    let mut register = registering(&authority, MIN_STAKE, "");
    register.accounts[3].pubkey = provena_registry::ID;
    world.refuses(&[register], &[&authority], InstructionError::IncorrectProgramId);
}

#[test]
fn lamports_sent_to_the_address_before_do_not_keep_a_node_from_registering() {
    let (mut world, authority) = market();
    let address = pda::node(&authority.pubkey()).0;
    world.add_lamports(&address, 5_000_000);
    world.accept(&[registering(&authority, MIN_STAKE, "")], &[&authority]);
    assert_eq!(world.lamports(&address), 1_005_000_000);
    assert_eq!(decode::<Node>(&world, &address).stake, 1_000_000_000);
}

#[test]
fn a_node_can_be_changed() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let (authority, before) = (scene.nodes[0].pubkey(), scene.node(0));
    assert_eq!(before.endpoint(), ENDPOINT);
    scene.world.accept(&[client::update_node(authority, "https://b.example", [9; 32], 3)], &[&scene.nodes[0]]);
    let after = scene.node(0);
    assert_eq!((after.endpoint(), after.key, after.capacity), ("https://b.example", [9; 32], 3));
    // Nothing of the longer text is left behind the shorter one.
    assert!(after.endpoint[17..].iter().all(|byte| *byte == 0));
    let (endpoint, endpoint_len) = (before.endpoint, before.endpoint_len);
    assert_eq!(Node { endpoint, endpoint_len, key: before.key, capacity: 0, ..after }, before);
}

#[test]
fn update_node_rejects_a_long_endpoint() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let update = client::update_node(scene.nodes[0].pubkey(), &"x".repeat(97), [0; 32], 0);
    scene.world.refuses(&[update], &[&scene.nodes[0]], MarketError::EndpointTooLong);
}

#[test]
fn stake_goes_in_and_out_to_the_lamport() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let authority = scene.nodes[0].pubkey();
    let address = pda::node(&authority).0;
    let before = scene.world.lamports(&authority);
    scene.world.accept(&[client::add_stake(authority, 7)], &[&scene.nodes[0]]);
    assert_eq!(scene.node(0).stake, 5_000_000_007);
    assert_eq!(scene.world.lamports(&address), 5_003_452_167);
    scene.world.accept(&[client::withdraw_stake(authority, STAKE + 7)], &[&scene.nodes[0]]);
    assert_eq!(scene.node(0).stake, 0);
    assert_eq!(scene.world.lamports(&address), 3_452_160);
    assert_eq!(scene.world.lamports(&authority), before + 5_000_000_000);
}

#[test]
fn add_stake_rejects_more_than_the_wallet_holds() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let authority = scene.nodes[0].pubkey();
    let all = scene.world.lamports(&authority);
    // The System program's error for too few lamports.
    for lamports in [all + 1, u64::MAX] {
        scene.world.refuses(&[client::add_stake(authority, lamports)], &[&scene.nodes[0]], 1);
    }
    scene.world.accept(&[client::add_stake(authority, all)], &[&scene.nodes[0]]);
    assert_eq!(scene.node(0).stake, STAKE + all);
}

/// Every instruction that is a node's authority's alone, called by `signer` for the node of `authority`. With the place of
/// the node's account.
fn reserved(signer: &Keypair, authority: &Keypair) -> [(Instruction, usize); 4] {
    let (signer, node) = (signer.pubkey(), pda::node(&authority.pubkey()).0);
    let mut all = [
        (client::update_node(signer, "", [0; 32], 0), 1),
        (client::add_stake(signer, 1), 1),
        (client::withdraw_stake(signer, 1), 2),
        (client::close_node(signer), 1),
    ];
    for (instruction, place) in &mut all {
        instruction.accounts[*place].pubkey = node;
    }
    all
}

#[test]
fn a_nodes_instructions_reject_another_authority() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    for (instruction, _) in reserved(&scene.nodes[1], &scene.nodes[0]) {
        scene.world.refuses(&[instruction], &[&scene.nodes[1]], MarketError::NotNodeAuthority);
    }
}

#[test]
fn a_nodes_instructions_reject_a_missing_signature() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    for (mut instruction, _) in reserved(&scene.nodes[0], &scene.nodes[0]) {
        instruction.accounts[0].is_signer = false;
        scene.world.refuses(&[instruction], &[], InstructionError::MissingRequiredSignature);
    }
}

#[test]
fn a_nodes_instructions_reject_forged_nodes() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let (foreign, typed) = (keypair("foreign").pubkey(), keypair("typed").pubkey());
    let genuine = pda::node(&scene.nodes[0].pubkey()).0;
    scene.world.forge(&genuine, &foreign, Some(provena_registry::ID));
    // An offer has the right owner and is long enough.
    let offer = scene.offer;
    scene.world.forge(&offer, &typed, None);
    for (instruction, place) in reserved(&scene.nodes[0], &scene.nodes[0]) {
        for (address, error) in
            [(foreign, InstructionError::IllegalOwner), (typed, InstructionError::InvalidAccountData)]
        {
            let mut instruction = instruction.clone();
            instruction.accounts[place].pubkey = address;
            scene.world.refuses(&[instruction], &[&scene.nodes[0]], error);
        }
    }
}

/// Lets a job hold this much of the stake of node 0.
fn lock(scene: &mut Scene, locked: u64) {
    let (address, node) = (pda::node(&scene.nodes[0].pubkey()).0, scene.node(0));
    scene.world.set_state(&address, &Node { locked, ..node });
}

#[test]
fn withdraw_stake_rejects_locked_stake() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    lock(&mut scene, 400_000_000);
    let withdraw = |lamports| client::withdraw_stake(keypair("node 0").pubkey(), lamports);
    for lamports in [4_600_000_001, STAKE, u64::MAX] {
        scene.world.refuses(&[withdraw(lamports)], &[&scene.nodes[0]], MarketError::StakeLocked);
    }
    // All that is free would leave less than the least stake.
    scene.world.refuses(&[withdraw(4_600_000_000)], &[&scene.nodes[0]], MarketError::StakeTooLow);
    scene.world.accept(&[withdraw(4_000_000_000)], &[&scene.nodes[0]]);
    assert_eq!((scene.node(0).stake, scene.node(0).locked), (1_000_000_000, 400_000_000));
}

#[test]
fn withdraw_stake_rejects_a_rest_below_the_minimum() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let withdraw = client::withdraw_stake(scene.nodes[0].pubkey(), STAKE - MIN_STAKE + 1);
    scene.world.refuses(&[withdraw], &[&scene.nodes[0]], MarketError::StakeTooLow);
}

#[test]
fn withdraw_stake_rejects_more_than_there_is() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let withdraw = client::withdraw_stake(scene.nodes[0].pubkey(), STAKE + 1);
    scene.world.refuses(&[withdraw], &[&scene.nodes[0]], MarketError::StakeLocked);
}

#[test]
fn l6_the_rent_of_a_node_comes_back() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let authority = scene.nodes[0].pubkey();
    let address = pda::node(&authority).0;
    // A gift to the account is not stake, and leaves with it.
    scene.world.add_lamports(&address, 11);
    let before = scene.world.lamports(&authority);
    scene.world.accept(&[client::close_node(authority)], &[&scene.nodes[0]]);
    assert_eq!(scene.world.account(&address), None);
    assert_eq!(scene.world.lamports(&authority), before + 5_003_452_171);
    // The wallet may register again, and starts from nothing.
    scene.world.accept(&[registering(&scene.nodes[0], MIN_STAKE, "")], &[&scene.nodes[0]]);
    assert_eq!((scene.node(0).stake, scene.node(0).agreed), (1_000_000_000, 0));
}

#[test]
fn close_node_rejects_locked_stake() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let close = client::close_node(scene.nodes[0].pubkey());
    lock(&mut scene, 1);
    scene.world.refuses(std::slice::from_ref(&close), &[&scene.nodes[0]], MarketError::StakeLocked);
    lock(&mut scene, 0);
    let (address, node) = (pda::node(&scene.nodes[0].pubkey()).0, scene.node(0));
    scene.world.set_state(&address, &Node { unbonding: 1, ..node });
    scene.world.refuses(std::slice::from_ref(&close), &[&scene.nodes[0]], MarketError::StakeLocked);
    scene.world.set_state(&address, &node);
    scene.world.accept(&[close], &[&scene.nodes[0]]);
}

#[test]
fn a_closed_node_cannot_be_used_within_the_same_transaction() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let authority = scene.nodes[0].pubkey();
    let twice = [client::close_node(authority), client::close_node(authority)];
    scene.world.refuses(&twice, &[&scene.nodes[0]], InstructionError::AccountDataTooSmall);
    let topped_up = [client::close_node(authority), client::add_stake(authority, 1)];
    scene.world.refuses(&topped_up, &[&scene.nodes[0]], InstructionError::AccountDataTooSmall);
}

#[test]
fn a_node_whose_books_do_not_add_up_is_not_written() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    lock(&mut scene, STAKE + 1);
    let add = client::add_stake(scene.nodes[0].pubkey(), 0);
    scene.world.refuses(&[add], &[&scene.nodes[0]], MarketError::BrokenInvariant);
    lock(&mut scene, u64::MAX);
    let (address, node) = (pda::node(&scene.nodes[0].pubkey()).0, scene.node(0));
    scene.world.set_state(&address, &Node { unbonding: 1, ..node });
    let add = client::add_stake(scene.nodes[0].pubkey(), 1);
    scene.world.refuses(&[add], &[&scene.nodes[0]], CommonError::Overflow);
}
