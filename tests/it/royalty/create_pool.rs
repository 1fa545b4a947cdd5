//! `create_pool`, `add_holders`.

use anchor_lang::prelude::Address;
use provena_common::error::CommonError;
use provena_royalty::{
    DEFAULT_TOTAL_SHARES, Holder, MAX_TOTAL_SHARES, MAX_WINDOW, MIN_WINDOW, NATIVE_MINT, WRAPPABLE, client,
    error::RoyaltyError,
    pda,
    state::{Books, Index, Pool, Position, Vesting},
};
use provena_tests::{
    World,
    royalty::{configure, holders, sol_books},
    transactions::{MAX_TRANSACTION_LEN, transaction_len},
    world::{WALLET_LAMPORTS, keypair},
};
use solana_instruction::Instruction;
use solana_instruction_error::InstructionError;
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{BOOKS_RENT, INDEX_RENT, POOL_RENT, POSITION_RENT, with};

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

    fn creating(&self, total: u64, shares: &[(Address, u64)]) -> Instruction {
        client::create_pool(&self.creator.pubkey(), &self.asset.pubkey(), total, 0, 0, &holders(shares))
    }

    #[track_caller]
    fn create(&mut self, total: u64, shares: &[(Address, u64)]) {
        let instruction = self.creating(total, shares);
        self.world.accept(&[instruction], &[&self.creator, &self.asset]);
    }

    #[track_caller]
    fn create_refused(&mut self, total: u64, shares: &[(Address, u64)], error: RoyaltyError) {
        let instruction = self.creating(total, shares);
        self.world.refuses(&[instruction], &[&self.creator, &self.asset], error);
    }

    fn adding(&self, shares: &[(Address, u64)]) -> Instruction {
        client::add_holders(&self.creator.pubkey(), &self.pool(), &holders(shares))
    }

    #[track_caller]
    fn add_refused(&mut self, shares: &[(Address, u64)], error: RoyaltyError) {
        let instruction = self.adding(shares);
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
    assert_eq!((pool.total_shares, pool.holder_count, pool.window, pool.flags), (DEFAULT_TOTAL_SHARES, 2, 0, 0));
    assert_eq!((pool.mints(), pool.rent), (&[NATIVE_MINT][..], 3_897_600));
    let index: Index = stage.world.state(&pda::index(&stage.pool()).0);
    assert_eq!(
        (index.pool, index.total_shares, index.window, index.sealed),
        (stage.pool(), DEFAULT_TOTAL_SHARES, 0, 1)
    );
    let books: Books = stage.world.state(&sol_books(&stage.pool()));
    assert_eq!((books.pool, books.mint, books.vault, books.index), (stage.pool(), NATIVE_MINT, NATIVE_MINT, 0));
    assert_eq!((books.held, books.inbox_count, books.decimals, books.rent), (0, 0, 9, 2_672_640));
    let position: Position = stage.world.state(&pda::position(&stage.pool(), &holder(1)).0);
    assert_eq!((position.pool, position.holder, position.shares), (stage.pool(), holder(1), 400_000_000));
    assert_eq!((position.rent_payer, position.vesting), (stage.creator.pubkey(), Vesting::NONE));

    // What a pool of two holders costs: 19.2 million lamports, all of it rent.
    let paid = WALLET_LAMPORTS - stage.world.lamports(&stage.creator.pubkey());
    assert_eq!(paid, POOL_RENT + INDEX_RENT + BOOKS_RENT + 2 * POSITION_RENT);
    assert_eq!(paid, 20_211_840);
}

#[test]
fn sixty_four_holders_arrive_in_several_transactions_that_fit_the_wire() {
    let mut stage = Stage::new();
    let all: Vec<_> = (0..64).map(|n| (holder(n), 100)).collect();
    let (first, rest) = all.split_at(9);
    let create = stage.creating(6_400, first);
    assert!(transaction_len(std::slice::from_ref(&create), &[&stage.creator, &stage.asset]) <= MAX_TRANSACTION_LEN);
    stage.world.accept(&[create], &[&stage.creator, &stage.asset]);
    for more in rest.chunks(12) {
        let index: Index = stage.world.state(&pda::index(&stage.pool()).0);
        assert!(!index.is_sealed());
        let add = stage.adding(more);
        assert!(transaction_len(std::slice::from_ref(&add), &[&stage.creator]) <= MAX_TRANSACTION_LEN);
        stage.world.accept(&[add], &[&stage.creator]);
    }
    let pool: Pool = stage.world.state(&stage.pool());
    assert!(pool.is_sealed());
    assert_eq!(pool.holder_count, 64);
    let index: Index = stage.world.state(&pda::index(&stage.pool()).0);
    assert!(index.is_sealed());
}

#[test]
fn create_pool_survives_lamports_sent_to_its_addresses_before() {
    let mut stage = Stage::new();
    let (pool, position) = (stage.pool(), pda::position(&stage.pool(), &holder(0)).0);
    let index = pda::index(&pool).0;
    for (address, lamports) in [(pool, 1), (index, 5_000_000), (sol_books(&pool), 3_000_000), (position, 890_880)] {
        stage.world.add_lamports(&address, lamports);
    }
    stage.create(10, &[(holder(0), 10)]);
    assert_eq!(stage.world.lamports(&pool), POOL_RENT, "what was there counts towards the rent");
    assert_eq!(stage.world.lamports(&index), 5_000_000);
    assert_eq!(stage.world.lamports(&position), POSITION_RENT);
    // What lay at the books' address beyond their rent is revenue.
    stage.world.accept(&[client::sync(&pool, client::Currency::Sol, &[])], &[]);
    let books: Books = stage.world.state(&sol_books(&pool));
    assert_eq!(books.held, 3_000_000 - 2_672_640);
}

#[test]
fn create_pool_rejects_an_asset_that_does_not_sign() {
    let mut stage = Stage::new();
    let mut instruction = stage.creating(10, &[(holder(0), 10)]);
    instruction.accounts[1].is_signer = false;
    stage.world.refuses(&[instruction], &[&stage.creator], InstructionError::MissingRequiredSignature);
}

#[test]
fn create_pool_rejects_a_repetition() {
    let mut stage = Stage::new();
    stage.create(10, &[(holder(0), 10)]);
    let instruction = stage.creating(10, &[(holder(1), 10)]);
    stage.world.refuses(&[instruction], &[&stage.creator, &stage.asset], 0);
}

#[test]
fn create_pool_rejects_duplicate_holders() {
    Stage::new().create_refused(10, &[(holder(0), 5), (holder(0), 5)], RoyaltyError::DuplicateHolder);
}

#[test]
fn create_pool_rejects_itself_as_a_holder() {
    let mut stage = Stage::new();
    let pool = stage.pool();
    stage.create_refused(10, &[(pool, 10)], RoyaltyError::SelfHolding);
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
    let instruction = stage.creating(10, &[(holder(0), 10)]);
    let (right, wrong) = (pda::position(&stage.pool(), &holder(0)).0, pda::position(&stage.pool(), &holder(1)).0);
    let instruction = with(&instruction, &right, &wrong);
    stage.world.refuses(&[instruction], &[&stage.creator, &stage.asset], RoyaltyError::WrongPositionAddress);
}

#[test]
fn create_pool_rejects_a_missing_position() {
    let mut stage = Stage::new();
    let mut instruction = stage.creating(10, &[(holder(0), 10)]);
    instruction.accounts.pop();
    stage.world.refuses(&[instruction], &[&stage.creator, &stage.asset], RoyaltyError::WrongPositionAddress);
}

#[test]
fn create_pool_rejects_other_addresses_of_its_accounts() {
    let mut stage = Stage::new();
    let pool = stage.pool();
    for right in [pool, pda::index(&pool).0, sol_books(&pool)] {
        let instruction = with(&stage.creating(10, &[(holder(0), 10)]), &right, &keypair("elsewhere").pubkey());
        stage.world.refuses(&[instruction], &[&stage.creator, &stage.asset], InstructionError::InvalidSeeds);
    }
}

#[test]
fn windows_go_with_shares_that_can_be_wrapped() {
    let mut stage = Stage::new();
    let holders = [Holder::new(holder(0), 10)];
    let (creator, asset) = (stage.creator.pubkey(), stage.asset.pubkey());
    let create = |window, flags| client::create_pool(&creator, &asset, 10, window, flags, &holders);
    let signers = [&stage.creator, &stage.asset];
    for (window, flags) in [(MIN_WINDOW, 0), (1, 0), (0, WRAPPABLE), (31, WRAPPABLE), (432_001, WRAPPABLE)] {
        stage.world.refuses(&[create(window, flags)], &signers, RoyaltyError::WrongWindow);
    }
    for flags in [2, 3, 128] {
        stage.world.refuses(&[create(0, flags)], &signers, RoyaltyError::WrongFlags);
    }
    let unchanged = stage.world.svm.clone();
    for window in [MIN_WINDOW, MAX_WINDOW] {
        stage.world.svm = unchanged.clone();
        stage.world.accept(&[create(window, WRAPPABLE)], &signers);
        let index: Index = stage.world.state(&pda::index(&pda::pool(&asset).0).0);
        assert_eq!(index.window, window);
    }
}

#[test]
fn create_pool_rejects_bad_vesting() {
    let mut stage = Stage::new();
    let (creator, asset) = (stage.creator.pubkey(), stage.asset.pubkey());
    let four_billion = 1 << 32;
    for (total, start, end) in [
        (11, 0, 100),
        (0, 0, 100),
        (0, 100, 100),
        (5, 100, 100),
        (5, 101, 100),
        (5, 7, 7 + four_billion),
        (5, 0, u64::MAX),
        (u64::MAX, 0, 100),
    ] {
        let vesting = Some(Vesting { total, start, end });
        let holders = [Holder { holder: holder(0), shares: 10, vesting }];
        let create = client::create_pool(&creator, &asset, 10, 0, 0, &holders);
        stage.world.refuses(&[create], &[&stage.creator, &stage.asset], RoyaltyError::WrongVesting);
    }
    let vesting = Some(Vesting { total: 10, start: 7, end: 6 + four_billion });
    let holders = [Holder { holder: holder(0), shares: 10, vesting }];
    let create = client::create_pool(&creator, &asset, 10, 0, 0, &holders);
    stage.world.accept(&[create], &[&stage.creator, &stage.asset]);
}

#[test]
fn create_pool_needs_the_settings() {
    let mut world = World::new();
    let (creator, asset) = (world.wallet("creator"), keypair("asset"));
    let create = client::create_pool(&creator.pubkey(), &asset.pubkey(), 10, 0, 0, &[Holder::new(holder(0), 10)]);
    world.refuses(&[create], &[&creator, &asset], InstructionError::UninitializedAccount);
}

#[test]
fn add_holders_rejects_a_stranger() {
    let mut stage = Stage::new();
    stage.create(10, &[(holder(0), 5)]);
    let mallory = stage.world.wallet("mallory");
    let instruction = client::add_holders(&mallory.pubkey(), &stage.pool(), &[Holder::new(mallory.pubkey(), 5)]);
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
    let pool = stage.pool();
    stage.add_refused(&[(pool, 5)], RoyaltyError::SelfHolding);
}

#[test]
fn add_holders_rejects_more_shares_than_the_total() {
    let mut stage = Stage::new();
    stage.create(10, &[(holder(0), 5)]);
    stage.add_refused(&[(holder(1), 6)], RoyaltyError::SharesExceedTotal);
}

#[test]
fn add_holders_rejects_the_65_536th() {
    let mut stage = Stage::new();
    stage.create(100_000, &[(holder(0), 5)]);
    let mut pool: Pool = stage.world.state(&stage.pool());
    pool.holder_count = 65_534;
    stage.world.set_state(&stage.pool(), &pool);
    let add = stage.adding(&[(holder(1), 5)]);
    stage.world.accept(&[add], &[&stage.creator]);
    stage.add_refused(&[(holder(2), 5)], RoyaltyError::TooManyHolders);
}

#[test]
fn add_holders_rejects_another_pools_index() {
    let mut stage = Stage::new();
    stage.create(10, &[(holder(0), 5)]);
    let other = keypair("other asset");
    let create = client::create_pool(&stage.creator.pubkey(), &other.pubkey(), 10, 0, 0, &[]);
    stage.world.accept(&[create], &[&stage.creator, &other]);
    let add = stage.adding(&[(holder(1), 5)]);
    let add = with(&add, &pda::index(&stage.pool()).0, &pda::index(&pda::pool(&other.pubkey()).0).0);
    stage.world.refuses(&[add], &[&stage.creator], RoyaltyError::WrongPool);
}

#[test]
fn nothing_is_booked_before_a_pool_is_sealed() {
    let mut stage = Stage::new();
    stage.create(10, &[(holder(0), 5)]);
    let (pool, sol) = (stage.pool(), client::Currency::Sol);
    let deposit = client::deposit(&stage.creator.pubkey(), &pool, sol, 100);
    stage.world.refuses(std::slice::from_ref(&deposit), &[&stage.creator], RoyaltyError::PoolNotSealed);
    stage.world.changes_nothing(&[client::sync(&pool, sol, &[]), client::collect(&pool, sol)], &[]);
    stage.world.add_lamports(&sol_books(&pool), 40);
    stage.world.refuses(&[client::sync(&pool, sol, &[])], &[], RoyaltyError::PoolNotSealed);
    stage.world.refuses(&[client::collect(&pool, sol)], &[], RoyaltyError::PoolNotSealed);
    // The holders who come later have the same part of it.
    let add = stage.adding(&[(holder(1), 5)]);
    stage.world.accept(&[add], &[&stage.creator]);
    stage.world.accept(&[client::sync(&pool, sol, &[]), deposit], &[&stage.creator]);
    for n in 0..2 {
        let claim = client::claim_for(&holder(n), &pool, sol);
        stage.world.add_lamports(&holder(n), 1_000_000);
        stage.world.accept(&[claim], &[]);
        assert_eq!(stage.world.lamports(&holder(n)), 1_000_070);
    }
}

#[test]
fn verify_creator_rejects_what_is_no_metadata_of_the_asset() {
    let mut stage = Stage::new();
    stage.create(10, &[(holder(0), 10)]);
    let metadata = keypair("metadata").pubkey();
    let verify = client::verify_creator(&stage.pool(), &metadata);
    stage.world.refuses(std::slice::from_ref(&verify), &[], RoyaltyError::WrongMetadata);
    let wrong = with(&verify, &provena_royalty::TOKEN_METADATA_PROGRAM, &provena_royalty::ID);
    // Anchor's code for another address than the declared one.
    stage.world.refuses(&[wrong], &[], 2012);
    // AUDIT row L4: the pool is checked before anything else.
    let mut pool: Pool = stage.world.state(&stage.pool());
    pool.version += 1;
    let address = stage.pool();
    stage.world.set_state(&address, &pool);
    stage.world.refuses(&[verify], &[], CommonError::StateVersion);
}
