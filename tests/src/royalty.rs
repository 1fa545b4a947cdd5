//! Ready-made scenes of the royalty program.

use anchor_lang::prelude::Address;
use provena_common::{amount::Amount, slot::Slot, token::TOKEN_PROGRAM};
use provena_royalty::{
    DEFAULT_TOTAL_SHARES, Holder, NATIVE_MINT, WRAPPABLE,
    client::{self, Evidence, decode},
    pda,
    state::{Books, Index, Pool, Position},
    view,
};
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::{
    tokens::{self, Money},
    world::{World, keypair},
};

/// Creates the settings and allows the given money. Returns the authority.
pub fn configure(world: &mut World, money: &[Money]) -> Keypair {
    let authority = world.wallet("royalty authority");
    world.accept(&[client::initialize_admin(&authority.pubkey())], &[&authority]);
    for money in money.iter().filter(|money| money.is_token()) {
        world.accept(&[client::allow_mint(&authority.pubkey(), &money.mint())], &[&authority]);
    }
    authority
}

/// Initial holders that may move all their shares.
pub fn holders(shares: &[(Address, u64)]) -> Vec<Holder> {
    shares.iter().map(|(holder, shares)| Holder::new(*holder, *shares)).collect()
}

/// A sealed pool in a world.
pub struct Scene {
    pub pool: Address,
    /// The key pair of the asset's mint.
    pub asset: Keypair,
    pub creator: Keypair,
    pub money: Vec<Money>,
}

/// What a scene's pool is made with.
pub struct Terms<'a> {
    pub total_shares: u64,
    /// In slots; the shares can be wrapped unless it is 0.
    pub window: u32,
    pub holders: &'a [Holder],
}

impl Scene {
    /// A pool of [`DEFAULT_TOTAL_SHARES`] split among `holders`, ready to receive SOL and `money`. The settings exist; the NFT
    /// does not.
    pub fn new(world: &mut World, asset: &str, shares: &[(Address, u64)], money: &[Money]) -> Self {
        let terms = Terms { total_shares: DEFAULT_TOTAL_SHARES, window: 0, holders: &holders(shares) };
        Self::with_terms(world, asset, &terms, money)
    }

    /// The same with any terms.
    pub fn with_terms(world: &mut World, asset: &str, terms: &Terms<'_>, money: &[Money]) -> Self {
        let creator = world.wallet("pool creator");
        let asset = keypair(asset);
        let flags = if terms.window == 0 { 0 } else { WRAPPABLE };
        let (creator_key, mint) = (creator.pubkey(), asset.pubkey());
        let create = client::create_pool(&creator_key, &mint, terms.total_shares, terms.window, flags, terms.holders);
        world.accept(&[create], &[&creator, &asset]);
        let pool = pda::pool(&mint).0;
        for money in money {
            if let Some(open) = client::open_books(&creator_key, &mint, money.currency(), Evidence::Creator) {
                world.accept(&[open], &[&creator]);
            }
        }
        Self { pool, asset, creator, money: money.to_vec() }
    }

    /// Makes the asset's NFT exist, and puts it into a token account of `owner`, whose address is returned.
    pub fn mint_nft(&self, world: &mut World, owner: &Address) -> Address {
        let mint = self.asset.pubkey();
        tokens::put_mint(world, &mint, &TOKEN_PROGRAM, 0);
        let account = Money::Token(mint).account_of(owner);
        tokens::put_token_account(world, &account, &mint, owner, 1);
        account
    }

    /// The pool's account.
    #[track_caller]
    pub fn state(&self, world: &World) -> Pool {
        strict(world, &self.pool)
    }

    /// The pool's index.
    #[track_caller]
    pub fn index(&self, world: &World) -> Index {
        strict(world, &pda::index(&self.pool).0)
    }

    /// Address of the pool's books for some money.
    pub fn books_address(&self, money: Money) -> Address {
        pda::books(&self.pool, &money.mint()).0
    }

    /// The pool's books for some money.
    #[track_caller]
    pub fn books(&self, world: &World, money: Money) -> Books {
        strict(world, &self.books_address(money))
    }

    /// Where money has to go to reach the pool by plain transfer: the vault, or for SOL the books themselves.
    pub fn vault(&self, money: Money) -> Address {
        let books = self.books_address(money);
        if money.is_token() { pda::vault(&books).0 } else { books }
    }

    /// Address of one of the pool's inboxes.
    pub fn inbox(&self, money: Money, shard: u8) -> Address {
        pda::inbox(&self.books_address(money), shard).0
    }

    /// Opens the next inbox and returns where money has to go to reach it. The NFT need not exist.
    pub fn open_inbox(&self, world: &mut World, money: Money) -> Address {
        let shard = self.books(world, money).inbox_count;
        let open = client::open_inbox(&self.creator.pubkey(), &self.asset.pubkey(), money.currency(), shard);
        world.accept(&[open], &[&self.creator]);
        let inbox = self.inbox(money, shard);
        if money.is_token() { pda::inbox_vault(&inbox).0 } else { inbox }
    }

    /// A holder's position.
    #[track_caller]
    pub fn position(&self, world: &World, holder: &Address) -> Position {
        strict(world, &pda::position(&self.pool, holder).0)
    }

    /// What a holder could claim now.
    #[track_caller]
    pub fn owed(&self, world: &World, holder: &Address, money: Money) -> u64 {
        let position = self.position(world, holder);
        view::owed(&self.index(world), &self.books(world, money), &position, Slot(world.slot())).0
    }

    /// What is booked and released later.
    pub fn unreleased(&self, world: &World, money: Money) -> u64 {
        view::unreleased(&self.index(world), &self.books(world, money), Slot(world.slot())).0
    }

    /// What has come in and is not booked.
    pub fn unbooked(&self, world: &World, money: Money) -> u64 {
        view::unbooked(&self.books(world, money), Amount(self.holdings(world, money))).0
    }

    /// What the pool actually holds, rent and inboxes not counted.
    pub fn holdings(&self, world: &World, money: Money) -> u64 {
        let vault = self.vault(money);
        if money.is_token() {
            return tokens::token_balance(world, &vault);
        }
        world.lamports(&vault) - self.books(world, money).rent
    }

    /// Deposits from a wallet that is given the money for it.
    #[track_caller]
    pub fn deposit(&self, world: &mut World, money: Money, amount: u64) {
        let payer = world.wallet("depositor");
        money.give(world, &payer.pubkey(), amount);
        world.accept(&[client::deposit(&payer.pubkey(), &self.pool, money.currency(), amount)], &[&payer]);
    }

    /// Puts money where a plain transfer would: beside what is booked.
    #[track_caller]
    pub fn donate(&self, world: &mut World, money: Money, amount: u64) {
        donate(world, money, &self.vault(money), amount);
    }
}

/// Puts money into a vault or an account that holds lamports.
#[track_caller]
pub fn donate(world: &mut World, money: Money, vault: &Address, amount: u64) {
    if money.is_token() {
        tokens::donate_tokens(world, vault, amount);
    } else {
        world.add_lamports(vault, amount);
    }
}

/// Reads an account as strictly as the program does.
#[track_caller]
fn strict<T: anchor_lang::AccountDeserialize + provena_common::account::Layout>(world: &World, address: &Address) -> T {
    let account = world.account(address).unwrap_or_else(|| panic!("{address} does not exist"));
    decode(&account.data).unwrap_or_else(|error| panic!("{address}: {error:?}"))
}

/// The SOL books' address of a pool.
pub fn sol_books(pool: &Address) -> Address {
    pda::books(pool, &NATIVE_MINT).0
}
