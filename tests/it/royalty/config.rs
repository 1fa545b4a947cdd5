//! `initialize_config`, `allow_mint`, `add_mint`.

use provena_registry::TOKEN_PROGRAM;
use provena_royalty::{
    DEFAULT_TOTAL_SHARES, MAX_MINTS, NATIVE_MINT,
    error::RoyaltyError,
    pda,
    state::{Config, PoolMint},
    upgrade::program_data,
};
use provena_tests::{
    World,
    royalty::{Scene, add_mint, allow_mint, configure, create_pool, initialize_config},
    tokens::{Money, put_mint},
    world::keypair,
};
use solana_instruction_error::InstructionError;
use solana_signer::Signer;

use super::Stage;

const TOKEN_2022: anchor_lang::prelude::Address =
    anchor_lang::prelude::Address::from_str_const("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb");

#[test]
fn initialize_config_allows_sol_and_nothing_else() {
    let mut world = World::new();
    let authority = configure(&mut world, &[]);
    let config: Config = world.state(&pda::config().0);
    assert_eq!(config.authority, authority.pubkey());
    assert_eq!(config.allowed(), [NATIVE_MINT]);
}

#[test]
fn initialize_config_rejects_a_second_call() {
    let mut world = World::new();
    configure(&mut world, &[]);
    let mallory = world.wallet("mallory");
    // Anchor's `init` finds the account taken: the System program refuses to allocate it again.
    world.refuses(&[initialize_config(&mallory.pubkey())], &[&mallory], 0);
}

#[test]
fn initialize_config_rejects_anybody_but_the_upgrade_authority() {
    let mut world = World::new();
    let (deployer, mallory) = (world.wallet("deployer"), world.wallet("mallory"));
    world.set_upgrade_authority(&provena_royalty::ID, &deployer.pubkey());
    world.refuses(&[initialize_config(&mallory.pubkey())], &[&mallory], RoyaltyError::NotUpgradeAuthority);
    world.accept(&[initialize_config(&deployer.pubkey())], &[&deployer]);
}

#[test]
fn initialize_config_rejects_another_programs_data() {
    let mut world = World::new();
    let mallory = world.wallet("mallory");
    let mut create = initialize_config(&mallory.pubkey());
    let data = create.accounts.iter_mut().find(|meta| meta.pubkey == program_data(&provena_royalty::ID)).unwrap();
    data.pubkey = program_data(&provena_registry::ID);
    world.refuses(&[create], &[&mallory], RoyaltyError::NotUpgradeAuthority);
}

#[test]
fn allow_mint_rejects_a_stranger() {
    let mut world = World::new();
    configure(&mut world, &[]);
    let token = Money::token(&mut world, "dollar");
    let mallory = world.wallet("mallory");
    world.refuses(&[allow_mint(&mallory.pubkey(), &token.mint())], &[&mallory], RoyaltyError::NotAuthority);
}

#[test]
fn allow_mint_rejects_a_token_2022_mint() {
    let mut world = World::new();
    let authority = configure(&mut world, &[]);
    let mint = keypair("token-2022 mint").pubkey();
    put_mint(&mut world, &mint, &TOKEN_2022, 6);
    world.refuses(&[allow_mint(&authority.pubkey(), &mint)], &[&authority], RoyaltyError::UnsupportedMint);
}

#[test]
fn allow_mint_rejects_a_token_account() {
    let mut world = World::new();
    let authority = configure(&mut world, &[]);
    let token = Money::token(&mut world, "dollar");
    token.give(&mut world, &authority.pubkey(), 5);
    let account = token.account_of(&authority.pubkey());
    world.refuses(&[allow_mint(&authority.pubkey(), &account)], &[&authority], RoyaltyError::UnsupportedMint);
}

#[test]
fn allow_mint_rejects_a_repetition() {
    let mut world = World::new();
    let token = Money::token(&mut world, "dollar");
    let authority = configure(&mut world, &[token]);
    world.refuses(&[allow_mint(&authority.pubkey(), &token.mint())], &[&authority], RoyaltyError::MintAlreadyAllowed);
}

#[test]
fn allow_mint_rejects_a_ninth_mint() {
    let mut world = World::new();
    let tokens: Vec<Money> = (0..MAX_MINTS).map(|n| Money::token(&mut world, &format!("token {n}"))).collect();
    let (last, first) = tokens.split_last().expect("eight tokens");
    let authority = configure(&mut world, first);
    world.refuses(&[allow_mint(&authority.pubkey(), &last.mint())], &[&authority], RoyaltyError::TooManyMints);
}

#[test]
fn add_mint_creates_the_vault() {
    let stage = Stage::token();
    let pool_mint: PoolMint = stage.world.state(&stage.pool_mint());
    assert_eq!(pool_mint.pool, stage.scene.pool);
    assert_eq!(pool_mint.mint, stage.money.mint());
    assert_eq!(pool_mint.total_shares, DEFAULT_TOTAL_SHARES);
    let vault = stage.world.account(&pool_mint.vault).expect("the vault exists");
    assert_eq!(vault.owner, TOKEN_PROGRAM);
    assert_eq!(vault.data[32..64], stage.pool_mint().to_bytes(), "the pool mint owns the vault");
}

#[test]
fn add_mint_rejects_a_mint_that_is_not_allowed() {
    let mut stage = Stage::sol();
    let token = Money::token(&mut stage.world, "dollar");
    let instruction = add_mint(&stage.alice.pubkey(), &stage.scene.pool, token);
    stage.world.refuses(&[instruction], &[&stage.alice], RoyaltyError::MintNotAllowed);
}

#[test]
fn add_mint_rejects_a_repetition() {
    for mut stage in Stage::both() {
        let instruction = add_mint(&stage.alice.pubkey(), &stage.scene.pool, stage.money);
        stage.world.refuses(&[instruction], &[&stage.alice], 0);
    }
}

#[test]
fn add_mint_rejects_a_pool_that_is_not_sealed() {
    let mut world = World::new();
    configure(&mut world, &[]);
    let (creator, asset) = (world.wallet("creator"), keypair("asset"));
    let create = create_pool(&creator.pubkey(), &asset.pubkey(), 10, &[(creator.pubkey(), 9)]);
    world.accept(&[create], &[&creator, &asset]);
    let pool = pda::pool(&asset.pubkey()).0;
    world.refuses(&[add_mint(&creator.pubkey(), &pool, Money::Sol)], &[&creator], RoyaltyError::PoolNotSealed);
}

#[test]
fn add_mint_rejects_a_token_without_its_accounts() {
    let (mut world, scene, token) = sol_pool_and_allowed_token();
    let mut instruction = add_mint(&scene.creator.pubkey(), &scene.pool, token);
    // Anchor reads the program's own address as an absent optional account.
    instruction.accounts[5].pubkey = provena_royalty::ID;
    instruction.accounts[5].is_writable = false;
    world.refuses(&[instruction], &[&scene.creator], RoyaltyError::MissingTokenAccount);
}

#[test]
fn add_mint_rejects_another_vault_address() {
    let (mut world, scene, token) = sol_pool_and_allowed_token();
    let mut instruction = add_mint(&scene.creator.pubkey(), &scene.pool, token);
    instruction.accounts[5].pubkey = keypair("elsewhere").pubkey();
    world.refuses(&[instruction], &[&scene.creator], RoyaltyError::WrongVault);
}

#[test]
fn add_mint_rejects_another_token_program() {
    let (mut world, scene, token) = sol_pool_and_allowed_token();
    let mut instruction = add_mint(&scene.creator.pubkey(), &scene.pool, token);
    instruction.accounts[6].pubkey = TOKEN_2022;
    world.refuses(&[instruction], &[&scene.creator], RoyaltyError::WrongTokenProgram);
}

#[test]
fn add_mint_rejects_a_forged_pool() {
    let mut stage = Stage::sol();
    let forged = keypair("forged pool").pubkey();
    stage.world.forge(&stage.scene.pool, &forged, Some(provena_registry::ID));
    let instruction = add_mint(&stage.alice.pubkey(), &forged, Money::Sol);
    stage.world.refuses(&[instruction], &[&stage.alice], InstructionError::IllegalOwner);
}

fn sol_pool_and_allowed_token() -> (World, Scene, Money) {
    let mut world = World::new();
    let token = Money::token(&mut world, "dollar");
    configure(&mut world, &[token]);
    let holder = world.wallet("holder").pubkey();
    let scene = Scene::new(&mut world, "digits", &[(holder, DEFAULT_TOTAL_SHARES)], &[Money::Sol]);
    (world, scene, token)
}
