//! `abandon_pool`: AUDIT row L6, a pool that never came into use gives all its rent back.

use anchor_lang::prelude::Address;
use provena_royalty::{
    Holder, client,
    error::RoyaltyError,
    pda,
    state::{Pool, Position},
};
use provena_tests::{
    World,
    royalty::{Scene, configure, donate, holders, sol_books},
    tokens::{Money, donate_tokens},
    world::{WALLET_LAMPORTS, keypair},
};
use solana_instruction::{AccountMeta, Instruction};
use solana_instruction_error::InstructionError;
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{POSITION_RENT, QUARTER, with};

struct Stage {
    world: World,
    alice: Keypair,
    bob: Keypair,
    scene: Scene,
    token: Money,
}

impl Stage {
    /// A sealed pool of Alice and Bob with books in a token, whose NFT does not exist.
    fn new() -> Self {
        let mut world = World::new();
        let token = Money::token(&mut world, "dollar");
        configure(&mut world, &[token]);
        let (alice, bob) = (world.wallet("alice"), world.wallet("bob"));
        let shares = [(alice.pubkey(), 3 * QUARTER), (bob.pubkey(), QUARTER)];
        let scene = Scene::new(&mut world, "digits", &shares, &[token]);
        token.give(&mut world, &scene.creator.pubkey(), 0);
        Self { world, alice, bob, scene, token }
    }

    fn position(&self, holder: &Address) -> Position {
        self.scene.position(&self.world, holder)
    }

    fn abandoning(&self, holders: &[Address], money: &[Money]) -> Instruction {
        let positions: Vec<_> = holders.iter().map(|holder| self.position(holder)).collect();
        let books: Vec<_> = money.iter().map(|money| money.currency()).collect();
        client::abandon_pool(&self.scene.pool, &self.scene.state(&self.world), &positions, &books)
    }

    /// Everything at once.
    fn abandoning_all(&self) -> Instruction {
        self.abandoning(&[self.alice.pubkey(), self.bob.pubkey()], &[Money::Sol, self.token])
    }

    fn addresses(&self) -> [Address; 7] {
        let pool = self.scene.pool;
        let [alice, bob] = [&self.alice, &self.bob].map(|holder| pda::position(&pool, &holder.pubkey()).0);
        let books = self.scene.books_address(self.token);
        [pool, pda::index(&pool).0, sol_books(&pool), books, pda::vault(&books).0, alice, bob]
    }
}

#[test]
fn l6_an_abandoned_pool_returns_the_rent_of_all_its_accounts() {
    let mut stage = Stage::new();
    let creator = stage.scene.creator.insecure_clone();
    let all = stage.addresses();
    assert!(all.iter().all(|address| stage.world.account(address).is_some()));
    let abandon = stage.abandoning_all();
    stage.world.accept(&[abandon], &[&creator]);
    assert_eq!(stage.world.lamports(&creator.pubkey()), WALLET_LAMPORTS, "not one lamport is lost");
    for address in all {
        assert_eq!(stage.world.account(&address), None);
    }

    // The same NFT mint can have a new pool, with other holders.
    let holders = holders(&[(keypair("carol").pubkey(), 10)]);
    let create = client::create_pool(&creator.pubkey(), &stage.scene.asset.pubkey(), 10, 0, 0, &holders);
    stage.world.accept(&[create], &[&creator, &stage.scene.asset]);
}

#[test]
fn a_pool_can_be_abandoned_step_by_step() {
    let mut stage = Stage::new();
    let creator = stage.scene.creator.insecure_clone();
    let (alice, bob) = (stage.alice.pubkey(), stage.bob.pubkey());
    let abandon = stage.abandoning(&[alice], &[]);
    stage.world.accept(&[abandon], &[&creator]);
    let pool: Pool = stage.scene.state(&stage.world);
    assert_eq!((pool.assigned_shares, pool.holder_count), (QUARTER, 1));
    assert!(!stage.scene.index(&stage.world).is_sealed());

    // Half abandoned, it takes no money and moves no shares.
    let transfer = client::transfer_shares(&bob, &alice, &stage.scene.pool, 1);
    stage.world.refuses(&[transfer], &[&stage.bob], RoyaltyError::PoolNotSealed);
    let deposit = client::deposit(&alice, &stage.scene.pool, Money::Sol.currency(), 1);
    stage.world.refuses(&[deposit], &[&stage.alice], RoyaltyError::PoolNotSealed);
    // Its books cannot go before its last position.
    let early = stage.abandoning(&[], &[Money::Sol, stage.token]);
    stage.world.refuses(&[early], &[&creator], RoyaltyError::PoolInUse);

    let abandon = stage.abandoning(&[bob], &[]);
    stage.world.accept(&[abandon], &[&creator]);
    let abandon = stage.abandoning(&[], &[Money::Sol, stage.token]);
    stage.world.accept(&[abandon], &[&creator]);
    assert_eq!(stage.world.lamports(&creator.pubkey()), WALLET_LAMPORTS);
}

#[test]
fn a_half_abandoned_pool_can_get_other_holders() {
    let mut stage = Stage::new();
    let creator = stage.scene.creator.insecure_clone();
    let abandon = stage.abandoning(&[stage.alice.pubkey()], &[]);
    stage.world.accept(&[abandon], &[&creator]);
    let carol = stage.world.wallet("carol").pubkey();
    let add = client::add_holders(&creator.pubkey(), &stage.scene.pool, &[Holder::new(carol, 3 * QUARTER)]);
    stage.world.accept(&[add], &[&creator]);
    stage.scene.deposit(&mut stage.world, Money::Sol, 400);
    assert_eq!(stage.scene.owed(&stage.world, &carol, Money::Sol), 300);
    assert_eq!(stage.scene.owed(&stage.world, &stage.bob.pubkey(), Money::Sol), 100);
}

/// A pool from which no share was taken is as it was: its creator cannot make it refuse revenue for ever by abandoning
/// nothing before the NFT exists.
#[test]
fn abandoning_nothing_changes_nothing() {
    let mut stage = Stage::new();
    let creator = stage.scene.creator.insecure_clone();
    let nothing = stage.abandoning(&[], &[]);
    stage.world.changes_nothing(&[nothing], &[&creator]);
    // Nor does it when it closes a position without shares.
    let carol = stage.world.wallet("carol");
    let (bob, pool) = (stage.bob.pubkey(), stage.scene.pool);
    let there = client::transfer_shares(&bob, &carol.pubkey(), &pool, 1);
    let back = client::transfer_shares(&carol.pubkey(), &bob, &pool, 1);
    stage.world.accept(&[there, back], &[&stage.bob, &carol]);
    let empty = stage.abandoning(&[carol.pubkey()], &[]);
    stage.world.accept(&[empty], &[&creator]);
    stage.scene.mint_nft(&mut stage.world, &creator.pubkey());
    stage.scene.deposit(&mut stage.world, Money::Sol, 400);
    assert_eq!(stage.scene.owed(&stage.world, &stage.alice.pubkey(), Money::Sol), 300);
}

#[test]
fn abandon_pool_rejects_a_stranger() {
    let mut stage = Stage::new();
    let mallory = stage.world.wallet("mallory");
    let mut abandon = stage.abandoning_all();
    abandon.accounts[0].pubkey = mallory.pubkey();
    stage.world.refuses(&[abandon], &[&mallory], RoyaltyError::NotPoolCreator);
}

#[test]
fn abandon_pool_rejects_an_asset_that_exists() {
    let mut stage = Stage::new();
    let creator = stage.scene.creator.insecure_clone();
    let abandon = stage.abandoning_all();
    // Lamports at the mint's address make no mint.
    stage.world.add_lamports(&stage.scene.asset.pubkey(), 1_000_000);
    let unchanged = stage.world.svm.clone();
    stage.world.accept(std::slice::from_ref(&abandon), &[&creator]);
    stage.world.svm = unchanged;
    stage.scene.mint_nft(&mut stage.world, &creator.pubkey());
    stage.world.refuses(std::slice::from_ref(&abandon), &[&creator], RoyaltyError::AssetExists);
    let elsewhere = with(&abandon, &stage.scene.asset.pubkey(), &keypair("nothing").pubkey());
    stage.world.refuses(&[elsewhere], &[&creator], RoyaltyError::WrongAsset);
}

#[test]
fn abandon_pool_rejects_a_pool_with_revenue() {
    let mut stage = Stage::new();
    let creator = stage.scene.creator.insecure_clone();
    stage.scene.deposit(&mut stage.world, stage.token, 4);
    let abandon = stage.abandoning_all();
    stage.world.refuses(std::slice::from_ref(&abandon), &[&creator], RoyaltyError::PoolInUse);
    // Not even after everything was claimed.
    for holder in [&stage.alice, &stage.bob] {
        stage.token.give(&mut stage.world, &holder.pubkey(), 0);
        let claim = client::claim(&holder.pubkey(), &stage.scene.pool, stage.token.currency());
        stage.world.accept(&[claim], &[holder]);
    }
    assert_eq!(stage.scene.books(&stage.world, stage.token).held, 0);
    stage.world.refuses(&[abandon], &[&creator], RoyaltyError::PoolInUse);
}

/// Nobody can keep a pool from being abandoned by gifts that are not booked: they go to the creator.
#[test]
fn unbooked_gifts_do_not_keep_a_pool_open() {
    let mut stage = Stage::new();
    let creator = stage.scene.creator.insecure_clone();
    donate(&mut stage.world, Money::Sol, &sol_books(&stage.scene.pool), 7);
    donate(&mut stage.world, Money::Sol, &stage.scene.pool, 11);
    donate_tokens(&mut stage.world, &stage.scene.vault(stage.token), 13);
    let abandon = stage.abandoning_all();
    stage.world.accept(&[abandon], &[&creator]);
    assert_eq!(stage.world.lamports(&creator.pubkey()), WALLET_LAMPORTS + 18);
    assert_eq!(stage.token.balance(&stage.world, &creator.pubkey()), 13);
}

/// Before the NFT exists, only the creator opens inboxes, so that nobody else can keep the pool from being abandoned.
#[test]
fn abandon_pool_rejects_a_pool_with_inboxes() {
    let mut stage = Stage::new();
    let creator = stage.scene.creator.insecure_clone();
    let (asset, currency) = (stage.scene.asset.pubkey(), stage.token.currency());
    let open = client::open_inbox(&stage.alice.pubkey(), &asset, currency, 0);
    stage.world.refuses(&[open], &[&stage.alice], RoyaltyError::NotPoolCreator);
    stage.scene.open_inbox(&mut stage.world, stage.token);
    let abandon = stage.abandoning_all();
    stage.world.refuses(std::slice::from_ref(&abandon), &[&creator], RoyaltyError::PoolInUse);
    let close = client::close_inbox(&creator.pubkey(), &stage.scene.pool, currency, 0);
    stage.world.accept(&[close, abandon], &[&creator]);
    assert_eq!(stage.world.lamports(&creator.pubkey()), WALLET_LAMPORTS);
}

#[test]
fn a_position_that_somebody_else_paid_for_returns_its_rent_to_them() {
    let mut stage = Stage::new();
    let creator = stage.scene.creator.insecure_clone();
    let carol = keypair("carol").pubkey();
    let transfer = client::transfer_shares(&stage.alice.pubkey(), &carol, &stage.scene.pool, 5);
    stage.world.accept(&[transfer], &[&stage.alice]);
    assert_eq!(stage.world.lamports(&stage.alice.pubkey()), WALLET_LAMPORTS - POSITION_RENT);

    let holders = [stage.alice.pubkey(), carol, stage.bob.pubkey()];
    let abandon = stage.abandoning(&holders, &[Money::Sol, stage.token]);
    let cheat = with(&abandon, &stage.alice.pubkey(), &keypair("mallory").pubkey());
    stage.world.refuses(&[cheat], &[&creator], RoyaltyError::NotRentPayer);
    stage.world.accept(&[abandon], &[&creator]);
    assert_eq!(stage.world.lamports(&stage.alice.pubkey()), WALLET_LAMPORTS);
    assert_eq!(stage.world.lamports(&creator.pubkey()), WALLET_LAMPORTS);
}

/// A position that survives its pool must be worth nothing in the next pool at the same address.
#[test]
fn an_emptied_position_left_behind_is_worth_nothing_in_the_next_pool() {
    let mut stage = Stage::new();
    let creator = stage.scene.creator.insecure_clone();
    let (bob, carol) = (stage.bob.pubkey(), stage.world.wallet("carol"));
    // Bob gives everything to Carol and keeps an empty position with a delegate, which the creator does not close.
    let approve = client::approve(&bob, &stage.scene.pool, &keypair("mallory").pubkey(), QUARTER);
    let transfer = client::transfer_shares(&bob, &carol.pubkey(), &stage.scene.pool, QUARTER);
    stage.world.accept(&[approve, transfer], &[&stage.bob]);
    let abandon = stage.abandoning(&[stage.alice.pubkey(), carol.pubkey()], &[Money::Sol, stage.token]);
    stage.world.accept(&[abandon], &[&creator]);
    let left = stage.position(&bob);
    assert_eq!((left.shares, left.delegate, left.delegated), (0, Address::default(), 0));

    let shares = holders(&[(carol.pubkey(), 10)]);
    let create = client::create_pool(&creator.pubkey(), &stage.scene.asset.pubkey(), 10, 0, 0, &shares);
    stage.world.accept(&[create], &[&creator, &stage.scene.asset]);
    stage.scene.deposit(&mut stage.world, Money::Sol, 1_000_000_000);
    assert_eq!(stage.scene.owed(&stage.world, &bob, Money::Sol), 0);
    assert_eq!(stage.scene.owed(&stage.world, &carol.pubkey(), Money::Sol), 1_000_000_000);
    // It can take shares like a new one.
    let transfer = client::transfer_shares(&carol.pubkey(), &bob, &stage.scene.pool, 5);
    stage.world.accept(&[transfer], &[&carol]);
    assert_eq!(stage.scene.owed(&stage.world, &bob, Money::Sol), 0);
    stage.scene.deposit(&mut stage.world, Money::Sol, 1_000);
    assert_eq!(stage.scene.owed(&stage.world, &bob, Money::Sol), 500);
}

#[test]
fn abandon_pool_rejects_what_belongs_to_other_pools() {
    let mut stage = Stage::new();
    let creator = stage.scene.creator.insecure_clone();
    let shares = [(stage.alice.pubkey(), 3 * QUARTER), (stage.bob.pubkey(), QUARTER)];
    let other = Scene::new(&mut stage.world, "other", &shares, &[stage.token]);
    let abandon = stage.abandoning_all();
    let books = stage.scene.books_address(stage.token);
    let theirs = other.books_address(stage.token);
    for (ours, theirs, error) in [
        (pda::index(&stage.scene.pool).0, pda::index(&other.pool).0, RoyaltyError::WrongPool),
        (
            pda::position(&stage.scene.pool, &stage.alice.pubkey()).0,
            pda::position(&other.pool, &stage.alice.pubkey()).0,
            RoyaltyError::WrongPool,
        ),
        (sol_books(&stage.scene.pool), sol_books(&other.pool), RoyaltyError::WrongPool),
        (books, theirs, RoyaltyError::WrongPool),
        (pda::vault(&books).0, pda::vault(&theirs).0, RoyaltyError::WrongVault),
    ] {
        let changed = with(&abandon, &ours, &theirs);
        stage.world.refuses(&[changed], &[&creator], error);
    }
}

#[test]
fn abandon_pool_rejects_books_out_of_order_missing_or_too_many() {
    let mut stage = Stage::new();
    let creator = stage.scene.creator.insecure_clone();
    let holders = [stage.alice.pubkey(), stage.bob.pubkey()];
    let (sol, token) = (Money::Sol, stage.token);
    let out_of_order = stage.abandoning(&holders, &[token, sol]);
    stage.world.refuses(&[out_of_order], &[&creator], RoyaltyError::WrongAccounts);
    // A position where the token's books must come.
    let missing = stage.abandoning(&holders, &[sol]);
    stage.world.refuses(&[missing], &[&creator], InstructionError::InvalidAccountData);
    let missing = stage.abandoning(&[], &[sol]);
    stage.world.refuses(&[missing], &[&creator], RoyaltyError::WrongAccounts);
    // Books where a position must come.
    let too_many = stage.abandoning(&holders, &[sol, token, sol]);
    stage.world.refuses(&[too_many], &[&creator], InstructionError::AccountDataTooSmall);
    let mut too_many = stage.abandoning(&holders, &[sol, token]);
    too_many.accounts.push(AccountMeta::new(keypair("nothing").pubkey(), false));
    stage.world.refuses(&[too_many], &[&creator], InstructionError::UninitializedAccount);
}

#[test]
fn abandon_pool_rejects_a_position_named_twice() {
    let mut stage = Stage::new();
    let creator = stage.scene.creator.insecure_clone();
    let (alice, bob) = (stage.alice.pubkey(), stage.bob.pubkey());
    // Bob's quarter four times would add up to all shares, and Alice's position would outlive its pool.
    let four_times = stage.abandoning(&[bob, bob, bob, bob], &[Money::Sol, stage.token]);
    stage.world.refuses(&[four_times], &[&creator], InstructionError::UninitializedAccount);
    let twice = stage.abandoning(&[alice, alice], &[]);
    stage.world.refuses(&[twice], &[&creator], InstructionError::UninitializedAccount);
}
