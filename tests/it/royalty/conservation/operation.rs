//! Everything that can happen, and what the model says that it does.

use provena_common::error::CommonError;
use provena_royalty::error::RoyaltyError;

use super::model::{
    Answer, Books, Holder, Lock, Model, NewHolder, Position, Refusal, SOL, arrives, demand, vault_rent,
};
use crate::royalty::{BOOKS_RENT, POSITION_RENT};

/// What is shown to open books.
#[derive(Clone, Copy, Debug)]
pub enum Shown {
    Nothing,
    Nft,
    Tokens,
    Child(usize),
}

/// An instruction, or something that happens beside the program. Numbers name wallets, pools and mints.
#[derive(Clone, Debug)]
pub enum Operation {
    PassSlots(u64),
    Donate { pool: usize, mint: usize, amount: u64 },
    PayInbox { pool: usize, mint: usize, shard: usize, amount: u64 },
    PayResale { pool: usize, mint: usize, amount: u64 },
    MintNft { pool: usize, owner: usize },
    Propose { by: usize, new: usize },
    Accept { by: usize },
    Cancel { by: usize },
    Pause { by: usize, bits: u32 },
    Allow { by: usize, mint: usize },
    Disallow { by: usize, mint: usize },
    CreatePool { pool: usize, creator: usize, total: u64, window: u64, holders: Vec<NewHolder> },
    AddHolders { pool: usize, by: usize, holders: Vec<NewHolder> },
    AbandonPool { pool: usize, by: usize, closed: Vec<Holder> },
    OpenBooks { pool: usize, payer: usize, mint: usize, shown: Shown },
    OpenInbox { pool: usize, payer: usize, mint: usize },
    CloseInbox { pool: usize, by: usize, mint: usize, shard: usize },
    Deposit { pool: usize, by: usize, mint: usize, amount: u64 },
    Sync { pool: usize, mint: usize, shards: Vec<usize> },
    Collect { pool: usize, mint: usize },
    Sweep { child: usize, parent: usize, mint: usize },
    Claim { pool: usize, holder: Holder, mint: usize, to: Option<usize> },
    ClaimMany { holder: Holder, pools: Vec<usize>, mint: usize, signed: bool },
    Transfer { pool: usize, from: Holder, to: Holder, by: usize, shares: u64 },
    Approve { pool: usize, holder: usize, by: usize, delegate: usize, shares: u64 },
    Revoke { pool: usize, holder: usize, by: usize },
    ClosePosition { pool: usize, holder: Holder, by: usize },
}

impl Operation {
    /// Whether this is an instruction of the program.
    pub fn is_instruction(&self) -> bool {
        !matches!(
            self,
            Self::PassSlots(_)
                | Self::Donate { .. }
                | Self::PayInbox { .. }
                | Self::PayResale { .. }
                | Self::MintNft { .. }
        )
    }
}

impl Model {
    /// Does it, or says why it must be refused; a refusal may leave this model half changed.
    pub fn apply(&mut self, operation: &Operation) -> Answer {
        match operation {
            Operation::PassSlots(slots) => {
                self.pass_slots(*slots);
                Ok(())
            }
            Operation::Donate { .. }
            | Operation::PayInbox { .. }
            | Operation::PayResale { .. }
            | Operation::MintNft { .. } => self.apply_outside(operation),
            Operation::Propose { .. }
            | Operation::Accept { .. }
            | Operation::Cancel { .. }
            | Operation::Pause { .. }
            | Operation::Allow { .. }
            | Operation::Disallow { .. } => self.apply_authority(operation),
            Operation::CreatePool { pool, creator, total, window, holders } => {
                self.create_pool(*pool, *creator, *total, *window, holders)
            }
            Operation::AddHolders { pool, by, holders } => self.add_holders(*pool, *by, holders),
            Operation::AbandonPool { pool, by, closed } => self.abandon_pool(*pool, *by, closed),
            Operation::OpenBooks { pool, payer, mint, shown } => self.open_books(*pool, *payer, *mint, *shown),
            Operation::OpenInbox { pool, payer, mint } => self.open_inbox(*pool, *payer, *mint),
            Operation::CloseInbox { pool, by, mint, shard } => self.close_inbox(*pool, *by, *mint, *shard),
            Operation::Deposit { pool, by, mint, amount } => self.deposit(*pool, *by, *mint, *amount),
            Operation::Sync { pool, mint, shards } => self.sync(*pool, *mint, shards),
            Operation::Collect { pool, mint } => self.collect(*pool, *mint),
            Operation::Sweep { child, parent, mint } => self.sweep(*child, *parent, *mint),
            Operation::Claim { pool, holder, mint, to } => self.claim(*pool, *holder, *mint, *to),
            Operation::ClaimMany { holder, pools, mint, .. } => {
                pools.iter().try_for_each(|pool| self.claim(*pool, *holder, *mint, None))
            }
            Operation::Transfer { pool, from, to, by, shares } => self.transfer(*pool, *from, *to, *by, *shares),
            Operation::Approve { pool, holder, by, delegate, shares } => {
                let position = self.pool_mut(*pool)?.position_mut(Holder::Wallet(*holder))?;
                demand(by == holder, RoyaltyError::WrongHolder)?;
                demand(*shares > 0, RoyaltyError::ZeroShares)?;
                position.delegate = Some((*delegate, *shares));
                Ok(())
            }
            Operation::Revoke { pool, holder, by } => {
                let position = self.pool_mut(*pool)?.position_mut(Holder::Wallet(*holder))?;
                demand(by == holder, RoyaltyError::WrongHolder)?;
                position.delegate = None;
                Ok(())
            }
            Operation::ClosePosition { pool, holder, by } => self.close_position(*pool, *holder, *by),
        }
    }

    fn apply_outside(&mut self, operation: &Operation) -> Answer {
        match *operation {
            Operation::Donate { pool, mint, amount } => self.pool_mut(pool)?.books_mut(mint)?.surplus += amount,
            Operation::PayInbox { pool, mint, shard, amount } => {
                let books = self.pool_mut(pool)?.books_mut(mint)?;
                books.inboxes.get_mut(shard).ok_or(Refusal::Missing)?.amount += amount;
            }
            Operation::PayResale { pool, mint, amount } => {
                self.pool_mut(pool)?;
                self.resale[pool][mint] += amount;
            }
            Operation::MintNft { pool, owner } => {
                let found = self.pool_mut(pool)?;
                demand(found.nft.is_none(), Refusal::Missing)?;
                found.nft = Some(owner);
            }
            _ => unreachable!("listed by the caller"),
        }
        Ok(())
    }

    fn apply_authority(&mut self, operation: &Operation) -> Answer {
        let (Operation::Propose { by, .. }
        | Operation::Accept { by }
        | Operation::Cancel { by }
        | Operation::Pause { by, .. }
        | Operation::Allow { by, .. }
        | Operation::Disallow { by, .. }) = *operation
        else {
            unreachable!("listed by the caller")
        };
        if let Operation::Accept { .. } = operation {
            let Some((_, from)) = self.pending.filter(|(proposed, _)| *proposed == by) else {
                return Err(CommonError::NoPendingAuthority.into());
            };
            demand(self.slot >= from, CommonError::TimelockRunning)?;
            (self.authority, self.pending) = (by, None);
            return Ok(());
        }
        if let Operation::Pause { bits, .. } = operation {
            demand(*bits < 2, RoyaltyError::WrongFlags)?;
        }
        demand(by == self.authority, CommonError::NotAuthority)?;
        match *operation {
            Operation::Propose { new, .. } => self.pending = Some((new, self.slot + 432_000)),
            Operation::Cancel { .. } => {
                demand(self.pending.is_some(), CommonError::NoPendingAuthority)?;
                self.pending = None;
            }
            Operation::Pause { bits, .. } => self.paused = bits == 1,
            Operation::Allow { mint, .. } => {
                // The account at SOL's address is the System program.
                demand(mint != SOL, CommonError::UnsupportedMint)?;
                demand(!self.allowed[mint], RoyaltyError::MintAlreadyAllowed)?;
                self.allowed[mint] = true;
            }
            Operation::Disallow { mint, .. } => {
                demand(mint != SOL, RoyaltyError::NativeMint)?;
                demand(self.allowed[mint], RoyaltyError::MintNotAllowed)?;
                self.allowed[mint] = false;
            }
            _ => unreachable!("handled above"),
        }
        Ok(())
    }

    fn open_books(&mut self, pool: usize, payer: usize, mint: usize, shown: Shown) -> Answer {
        let (paused, allowed, tokens) = (self.paused, self.allowed[mint], self.resale[pool][mint]);
        let childs = match shown {
            Shown::Child(child) => self.pool_mut(child).map(|child| {
                let known = child.books[mint].is_some() && child.positions.contains_key(&Holder::Pool(pool));
                known.then(|| child.owed(Holder::Pool(pool), mint))
            }),
            _ => Ok(None),
        };
        let found = self.pool_mut(pool)?;
        demand(!paused, CommonError::Paused)?;
        demand(allowed, RoyaltyError::MintNotAllowed)?;
        let right = match shown {
            Shown::Nothing => payer == found.creator && found.nft.is_none(),
            Shown::Nft => found.nft == Some(payer),
            Shown::Tokens => tokens > 0,
            Shown::Child(_) => childs?.ok_or(Refusal::Missing)? > 0,
        };
        demand(right, RoyaltyError::NoRightToOpen)?;
        demand(found.books[mint].is_none(), Refusal::Code(0))?;
        found.books[mint] = Some(Books::default());
        found.mints.push(mint);
        self.spend(payer, BOOKS_RENT + vault_rent(mint));
        Ok(())
    }

    fn deposit(&mut self, pool: usize, by: usize, mint: usize, amount: u64) -> Answer {
        let (slot, allowed, balance) = (self.slot, self.allowed[mint], self.balances[by][mint]);
        let found = self.pool_mut(pool)?;
        found.books_mut(mint)?;
        demand(amount > 0, RoyaltyError::ZeroAmount)?;
        demand(allowed, RoyaltyError::MintNotAllowed)?;
        // The System program's and the token programs' code for too little.
        demand(amount <= balance, Refusal::Code(1))?;
        demand(arrives(mint, amount) > 0, RoyaltyError::ZeroAmount)?;
        found.book(mint, arrives(mint, amount), slot)?;
        self.balances[by][mint] -= amount;
        Ok(())
    }

    fn sync(&mut self, pool: usize, mint: usize, shards: &[usize]) -> Answer {
        let slot = self.slot;
        let found = self.pool_mut(pool)?;
        let books = found.books_mut(mint)?;
        for shard in shards {
            let inbox = books.inboxes.get_mut(*shard).ok_or(Refusal::Missing)?;
            books.surplus += arrives(mint, std::mem::take(&mut inbox.amount));
        }
        let surplus = std::mem::take(&mut books.surplus);
        found.book(mint, surplus, slot)
    }

    fn collect(&mut self, pool: usize, mint: usize) -> Answer {
        let (slot, waiting) = (self.slot, self.resale[pool][mint]);
        let found = self.pool_mut(pool)?;
        let surplus = std::mem::take(&mut found.books_mut(mint)?.surplus);
        found.book(mint, surplus + arrives(mint, waiting), slot)?;
        self.resale[pool][mint] = 0;
        Ok(())
    }

    fn sweep(&mut self, child: usize, parent: usize, mint: usize) -> Answer {
        // The books are named twice.
        demand(child != parent, Refusal::Missing)?;
        let slot = self.slot;
        self.pool_mut(parent)?.books_mut(mint)?;
        self.pool_mut(child)?.books_mut(mint)?;
        let paid = self.pool_mut(child)?.pay(Holder::Pool(parent), mint)?;
        self.pool_mut(parent)?.book(mint, arrives(mint, paid), slot)
    }

    /// To the holder, or signed by it to somebody.
    fn claim(&mut self, pool: usize, holder: Holder, mint: usize, to: Option<usize>) -> Answer {
        let found = self.pool_mut(pool)?;
        found.books_mut(mint)?;
        let paid = arrives(mint, found.pay(holder, mint)?);
        match (to, holder) {
            (Some(wallet), _) | (None, Holder::Wallet(wallet)) => self.balances[wallet][mint] += paid,
            (None, Holder::Pool(other)) => self.resale[other][mint] += paid,
        }
        Ok(())
    }

    fn transfer(&mut self, pool: usize, from: Holder, to: Holder, by: usize, shares: u64) -> Answer {
        let slot = self.slot;
        let found = self.pool_mut(pool)?;
        let sealed = found.sealed;
        let mut giver = found.position_mut(from)?.clone();
        // The position is named twice.
        demand(from != to, Refusal::Code(2040))?;
        demand(shares < 1 << 32, RoyaltyError::TooManyShares)?;
        demand(shares > 0, RoyaltyError::ZeroShares)?;
        demand(sealed, RoyaltyError::PoolNotSealed)?;
        if from != Holder::Wallet(by) {
            let allowed = giver.delegate.filter(|(delegate, _)| *delegate == by).map(|(_, allowed)| allowed);
            let left = allowed.ok_or(RoyaltyError::NotDelegate)?.checked_sub(shares);
            let left = left.ok_or(RoyaltyError::AllowanceExceeded)?;
            giver.delegate = (left > 0).then_some((by, left));
        }
        demand(to != Holder::Pool(pool), RoyaltyError::SelfHolding)?;
        let opened = !found.positions.contains_key(&to);
        let fresh =
            Position { shares: 0, rent_payer: by, delegate: None, lock: Lock::default(), parts: Default::default() };
        let mut taker = found.positions.get(&to).cloned().unwrap_or(fresh);
        giver.shares = giver.shares.checked_sub(shares).ok_or(RoyaltyError::NotEnoughShares)?;
        demand(giver.shares >= giver.locked(slot), RoyaltyError::SharesLocked)?;
        taker.shares += shares;
        if giver.shares == 0 {
            giver.delegate = None;
            for (given, taken) in giver.parts.iter_mut().zip(&mut taker.parts) {
                let fraction = *given % u128::from(found.total);
                *given -= fraction;
                *taken += fraction;
            }
        }
        found.positions.insert(from, giver);
        found.positions.insert(to, taker);
        if opened {
            self.spend(by, POSITION_RENT);
        }
        Ok(())
    }

    fn close_position(&mut self, pool: usize, holder: Holder, by: usize) -> Answer {
        let found = self.pool_mut(pool)?;
        let position = found.position_mut(holder)?.clone();
        let may = holder == Holder::Wallet(by) || by == position.rent_payer;
        demand(may, RoyaltyError::WrongHolder)?;
        demand(position.shares == 0 && position.parts == [0; 3], RoyaltyError::PositionInUse)?;
        found.positions.remove(&holder);
        self.balances[position.rent_payer][SOL] += POSITION_RENT;
        Ok(())
    }
}
