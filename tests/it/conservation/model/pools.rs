//! The royalty program's pools: who holds shares, what was booked, and what each holder has earned.
//!
//! A holder's earnings are kept in parts of a base unit of which a pool's total shares make one, and they are handed out at
//! once whenever something is released: where the program remembers entries and settles late, the model settles always.

use std::collections::BTreeMap;

use provena_royalty::error::RoyaltyError;

use super::{
    super::{
        operation::Program,
        rents::{BOOKS_RENT, INBOX_RENT, INDEX_RENT, POOL_RENT, POSITION_RENT},
    },
    Answer, EXISTS, FROZEN, MINTS, Model, Refusal, SOL, arrives, demand, vault_rent,
};

/// Who holds shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Holder {
    Wallet(usize),
    Pool(usize),
}

/// What a holder may not move yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lock {
    pub total: u64,
    pub start: u64,
    pub end: u64,
}

impl Lock {
    fn at(self, slot: u64) -> u64 {
        if self.total == 0 || slot >= self.end {
            return 0;
        }
        let (left, length) = (self.end - slot.max(self.start), self.end - self.start);
        u64::try_from((u128::from(self.total) * u128::from(left)).div_ceil(u128::from(length))).expect("at most all")
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Position {
    pub shares: u64,
    pub rent_payer: usize,
    pub delegate: Option<(usize, u64)>,
    pub lock: Lock,
    /// Earned and not claimed, in parts of which the pool's total shares make a base unit.
    pub parts: [u128; MINTS],
}

impl Position {
    /// Shares that may not be moved yet.
    pub(crate) fn locked(&self, slot: u64) -> u64 {
        self.lock.at(slot)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Inbox {
    pub payer: usize,
    pub amount: u64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Books {
    /// Booked and not paid.
    pub held: u64,
    /// Lies beside what is booked.
    pub surplus: u64,
    pub inboxes: Vec<Inbox>,
    /// What was booked in each window of the grid.
    pub booked: BTreeMap<u64, u64>,
    /// Released when the model last looked.
    pub released: u128,
}

impl Books {
    /// Everything booked at least two windows ago, and of the last window the part that has passed of the present one.
    fn released_at(&self, slot: u64, window: u64) -> u128 {
        if window == 0 {
            return self.booked.values().map(|amount| u128::from(*amount)).sum();
        }
        let (present, elapsed) = (slot / window, slot % window);
        self.booked
            .iter()
            .map(|(booked_in, amount)| match present - booked_in {
                0 => 0,
                1 => u128::from(*amount) * u128::from(elapsed) / u128::from(window),
                _ => u128::from(*amount),
            })
            .sum()
    }

    pub(crate) fn unreleased(&self) -> u128 {
        self.booked.values().map(|amount| u128::from(*amount)).sum::<u128>() - self.released
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Pool {
    pub creator: usize,
    pub total: u64,
    pub window: u64,
    pub sealed: bool,
    pub assigned: u64,
    /// Slot in which holders were named, or positions taken back, for the last time.
    pub changed: u64,
    /// The wallet that holds the NFT, once it exists.
    pub nft: Option<usize>,
    /// In the order in which they were opened.
    pub mints: Vec<usize>,
    pub books: [Option<Books>; MINTS],
    pub positions: BTreeMap<Holder, Position>,
}

impl Pool {
    /// Hands out what has been released since the last time.
    pub(crate) fn release(&mut self, slot: u64) {
        for (mint, books) in self.books.iter_mut().enumerate() {
            let Some(books) = books else { continue };
            let released = books.released_at(slot, self.window);
            let growth = released - books.released;
            books.released = released;
            for position in self.positions.values_mut() {
                position.parts[mint] += growth * u128::from(position.shares);
            }
        }
    }

    /// Books money; the caller has put it into the vault.
    pub(crate) fn book(&mut self, mint: usize, amount: u64, slot: u64) -> Answer {
        if amount == 0 {
            return Ok(());
        }
        demand(self.sealed, RoyaltyError::PoolNotSealed)?;
        let window = self.window;
        let books = self.books_mut(mint)?;
        books.held += amount;
        *books.booked.entry(slot.checked_div(window).unwrap_or(0)).or_default() += amount;
        self.release(slot);
        Ok(())
    }

    /// Whole base units that a holder is owed.
    pub(crate) fn owed(&self, holder: Holder, mint: usize) -> u64 {
        let parts = self.positions.get(&holder).map_or(0, |position| position.parts[mint]);
        u64::try_from(parts / u128::from(self.total)).expect("no more than there is")
    }

    /// Takes what a holder is owed out of the books.
    pub(crate) fn pay(&mut self, holder: Holder, mint: usize) -> Answer<u64> {
        let (owed, total) = (self.owed(holder, mint), self.total);
        self.position_mut(holder)?.parts[mint] -= u128::from(owed) * u128::from(total);
        self.books_mut(mint)?.held -= owed;
        Ok(owed)
    }

    pub(crate) fn books_mut(&mut self, mint: usize) -> Answer<&mut Books> {
        self.books[mint].as_mut().ok_or(Refusal::Missing)
    }

    pub(crate) fn position_mut(&mut self, holder: Holder) -> Answer<&mut Position> {
        self.positions.get_mut(&holder).ok_or(Refusal::Missing)
    }

    /// Whether nothing was ever booked.
    pub(crate) fn is_unused(&self) -> bool {
        self.books.iter().flatten().all(|books| books.booked.is_empty())
    }

    /// Gives new holders their shares and returns how many positions were made.
    fn assign(&mut self, own: usize, payer: usize, holders: &[NewHolder]) -> Answer<u64> {
        for new in holders {
            demand(new.shares < 1 << 32, RoyaltyError::TooManyShares)?;
            demand(new.shares > 0, RoyaltyError::ZeroShares)?;
            demand(self.assigned + new.shares <= self.total, RoyaltyError::SharesExceedTotal)?;
            demand(new.holder != Holder::Pool(own), RoyaltyError::SelfHolding)?;
            demand(!self.positions.contains_key(&new.holder), RoyaltyError::DuplicateHolder)?;
            let lock = new.lock;
            let sound = lock == Lock::default() || (lock.start < lock.end && (1..=new.shares).contains(&lock.total));
            demand(sound, RoyaltyError::WrongVesting)?;
            self.assigned += new.shares;
            let position =
                Position { shares: new.shares, rent_payer: payer, delegate: None, lock, parts: Default::default() };
            self.positions.insert(new.holder, position);
        }
        self.sealed = self.assigned == self.total;
        Ok(holders.len() as u64)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct NewHolder {
    pub holder: Holder,
    pub shares: u64,
    pub lock: Lock,
}

impl Model {
    pub(super) fn create_pool(
        &mut self,
        pool: usize,
        creator: usize,
        total: u64,
        window: u64,
        holders: &[NewHolder],
    ) -> Answer {
        demand(self.pools[pool].is_none(), EXISTS)?;
        self.controls[&Program::Royalty].check_running(1)?;
        demand(total < 1 << 32, RoyaltyError::TooManyShares)?;
        demand(total > 0, RoyaltyError::ZeroShares)?;
        let mut new = Pool {
            creator,
            total,
            window,
            sealed: false,
            assigned: 0,
            changed: self.slot,
            nft: None,
            mints: vec![SOL],
            books: [Some(Books::default()), None, None],
            positions: BTreeMap::new(),
        };
        let made = new.assign(pool, creator, holders)?;
        self.pools[pool] = Some(new);
        self.spend(creator, POOL_RENT + INDEX_RENT + BOOKS_RENT + made * POSITION_RENT);
        Ok(())
    }

    pub(super) fn add_holders(&mut self, pool: usize, by: usize, holders: &[NewHolder]) -> Answer {
        let slot = self.slot;
        let found = self.pool_mut(pool)?;
        demand(by == found.creator, RoyaltyError::NotPoolCreator)?;
        demand(!found.sealed, RoyaltyError::PoolSealed)?;
        let made = found.assign(pool, by, holders)?;
        if made > 0 {
            found.changed = slot;
        }
        self.spend(by, made * POSITION_RENT);
        Ok(())
    }

    /// Closes the positions of `closed`, and everything if those are all.
    pub(super) fn abandon_pool(&mut self, pool: usize, by: usize, closed: &[Holder]) -> Answer {
        let slot = self.slot;
        let found = self.pool_mut(pool)?;
        demand(by == found.creator, RoyaltyError::NotPoolCreator)?;
        demand(found.nft.is_none(), RoyaltyError::AssetExists)?;
        demand(found.is_unused(), RoyaltyError::PoolInUse)?;
        let everything = closed.len() == found.positions.len();
        let inboxes = found.books.iter().flatten().any(|books| !books.inboxes.is_empty());
        demand(!everything || !inboxes, RoyaltyError::PoolInUse)?;
        let mut refunds = Vec::new();
        for holder in closed {
            let position = found.positions.remove(holder).ok_or(Refusal::Missing)?;
            found.assigned -= position.shares;
            found.changed = slot;
            refunds.push((position.rent_payer, POSITION_RENT));
        }
        found.sealed = found.assigned == found.total;
        if everything {
            let gone = self.pools[pool].take().expect("it exists");
            let waiting = std::mem::take(&mut self.resale[pool][SOL]);
            refunds.push((by, POOL_RENT + INDEX_RENT + BOOKS_RENT + waiting));
            for (mint, books) in gone.books.iter().enumerate() {
                let Some(books) = books else { continue };
                demand(books.surplus == 0 || !self.is_frozen(by, mint), FROZEN)?;
                self.balances[by][mint] += if mint == SOL { books.surplus } else { arrives(mint, books.surplus) };
                if mint != SOL {
                    refunds.push((by, BOOKS_RENT + vault_rent(mint)));
                }
            }
        }
        refunds.into_iter().for_each(|(wallet, lamports)| self.refund(wallet, lamports));
        Ok(())
    }

    pub(super) fn open_inbox(&mut self, pool: usize, payer: usize, mint: usize) -> Answer {
        let found = self.pool_mut(pool)?;
        let may = found.nft.is_some() || payer == found.creator;
        let books = found.books_mut(mint)?;
        demand(may, RoyaltyError::NotPoolCreator)?;
        demand(books.inboxes.len() < 64, RoyaltyError::TooManyInboxes)?;
        books.inboxes.push(Inbox { payer, amount: 0 });
        self.spend(payer, INBOX_RENT + vault_rent(mint));
        Ok(())
    }

    pub(super) fn close_inbox(&mut self, pool: usize, by: usize, mint: usize, shard: usize) -> Answer {
        let books = self.pool_mut(pool)?.books_mut(mint)?;
        let inbox = books.inboxes.get(shard).ok_or(Refusal::Missing)?;
        demand(inbox.payer == by, RoyaltyError::NotRentPayer)?;
        demand(shard + 1 == books.inboxes.len(), RoyaltyError::NotLastInbox)?;
        demand(inbox.amount == 0, RoyaltyError::InboxNotEmpty)?;
        books.inboxes.pop();
        self.balances[by][SOL] += INBOX_RENT + vault_rent(mint);
        Ok(())
    }
}
