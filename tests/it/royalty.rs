//! The royalty program, instruction by instruction, in SOL and in tokens of both token programs.

use anchor_lang::prelude::Address;
use provena_royalty::{DEFAULT_TOTAL_SHARES, client};
use provena_tests::{
    World,
    royalty::{Scene, Terms, configure, holders},
    tokens::{Extension, Money},
};
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_signer::Signer;

mod abandon_pool;
mod admin;
mod cases;
mod claim;
mod claim_many;
mod close_position;
mod collect;
pub(crate) mod compute_units;
mod create_pool;
mod delegates;
mod deposit;
mod earnings;
mod fees;
mod flash_buyer;
mod inboxes;
mod loads;
mod many_holders;
mod mints;
mod open_books;
mod signatures;
mod sweep;
mod token_accounts;
mod transfer_shares;
mod vesting;
mod wide;
mod windows;

const QUARTER: u64 = DEFAULT_TOTAL_SHARES / 4;

/// Rent of accounts with so many bytes: 128 more, at 6,960 lamports each.
const fn rent(len: u64) -> u64 {
    (128 + len) * 6_960
}

const POOL_RENT: u64 = rent(432);
const INDEX_RENT: u64 = rent(440);
const BOOKS_RENT: u64 = rent(256);
const INBOX_RENT: u64 = rent(184);
const POSITION_RENT: u64 = rent(568);
const TOKEN_ACCOUNT_RENT: u64 = rent(165);

/// A pool of which Alice holds three quarters and Bob the rest. Both can hold the money. The NFT does not exist.
struct Stage {
    world: World,
    authority: Keypair,
    alice: Keypair,
    bob: Keypair,
    scene: Scene,
    money: Money,
}

impl Stage {
    fn new(world: World, money: Money, window: u32) -> Self {
        let mut world = world;
        let authority = configure(&mut world, &[money]);
        let (alice, bob) = (world.wallet("alice"), world.wallet("bob"));
        let shares = [(alice.pubkey(), 3 * QUARTER), (bob.pubkey(), QUARTER)];
        let terms = Terms { total_shares: DEFAULT_TOTAL_SHARES, window, holders: &holders(&shares) };
        let scene = Scene::with_terms(&mut world, "digits", &terms, &[money]);
        for wallet in [&alice, &bob] {
            money.give(&mut world, &wallet.pubkey(), 0);
        }
        Self { world, authority, alice, bob, scene, money }
    }

    fn sol() -> Self {
        Self::new(World::new(), Money::Sol, 0)
    }

    fn token() -> Self {
        let mut world = World::new();
        let money = Money::token(&mut world, "dollar");
        Self::new(world, money, 0)
    }

    fn token_2022(extensions: &[Extension]) -> Self {
        let mut world = World::new();
        let money = Money::token_2022(&mut world, "euro", extensions);
        Self::new(world, money, 0)
    }

    /// The same stage once for each kind of money.
    fn each() -> [Self; 3] {
        [Self::sol(), Self::token(), Self::token_2022(&[Extension::MetadataPointer])]
    }

    /// The same with a window.
    fn each_windowed(window: u32) -> [Self; 2] {
        let mut world = World::new();
        let money = Money::token(&mut world, "dollar");
        [Self::new(World::new(), Money::Sol, window), Self::new(world, money, window)]
    }

    fn deposit(&mut self, amount: u64) {
        self.scene.deposit(&mut self.world, self.money, amount);
    }

    fn owed(&self, holder: &Keypair) -> u64 {
        self.scene.owed(&self.world, &holder.pubkey(), self.money)
    }

    fn balance(&self, holder: &Keypair) -> u64 {
        self.money.balance(&self.world, &holder.pubkey())
    }

    fn claiming(&self, holder: &Keypair) -> Instruction {
        client::claim(&holder.pubkey(), &self.scene.pool, self.money.currency())
    }

    /// Claims for a holder and returns what arrived.
    #[track_caller]
    fn claim(&mut self, holder: &Keypair) -> u64 {
        let before = self.balance(holder);
        let claim = self.claiming(holder);
        self.world.accept(&[claim], &[holder]);
        self.balance(holder) - before
    }

    fn position(&self, holder: &Keypair) -> Address {
        provena_royalty::pda::position(&self.scene.pool, &holder.pubkey()).0
    }

    fn books(&self) -> Address {
        self.scene.books_address(self.money)
    }

    fn index(&self) -> Address {
        provena_royalty::pda::index(&self.scene.pool).0
    }

    /// A pool of the same money, all of it held by `holder`.
    fn other(&mut self, name: &str, holder: &Address) -> Scene {
        Scene::new(&mut self.world, name, &[(*holder, DEFAULT_TOTAL_SHARES)], &[self.money])
    }
}

/// The instruction with another account in the place of one of its own.
#[track_caller]
fn with(instruction: &Instruction, instead_of: &Address, account: &Address) -> Instruction {
    let mut changed = instruction.clone();
    let mut found = false;
    for meta in changed.accounts.iter_mut().filter(|meta| meta.pubkey == *instead_of) {
        meta.pubkey = *account;
        found = true;
    }
    assert!(found, "the instruction does not name {instead_of}");
    changed
}

/// The instruction without one of its optional accounts, as Anchor writes that.
#[track_caller]
fn without(instruction: &Instruction, account: &Address) -> Instruction {
    let mut changed = with(instruction, account, &provena_royalty::ID);
    for meta in changed.accounts.iter_mut().filter(|meta| meta.pubkey == provena_royalty::ID) {
        *meta = AccountMeta::new_readonly(provena_royalty::ID, false);
    }
    changed
}
