//! `initialize_admin`, `propose_authority`, `accept_authority`, `cancel_authority`, `set_pause`, `allow_mint`, `disallow_mint`.

use anchor_lang::prelude::Address;
use provena_common::{error::CommonError, upgrade::program_data};
use provena_royalty::{
    Holder, MAX_MINTS, NATIVE_MINT, PAUSE_POOLS,
    client::{self, Evidence},
    error::RoyaltyError,
    pda,
    state::Admin,
};
use provena_tests::{World, royalty::configure, tokens::Money, world::keypair};
use solana_instruction::Instruction;
use solana_instruction_error::InstructionError;
use solana_signer::Signer;

use super::{Stage, with};

fn admin(world: &World) -> Admin {
    world.state(&pda::admin().0)
}

#[test]
fn initialize_admin_allows_sol_and_nothing_else() {
    let mut world = World::new();
    let authority = configure(&mut world, &[]);
    let admin = admin(&world);
    assert_eq!(admin.control.authority, authority.pubkey());
    assert_eq!(admin.control.paused, 0);
    assert_eq!(admin.allowed(), [NATIVE_MINT]);
}

#[test]
fn initialize_admin_rejects_a_second_call() {
    let mut world = World::new();
    configure(&mut world, &[]);
    let mallory = world.wallet("mallory");
    // The System program refuses to create the account again.
    world.refuses(&[client::initialize_admin(&mallory.pubkey())], &[&mallory], 0);
}

#[test]
fn initialize_admin_rejects_anybody_but_the_upgrade_authority() {
    let mut world = World::new();
    let (deployer, mallory) = (world.wallet("deployer"), world.wallet("mallory"));
    world.set_upgrade_authority(&provena_royalty::ID, &deployer.pubkey());
    let initialize = client::initialize_admin(&mallory.pubkey());
    world.refuses(&[initialize], &[&mallory], CommonError::NotUpgradeAuthority);
    world.accept(&[client::initialize_admin(&deployer.pubkey())], &[&deployer]);
}

#[test]
fn initialize_admin_rejects_another_programs_data() {
    let mut world = World::new();
    let mallory = world.wallet("mallory");
    let initialize = client::initialize_admin(&mallory.pubkey());
    let other = program_data(&provena_royalty::TOKEN_METADATA_PROGRAM);
    let initialize = with(&initialize, &program_data(&provena_royalty::ID), &other);
    world.refuses(&[initialize], &[&mallory], CommonError::NotUpgradeAuthority);
}

#[test]
fn authority_passes_after_the_timelock() {
    let mut stage = Stage::sol();
    let heir = stage.world.wallet("heir");
    let (authority, world) = (&stage.authority, &mut stage.world);
    world.accept(&[client::propose_authority(&authority.pubkey(), &heir.pubkey())], &[authority]);
    let accept = client::accept_authority(&heir.pubkey());
    world.pass_slots(431_999);
    world.refuses(std::slice::from_ref(&accept), &[&heir], CommonError::TimelockRunning);
    world.pass_slots(1);
    world.accept(&[accept], &[&heir]);
    assert_eq!(admin(world).control.authority, heir.pubkey());
    let pause = client::set_pause(&authority.pubkey(), PAUSE_POOLS);
    world.refuses(&[pause], &[authority], CommonError::NotAuthority);
    world.accept(&[client::set_pause(&heir.pubkey(), PAUSE_POOLS)], &[&heir]);
}

#[test]
fn accept_authority_rejects_anybody_else() {
    let mut stage = Stage::sol();
    let mallory = stage.world.wallet("mallory");
    let (authority, world) = (&stage.authority, &mut stage.world);
    let accept = client::accept_authority(&mallory.pubkey());
    world.refuses(std::slice::from_ref(&accept), &[&mallory], CommonError::NoPendingAuthority);
    world.accept(&[client::propose_authority(&authority.pubkey(), &keypair("heir").pubkey())], &[authority]);
    world.pass_slots(432_000);
    world.refuses(&[accept], &[&mallory], CommonError::NoPendingAuthority);
}

#[test]
fn a_cancelled_proposal_cannot_be_accepted() {
    let mut stage = Stage::sol();
    let heir = stage.world.wallet("heir");
    let (authority, world) = (&stage.authority, &mut stage.world);
    let cancel = client::cancel_authority(&authority.pubkey());
    world.refuses(std::slice::from_ref(&cancel), &[authority], CommonError::NoPendingAuthority);
    world.accept(&[client::propose_authority(&authority.pubkey(), &heir.pubkey())], &[authority]);
    world.accept(&[cancel], &[authority]);
    world.pass_slots(432_000);
    world.refuses(&[client::accept_authority(&heir.pubkey())], &[&heir], CommonError::NoPendingAuthority);
}

/// Mallory, who is proposed already but may not accept yet, tries an instruction of the authority's.
#[track_caller]
fn rejects_a_stranger(attempt: impl FnOnce(&Address, &Address, &Address) -> Instruction) {
    let mut stage = Stage::token();
    let (mallory, mint) = (stage.world.wallet("mallory"), stage.money.mint());
    let another = Money::token(&mut stage.world, "another").mint();
    let propose = client::propose_authority(&stage.authority.pubkey(), &mallory.pubkey());
    stage.world.accept(&[propose], &[&stage.authority]);
    let attempt = attempt(&mallory.pubkey(), &mint, &another);
    stage.world.refuses(&[attempt], &[&mallory], CommonError::NotAuthority);
}

#[test]
fn propose_authority_rejects_a_stranger() {
    rejects_a_stranger(|key, _, _| client::propose_authority(key, key));
}

#[test]
fn cancel_authority_rejects_a_stranger() {
    rejects_a_stranger(|key, _, _| client::cancel_authority(key));
}

#[test]
fn set_pause_rejects_a_stranger() {
    rejects_a_stranger(|key, _, _| client::set_pause(key, 0));
}

#[test]
fn allow_mint_rejects_a_stranger() {
    rejects_a_stranger(|key, _, another| client::allow_mint(key, another));
}

#[test]
fn disallow_mint_rejects_a_stranger() {
    rejects_a_stranger(|key, mint, _| client::disallow_mint(key, mint));
}

#[test]
fn pause_stops_new_pools_and_books_and_nothing_else() {
    let mut stage = Stage::token();
    let euro = Money::token(&mut stage.world, "another");
    let key = stage.authority.pubkey();
    let authority = stage.authority.insecure_clone();
    stage.world.accept(&[client::allow_mint(&key, &euro.mint())], &[&authority]);
    stage.deposit(400);
    stage.world.accept(&[client::set_pause(&key, PAUSE_POOLS)], &[&authority]);

    let (creator, asset) = (stage.world.wallet("creator"), keypair("new asset"));
    let holders = [Holder::new(creator.pubkey(), 10)];
    let create = client::create_pool(&creator.pubkey(), &asset.pubkey(), 10, 0, 0, &holders);
    stage.world.refuses(std::slice::from_ref(&create), &[&creator, &asset], CommonError::Paused);
    let (creator_of_old, old) = (stage.scene.creator.insecure_clone(), stage.scene.asset.pubkey());
    let open = client::open_books(&creator_of_old.pubkey(), &old, euro.currency(), Evidence::Creator);
    let open = open.expect("a token");
    stage.world.refuses(std::slice::from_ref(&open), &[&creator_of_old], CommonError::Paused);

    // Money comes in, goes out, and shares change hands.
    stage.deposit(400);
    let (alice, bob) = (stage.alice.insecure_clone(), stage.bob.pubkey());
    assert_eq!(stage.claim(&alice), 600);
    let transfer = client::transfer_shares(&alice.pubkey(), &bob, &stage.scene.pool, 1);
    stage.world.accept(&[transfer], &[&alice]);
    stage.scene.open_inbox(&mut stage.world, stage.money);

    stage.world.accept(&[client::set_pause(&key, 0)], &[&authority]);
    stage.world.accept(&[create], &[&creator, &asset]);
    stage.world.accept(&[open], &[&creator_of_old]);
}

#[test]
fn set_pause_rejects_unknown_bits() {
    let mut stage = Stage::sol();
    for bits in [2, 3, 1 << 31] {
        let pause = client::set_pause(&stage.authority.pubkey(), bits);
        stage.world.refuses(&[pause], &[&stage.authority], RoyaltyError::WrongFlags);
    }
}

#[test]
fn allow_mint_rejects_what_is_no_mint() {
    let mut world = World::new();
    let authority = configure(&mut world, &[]);
    let token = Money::token(&mut world, "dollar");
    token.give(&mut world, &authority.pubkey(), 5);
    let forged = keypair("forged mint").pubkey();
    world.forge(&token.mint(), &forged, Some(provena_royalty::ID));
    for account in [token.account_of(&authority.pubkey()), authority.pubkey(), forged, keypair("nothing").pubkey()] {
        let allow = client::allow_mint(&authority.pubkey(), &account);
        world.refuses(&[allow], &[&authority], CommonError::UnsupportedMint);
    }
    // Written but not initialised.
    let mut account = world.account(&token.mint()).expect("the mint exists");
    account.data[45] = 0;
    world.svm.set_account(token.mint(), account).expect("the account is sound");
    let allow = client::allow_mint(&authority.pubkey(), &token.mint());
    world.refuses(&[allow], &[&authority], CommonError::UnsupportedMint);
}

#[test]
fn allow_mint_rejects_a_repetition() {
    let mut stage = Stage::token();
    let allow = client::allow_mint(&stage.authority.pubkey(), &stage.money.mint());
    stage.world.refuses(&[allow], &[&stage.authority], RoyaltyError::MintAlreadyAllowed);
}

#[test]
fn allow_mint_rejects_a_ninth_mint() {
    let mut world = World::new();
    let tokens: Vec<Money> = (0..MAX_MINTS).map(|n| Money::token(&mut world, &format!("token {n}"))).collect();
    let (last, first) = tokens.split_last().expect("eight tokens");
    let authority = configure(&mut world, first);
    let allow = client::allow_mint(&authority.pubkey(), &last.mint());
    world.refuses(std::slice::from_ref(&allow), &[&authority], RoyaltyError::TooManyMints);
    // A place that becomes free can be filled.
    world.accept(&[client::disallow_mint(&authority.pubkey(), &first[0].mint()), allow], &[&authority]);
    let admin = admin(&world);
    assert_eq!(admin.allowed().len(), 8);
    assert!(!admin.allowed().contains(&first[0].mint()));
    assert!(admin.allowed().contains(&last.mint()));
}

/// AUDIT row L6: a mint can be disallowed again, and what holders are owed in it stays theirs.
#[test]
fn l6_a_disallowed_mint_takes_no_deposits_and_pays_claims() {
    let mut stage = Stage::token();
    stage.deposit(400);
    let authority = stage.authority.insecure_clone();
    stage.world.accept(&[client::disallow_mint(&authority.pubkey(), &stage.money.mint())], &[&authority]);
    assert_eq!(admin(&stage.world).allowed(), [NATIVE_MINT]);

    let (alice, currency) = (stage.alice.insecure_clone(), stage.money.currency());
    stage.money.give(&mut stage.world, &alice.pubkey(), 100);
    let deposit = client::deposit(&alice.pubkey(), &stage.scene.pool, currency, 100);
    stage.world.refuses(&[deposit], &[&alice], RoyaltyError::MintNotAllowed);
    // No other pool can open books in it.
    let other =
        provena_tests::royalty::Scene::new(&mut stage.world, "other", &[(alice.pubkey(), 4 * super::QUARTER)], &[]);
    let open = client::open_books(&other.creator.pubkey(), &other.asset.pubkey(), currency, Evidence::Creator);
    stage.world.refuses(&[open.expect("a token")], &[&other.creator], RoyaltyError::MintNotAllowed);
    // What comes by plain transfer, as a job's royalty does, is still booked, and everything can be claimed.
    stage.scene.donate(&mut stage.world, stage.money, 400);
    stage.world.accept(&[client::sync(&stage.scene.pool, currency, &[])], &[]);
    assert_eq!(stage.claim(&alice), 600);
}

#[test]
fn disallow_mint_rejects_sol_and_what_is_not_allowed() {
    let mut stage = Stage::token();
    let key = stage.authority.pubkey();
    let other = Money::token(&mut stage.world, "another").mint();
    for (mint, error) in [(NATIVE_MINT, RoyaltyError::NativeMint), (other, RoyaltyError::MintNotAllowed)] {
        stage.world.refuses(&[client::disallow_mint(&key, &mint)], &[&stage.authority], error);
    }
    // Twice the same.
    let disallow = client::disallow_mint(&key, &stage.money.mint());
    let twice = [disallow.clone(), disallow];
    stage.world.refuses(&twice, &[&stage.authority], RoyaltyError::MintNotAllowed);
}

#[test]
fn sol_cannot_be_allowed_twice() {
    let mut stage = Stage::sol();
    let allow = client::allow_mint(&stage.authority.pubkey(), &NATIVE_MINT);
    // The account at the zero address is the System program, which is no mint.
    stage.world.refuses(&[allow], &[&stage.authority], CommonError::UnsupportedMint);
}

#[test]
fn initialize_admin_rejects_another_address() {
    let mut world = World::new();
    let mallory = world.wallet("mallory");
    let initialize = with(&client::initialize_admin(&mallory.pubkey()), &pda::admin().0, &keypair("mine").pubkey());
    world.refuses(&[initialize], &[&mallory], InstructionError::InvalidSeeds);
}
