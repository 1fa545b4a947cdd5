//! `create_pool`, `add_holders`.

use anchor_lang::prelude::Address;
use provena_royalty::{
    DEFAULT_TOTAL_SHARES, MAX_TOTAL_SHARES,
    error::RoyaltyError,
    pda,
    state::{Pool, Position},
};
use provena_tests::{
    World,
    royalty::{add_holders, configure, create_pool},
    world::keypair,
};
use solana_instruction_error::InstructionError;
use solana_keypair::Keypair;
use solana_signer::Signer;

struct Stage {
    world: World,
    creator: Keypair,
    asset: Keypair,
}

impl Stage {
    fn new() -> Self {
        let mut world = World::new();
        configure(&mut world, &[]);
        let creator = world.wallet("creator");
        Self { world, creator, asset: keypair("asset") }
    }

    fn pool(&self) -> Address {
        pda::pool(&self.asset.pubkey()).0
    }

    fn create(&mut self, total: u64, holders: &[(Address, u64)]) {
        let instruction = create_pool(&self.creator.pubkey(), &self.asset.pubkey(), total, holders);
        self.world.accept(&[instruction], &[&self.creator, &self.asset]);
    }

    #[track_caller]
    fn create_refused(&mut self, total: u64, holders: &[(Address, u64)], error: RoyaltyError) {
        let instruction = create_pool(&self.creator.pubkey(), &self.asset.pubkey(), total, holders);
        self.world.refuses(&[instruction], &[&self.creator, &self.asset], error);
    }

    #[track_caller]
    fn add_refused(&mut self, holders: &[(Address, u64)], error: RoyaltyError) {
        let instruction = add_holders(&self.creator.pubkey(), &self.pool(), holders);
        self.world.refuses(&[instruction], &[&self.creator], error);
    }
}

fn holder(n: usize) -> Address {
    keypair(&format!("holder {n}")).pubkey()
}

#[test]
fn create_pool_records_holders_and_seals() {
    let mut stage = Stage::new();
    stage.create(DEFAULT_TOTAL_SHARES, &[(holder(0), 600_000_000), (holder(1), 400_000_000)]);
    let pool: Pool = stage.world.state(&stage.pool());
    assert!(pool.is_sealed());
    assert_eq!((pool.asset, pool.creator), (stage.asset.pubkey(), stage.creator.pubkey()));
    assert_eq!((pool.total_shares, pool.holder_count, pool.mint_count), (DEFAULT_TOTAL_SHARES, 2, 0));
    let position: Position = stage.world.state(&pda::position(&stage.pool(), &holder(1)).0);
    assert_eq!((position.pool, position.holder, position.shares), (stage.pool(), holder(1), 400_000_000));
}

#[test]
fn sixteen_holders_arrive_in_several_transactions() {
    let mut stage = Stage::new();
    let holders: Vec<_> = (0..16).map(|n| (holder(n), 100)).collect();
    stage.create(1_600, &holders[..6]);
    for more in holders[6..].chunks(5) {
        let instruction = add_holders(&stage.creator.pubkey(), &stage.pool(), more);
        stage.world.accept(&[instruction], &[&stage.creator]);
    }
    let pool: Pool = stage.world.state(&stage.pool());
    assert!(pool.is_sealed());
    assert_eq!(pool.holder_count, 16);
}

#[test]
fn create_pool_survives_lamports_sent_to_its_addresses_before() {
    let mut stage = Stage::new();
    let position = pda::position(&stage.pool(), &holder(0)).0;
    stage.world.add_lamports(&stage.pool(), 5_000_000);
    stage.world.add_lamports(&position, 1_000_000);
    stage.create(10, &[(holder(0), 10)]);
    let position: Position = stage.world.state(&position);
    assert_eq!(position.shares, 10);
}

#[test]
fn create_pool_rejects_an_asset_that_does_not_sign() {
    let mut stage = Stage::new();
    let mut instruction = create_pool(&stage.creator.pubkey(), &stage.asset.pubkey(), 10, &[(holder(0), 10)]);
    instruction.accounts[1].is_signer = false;
    stage.world.refuses(&[instruction], &[&stage.creator], InstructionError::MissingRequiredSignature);
}

#[test]
fn create_pool_rejects_a_second_pool_of_an_asset() {
    let mut stage = Stage::new();
    stage.create(10, &[(holder(0), 10)]);
    let instruction = create_pool(&stage.creator.pubkey(), &stage.asset.pubkey(), 10, &[(holder(1), 10)]);
    stage.world.refuses(&[instruction], &[&stage.creator, &stage.asset], 0);
}

#[test]
fn create_pool_rejects_duplicate_holders() {
    Stage::new().create_refused(10, &[(holder(0), 5), (holder(0), 5)], RoyaltyError::DuplicateHolder);
}

#[test]
fn create_pool_rejects_zero_shares() {
    Stage::new().create_refused(10, &[(holder(0), 10), (holder(1), 0)], RoyaltyError::ZeroShares);
    Stage::new().create_refused(0, &[], RoyaltyError::ZeroShares);
}

#[test]
fn create_pool_rejects_more_shares_than_the_total() {
    Stage::new().create_refused(10, &[(holder(0), 5), (holder(1), 6)], RoyaltyError::SharesExceedTotal);
}

#[test]
fn create_pool_rejects_too_many_shares() {
    let mut stage = Stage::new();
    stage.create_refused(MAX_TOTAL_SHARES + 1, &[(holder(0), 1)], RoyaltyError::TooManyShares);
    stage.create_refused(10, &[(holder(0), u64::MAX)], RoyaltyError::TooManyShares);
    stage.create(MAX_TOTAL_SHARES, &[(holder(0), MAX_TOTAL_SHARES)]);
}

#[test]
fn create_pool_rejects_a_position_elsewhere() {
    let mut stage = Stage::new();
    let mut instruction = create_pool(&stage.creator.pubkey(), &stage.asset.pubkey(), 10, &[(holder(0), 10)]);
    instruction.accounts[4].pubkey = pda::position(&stage.pool(), &holder(1)).0;
    stage.world.refuses(&[instruction], &[&stage.creator, &stage.asset], RoyaltyError::WrongPositionAddress);
}

#[test]
fn create_pool_rejects_a_missing_position() {
    let mut stage = Stage::new();
    let mut instruction = create_pool(&stage.creator.pubkey(), &stage.asset.pubkey(), 10, &[(holder(0), 10)]);
    instruction.accounts.pop();
    stage.world.refuses(&[instruction], &[&stage.creator, &stage.asset], RoyaltyError::WrongPositionAddress);
}

#[test]
fn add_holders_rejects_a_stranger() {
    let mut stage = Stage::new();
    stage.create(10, &[(holder(0), 5)]);
    let mallory = stage.world.wallet("mallory");
    let instruction = add_holders(&mallory.pubkey(), &stage.pool(), &[(mallory.pubkey(), 5)]);
    stage.world.refuses(&[instruction], &[&mallory], RoyaltyError::NotPoolCreator);
}

#[test]
fn add_holders_rejects_a_sealed_pool() {
    let mut stage = Stage::new();
    stage.create(10, &[(holder(0), 10)]);
    stage.add_refused(&[(holder(1), 1)], RoyaltyError::PoolSealed);
}

#[test]
fn add_holders_rejects_duplicate_holders() {
    let mut stage = Stage::new();
    stage.create(10, &[(holder(0), 5)]);
    stage.add_refused(&[(holder(0), 5)], RoyaltyError::DuplicateHolder);
}

#[test]
fn add_holders_rejects_more_shares_than_the_total() {
    let mut stage = Stage::new();
    stage.create(10, &[(holder(0), 5)]);
    stage.add_refused(&[(holder(1), 6)], RoyaltyError::SharesExceedTotal);
}

#[test]
fn add_holders_rejects_a_seventeenth() {
    let mut stage = Stage::new();
    stage.create(17, &[]);
    for n in 0..16 {
        let instruction = add_holders(&stage.creator.pubkey(), &stage.pool(), &[(holder(n), 1)]);
        stage.world.accept(&[instruction], &[&stage.creator]);
    }
    stage.add_refused(&[(holder(16), 1)], RoyaltyError::TooManyHolders);
}
