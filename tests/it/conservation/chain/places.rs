//! Where everything is: addresses, derived once.

use std::{cell::RefCell, collections::HashMap};

use anchor_lang::prelude::Address;
use provena_arith::hash::sha256;
use provena_market::pda as market;
use provena_registry::{content_claim::claim_hash, pda as registry};
use provena_royalty::pda as royalty;
use provena_tests::tokens::Money;

use super::Chain;
use crate::conservation::model::{Claim, Holder, JobKey, SOL};

/// An account. Of money, where it lies: for SOL the account that holds the lamports, else a token account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// A wallet's money of a mint.
    Account(usize, usize),
    Nft(usize, usize),
    Pool(usize),
    PoolAccount(usize, usize),
    Index(usize),
    Books(usize, usize),
    Vault(usize, usize),
    Inbox(usize, usize, usize),
    InboxVault(usize, usize, usize),
    Position(usize, Address),
    Asset(usize),
    Lineage(usize),
    Licence(usize, u32),
    Version(usize, u32),
    Content(u32),
    Claim(usize, u32, u8),
    Node(usize),
    Offer(usize, u64),
    Job(usize, u64, u16),
    Escrow(Address),
    Answer(Address, usize),
    TreasuryInbox(usize, u8),
    TreasuryVault(usize, u8),
    Residual(usize, usize),
    ResidualVault(usize, usize),
}

impl Place {
    pub(crate) fn job(key: &JobKey) -> Self {
        Self::Job(key.payer, key.slot, key.index)
    }

    pub(crate) fn claim(claim: &Claim) -> Self {
        Self::Claim(claim.by, claim.content, claim.salt)
    }
}

/// The content root that a number stands for.
pub(crate) fn content_root(content: u32) -> [u8; 32] {
    sha256(&[b"content", &content.to_le_bytes()])
}

#[derive(Clone, Default)]
pub(crate) struct Places(RefCell<HashMap<Place, Address>>);

impl Places {
    pub(crate) fn address(&self, place: Place, chain: &Chain) -> Address {
        if let Some(known) = self.0.borrow().get(&place) {
            return *known;
        }
        let address = derive(place, chain);
        self.0.borrow_mut().insert(place, address);
        address
    }
}

fn derive(place: Place, chain: &Chain) -> Address {
    let mint = |mint: usize| chain.money[mint].mint();
    let asset = |asset: usize| chain.mints[asset];
    let at = |place: Place| chain.at(place);
    match place {
        Place::Account(wallet, mint) => chain.money[mint].account_of(&chain.wallets[wallet]),
        Place::Nft(number, wallet) => Money::Token(asset(number)).account_of(&chain.wallets[wallet]),
        Place::Pool(pool) => royalty::pool(&asset(pool)).0,
        Place::PoolAccount(pool, mint) => chain.money[mint].account_of(&at(Place::Pool(pool))),
        Place::Index(pool) => royalty::index(&at(Place::Pool(pool))).0,
        Place::Books(pool, number) => royalty::books(&at(Place::Pool(pool)), &mint(number)).0,
        Place::Vault(pool, SOL) => at(Place::Books(pool, SOL)),
        Place::Vault(pool, mint) => royalty::vault(&at(Place::Books(pool, mint))).0,
        Place::Inbox(pool, mint, shard) => {
            royalty::inbox(&at(Place::Books(pool, mint)), u8::try_from(shard).expect("few inboxes")).0
        }
        Place::InboxVault(pool, SOL, shard) => at(Place::Inbox(pool, SOL, shard)),
        Place::InboxVault(pool, mint, shard) => royalty::inbox_vault(&at(Place::Inbox(pool, mint, shard))).0,
        Place::Position(pool, holder) => royalty::position(&at(Place::Pool(pool)), &holder).0,
        Place::Asset(number) => registry::asset(&asset(number)).0,
        Place::Lineage(number) => registry::lineage(&at(Place::Asset(number))).0,
        Place::Licence(number, id) => registry::licence(&at(Place::Asset(number)), id).0,
        Place::Version(number, n) => registry::version(&at(Place::Asset(number)), n).0,
        Place::Content(content) => registry::content(&content_root(content)).0,
        Place::Claim(by, content, salt) => {
            registry::claim(&claim_hash(&chain.wallets[by], &content_root(content), &[salt; 32])).0
        }
        Place::Node(wallet) => market::node(&chain.wallets[wallet]).0,
        Place::Offer(number, id) => market::offer(&asset(number), id).0,
        Place::Job(payer, slot, index) => market::job(&chain.wallets[payer], slot, index).0,
        Place::Escrow(job) => market::escrow(&job).0,
        Place::Answer(job, poster) => market::answer(&job, &chain.wallets[poster]).0,
        Place::TreasuryInbox(number, shard) => market::treasury_inbox(&mint(number), shard).0,
        Place::TreasuryVault(SOL, shard) => at(Place::TreasuryInbox(SOL, shard)),
        Place::TreasuryVault(mint, shard) => market::treasury_vault(&at(Place::TreasuryInbox(mint, shard))).0,
        Place::Residual(wallet, number) => market::residual(&chain.wallets[wallet], &mint(number)).0,
        Place::ResidualVault(wallet, SOL) => at(Place::Residual(wallet, SOL)),
        Place::ResidualVault(wallet, mint) => market::residual_vault(&at(Place::Residual(wallet, mint))).0,
    }
}

/// The holder's position in a pool.
pub(crate) fn position(chain: &Chain, pool: usize, holder: Holder) -> Address {
    chain.at(Place::Position(pool, chain.holder(holder)))
}
