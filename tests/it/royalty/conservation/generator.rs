//! Random operations: most of them possible, some not.

use super::{
    chain::{POOLS, WALLETS},
    model::{Holder, Lock, MINTS, Model, NewHolder},
    operation::{Operation, Shown},
};

/// Numbers from a seed: SplitMix64.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below a number.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("below a usize")
    }

    /// Once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() { None } else { Some(&from[self.below(from.len())]) }
    }

    /// From dust to more than anybody has.
    fn amount(&mut self) -> u64 {
        match self.below(20) {
            0 => 0,
            1 => 1 << 58,
            2..6 => 1 + self.next() % 4,
            6..12 => 1 + self.next() % 1_000,
            12..18 => self.next() % 5_000_000_000,
            _ => self.next() % (1 << 45),
        }
    }

    fn wallet(&mut self) -> usize {
        self.below(WALLETS)
    }

    /// A holder of a pool, or now and then anybody.
    fn holder(&mut self, model: &Model, pool: usize) -> Holder {
        let known: Vec<_> = model.pools[pool].iter().flat_map(|pool| pool.positions.keys().copied()).collect();
        match self.pick(&known) {
            Some(holder) if !self.once_in(12) => *holder,
            _ => Holder::Wallet(self.wallet()),
        }
    }

    /// A wallet, or a pool that exists.
    fn anybody(&mut self, model: &Model) -> Holder {
        let pool = self.below(POOLS);
        if self.once_in(3) && model.pools[pool].is_some() { Holder::Pool(pool) } else { Holder::Wallet(self.wallet()) }
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

    /// Most often a pool that exists.
    fn pool(&mut self, model: &Model) -> usize {
        let known: Vec<_> = (0..POOLS).filter(|pool| model.pools[*pool].is_some()).collect();
        match self.pick(&known) {
            Some(pool) if !self.once_in(30) => *pool,
            _ => self.below(POOLS),
        }
    }

    /// Most often a mint that the pool has books for.
    fn mint(&mut self, model: &Model, pool: usize) -> usize {
        let known: Vec<_> = model.pools[pool].iter().flat_map(|pool| pool.mints.clone()).collect();
        match self.pick(&known) {
            Some(mint) if !self.once_in(20) => *mint,
            _ => self.below(MINTS),
        }
    }

    /// The next thing to happen.
    pub fn operation(&mut self, model: &Model) -> Operation {
        let missing = (0..POOLS).find(|pool| model.pools[*pool].is_none());
        if let Some(pool) = missing
            && self.once_in(4)
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
        let (mint, by) = (self.mint(model, pool), self.wallet());
        match self.below(100) {
            0..9 => Operation::PassSlots(self.slots(model)),
            9..12 => Operation::Donate { pool, mint, amount: self.amount() % (1 << 50) },
            12..15 => {
                let shard = self.shard(model, pool, mint);
                Operation::PayInbox { pool, mint, shard, amount: self.amount() % (1 << 50) }
            }
            15..18 => Operation::PayResale { pool, mint: self.below(MINTS), amount: self.amount() % (1 << 50) },
            18 => Operation::MintNft { pool, owner: by },
            19..22 => self.authority(model, mint),
            22..24 => self.pool_setting(model, pool),
            24..28 => {
                let token = 1 + self.below(MINTS - 1);
                self.open_books(model, pool, token)
            }
            28..31 => Operation::OpenInbox { pool, payer: by, mint },
            31..33 => self.close_inbox(model, pool, mint),
            33..45 => Operation::Deposit { pool, by, mint, amount: self.amount() },
            45..51 => {
                let count = if self.shard(model, pool, mint) > 0 || self.once_in(4) { self.below(4) } else { 0 };
                let shards = (0..count).map(|_| self.shard(model, pool, mint)).collect();
                Operation::Sync { pool, mint, shards }
            }
            51..55 => Operation::Collect { pool, mint },
            55..64 => self.sweep(model, pool, mint),
            64..76 => {
                let (holder, wallet) = (self.holder(model, pool), self.wallet());
                let signed = matches!(holder, Holder::Wallet(_)) && !self.once_in(3);
                Operation::Claim { pool, holder, mint, to: signed.then_some(wallet) }
            }
            76..79 => {
                let (holder, count) = (self.holder(model, pool), 1 + self.below(3));
                let pools = (0..count).map(|_| if self.once_in(2) { pool } else { self.below(POOLS) }).collect();
                Operation::ClaimMany { holder, pools, mint, signed: self.once_in(2) }
            }
            79..92 => self.transfer(model, pool),
            92..96 => self.delegation(model, pool),
            _ => self.close_position(model, pool),
        }
    }

    fn slots(&mut self, model: &Model) -> u64 {
        // A proposed authority may accept after as many.
        if model.pending.is_some() && self.once_in(4) {
            return 432_000;
        }
        match self.below(4) {
            0 => 1,
            1 => 1 + self.next() % 30,
            2 => 1 + self.next() % 200,
            _ => 1 + self.next() % 20_000,
        }
    }

    fn create_pool(&mut self, model: &Model, pool: usize) -> Operation {
        let totals = [1, 2, 7, 1_009, 1_000_000_000, 0xffff_ffff];
        let total = if self.once_in(15) { [0, 1 << 32][self.below(2)] } else { totals[self.below(6)] };
        let window = [0, 0, 32, 57, 400][self.below(5)];
        let holders = if self.once_in(15) { Vec::new() } else { self.new_holders(model, total) };
        Operation::CreatePool { pool, creator: self.wallet(), total, window, holders }
    }

    fn authority(&mut self, model: &Model, mint: usize) -> Operation {
        let by = if self.once_in(3) { self.wallet() } else { model.authority };
        match self.below(12) {
            0 => Operation::Propose { by, new: self.wallet() },
            1 | 2 => Operation::Accept { by: model.pending.map_or(by, |(proposed, _)| proposed) },
            3 => Operation::Cancel { by },
            4 => Operation::Pause { by, bits: [0, 1, 2][self.below(3)] },
            // Nothing stays paused for long.
            5..8 => Operation::Pause { by, bits: 0 },
            8 => Operation::Disallow { by, mint },
            _ => Operation::Allow { by, mint },
        }
    }

    /// More holders, or an end.
    fn pool_setting(&mut self, model: &Model, pool: usize) -> Operation {
        let Some(known) = &model.pools[pool] else { return self.create_pool(model, pool) };
        let by = if self.once_in(8) { self.wallet() } else { known.creator };
        if !known.sealed && !self.once_in(3) {
            let holders = self.new_holders(model, known.total - known.assigned);
            return Operation::AddHolders { pool, by, holders };
        }
        let is_parent = model.pools.iter().flatten().any(|other| other.positions.contains_key(&Holder::Pool(pool)));
        if is_parent {
            // What would become of its shares in other pools the model does not follow.
            return Operation::MintNft { pool, owner: by };
        }
        if self.once_in(10) {
            return Operation::AddHolders { pool, by, holders: Vec::new() };
        }
        let mut closed: Vec<_> = known.positions.keys().copied().collect();
        if self.once_in(3) {
            closed.truncate(self.below(closed.len() + 1));
        }
        Operation::AbandonPool { pool, by, closed }
    }

    fn open_books(&mut self, model: &Model, pool: usize, mint: usize) -> Operation {
        let known = model.pools[pool].as_ref();
        let (creator, nft) = (known.map_or(0, |pool| pool.creator), known.and_then(|pool| pool.nft));
        let (shown, right) = match self.below(4) {
            0 => (Shown::Nothing, Some(creator)),
            1 => (Shown::Nft, nft),
            2 => (Shown::Tokens, None),
            // Another pool: this one's own accounts would be named twice.
            _ => (Shown::Child((pool + 1 + self.below(POOLS - 1)) % POOLS), None),
        };
        let payer = right.filter(|_| !self.once_in(6)).unwrap_or_else(|| self.wallet());
        Operation::OpenBooks { pool, payer, mint, shown }
    }

    /// An inbox that is open, or sometimes the next one.
    fn shard(&mut self, model: &Model, pool: usize, mint: usize) -> usize {
        let books = model.pools[pool].as_ref().and_then(|pool| pool.books[mint].as_ref());
        let open = books.map_or(0, |books| books.inboxes.len());
        let one_more = self.once_in(20) || open == 0;
        self.below(open + usize::from(one_more))
    }

    fn close_inbox(&mut self, model: &Model, pool: usize, mint: usize) -> Operation {
        let books = model.pools[pool].as_ref().and_then(|pool| pool.books[mint].as_ref());
        let last = books.and_then(|books| books.inboxes.last().map(|inbox| (books.inboxes.len() - 1, inbox.payer)));
        let (shard, payer) = last.unwrap_or((0, 0));
        let by = if self.once_in(6) { self.wallet() } else { payer };
        let shard = if self.once_in(6) { self.below(shard + 1) } else { shard };
        Operation::CloseInbox { pool, by, mint, shard }
    }

    fn sweep(&mut self, model: &Model, pool: usize, mint: usize) -> Operation {
        let mut edges = Vec::new();
        for (child, known) in model.pools.iter().enumerate() {
            let parents = known.iter().flat_map(|known| known.positions.keys());
            edges.extend(parents.filter_map(|holder| match holder {
                Holder::Pool(parent) => Some((child, *parent)),
                Holder::Wallet(_) => None,
            }));
        }
        match self.pick(&edges) {
            Some((child, parent)) if !self.once_in(15) => Operation::Sweep { child: *child, parent: *parent, mint },
            _ => Operation::Sweep { child: pool, parent: self.below(POOLS), mint },
        }
    }

    fn transfer(&mut self, model: &Model, pool: usize) -> Operation {
        let movable: Vec<_> = model.pools[pool]
            .iter()
            .flat_map(|pool| pool.positions.iter())
            .filter(|(holder, position)| matches!(holder, Holder::Wallet(_)) && position.shares > 0)
            .map(|(holder, _)| *holder)
            .collect();
        let from = self.pick(&movable).copied().filter(|_| !self.once_in(8));
        let from = from.unwrap_or_else(|| self.holder(model, pool));
        // Pools that hold shares never give them away: most go to wallets.
        let to = if self.once_in(4) { self.anybody(model) } else { Holder::Wallet(self.wallet()) };
        let position = model.pools[pool].as_ref().and_then(|pool| pool.positions.get(&from));
        let (held, delegate) = position.map_or((0, None), |position| (position.shares, position.delegate));
        let own = if let Holder::Wallet(wallet) = from { Some(wallet) } else { None };
        let by = match delegate {
            Some((delegate, _)) if self.once_in(2) => delegate,
            _ => own.filter(|_| !self.once_in(15)).unwrap_or_else(|| self.wallet()),
        };
        let shares = match self.below(24) {
            0 => 0,
            1 => held + 1,
            2 => u64::from(u32::MAX) + self.next() % 3,
            3..9 => held,
            _ => 1 + self.next() % held.max(1),
        };
        Operation::Transfer { pool, from, to, by, shares }
    }

    fn delegation(&mut self, model: &Model, pool: usize) -> Operation {
        let holder = if let Holder::Wallet(wallet) = self.holder(model, pool) { wallet } else { self.wallet() };
        let by = if self.once_in(10) { self.wallet() } else { holder };
        if self.once_in(4) {
            return Operation::Revoke { pool, holder, by };
        }
        let position = model.pools[pool].as_ref().and_then(|pool| pool.positions.get(&Holder::Wallet(holder)));
        let shares = self.next() % (position.map_or(1, |position| position.shares) + 2);
        Operation::Approve { pool, holder, by, delegate: self.wallet(), shares }
    }

    fn close_position(&mut self, model: &Model, pool: usize) -> Operation {
        let known = model.pools[pool].as_ref();
        let empty: Vec<_> = known
            .iter()
            .flat_map(|pool| pool.positions.iter())
            .filter(|(_, position)| position.shares == 0)
            .map(|(holder, _)| *holder)
            .collect();
        let holder = self.pick(&empty).copied().unwrap_or_else(|| self.holder(model, pool));
        let payer = known.and_then(|pool| pool.positions.get(&holder)).map_or(0, |position| position.rent_payer);
        let by = match holder {
            Holder::Wallet(wallet) if self.once_in(2) => wallet,
            _ if self.once_in(8) => self.wallet(),
            _ => payer,
        };
        Operation::ClosePosition { pool, holder, by }
    }
}
