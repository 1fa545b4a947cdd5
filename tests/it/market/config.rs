//! The admin account: `initialize_admin`, the authority's two steps, `set_pause`, `set_treasury`, `set_protocol_fee`,
//! `set_min_stake`.

use provena_common::{admin::TIMELOCK, error::CommonError, upgrade::program_data};
use provena_market::{
    client,
    error::MarketError,
    pda,
    state::{Admin, Node},
};
use provena_tests::{
    World,
    market::{CLUSTER, MIN_STAKE, PROTOCOL_BPS, PaidIn, STAKE, Scene, configure, terms},
    registry::decode,
    tokens::Money,
    world::keypair,
};
use solana_instruction::Instruction;
use solana_instruction_error::InstructionError;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// A market without anything but its settings.
struct Stage {
    world: World,
    authority: Keypair,
    mallory: Keypair,
}

impl Stage {
    fn new() -> Self {
        let mut world = World::new();
        configure(&mut world);
        let (authority, mallory) = (keypair("market authority"), world.wallet("mallory"));
        Self { world, authority, mallory }
    }

    fn admin(&self) -> Admin {
        decode(&self.world, &pda::admin().0)
    }

    /// Everything that is the authority's alone, called by `signer`.
    fn reserved(&self, signer: &Keypair) -> Vec<Instruction> {
        let signer = signer.pubkey();
        vec![
            client::propose_authority(signer, signer),
            client::cancel_authority(signer),
            client::set_pause(signer, 1),
            client::set_treasury(signer, signer),
            client::set_protocol_fee(signer, 0),
            client::set_min_stake(signer, 0),
        ]
    }
}

#[test]
fn the_admin_account_holds_what_was_given() {
    let mut world = World::new();
    let treasury = configure(&mut world);
    let address = pda::admin().0;
    let admin: Admin = decode(&world, &address);
    assert_eq!((admin.control.authority, admin.treasury), (keypair("market authority").pubkey(), treasury));
    assert_eq!((admin.control.pending, admin.control.accept_from, admin.control.paused), Default::default());
    assert_eq!((admin.cluster, admin.protocol_fee_bps, admin.min_stake), (CLUSTER, PROTOCOL_BPS, MIN_STAKE));
    assert_eq!(world.account(&address).expect("it exists").data.len(), 232);
}

#[test]
fn initialize_admin_rejects_a_second_time() {
    let mut world = World::new();
    configure(&mut world);
    let stranger = world.wallet("stranger");
    let again = client::initialize_admin(stranger.pubkey(), stranger.pubkey(), CLUSTER, 0, 0);
    // The System program refuses to create an account that exists.
    world.refuses(&[again], &[&stranger], 0);
}

#[test]
fn initialize_admin_rejects_anybody_but_the_upgrade_authority() {
    let mut world = World::new();
    let (deployer, mallory) = (world.wallet("deployer"), world.wallet("mallory"));
    world.set_upgrade_authority(&provena_market::ID, &deployer.pubkey());
    let create = |who: &Keypair| client::initialize_admin(who.pubkey(), who.pubkey(), CLUSTER, 0, 0);
    world.refuses(&[create(&mallory)], &[&mallory], CommonError::NotUpgradeAuthority);
    world.accept(&[create(&deployer)], &[&deployer]);
}

#[test]
fn initialize_admin_rejects_another_programs_data() {
    let mut world = World::new();
    let mallory = world.wallet("mallory");
    let mut create = client::initialize_admin(mallory.pubkey(), mallory.pubkey(), CLUSTER, 0, 0);
    create.accounts[3].pubkey = program_data(&provena_registry::ID);
    world.refuses(&[create], &[&mallory], CommonError::NotUpgradeAuthority);
}

#[test]
fn set_protocol_fee_rejects_more_than_five_per_cent() {
    let mut world = World::new();
    let authority = world.wallet("market authority");
    let create = |bps| client::initialize_admin(authority.pubkey(), authority.pubkey(), CLUSTER, bps, 0);
    world.refuses(&[create(501)], &[&authority], MarketError::FeeTooHigh);
    world.accept(&[create(500)], &[&authority]);
    let set = |bps| client::set_protocol_fee(authority.pubkey(), bps);
    for bps in [501, 10_000, u16::MAX] {
        world.refuses(&[set(bps)], &[&authority], MarketError::FeeTooHigh);
    }
    world.accept(&[set(0)], &[&authority]);
    assert_eq!(decode::<Admin>(&world, &pda::admin().0).protocol_fee_bps, 0);
    world.accept(&[set(500)], &[&authority]);
    assert_eq!(decode::<Admin>(&world, &pda::admin().0).protocol_fee_bps, 500);
}

#[test]
fn set_treasury_rejects_what_is_no_wallet_with_rent() {
    let mut stage = Stage::new();
    let dollar = Money::token(&mut stage.world, "dollar");
    dollar.give(&mut stage.world, &stage.authority.pubkey(), 1);
    let nobody = keypair("nobody").pubkey();
    let token_account = dollar.account_of(&stage.authority.pubkey());
    for treasury in [nobody, provena_market::ID, token_account] {
        let set = client::set_treasury(stage.authority.pubkey(), treasury);
        stage.world.refuses(&[set], &[&stage.authority], MarketError::BadTreasury);
        let create = client::initialize_admin(stage.authority.pubkey(), treasury, CLUSTER, 0, 0);
        let mut fresh = World::new();
        fresh.wallet("market authority");
        fresh.refuses(&[create], &[&stage.authority], MarketError::BadTreasury);
    }
    // Rent of an account without data is 890,880 lamports.
    stage.world.add_lamports(&nobody, 890_879);
    let set = client::set_treasury(stage.authority.pubkey(), nobody);
    stage.world.refuses(std::slice::from_ref(&set), &[&stage.authority], MarketError::BadTreasury);
    stage.world.add_lamports(&nobody, 1);
    stage.world.accept(&[set], &[&stage.authority]);
    assert_eq!(stage.admin().treasury, nobody);
}

#[test]
fn the_authoritys_instructions_reject_a_stranger() {
    let mut stage = Stage::new();
    for instruction in stage.reserved(&stage.mallory) {
        stage.world.refuses(&[instruction], &[&stage.mallory], CommonError::NotAuthority);
    }
}

#[test]
fn set_min_stake_rejects_the_treasury_and_a_proposed_authority() {
    let mut stage = Stage::new();
    let (treasury, heir) = (stage.world.wallet("treasury"), stage.world.wallet("heir"));
    stage.world.accept(&[client::propose_authority(stage.authority.pubkey(), heir.pubkey())], &[&stage.authority]);
    for signer in [&treasury, &heir] {
        let set = client::set_min_stake(signer.pubkey(), 0);
        stage.world.refuses(&[set], &[signer], CommonError::NotAuthority);
    }
    assert_eq!(stage.admin().min_stake, 1_000_000_000);
    stage.world.accept(&[client::set_min_stake(stage.authority.pubkey(), 7)], &[&stage.authority]);
    assert_eq!(stage.admin().min_stake, 7);
}

#[test]
fn cancel_authority_rejects_a_missing_signature_as_all_of_the_authoritys_do() {
    let mut stage = Stage::new();
    let mut all = stage.reserved(&stage.authority);
    all.push(client::accept_authority(stage.authority.pubkey()));
    for mut instruction in all {
        instruction.accounts[0].is_signer = false;
        stage.world.refuses(&[instruction], &[], InstructionError::MissingRequiredSignature);
    }
}

#[test]
fn the_authoritys_instructions_reject_a_forged_admin_account() {
    let mut stage = Stage::new();
    provena_tests::market::register(&mut stage.world, &stage.mallory, STAKE);
    let node = pda::node(&stage.mallory.pubkey()).0;
    let (foreign, typed) = (keypair("foreign").pubkey(), keypair("typed").pubkey());
    // The right bytes under another program; an account of the market of another kind.
    stage.world.forge(&pda::admin().0, &foreign, Some(provena_registry::ID));
    stage.world.forge(&node, &typed, None);
    for instruction in stage.reserved(&stage.authority) {
        for (address, error) in
            [(foreign, InstructionError::IllegalOwner), (typed, InstructionError::InvalidAccountData)]
        {
            let mut instruction = instruction.clone();
            instruction.accounts[1].pubkey = address;
            stage.world.refuses(&[instruction], &[&stage.authority], error);
        }
    }
}

#[test]
fn l4_readers_reject_another_version_or_length() {
    let mut stage = Stage::new();
    let (sound, address) = (stage.admin(), pda::admin().0);
    let register = client::register_node(stage.mallory.pubkey(), MIN_STAKE, "", [0; 32], 0);
    stage.world.set_state(&address, &Admin { version: 2, ..sound });
    stage.world.refuses(std::slice::from_ref(&register), &[&stage.mallory], CommonError::StateVersion);
    stage.world.set_state(&address, &sound);
    let mut longer = stage.world.account(&address).expect("it exists");
    longer.data.push(0);
    longer.lamports += 6_960;
    stage.world.svm.set_account(address, longer).expect("the account is sound");
    stage.world.refuses(std::slice::from_ref(&register), &[&stage.mallory], CommonError::AccountLength);
    let mut exact = stage.world.account(&address).expect("it exists");
    exact.data.pop();
    stage.world.svm.set_account(address, exact).expect("the account is sound");
    stage.world.accept(&[register], &[&stage.mallory]);
}

#[test]
fn accept_authority_rejects_a_slot_before_two_days_have_passed() {
    let mut stage = Stage::new();
    let heir = stage.world.wallet("heir");
    stage.world.pass_slots(1_000);
    stage.world.accept(&[client::propose_authority(stage.authority.pubkey(), heir.pubkey())], &[&stage.authority]);
    let accept = client::accept_authority(heir.pubkey());
    stage.world.refuses(std::slice::from_ref(&accept), &[&heir], CommonError::TimelockRunning);
    stage.world.pass_slots(TIMELOCK - 1);
    stage.world.refuses(std::slice::from_ref(&accept), &[&heir], CommonError::TimelockRunning);
    let mallory = client::accept_authority(stage.mallory.pubkey());
    stage.world.pass_slots(1);
    stage.world.refuses(&[mallory], &[&stage.mallory], CommonError::NoPendingAuthority);
    assert_eq!(stage.admin().control.authority, stage.authority.pubkey());
    stage.world.accept(std::slice::from_ref(&accept), &[&heir]);
    assert_eq!(stage.admin().control.authority, heir.pubkey());
    // The old authority has no rights any more, and a proposal serves once.
    for instruction in stage.reserved(&stage.authority) {
        stage.world.refuses(&[instruction], &[&stage.authority], CommonError::NotAuthority);
    }
    stage.world.refuses(&[accept], &[&heir], CommonError::NoPendingAuthority);
    stage.world.accept(&[client::set_pause(heir.pubkey(), 0)], &[&heir]);
}

#[test]
fn a_proposal_can_be_taken_back_and_a_new_one_starts_anew() {
    let mut stage = Stage::new();
    let (thief, heir) = (stage.world.wallet("thief"), stage.world.wallet("heir"));
    let authority = stage.authority.pubkey();
    let cancel = client::cancel_authority(authority);
    stage.world.refuses(std::slice::from_ref(&cancel), &[&stage.authority], CommonError::NoPendingAuthority);
    stage.world.accept(&[client::propose_authority(authority, thief.pubkey())], &[&stage.authority]);
    stage.world.pass_slots(TIMELOCK - 1);
    stage.world.accept(&[cancel], &[&stage.authority]);
    stage.world.pass_slots(1);
    let seize = client::accept_authority(thief.pubkey());
    stage.world.refuses(&[seize], &[&thief], CommonError::NoPendingAuthority);
    stage.world.accept(&[client::propose_authority(authority, thief.pubkey())], &[&stage.authority]);
    stage.world.pass_slots(TIMELOCK - 1);
    stage.world.accept(&[client::propose_authority(authority, heir.pubkey())], &[&stage.authority]);
    stage.world.pass_slots(1);
    let accept = client::accept_authority(heir.pubkey());
    stage.world.refuses(&[accept], &[&heir], CommonError::TimelockRunning);
}

#[test]
fn propose_authority_rejects_the_zero_address() {
    let mut stage = Stage::new();
    let propose = client::propose_authority(stage.authority.pubkey(), Default::default());
    stage.world.refuses(&[propose], &[&stage.authority], CommonError::BadAuthority);
}

#[test]
fn set_pause_rejects_unknown_bits() {
    let mut stage = Stage::new();
    for bits in [8, 9, 1 << 31] {
        let set = client::set_pause(stage.authority.pubkey(), bits);
        stage.world.refuses(&[set], &[&stage.authority], MarketError::UnknownPauseBits);
    }
    stage.world.accept(&[client::set_pause(stage.authority.pubkey(), 7)], &[&stage.authority]);
    assert_eq!(stage.admin().control.paused, 7);
}

#[test]
fn a_pause_stops_registering_and_offering_by_their_bits_and_no_way_out() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let authority = keypair("market authority");
    let newcomer = scene.world.wallet("newcomer");
    let register = client::register_node(newcomer.pubkey(), MIN_STAKE, "", [0; 32], 0);
    let create = scene.create_offer(1, terms());
    let pause = |scene: &mut Scene, bits| {
        scene.world.accept(&[client::set_pause(authority.pubkey(), bits)], &[&authority]);
    };
    // Posting (1) and offers (2) do not concern nodes; posting and nodes (4) do not concern offers.
    pause(&mut scene, 4);
    scene.world.refuses(std::slice::from_ref(&register), &[&newcomer], CommonError::Paused);
    pause(&mut scene, 3);
    scene.world.accept(&[register], &[&newcomer]);
    scene.world.refuses(std::slice::from_ref(&create), &[&scene.model.creator], CommonError::Paused);
    pause(&mut scene, 5);
    scene.world.accept(&[create], &[&scene.model.creator]);
    // With everything paused, stake comes and goes, offers and nodes close, and the treasury is paid.
    pause(&mut scene, 7);
    let node = scene.nodes[0].pubkey();
    scene.open_inboxes();
    let ways_out = [
        client::add_stake(node, 5),
        client::update_node(node, "", [0; 32], 0),
        client::withdraw_stake(node, 5),
        client::close_node(node),
        scene.close_offer(),
        client::sweep_treasury(scene.treasury, client::Currency::Sol, 0),
    ];
    scene.world.accept(&ways_out, &[&scene.nodes[0], &scene.model.creator]);
}

#[test]
fn a_higher_least_stake_leaves_registered_nodes_what_they_have() {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let authority = keypair("market authority");
    scene.world.accept(&[client::set_min_stake(authority.pubkey(), STAKE + 1)], &[&authority]);
    let newcomer = scene.world.wallet("newcomer");
    let register = |stake| client::register_node(newcomer.pubkey(), stake, "", [0; 32], 0);
    scene.world.refuses(&[register(STAKE)], &[&newcomer], MarketError::StakeTooLow);
    scene.world.accept(&[register(STAKE + 1)], &[&newcomer]);
    // Less than the new least stake: all of it may leave, a part may not.
    let node = scene.nodes[0].pubkey();
    scene.world.refuses(&[client::withdraw_stake(node, 1)], &[&scene.nodes[0]], MarketError::StakeTooLow);
    scene.world.accept(&[client::withdraw_stake(node, STAKE)], &[&scene.nodes[0]]);
    assert_eq!(decode::<Node>(&scene.world, &pda::node(&node).0).stake, 0);
}
