//! Instructions of the royalty program.

use super::Generator;
use crate::conservation::{
    model::{Holder, Lock, MINTS, Model, NewHolder, POOLS},
    operation::{Operation, Program, Royalty, Shown},
};

impl Generator {
    /// A holder of a pool, or now and then anybody.
    fn holder(&mut self, model: &Model, pool: usize) -> Holder {
        let known: Vec<_> = model.pools[pool].iter().flat_map(|pool| pool.positions.keys().copied()).collect();
        match self.pick(&known) {
            Some(holder) if !self.once_in(12) => holder,
            _ => Holder::Wallet(self.person()),
        }
    }

    /// A wallet, or a pool that exists.
    fn anybody(&mut self, model: &Model) -> Holder {
        let pool = self.below(POOLS);
        if self.once_in(3) && model.pools[pool].is_some() { Holder::Pool(pool) } else { Holder::Wallet(self.person()) }
    }

    fn new_holders(&mut self, model: &Model, free: u64) -> Vec<NewHolder> {
        let count = 1 + self.below(4);
        let mut left = free;
        let mut holders = Vec::new();
        for n in 0..count {
            let last = n + 1 == count && !self.once_in(4);
            let shares = if last { left } else { left.checked_div(2).unwrap_or(0) + self.next() % 2 };
            let lock = if self.once_in(6) { self.lock(model.slot, shares) } else { Lock::default() };
            holders.push(NewHolder { holder: self.anybody(model), shares, lock });
            left = left.saturating_sub(shares);
        }
        holders
    }

    fn lock(&mut self, slot: u64, shares: u64) -> Lock {
        let start = slot + self.next() % 1_000;
        // Now and then more than there is, and no time at all.
        let (most, longest) = (shares + 2, 5_000);
        Lock { total: self.next() % most.max(1), start, end: start + self.next() % longest }
    }

    pub(super) fn royalty(&mut self, model: &Model) -> Operation {
        Operation::Royalty(self.revenue(model))
    }

    fn revenue(&mut self, model: &Model) -> Royalty {
        let missing = (0..POOLS).find(|pool| model.pools[*pool].is_none());
        if let Some(pool) = missing
            && self.once_in(6)
        {
            return self.create_pool(model, pool);
        }
        let unused = (0..POOLS)
            .find(|pool| model.pools[*pool].as_ref().is_some_and(|pool| pool.nft.is_none() && pool.is_unused()));
        if let Some(pool) = unused
            && self.once_in(10)
        {
            return self.pool_setting(model, pool);
        }
        let pool = self.pool(model);
        let (mint, by) = (self.mint(model, pool), self.person());
        match self.below(89) {
            0 => self.mint_setting(model, mint),
            1..3 => self.pool_setting(model, pool),
            3 => Royalty::VerifyCreator { pool },
            4..9 => {
                let token = 1 + self.below(MINTS - 1);
                self.open_books(model, pool, token)
            }
            9..13 => Royalty::OpenInbox { pool, payer: by, mint },
            13..16 => self.close_inbox(model, pool, mint),
            16..27 => Royalty::Deposit { pool, by, mint, amount: self.amount() },
            27..34 => {
                let count = if self.shard(model, pool, mint) > 0 || self.once_in(2) { self.below(4) } else { 0 };
                let shards = (0..count).map(|_| self.shard(model, pool, mint)).collect();
                Royalty::Sync { pool, mint, shards }
            }
            34..38 => Royalty::Collect { pool, mint },
            38..47 => self.sweep(model, pool, mint),
            47..61 => {
                let (holder, wallet) = (self.holder(model, pool), self.person());
                let signed = matches!(holder, Holder::Wallet(_)) && !self.once_in(3);
                Royalty::Claim { pool, holder, mint, to: signed.then_some(wallet) }
            }
            61..65 => {
                let (holder, count) = (self.holder(model, pool), 1 + self.below(3));
                let pools = (0..count).map(|_| if self.once_in(2) { pool } else { self.below(POOLS) }).collect();
                Royalty::ClaimMany { holder, pools, mint, signed: self.once_in(2) }
            }
            65..79 => self.transfer(model, pool),
            79..84 => self.delegation(model, pool),
            _ => self.close_position(model, pool),
        }
    }

    fn mint_setting(&mut self, model: &Model, mint: usize) -> Royalty {
        let by = if self.once_in(3) { self.person() } else { model.controls[&Program::Royalty].authority };
        if self.once_in(3) { Royalty::DisallowMint { by, mint } } else { Royalty::AllowMint { by, mint } }
    }

    fn create_pool(&mut self, model: &Model, pool: usize) -> Royalty {
        let totals = [1, 2, 7, 1_009, 1_000_000_000, 0xffff_ffff];
        let total = if self.once_in(15) { [0, 1 << 32][self.below(2)] } else { totals[self.below(6)] };
        let window = [0, 0, 32, 57, 400][self.below(5)];
        let holders = if self.once_in(15) { Vec::new() } else { self.new_holders(model, total) };
        Royalty::CreatePool { pool, creator: self.person(), total, window, holders }
    }

    /// More holders, or an end.
    fn pool_setting(&mut self, model: &Model, pool: usize) -> Royalty {
        let Some(known) = &model.pools[pool] else { return self.create_pool(model, pool) };
        let by = if self.once_in(8) { self.person() } else { known.creator };
        if !known.sealed && !self.once_in(3) {
            let holders = self.new_holders(model, known.total - known.assigned);
            return Royalty::AddHolders { pool, by, holders };
        }
        let is_parent = model.pools.iter().flatten().any(|other| other.positions.contains_key(&Holder::Pool(pool)));
        if is_parent {
            // What would become of its shares in other pools the model does not follow.
            return Royalty::AddHolders { pool, by, holders: Vec::new() };
        }
        if self.once_in(10) {
            return Royalty::AddHolders { pool, by, holders: Vec::new() };
        }
        let mut closed: Vec<_> = known.positions.keys().copied().collect();
        if self.once_in(3) {
            closed.truncate(self.below(closed.len() + 1));
        }
        Royalty::AbandonPool { pool, by, closed }
    }

    fn open_books(&mut self, model: &Model, pool: usize, mint: usize) -> Royalty {
        let known = model.pools[pool].as_ref();
        let (creator, nft) = (known.map_or(0, |pool| pool.creator), known.and_then(|pool| pool.nft));
        let (shown, right) = match self.below(4) {
            0 => (Shown::Nothing, Some(creator)),
            1 => (Shown::Nft, nft),
            2 => (Shown::Tokens, None),
            // Another pool: this one's own accounts would be named twice.
            _ => (Shown::Child((pool + 1 + self.below(POOLS - 1)) % POOLS), None),
        };
        let payer = right.filter(|_| !self.once_in(6)).unwrap_or_else(|| self.person());
        Royalty::OpenBooks { pool, payer, mint, shown }
    }

    fn close_inbox(&mut self, model: &Model, pool: usize, mint: usize) -> Royalty {
        let books = model.pools[pool].as_ref().and_then(|pool| pool.books[mint].as_ref());
        let last = books.and_then(|books| books.inboxes.last().map(|inbox| (books.inboxes.len() - 1, inbox.payer)));
        let (shard, payer) = last.unwrap_or((0, 0));
        let by = if self.once_in(6) { self.person() } else { payer };
        let shard = if self.once_in(6) { self.below(shard + 1) } else { shard };
        Royalty::CloseInbox { pool, by, mint, shard }
    }

    fn sweep(&mut self, model: &Model, pool: usize, mint: usize) -> Royalty {
        let mut edges = Vec::new();
        for (child, known) in model.pools.iter().enumerate() {
            let parents = known.iter().flat_map(|known| known.positions.keys());
            edges.extend(parents.filter_map(|holder| match holder {
                Holder::Pool(parent) => Some((child, *parent)),
                Holder::Wallet(_) => None,
            }));
        }
        match self.pick(&edges) {
            Some((child, parent)) if !self.once_in(15) => Royalty::Sweep { child, parent, mint },
            _ => Royalty::Sweep { child: pool, parent: self.below(POOLS), mint },
        }
    }

    fn transfer(&mut self, model: &Model, pool: usize) -> Royalty {
        let movable: Vec<_> = model.pools[pool]
            .iter()
            .flat_map(|pool| pool.positions.iter())
            .filter(|(holder, position)| matches!(holder, Holder::Wallet(_)) && position.shares > 0)
            .map(|(holder, _)| *holder)
            .collect();
        let from = self.pick(&movable).filter(|_| !self.once_in(8));
        let from = from.unwrap_or_else(|| self.holder(model, pool));
        // Pools that hold shares never give them away: most go to wallets.
        let to = if self.once_in(4) { self.anybody(model) } else { Holder::Wallet(self.person()) };
        let position = model.pools[pool].as_ref().and_then(|pool| pool.positions.get(&from));
        let (held, delegate) = position.map_or((0, None), |position| (position.shares, position.delegate));
        let own = if let Holder::Wallet(wallet) = from { Some(wallet) } else { None };
        let by = match delegate {
            Some((delegate, _)) if self.once_in(2) => delegate,
            _ => own.filter(|_| !self.once_in(15)).unwrap_or_else(|| self.person()),
        };
        let shares = match self.below(24) {
            0 => 0,
            1 => held + 1,
            2 => u64::from(u32::MAX) + self.next() % 3,
            3..9 => held,
            _ => 1 + self.next() % held.max(1),
        };
        Royalty::TransferShares { pool, from, to, by, shares }
    }

    fn delegation(&mut self, model: &Model, pool: usize) -> Royalty {
        let holder = if let Holder::Wallet(wallet) = self.holder(model, pool) { wallet } else { self.person() };
        let by = if self.once_in(10) { self.person() } else { holder };
        if self.once_in(4) {
            return Royalty::Revoke { pool, holder, by };
        }
        let position = model.pools[pool].as_ref().and_then(|pool| pool.positions.get(&Holder::Wallet(holder)));
        let shares = self.next() % (position.map_or(1, |position| position.shares) + 2);
        Royalty::Approve { pool, holder, by, delegate: self.person(), shares }
    }

    fn close_position(&mut self, model: &Model, pool: usize) -> Royalty {
        let known = model.pools[pool].as_ref();
        let empty: Vec<_> = known
            .iter()
            .flat_map(|pool| pool.positions.iter())
            .filter(|(_, position)| position.shares == 0)
            .map(|(holder, _)| *holder)
            .collect();
        let holder = self.pick(&empty).unwrap_or_else(|| self.holder(model, pool));
        let payer = known.and_then(|pool| pool.positions.get(&holder)).map_or(0, |position| position.rent_payer);
        let by = match holder {
            Holder::Wallet(wallet) if self.once_in(2) => wallet,
            _ if self.once_in(8) => self.person(),
            _ => payer,
        };
        Royalty::ClosePosition { pool, holder, by }
    }
}
