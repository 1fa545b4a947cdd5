//! Who has and is owed what, and that nobody loses any of it by what somebody else signed.
//!
//! A wallet's claim in SOL or a mint is what it has, what its positions can claim now, what ended jobs owe it, what was put
//! aside for it, and the rent that comes back to it; its claim to a pool is its shares. A pool's claim is what it ever
//! received and what waits for it: in vaults, inboxes, at the pool itself, and in ended jobs. The treasury's is its wallet's
//! and what waits in its inboxes and in ended jobs.
//!
//! What is not certain does not count: the deposit of a job that has not ended is its payer's beyond the price of the most
//! work, and the bond of a seat is its node's until its deadline has passed.

use std::collections::HashMap;

use anchor_lang::prelude::Address;
use provena_common::{NATIVE_MINT, amount::Units, slot::Slot};
use provena_market::{
    pda,
    state::{Admin, Answer, Job, JobState, Node, Offer, Party, Residual, Seat, SeatState, TreasuryInbox, job::flag},
};
use provena_registry::state::ContentClaim;
use provena_royalty::{
    state::{Books, Inbox, Pool, Position},
    view,
};
use solana_account::{AccountSharedData, ReadableAccount};

use super::snapshot::{Snapshot, is_ours, read, read_with_items};

/// What a claim is to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Right {
    /// Base units of a mint; zeros stand for SOL.
    Money(Address),
    /// Shares of a pool.
    Shares(Address),
}

const SOL: Right = Right::Money(NATIVE_MINT);

/// Slots that a payer's demand leaves for the answer.
const ANSWER_WINDOW: u64 = 750;

/// Claims by whose they are.
#[derive(Default)]
pub struct Claims(HashMap<(Address, Right), i128>);

impl Claims {
    fn add(&mut self, who: &Address, right: Right, amount: impl Into<i128>) {
        *self.0.entry((*who, right)).or_default() += amount.into();
    }

    fn get(&self, who: &Address, right: Right) -> i128 {
        self.0.get(&(*who, right)).copied().unwrap_or(0)
    }

    /// All claims of wallets and pools. `treasury` is the wallet that counts as the treasury.
    ///
    /// # Panics
    ///
    /// When an account of ours is not sound.
    #[must_use]
    pub fn of(snapshot: &Snapshot, wallets: &[Address], treasury: &Address) -> Self {
        let mut claims = Self::default();
        for wallet in wallets {
            claims.add(wallet, SOL, snapshot.lamports(wallet));
        }
        for (address, token) in snapshot.tokens() {
            // Vaults and escrows belong to accounts of ours, which say whose is what is in them; a pool's own token
            // accounts hold resale royalties.
            let of_ours = snapshot.get(&token.owner).is_some_and(|owner| is_ours(owner.owner()));
            if !of_ours || snapshot.read::<Pool>(&token.owner).is_some() {
                claims.add(&token.owner, Right::Money(token.mint), token.amount);
            }
            if !of_ours {
                claims.add(&token.owner, SOL, snapshot.lamports(address));
            }
        }
        for (address, account) in snapshot.ours() {
            claims.add_royalty(snapshot, address, account);
            claims.add_market(snapshot, address, account, treasury);
            if let Some(claim) = read::<ContentClaim>(account) {
                claims.add(&claim.claimant, SOL, account.lamports());
            }
        }
        claims
    }

    fn add_royalty(&mut self, snapshot: &Snapshot, address: &Address, account: &AccountSharedData) {
        let lamports = account.lamports();
        if let Some(position) = read::<Position>(account) {
            self.add(&position.rent_payer, SOL, lamports);
            self.add(&position.holder, Right::Shares(position.pool), position.shares);
            self.add_owed(snapshot, &position);
        } else if let Some(books) = read::<Books>(account) {
            let held = holding(snapshot, address, lamports, books.rent, &books.vault);
            let received = (i128::from(books.received.hi) << 64) + i128::from(books.received.lo);
            let waiting = held - i128::from(books.held);
            self.add(&books.pool, Right::Money(books.mint), received + waiting);
        } else if let Some(inbox) = read::<Inbox>(account) {
            let books: Books = snapshot.read(&inbox.books).expect("an inbox's books are there");
            let held = holding(snapshot, address, lamports, inbox.rent, &inbox.vault);
            self.add(&books.pool, Right::Money(books.mint), held);
            self.add(&inbox.rent_payer, SOL, rent_of(snapshot, inbox.rent, &inbox.vault));
        } else if let Some(pool) = read::<Pool>(account) {
            self.add(address, SOL, lamports.saturating_sub(pool.rent));
        }
    }

    /// What a position could claim now in every mint of its pool.
    fn add_owed(&mut self, snapshot: &Snapshot, position: &Position) {
        let index = snapshot.index_of(&position.pool);
        let pool: Pool = snapshot.read(&position.pool).expect("a position's pool is there");
        for mint in pool.mints() {
            let (_, books) = snapshot.books(&position.pool, mint);
            let owed = view::owed(index, books, position, Slot(snapshot.now));
            self.add(&position.holder, Right::Money(*mint), owed.0);
        }
    }

    fn add_market(&mut self, snapshot: &Snapshot, at: &Address, account: &AccountSharedData, treasury: &Address) {
        let lamports = account.lamports();
        if let Some(node) = read::<Node>(account) {
            self.add(&node.authority, SOL, lamports);
        } else if let Some(offer) = read::<Offer>(account) {
            self.add(&offer.rent_payer, SOL, lamports);
        } else if let Some(residual) = read::<Residual>(account) {
            let held = holding(snapshot, at, lamports, residual.rent, &residual.vault);
            self.add(&residual.beneficiary, Right::Money(residual.mint), held);
            self.add(&residual.rent_payer, SOL, rent_of(snapshot, residual.rent, &residual.vault));
        } else if let Some(inbox) = read::<TreasuryInbox>(account) {
            let held = holding(snapshot, at, lamports, inbox.rent, &inbox.vault);
            self.add(treasury, Right::Money(inbox.mint), held);
            self.add(&inbox.rent_payer, SOL, rent_of(snapshot, inbox.rent, &inbox.vault));
        } else if let Some((answer, _)) = read_with_items::<Answer, u8>(account) {
            self.add(&answer.poster, SOL, lamports);
        } else if let Some((job, seats)) = read_with_items::<Job, Seat>(account) {
            self.add_job(snapshot, at, account.data().len(), &job, &seats, treasury);
        }
    }

    fn add_job(
        &mut self,
        snapshot: &Snapshot,
        at: &Address,
        len: usize,
        job: &Job,
        seats: &[Seat],
        treasury: &Address,
    ) {
        let money = Right::Money(job.mint);
        self.add(&job.payer, SOL, super::rent(len));
        if !job.is_native() {
            self.add(&job.payer, SOL, snapshot.lamports(&Snapshot::escrow(at, job.escrow_bump)));
        }
        if !state(job).is_ended() {
            let most = job.prices().and_then(|prices| {
                let input = prices.input.times(Units(job.max_input))?;
                let output = prices.output.times(Units(job.max_output))?;
                Ok(prices.base.plus(input)?.plus(output)?.0)
            });
            let rest = i128::from(job.deposit) - i128::from(most.expect("a posted job has a price"));
            assert!(rest >= 0, "the deposit of job {at} is too small for it");
            self.add(&job.payer, money, rest);
            return;
        }
        let mut owe = |who: &Address, party: Party| {
            let owed = job.owed(seats, party).expect("an ended job can be divided");
            self.add(who, money, owed.money.0);
            self.add(who, SOL, owed.lamports.0);
        };
        for (index, seat) in (0..).zip(seats) {
            owe(&seat.node, Party::Seat(index));
        }
        owe(&job.payer, Party::Payer);
        owe(treasury, Party::Protocol);
        let books: Books = snapshot.read(&job.books).expect("a job's books are there");
        owe(&books.pool, Party::Royalty);
    }
}

/// What may be lost without a signature, because somebody let a deadline pass or a delegate act.
#[derive(Default)]
pub struct Losses(Claims);

impl Losses {
    /// Between two moments, by an instruction that these signed.
    ///
    /// # Panics
    ///
    /// When an account of ours is not sound.
    #[must_use]
    pub fn between(before: &Snapshot, after: &Snapshot, signers: &[Address], treasury: &Address) -> Self {
        let mut losses = Self::default();
        for (address, was) in before.ours() {
            if after.get(address) == Some(was) {
                continue;
            }
            if let Some((job, seats)) = read_with_items::<Job, Seat>(was) {
                losses.of_job(before, &job, &seats, treasury);
            } else if let Some(position) = read::<Position>(was) {
                losses.of_position(before, &position, signers);
            }
        }
        // A mint's own fee is lost to the mint.
        let withheld = before.supplies();
        for (mint, (_, now)) in after.supplies() {
            let fee = now.saturating_sub(withheld.get(&mint).map_or(0, |(_, was)| *was));
            let fee = i128::try_from(fee).expect("fees are small");
            for (who, right) in Claims::of(before, &[], treasury).0.into_keys() {
                if right == Right::Money(mint) {
                    losses.0.add(&who, right, fee);
                }
            }
        }
        losses
    }

    /// Bonds of seats whose deadline has passed, and everything that nodes, royalty and treasury have in a job whose demanded
    /// answer is late.
    fn of_job(&mut self, before: &Snapshot, job: &Job, seats: &[Seat], treasury: &Address) {
        let now = before.now;
        let answer_late = state(job) == JobState::Agreed
            && job.demanded_at != 0
            && job.flags & flag::ANSWERED == 0
            && now - job.demanded_at > ANSWER_WINDOW;
        for (index, seat) in (0..).zip(seats) {
            let late = match (state(job), seat.state().expect("seats are sound")) {
                (JobState::Open, SeatState::Taken) => now > seat.deadline,
                (JobState::Revealing, SeatState::Committed) => now > job.reveal_until,
                _ => false,
            };
            if late {
                self.0.add(&seat.node, SOL, job.bond);
            }
            if answer_late && seats[usize::from(job.winner)].agrees_with(seat) {
                let owed = job.owed(seats, Party::Seat(index)).expect("an ended job can be divided");
                self.0.add(&seat.node, Right::Money(job.mint), owed.money.0);
                self.0.add(&seat.node, SOL, owed.lamports.0);
                self.0.add(&seat.node, SOL, job.bond);
            }
        }
        if answer_late {
            let money = |party| job.owed(seats, party).expect("an ended job can be divided").money.0;
            self.0.add(treasury, Right::Money(job.mint), money(Party::Protocol));
            let books: Books = before.read(&job.books).expect("a job's books are there");
            self.0.add(&books.pool, Right::Money(job.mint), money(Party::Royalty));
        }
    }

    /// Shares that a delegate who signed may move, and shares of a pool that its creator, who signed, takes back because it
    /// never came into use: its NFT does not exist and nothing was ever booked.
    fn of_position(&mut self, before: &Snapshot, position: &Position, signers: &[Address]) {
        let shares = Right::Shares(position.pool);
        if position.delegated > 0 && signers.contains(&position.delegate) {
            self.0.add(&position.holder, shares, position.delegated);
        }
        let pool: Pool = before.read(&position.pool).expect("a position's pool is there");
        let used = before.index_of(&position.pool).entries.iter().any(|entry| *entry != Default::default());
        let exists = before.get(&pool.asset).is_some_and(|mint| mint.data().len() >= 82);
        if signers.contains(&pool.creator) && !used && !exists {
            self.0.add(&position.holder, shares, position.shares);
        }
    }
}

/// Checks that nobody but who signed lost anything between two moments but what the rules say.
///
/// # Panics
///
/// When somebody did, saying who, what and how much.
pub fn check(before: &Snapshot, after: &Snapshot, wallets: &[Address], signers: &[Address]) {
    // Whoever is the treasury before is the treasury in both.
    let treasury = before.read::<Admin>(&pda::admin().0).map_or(Address::default(), |admin| admin.treasury);
    let of = |snapshot: &Snapshot| (treasury, Claims::of(snapshot, wallets, &treasury));
    let mut known = before.claims.get_or_init(|| of(before));
    // The treasury changed in the instruction before.
    let again = (known.0 != treasury).then(|| of(before));
    if let Some(again) = &again {
        known = again;
    }
    let (had, has) = (&known.1, &after.claims.get_or_init(|| of(after)).1);
    let mut losses = None;
    for ((who, right), amount) in &had.0 {
        let lost = amount - has.get(who, *right);
        let abandoned = before.read::<Pool>(who).is_some() && after.get(who).is_none();
        if lost <= 0 || signers.contains(who) || abandoned {
            continue;
        }
        let losses = losses.get_or_insert_with(|| Losses::between(before, after, signers, &treasury));
        let allowed = losses.0.get(who, *right);
        assert!(lost <= allowed, "{who} did not sign and lost {lost} of {right:?}; the rules take {allowed}");
    }
}

fn state(job: &Job) -> JobState {
    job.state().expect("jobs are sound")
}

/// What an account holds beyond its rent: tokens in its vault, or lamports of its own.
fn holding(snapshot: &Snapshot, address: &Address, lamports: u64, rent: u64, vault: &Address) -> i128 {
    if *vault == NATIVE_MINT {
        return i128::from(lamports) - i128::from(rent);
    }
    let token = snapshot.token(vault).unwrap_or_else(|| panic!("the vault of {address} is gone"));
    i128::from(token.amount)
}

/// The rent of an account and of its vault.
fn rent_of(snapshot: &Snapshot, rent: u64, vault: &Address) -> u64 {
    if *vault == NATIVE_MINT { rent } else { rent + snapshot.lamports(vault) }
}
