//! What jobs hold of a node: places and stake, together, by payer and by offer.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use solana_pubkey::Pubkey;

use super::{Limits, Refusal};
use crate::tasks::alone::Parties;

/// What one job holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Who pays for it.
    pub payer: Pubkey,
    /// Its offer.
    pub offer: Pubkey,
    /// Lamports of the stake.
    pub bond: u64,
    /// Whether it has several seats, so that it waits for other nodes.
    pub several: bool,
}

impl Held {
    /// Payer and offer.
    pub(in crate::tasks) fn parties(&self) -> Parties {
        Parties { payer: self.payer, offer: self.offer }
    }
}

/// What the chain said of the node's stake.
#[derive(Debug, Clone, Copy)]
pub struct Staked {
    /// Lamports in all.
    pub stake: u64,
    /// Lamports of them that bonds lock.
    pub locked: u64,
    /// When it was asked: what came on the chain later is not in `locked`.
    pub read: Instant,
}

/// How a job holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    held: Held,
    seat: Seat,
    /// Whether it is decided: it holds its bond until it is paid, and no place.
    decided: bool,
}

/// Whether the chain counts a job's bond as locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seat {
    /// Not yet: it is promised.
    Promised,
    /// For as long as this process knows the job.
    Known,
    /// Since it was promised; noticed then.
    Noticed(Instant),
}

impl Seat {
    /// Whether what the chain said at `read` does not count the bond as locked, though it is staked or will be.
    fn is_promised(self, read: Instant) -> bool {
        match self {
            Self::Promised => true,
            Self::Known => false,
            Self::Noticed(at) => at >= read,
        }
    }
}

/// Every job that holds something.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: Mutex<HashMap<Pubkey, Entry>>,
}

/// Sums over some entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sum {
    places: usize,
    bonds: u64,
}

impl Ledger {
    fn entries(&self) -> MutexGuard<'_, HashMap<Pubkey, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job of which the chain knows nothing yet, if the limits allow it.
    ///
    /// # Errors
    /// [`Refusal::Jobs`], [`Refusal::Stake`], [`Refusal::Payer`], [`Refusal::Offer`], [`Refusal::Waiting`].
    pub fn admit(&self, job: Pubkey, held: Held, limits: &Limits, staked: Staked) -> Result<(), Refusal> {
        let mut entries = self.entries();
        entries.remove(&job);
        fits(&entries, held, limits, staked)?;
        entries.insert(job, Entry { held, seat: Seat::Promised, decided: false });
        Ok(())
    }

    /// Whether one more job would be admitted, for a quote.
    ///
    /// # Errors
    /// As for [`Ledger::admit`].
    pub fn has_room(&self, held: Held, limits: &Limits, staked: Staked) -> Result<(), Refusal> {
        fits(&self.entries(), held, limits, staked)
    }

    /// Notes a job in which the chain shows this node, whatever the limits are.
    pub fn seated(&self, job: Pubkey, held: Held, decided: bool) {
        let mut entries = self.entries();
        let seat = match entries.get(&job).map(|entry| entry.seat) {
            None => Seat::Known,
            Some(Seat::Promised) => Seat::Noticed(Instant::now()),
            Some(known) => known,
        };
        entries.insert(job, Entry { held, seat, decided });
    }

    /// Lamports that are promised to jobs as their bonds, and that what the chain said at `read` does not count as locked.
    #[must_use]
    pub fn promised(&self, read: Instant) -> u64 {
        self.entries()
            .values()
            .filter(|entry| entry.seat.is_promised(read))
            .fold(0, |sum, entry| sum.saturating_add(entry.held.bond))
    }

    /// A job holds nothing any more.
    pub fn leave(&self, job: &Pubkey) {
        self.entries().remove(job);
    }

    /// Jobs that hold a place.
    #[must_use]
    pub fn places(&self) -> usize {
        self.entries().values().filter(|entry| !entry.decided).count()
    }

    /// Jobs of several seats that hold a place, and so wait for other nodes at some time.
    #[must_use]
    pub fn several(&self) -> usize {
        self.entries().values().filter(|entry| !entry.decided && entry.held.several).count()
    }
}

/// Whether the limits allow one more job beside these.
fn fits(entries: &HashMap<Pubkey, Entry>, held: Held, limits: &Limits, staked: Staked) -> Result<(), Refusal> {
    let Staked { stake, locked, read } = staked;
    let sum = |which: &dyn Fn(&Entry) -> bool| {
        entries.values().filter(|entry| which(entry)).fold(Sum::default(), |sum, entry| Sum {
            places: sum.places + usize::from(!entry.decided),
            bonds: sum.bonds.saturating_add(entry.held.bond),
        })
    };
    let all = sum(&|_| true);
    if all.places >= limits.max_jobs {
        return Err(Refusal::Jobs(limits.max_jobs));
    }
    let promised = sum(&|entry| entry.seat.is_promised(read)).bonds;
    let free = stake.saturating_sub(locked).saturating_sub(promised);
    if held.bond > free {
        return Err(Refusal::Stake { bond: held.bond, free });
    }
    let has_part = |sum: Sum, percent: u64| {
        let places = limits.max_jobs as u64 * percent / 100;
        let bonds = u128::from(stake) * u128::from(percent) / 100;
        // The first one always fits: a small node has few places.
        sum == Sum::default()
            || ((sum.places as u64) < places && u128::from(sum.bonds.saturating_add(held.bond)) <= bonds)
    };
    if !has_part(sum(&|entry| entry.held.payer == held.payer), limits.payer_percent) {
        return Err(Refusal::Payer(limits.payer_percent));
    }
    if !has_part(sum(&|entry| entry.held.offer == held.offer), limits.offer_percent) {
        return Err(Refusal::Offer(limits.offer_percent));
    }
    if held.several && !has_part(sum(&|entry| entry.held.several && !entry.decided), limits.waiting_percent) {
        return Err(Refusal::Waiting(limits.waiting_percent));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAKE: u64 = 1_000;

    fn limits() -> Limits {
        Limits { max_jobs: 8, ..Limits::default() }
    }

    fn key(byte: u8) -> Pubkey {
        Pubkey::new_from_array([byte; 32])
    }

    fn held(payer: u8, offer: u8, bond: u64, several: bool) -> Held {
        Held { payer: key(payer), offer: key(offer), bond, several }
    }

    /// What the chain says now.
    fn says(locked: u64) -> Staked {
        Staked { stake: STAKE, locked, read: Instant::now() + std::time::Duration::from_nanos(1) }
    }

    fn name(refused: Result<(), Refusal>) -> &'static str {
        refused.map_or_else(|refusal| refusal.name(), |()| "admitted")
    }

    #[test]
    fn one_payer_gets_half_of_the_places_and_one_offer_three_quarters() {
        let ledger = Ledger::default();
        let admit = |job, payer, offer| name(ledger.admit(key(job), held(payer, offer, 1, false), &limits(), says(0)));
        for job in 0..4 {
            assert_eq!(admit(job, 1, 1), "admitted");
        }
        assert_eq!(admit(4, 1, 2), "payer_at_limit");
        assert_eq!(admit(4, 2, 1), "admitted");
        assert_eq!(admit(5, 3, 1), "admitted");
        assert_eq!(admit(6, 4, 1), "offer_at_limit");
        assert_eq!(admit(6, 4, 2), "admitted");
        assert_eq!(admit(7, 5, 3), "admitted");
        assert_eq!(admit(8, 6, 4), "too_many_jobs");
        // A decided job holds its bond and no place.
        ledger.seated(key(0), held(1, 1, 1, false), true);
        assert_eq!((ledger.places(), admit(8, 6, 4)), (7, "admitted"));
        ledger.leave(&key(8));
        assert_eq!(ledger.places(), 7);
    }

    #[test]
    fn stake_is_divided_as_places_are() {
        let ledger = Ledger::default();
        let admit = |job, payer, offer, bond, locked| {
            name(ledger.admit(key(job), held(payer, offer, bond, false), &limits(), says(locked)))
        };
        assert_eq!(admit(0, 1, 1, 1_001, 0), "stake_in_use");
        assert_eq!(admit(0, 1, 1, 600, 500), "stake_in_use");
        // The first of a payer always fits.
        assert_eq!(admit(0, 1, 1, 600, 0), "admitted");
        assert_eq!(admit(1, 1, 2, 1, 0), "payer_at_limit");
        // What is promised is not free, before the chain knows of it and after.
        assert_eq!(admit(1, 2, 2, 401, 0), "stake_in_use");
        ledger.seated(key(0), held(1, 1, 600, false), false);
        assert_eq!(admit(1, 2, 2, 401, 600), "stake_in_use");
        assert_eq!(admit(1, 2, 2, 400, 600), "admitted");
    }

    #[test]
    fn a_bond_is_promised_until_the_chain_was_read_after_its_seat() {
        let ledger = Ledger::default();
        let before = Instant::now();
        assert_eq!(name(ledger.admit(key(0), held(1, 1, 300, false), &limits(), says(0))), "admitted");
        assert_eq!(ledger.promised(before), 300);
        ledger.seated(key(0), held(1, 1, 300, false), false);
        let after = Instant::now() + std::time::Duration::from_nanos(1);
        // Looked at again, it is no newer.
        ledger.seated(key(0), held(1, 1, 300, false), true);
        assert_eq!((ledger.promised(before), ledger.promised(after)), (300, 0));
        ledger.leave(&key(0));
        assert_eq!(ledger.promised(before), 0);
        // One that the chain showed first is in what it said.
        ledger.seated(key(1), held(1, 1, 300, false), false);
        assert_eq!(ledger.promised(before), 0);
    }

    /// The seat was taken between the reading and the look at the ledger: its bond was counted in neither.
    #[test]
    fn a_bond_is_not_free_where_the_chain_was_read_before_its_seat() {
        let ledger = Ledger::default();
        let before = says(0);
        assert_eq!(name(ledger.admit(key(0), held(1, 1, 600, false), &limits(), before)), "admitted");
        ledger.seated(key(0), held(1, 1, 600, false), false);
        let second = held(2, 2, 600, false);
        assert_eq!(name(ledger.has_room(second, &limits(), before)), "stake_in_use");
        assert_eq!(name(ledger.admit(key(1), second, &limits(), before)), "stake_in_use");
        assert_eq!(name(ledger.has_room(held(2, 2, 400, false), &limits(), says(600))), "admitted");
    }

    #[test]
    fn jobs_that_wait_for_others_leave_half_of_the_node_to_the_rest() {
        let ledger = Ledger::default();
        let admit = |job, payer, bond, several| {
            name(ledger.admit(key(job), held(payer, payer, bond, several), &limits(), says(0)))
        };
        for job in 0..4 {
            assert_eq!(admit(job, job, 100, true), "admitted");
        }
        assert_eq!(admit(4, 4, 1, true), "waiting_at_limit");
        assert_eq!((ledger.several(), admit(4, 4, 1, false)), (4, "admitted"));
        ledger.seated(key(0), held(0, 0, 100, true), true);
        assert_eq!(admit(5, 5, 100, true), "admitted");
        ledger.leave(&key(1));
        ledger.leave(&key(2));
        assert_eq!(admit(6, 6, 301, true), "waiting_at_limit");
        assert_eq!(admit(6, 6, 300, true), "admitted");
    }

    #[test]
    fn the_same_job_is_counted_once() {
        let ledger = Ledger::default();
        let one = Limits { max_jobs: 1, ..limits() };
        for _ in 0..3 {
            assert_eq!(name(ledger.admit(key(1), held(1, 1, 700, false), &one, says(0))), "admitted");
        }
        assert_eq!(name(ledger.admit(key(2), held(2, 2, 1, false), &one, says(0))), "too_many_jobs");
    }
}
