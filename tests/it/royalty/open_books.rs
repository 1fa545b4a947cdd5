//! `open_books`: AUDIT row L2, who may add mints to a pool.

use provena_common::{
    error::CommonError,
    token::{TOKEN_2022_PROGRAM, TOKEN_PROGRAM},
};
use provena_royalty::{
    client::{self, Evidence},
    error::RoyaltyError,
    pda,
};
use provena_tests::{
    World,
    royalty::{Scene, configure},
    tokens::{Money, put_token_account, put_token_account_of, set_frozen},
    world::keypair,
};
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{BOOKS_RENT, QUARTER, TOKEN_ACCOUNT_RENT, with};

struct Stage {
    world: World,
    alice: Keypair,
    mallory: Keypair,
    scene: Scene,
    token: Money,
}

impl Stage {
    /// Alice's pool without books in the token, which is allowed; the NFT does not exist.
    fn new() -> Self {
        let mut world = World::new();
        let token = Money::token(&mut world, "dollar");
        configure(&mut world, &[token]);
        let (alice, mallory) = (world.wallet("alice"), world.wallet("mallory"));
        let scene = Scene::new(&mut world, "digits", &[(alice.pubkey(), 4 * QUARTER)], &[]);
        Self { world, alice, mallory, scene, token }
    }

    fn opening(&self, payer: &Keypair, evidence: Evidence) -> Instruction {
        let open = client::open_books(&payer.pubkey(), &self.scene.asset.pubkey(), self.token.currency(), evidence);
        open.expect("a token")
    }

    #[track_caller]
    fn refused(&mut self, payer: &Keypair, evidence: Evidence, error: RoyaltyError) {
        let open = self.opening(payer, evidence);
        self.world.refuses(&[open], &[payer], error);
    }

    #[track_caller]
    fn opened(&mut self, payer: &Keypair, evidence: Evidence) {
        let open = self.opening(payer, evidence);
        let before = self.world.lamports(&payer.pubkey());
        self.world.accept(&[open], &[payer]);
        assert_eq!(before - self.world.lamports(&payer.pubkey()), BOOKS_RENT + TOKEN_ACCOUNT_RENT);
        let books = self.scene.books(&self.world, self.token);
        assert_eq!((books.index, books.decimals, books.token_program), (1, 6, TOKEN_PROGRAM));
        assert_eq!(self.scene.state(&self.world).mints().len(), 2);
        self.scene.deposit(&mut self.world, self.token, 40);
        assert_eq!(self.scene.owed(&self.world, &self.alice.pubkey(), self.token), 40);
    }
}

#[test]
fn the_creator_opens_books_until_the_nft_exists() {
    let mut stage = Stage::new();
    let (creator, mallory) = (stage.scene.creator.insecure_clone(), stage.mallory.insecure_clone());
    stage.refused(&mallory, Evidence::Creator, RoyaltyError::NoRightToOpen);
    let unchanged = stage.world.svm.clone();
    stage.opened(&creator, Evidence::Creator);
    stage.world.svm = unchanged;
    stage.scene.mint_nft(&mut stage.world, &stage.alice.pubkey());
    stage.refused(&creator, Evidence::Creator, RoyaltyError::NoRightToOpen);
}

#[test]
fn the_holder_of_the_nft_opens_books() {
    let mut stage = Stage::new();
    let alice = stage.alice.insecure_clone();
    let account = stage.scene.mint_nft(&mut stage.world, &alice.pubkey());
    stage.opened(&alice, Evidence::Nft(account));
}

#[test]
fn a_frozen_nft_is_held_all_the_same() {
    let mut stage = Stage::new();
    let alice = stage.alice.insecure_clone();
    let account = stage.scene.mint_nft(&mut stage.world, &alice.pubkey());
    set_frozen(&mut stage.world, &account, true);
    stage.opened(&alice, Evidence::Nft(account));
}

/// AUDIT row L2: a stranger cannot add mints to somebody's pool.
#[test]
fn l2_a_stranger_opens_no_books() {
    let mut stage = Stage::new();
    let mallory = stage.mallory.insecure_clone();
    let nft = stage.scene.mint_nft(&mut stage.world, &stage.alice.pubkey());
    let (mint, key) = (stage.scene.asset.pubkey(), mallory.pubkey());
    stage.refused(&mallory, Evidence::Creator, RoyaltyError::NoRightToOpen);
    // Alice's NFT, an empty account of the same mint, another NFT of her own, one of Token-2022.
    let [empty, other, newer] = ["empty", "other", "newer"].map(|name| keypair(name).pubkey());
    put_token_account(&mut stage.world, &empty, &mint, &key, 0);
    put_token_account(&mut stage.world, &other, &keypair("another nft").pubkey(), &key, 1);
    put_token_account_of(&mut stage.world, &newer, &mint, &TOKEN_2022_PROGRAM, &key, 1);
    // Tokens of the mint that are hers, and an empty account of the pool.
    let pool = stage.scene.pool;
    stage.token.give(&mut stage.world, &key, 1_000);
    stage.token.give(&mut stage.world, &pool, 0);
    let (hers, pools) = (stage.token.account_of(&key), stage.token.account_of(&pool));
    for account in [nft, empty, other, newer, hers, pools, mint] {
        stage.refused(&mallory, Evidence::Nft(account), RoyaltyError::NoRightToOpen);
    }
}

/// An absent controller strands nothing: money that waits in a mint is reason enough.
#[test]
fn l2_money_that_waits_for_the_pool_opens_books() {
    let mut stage = Stage::new();
    let mallory = stage.mallory.insecure_clone();
    stage.scene.mint_nft(&mut stage.world, &stage.alice.pubkey());
    let pool = stage.scene.pool;
    stage.token.give(&mut stage.world, &pool, 1);
    let account = stage.token.account_of(&pool);
    stage.opened(&mallory, Evidence::Tokens(account));
    stage.world.accept(&[client::collect(&pool, stage.token.currency())], &[]);
    assert_eq!(stage.scene.owed(&stage.world, &stage.alice.pubkey(), stage.token), 41);
}

#[test]
fn l2_a_child_that_owes_the_pool_opens_books() {
    let mut stage = Stage::new();
    let mallory = stage.mallory.insecure_clone();
    stage.scene.mint_nft(&mut stage.world, &stage.alice.pubkey());
    let pool = stage.scene.pool;
    let shares = [(pool, QUARTER), (mallory.pubkey(), 3 * QUARTER)];
    let child = Scene::new(&mut stage.world, "child", &shares, &[stage.token]);
    // It owes three quarters of a unit, which is nothing yet.
    child.deposit(&mut stage.world, stage.token, 3);
    stage.refused(&mallory, Evidence::Child(child.pool), RoyaltyError::NoRightToOpen);
    child.deposit(&mut stage.world, stage.token, 1);
    // A child that owes another mint, or to another pool, is no reason.
    child.deposit(&mut stage.world, Money::Sol, 400);
    let open = stage.opening(&mallory, Evidence::Child(child.pool));
    let sol = with(&open, &child.books_address(stage.token), &child.books_address(Money::Sol));
    stage.world.refuses(&[sol], &[&mallory], RoyaltyError::NoRightToOpen);
    let [ours, hers] = [pool, mallory.pubkey()].map(|holder| pda::position(&child.pool, &holder).0);
    stage.world.refuses(&[with(&open, &ours, &hers)], &[&mallory], RoyaltyError::NoRightToOpen);
    stage.opened(&mallory, Evidence::Child(child.pool));
    stage.world.accept(&[client::sweep(&child.pool, &pool, stage.token.currency())], &[]);
    assert_eq!(stage.scene.owed(&stage.world, &stage.alice.pubkey(), stage.token), 41);
}

/// Mallory shows a position of the pool in one child with the index or books of another, richer one.
#[test]
fn open_books_rejects_evidence_of_different_pools() {
    let mut stage = Stage::new();
    let mallory = stage.mallory.insecure_clone();
    stage.scene.mint_nft(&mut stage.world, &stage.alice.pubkey());
    let shares = [(stage.scene.pool, QUARTER), (mallory.pubkey(), 3 * QUARTER)];
    let [poor, rich] = ["poor", "rich"].map(|name| Scene::new(&mut stage.world, name, &shares, &[stage.token]));
    let only_hers = [(mallory.pubkey(), 4 * QUARTER)];
    let richest = Scene::new(&mut stage.world, "richest", &only_hers, &[stage.token]);
    richest.deposit(&mut stage.world, stage.token, 1_000_000);
    let open = stage.opening(&mallory, Evidence::Child(poor.pool));
    for other in [&rich, &richest] {
        let index = with(&open, &pda::index(&poor.pool).0, &pda::index(&other.pool).0);
        stage.world.refuses(std::slice::from_ref(&index), &[&mallory], RoyaltyError::NoRightToOpen);
        let both = with(&index, &poor.books_address(stage.token), &other.books_address(stage.token));
        stage.world.refuses(&[both], &[&mallory], RoyaltyError::NoRightToOpen);
    }
}

#[test]
fn open_books_rejects_evidence_of_another_number() {
    let mut stage = Stage::new();
    let creator = stage.scene.creator.insecure_clone();
    for count in [2, 4] {
        let mut open = stage.opening(&creator, Evidence::Creator);
        let extra = (0..count).map(|n| AccountMeta::new_readonly(keypair(&format!("extra {n}")).pubkey(), false));
        open.accounts.extend(extra);
        stage.world.refuses(&[open], &[&creator], RoyaltyError::WrongAccounts);
    }
}

#[test]
fn open_books_rejects_a_mint_that_is_not_allowed() {
    let mut stage = Stage::new();
    let creator = stage.scene.creator.insecure_clone();
    stage.token = Money::token(&mut stage.world, "another");
    stage.refused(&creator, Evidence::Creator, RoyaltyError::MintNotAllowed);
}

#[test]
fn open_books_rejects_sol() {
    let mut stage = Stage::new();
    let creator = stage.scene.creator.insecure_clone();
    let (pool, zeros) = (stage.scene.pool, provena_royalty::NATIVE_MINT);
    let open = stage.opening(&creator, Evidence::Creator);
    let open = with(&open, &stage.token.mint(), &zeros);
    stage.world.refuses(std::slice::from_ref(&open), &[&creator], RoyaltyError::NativeMint);
    let open = with(&open, &stage.scene.books_address(stage.token), &pda::books(&pool, &zeros).0);
    stage.world.refuses(&[open], &[&creator], RoyaltyError::NativeMint);
}

#[test]
fn open_books_rejects_a_repetition() {
    let mut stage = Stage::new();
    let creator = stage.scene.creator.insecure_clone();
    stage.opened(&creator, Evidence::Creator);
    let again = stage.opening(&creator, Evidence::Creator);
    // The System program's: the account is in use.
    stage.world.refuses(&[again], &[&creator], 0);
}

#[test]
fn open_books_rejects_other_addresses() {
    let mut stage = Stage::new();
    let creator = stage.scene.creator.insecure_clone();
    let open = stage.opening(&creator, Evidence::Creator);
    let books = stage.scene.books_address(stage.token);
    for right in [books, pda::vault(&books).0] {
        let wrong = with(&open, &right, &keypair("elsewhere").pubkey());
        stage.world.refuses(&[wrong], &[&creator], CommonError::WrongPda);
    }
    let asset = with(&open, &stage.scene.asset.pubkey(), &keypair("nothing").pubkey());
    stage.world.refuses(&[asset], &[&creator], RoyaltyError::WrongAsset);
    for program in [TOKEN_2022_PROGRAM, provena_royalty::TOKEN_METADATA_PROGRAM] {
        let wrong = with(&open, &TOKEN_PROGRAM, &program);
        stage.world.refuses(&[wrong], &[&creator], CommonError::WrongTokenProgram);
    }
}

#[test]
fn open_books_survives_lamports_sent_to_its_addresses_before() {
    let mut stage = Stage::new();
    let creator = stage.scene.creator.insecure_clone();
    let books = stage.scene.books_address(stage.token);
    stage.world.add_lamports(&books, 1);
    stage.world.add_lamports(&pda::vault(&books).0, 5_000_000);
    let open = stage.opening(&creator, Evidence::Creator);
    let before = stage.world.lamports(&creator.pubkey());
    stage.world.accept(&[open], &[&creator]);
    assert_eq!(before - stage.world.lamports(&creator.pubkey()), BOOKS_RENT - 1);
    assert_eq!(stage.world.lamports(&pda::vault(&books).0), 5_000_000);
}

/// A pool has room for every mint that can be allowed at one time.
#[test]
fn a_pool_has_room_for_all_allowed_mints() {
    let mut world = World::new();
    let tokens: Vec<_> = (0..7).map(|n| Money::token(&mut world, &format!("token {n}"))).collect();
    let authority = configure(&mut world, &tokens);
    let alice = world.wallet("alice");
    let scene = Scene::new(&mut world, "digits", &[(alice.pubkey(), 4 * QUARTER)], &tokens);
    assert_eq!(scene.state(&world).mints().len(), 8);
    let last = Money::token(&mut world, "one too many");
    let swap = [
        client::disallow_mint(&authority.pubkey(), &tokens[0].mint()),
        client::allow_mint(&authority.pubkey(), &last.mint()),
    ];
    world.accept(&swap, &[&authority]);
    let creator = scene.creator.insecure_clone();
    let open = client::open_books(&creator.pubkey(), &scene.asset.pubkey(), last.currency(), Evidence::Creator);
    world.refuses(&[open.expect("a token")], &[&creator], RoyaltyError::TooManyMints);
}
