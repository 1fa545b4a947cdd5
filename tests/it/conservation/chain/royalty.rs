//! Instructions of the royalty program.

use anchor_lang::prelude::Address;
use provena_royalty::{
    Holder as Named, WRAPPABLE,
    client::{self, Evidence, decode},
    state::{Pool as PoolState, Position as PositionState, Vesting},
};
use solana_instruction::Instruction;

use super::{
    Built, Chain,
    places::{Place, position},
};
use crate::conservation::{
    model::{Holder, Model, NewHolder, Pool},
    operation::{Royalty, Shown},
};

impl Chain {
    pub(super) fn sharing(&self, meant: &Royalty, model: &Model) -> Option<Built> {
        let (instruction, signer) = self.share(meant, model)?;
        let mut signers: Vec<Address> = signer.iter().map(|wallet| self.wallets[*wallet]).collect();
        let mut harvest = None;
        match *meant {
            Royalty::CreatePool { pool, .. } => signers.push(self.mints[pool]),
            Royalty::CloseInbox { pool, mint, shard, .. } => {
                let books = model.pools[pool].as_ref().and_then(|pool| pool.books[mint].as_ref());
                let there = books.is_some_and(|books| shard < books.inboxes.len());
                harvest = self.harvesting(there, mint, Place::InboxVault(pool, mint, shard));
            }
            _ => {}
        }
        Some(Built { instructions: vec![instruction], signers }.after(harvest))
    }

    fn pool(&self, pool: usize) -> Address {
        self.at(Place::Pool(pool))
    }

    fn wallet(&self, wallet: usize) -> Address {
        self.wallets[wallet]
    }

    fn named(&self, holders: &[NewHolder]) -> Vec<Named> {
        let vesting = |new: &NewHolder| Vesting { total: new.lock.total, start: new.lock.start, end: new.lock.end };
        let named = holders.iter().map(|new| (self.holder(new.holder), new.shares, vesting(new)));
        named.map(|(holder, shares, vesting)| Named { holder, shares, vesting: Some(vesting) }).collect()
    }

    /// The instruction and the wallet that signs it; `None` when something that its accounts are derived from is missing.
    fn share(&self, instruction: &Royalty, model: &Model) -> Option<(Instruction, Option<usize>)> {
        let currency = |mint: usize| self.money[mint].currency();
        let small = |number: &usize| u8::try_from(*number).expect("few inboxes");
        let asset = |pool: usize| self.mints[pool];
        Some(match instruction {
            Royalty::AllowMint { by, mint } => {
                (client::allow_mint(&self.wallet(*by), &self.money[*mint].mint()), Some(*by))
            }
            Royalty::DisallowMint { by, mint } => {
                (client::disallow_mint(&self.wallet(*by), &self.money[*mint].mint()), Some(*by))
            }
            Royalty::VerifyCreator { pool } => {
                (client::verify_creator(&self.pool(*pool), &provena_registry::pda::metadata(&asset(*pool)).0), None)
            }
            Royalty::CreatePool { pool, creator, total, window, holders } => {
                let flags = if *window == 0 { 0 } else { WRAPPABLE };
                let window = u32::try_from(*window).expect("windows are short");
                let (payer, mint, named) = (self.wallet(*creator), asset(*pool), self.named(holders));
                (client::create_pool(&payer, &mint, *total, window, flags, &named), Some(*creator))
            }
            Royalty::AddHolders { pool, by, holders } => {
                (client::add_holders(&self.wallet(*by), &self.pool(*pool), &self.named(holders)), Some(*by))
            }
            Royalty::AbandonPool { pool, by, closed } => {
                (self.abandoning(*pool, *by, closed, model.pools[*pool].as_ref()?)?, Some(*by))
            }
            Royalty::OpenBooks { pool, payer, mint, shown } => {
                let evidence = match shown {
                    Shown::Nothing => Evidence::Creator,
                    Shown::Nft => {
                        let owner = model.pools[*pool].as_ref().and_then(|pool| pool.nft).unwrap_or(0);
                        Evidence::Nft(self.at(Place::Nft(*pool, owner)))
                    }
                    Shown::Tokens => Evidence::Tokens(self.at(Place::PoolAccount(*pool, *mint))),
                    Shown::Child(child) => Evidence::Child(self.pool(*child)),
                };
                (client::open_books(&self.wallet(*payer), &asset(*pool), currency(*mint), evidence)?, Some(*payer))
            }
            Royalty::OpenInbox { pool, payer, mint } => {
                let shard = model.pools[*pool].as_ref()?.books[*mint].as_ref()?.inboxes.len();
                (client::open_inbox(&self.wallet(*payer), &asset(*pool), currency(*mint), small(&shard)), Some(*payer))
            }
            Royalty::CloseInbox { pool, by, mint, shard } => {
                (client::close_inbox(&self.wallet(*by), &self.pool(*pool), currency(*mint), small(shard)), Some(*by))
            }
            Royalty::Deposit { pool, by, mint, amount } => {
                (client::deposit(&self.wallet(*by), &self.pool(*pool), currency(*mint), *amount), Some(*by))
            }
            Royalty::Sync { pool, mint, shards } => {
                let shards: Vec<_> = shards.iter().map(small).collect();
                (client::sync(&self.pool(*pool), currency(*mint), &shards), None)
            }
            Royalty::Collect { pool, mint } => (client::collect(&self.pool(*pool), currency(*mint)), None),
            Royalty::Sweep { child, parent, mint } => {
                (client::sweep(&self.pool(*child), &self.pool(*parent), currency(*mint)), None)
            }
            Royalty::Claim { pool, holder, mint, to } => self.claiming(*pool, *holder, *mint, *to),
            Royalty::ClaimMany { holder, pools, mint, signed } => {
                let pools: Vec<_> = pools.iter().map(|pool| self.pool(*pool)).collect();
                let signer = if let (Holder::Wallet(wallet), true) = (holder, signed) { Some(*wallet) } else { None };
                (client::claim_many(&self.holder(*holder), &pools, currency(*mint), signer.is_some()), signer)
            }
            Royalty::TransferShares { pool, from, to, by, shares } => {
                let (giver, taker) = (self.holder(*from), self.holder(*to));
                (client::transfer_shares_by(&self.wallet(*by), &giver, &taker, &self.pool(*pool), *shares), Some(*by))
            }
            Royalty::Approve { pool, holder, by, delegate, shares } => {
                let (holder, delegate) = (self.wallet(*holder), self.wallet(*delegate));
                let mut approve = client::approve(&holder, &self.pool(*pool), &delegate, *shares);
                approve.accounts[0].pubkey = self.wallet(*by);
                (approve, Some(*by))
            }
            Royalty::Revoke { pool, holder, by } => {
                let mut revoke = client::revoke(&self.wallet(*holder), &self.pool(*pool));
                revoke.accounts[0].pubkey = self.wallet(*by);
                (revoke, Some(*by))
            }
            Royalty::ClosePosition { pool, holder, by } => {
                let payer = model.pools[*pool].as_ref()?.positions.get(holder)?.rent_payer;
                let (by_key, holder) = (self.wallet(*by), self.holder(*holder));
                (client::close_position(&by_key, &holder, &self.wallet(payer), &self.pool(*pool)), Some(*by))
            }
        })
    }

    fn claiming(&self, pool: usize, holder: Holder, mint: usize, to: Option<usize>) -> (Instruction, Option<usize>) {
        let (address, pool, currency) = (self.holder(holder), self.pool(pool), self.money[mint].currency());
        match (holder, to) {
            (Holder::Wallet(wallet), Some(to)) => {
                let destination = currency.account_of(&self.wallet(to));
                (client::claim_to(&address, &pool, currency, &destination), Some(wallet))
            }
            _ => (client::claim_for(&address, &pool, currency), None),
        }
    }

    fn abandoning(&self, pool: usize, by: usize, closed: &[Holder], known: &Pool) -> Option<Instruction> {
        let address = self.pool(pool);
        let found = closed.iter().map(|holder| decode(self.data(&position(self, pool, *holder))).ok());
        let positions: Vec<PositionState> = found.collect::<Option<_>>()?;
        let state: PoolState = decode(self.data(&address)).expect("it is a pool");
        let everything = closed.len() == known.positions.len();
        let books: Vec<_> = known.mints.iter().map(|mint| self.money[*mint].currency()).collect();
        let books = if everything { &books[..] } else { &[] };
        let mut abandon = client::abandon_pool(&address, &state, &positions, books);
        abandon.accounts[0].pubkey = self.wallet(by);
        Some(abandon)
    }
}
