//! Who gets what, and what was collected.
//!
//! Of an agreed job the nodes that agreed, royalty and protocol share the fee; the rest of the deposit is the payer's. Of
//! every other job all of the deposit is the payer's. Of forfeited bonds each seat that revealed gets an equal part, but
//! at most [`MOST_FORFEIT_SHARE`], and the treasury all the rest: forfeiting to oneself gains nothing.

use anchor_lang::prelude::*;
use provena_common::slot::Slot;

use super::{Job, JobState};
use crate::{
    constants::{DEMAND_DEPOSIT, MOST_FORFEIT_SHARE, PARK_AFTER},
    error::MarketError,
    fees::{self, Amount, Split},
    state::{Seat, SeatSet, SeatState},
};

/// Somebody who collects from a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Party {
    /// The node of a seat.
    Seat(u8),
    /// The royalty pool.
    Royalty,
    /// The treasury.
    Protocol,
    /// The payer.
    Payer,
}

/// One of the things that a party may be owed, each collected once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// Base units of the job's mint, out of the deposit.
    Money = 1,
    /// Lamports out of forfeited bonds or a demand's deposit, whatever the job is paid in.
    Lamports = 2,
    /// The release of the node's own bond.
    Bond = 4,
}

/// What a party is owed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Owed {
    /// See [`Part::Money`].
    pub money: Amount,
    /// See [`Part::Lamports`].
    pub lamports: Amount,
    /// See [`Part::Bond`].
    pub bond: bool,
}

impl Owed {
    /// Whether nothing is owed.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        self.money.is_zero() && self.lamports.is_zero() && !self.bond
    }
}

/// An ended job, divided.
struct Division {
    split: Split,
    agreeing: SeatSet,
    /// What each seat that revealed gets of the forfeited bonds.
    share: Amount,
    /// What the treasury gets of them.
    rest: Amount,
    defaulted: bool,
}

impl Job {
    /// What a party is owed and has not collected, whether or not it must wait for it.
    ///
    /// # Errors
    /// `WrongState` before the job has ended, `SeatOutOfRange`, `Overflow`.
    pub fn owed(&self, seats: &[Seat], party: Party) -> Result<Owed> {
        self.uncollected(seats, party, &self.divide(seats)?)
    }

    /// What a party may collect now.
    ///
    /// # Errors
    /// `WrongState` before the job has ended, `StillWaiting` while the agreed answer is neither acknowledged nor waited
    /// for, `NothingOwed`, `SeatOutOfRange`, `Overflow`.
    pub fn payable(&self, seats: &[Seat], party: Party, now: Slot) -> Result<Owed> {
        let division = self.divide(seats)?;
        let owed = self.uncollected(seats, party, &division)?;
        let minority = matches!(party, Party::Seat(index) if !division.agreeing.contains(index));
        require!(minority || self.is_settled(now)?, MarketError::StillWaiting);
        require!(!owed.is_nothing(), MarketError::NothingOwed);
        Ok(owed)
    }

    /// What a party may have parked, because it could not take it: as [`Job::payable`], for seats and payer alone and not
    /// before 216,000 slots after the end.
    ///
    /// # Errors
    /// `NothingToPark` for another party, `TooEarly`, and those of [`Job::payable`].
    pub fn parkable(&self, seats: &[Seat], party: Party, now: Slot) -> Result<Owed> {
        require!(matches!(party, Party::Seat(_) | Party::Payer), MarketError::NothingToPark);
        let owed = self.payable(seats, party, now)?;
        require!(now.since(Slot(self.decided_at)) >= PARK_AFTER, MarketError::TooEarly);
        Ok(owed)
    }

    /// Notes that a party has collected something.
    ///
    /// # Errors
    /// `SeatOutOfRange`; `BrokenInvariant` when it was collected before.
    pub fn collect(&mut self, seats: &mut [Seat], party: Party, part: Part) -> Result<()> {
        let bit = bit(party, part);
        let collected = match party {
            Party::Seat(index) => &mut super::seat_at(seats, index)?.collected,
            _ => &mut self.collected,
        };
        require!(bit != 0 && *collected & bit == 0, MarketError::BrokenInvariant);
        *collected |= bit;
        Ok(())
    }

    /// The first party, seats first, that may collect something now.
    ///
    /// # Errors
    /// `WrongState` before the job has ended, `Overflow`.
    pub fn collectable(&self, seats: &[Seat], now: Slot) -> Result<Option<Party>> {
        self.divide(seats)?;
        Ok(parties(seats).find(|party| self.payable(seats, *party, now).is_ok()))
    }

    /// Whether everybody has collected everything.
    ///
    /// # Errors
    /// `WrongState` before the job has ended, `Overflow`.
    pub fn is_paid_out(&self, seats: &[Seat]) -> Result<bool> {
        let division = self.divide(seats)?;
        for party in parties(seats) {
            if !self.uncollected(seats, party, &division)?.is_nothing() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// How the deposit is divided.
    ///
    /// # Errors
    /// `WrongState` before the job has ended, `Overflow`.
    pub fn split(&self, seats: &[Seat]) -> Result<Split> {
        Ok(self.divide(seats)?.split)
    }

    fn divide(&self, seats: &[Seat]) -> Result<Division> {
        let state = self.state()?;
        require!(state.is_ended(), MarketError::WrongState);
        let deposit = Amount(self.deposit);
        let split = match (state, self.winner(seats)) {
            (JobState::Agreed, Some(winner)) => fees::split(&self.prices()?, deposit, winner.work())?,
            _ => Split { refund: deposit, ..Split::default() },
        };
        let agreeing = self.agreeing(seats);
        let defaulted = state == JobState::Defaulted;
        let revealers = seats.iter().filter(|seat| seat.is(SeatState::Revealed)).fold(0u64, |n, _| n.saturating_add(1));
        let forfeited = Amount(self.forfeited);
        let share = forfeited.divided(revealers).map_or(Amount::ZERO, |(part, _)| part.min(MOST_FORFEIT_SHARE));
        // Who defaults has no part in what others forfeited, and loses the bond.
        let sharers = if defaulted { revealers.saturating_sub(agreeing.len()) } else { revealers };
        let mut rest = forfeited.minus(many(share, sharers)?)?;
        if defaulted {
            rest = rest.plus(many(Amount(self.bond), agreeing.len())?)?;
        }
        Ok(Division { split, agreeing, share, rest, defaulted })
    }

    fn uncollected(&self, seats: &[Seat], party: Party, division: &Division) -> Result<Owed> {
        let (due, collected) = match party {
            Party::Seat(index) => {
                let seat = seats.get(usize::from(index)).ok_or(MarketError::SeatOutOfRange)?;
                (self.due_to_seat(index, seat, division)?, seat.collected)
            }
            Party::Royalty => (Owed { money: division.split.royalty, ..Owed::default() }, self.collected),
            Party::Protocol => {
                (Owed { money: division.split.protocol, lamports: division.rest, bond: false }, self.collected)
            }
            Party::Payer => {
                let lamports = if division.defaulted { DEMAND_DEPOSIT } else { Amount::ZERO };
                (Owed { money: division.split.refund, lamports, bond: false }, self.collected)
            }
        };
        let open = |part| collected & bit(party, part) == 0;
        Ok(Owed {
            money: if open(Part::Money) { due.money } else { Amount::ZERO },
            lamports: if open(Part::Lamports) { due.lamports } else { Amount::ZERO },
            bond: due.bond && open(Part::Bond),
        })
    }

    fn due_to_seat(&self, index: u8, seat: &Seat, division: &Division) -> Result<Owed> {
        let agrees = division.agreeing.contains(index);
        let state = seat.state()?;
        if matches!(state, SeatState::Free | SeatState::Missed) || (agrees && division.defaulted) {
            return Ok(Owed::default());
        }
        let lamports = if state == SeatState::Revealed { division.share } else { Amount::ZERO };
        let money = if agrees {
            fees::node_part(division.split.nodes, division.agreeing.len(), index == self.winner)?
        } else {
            Amount::ZERO
        };
        Ok(Owed { money, lamports, bond: true })
    }
}

/// Every party of a job, seats first.
fn parties(seats: &[Seat]) -> impl Iterator<Item = Party> {
    (0..).zip(seats).map(|(index, _)| Party::Seat(index)).chain([Party::Royalty, Party::Protocol, Party::Payer])
}

/// The bit that notes a collected part: in the seat's byte, or in the job's. Zero for what the party is never owed.
fn bit(party: Party, part: Part) -> u8 {
    match (party, part) {
        (Party::Seat(_), part) => part as u8,
        (Party::Royalty, Part::Money) => 1,
        (Party::Protocol, Part::Money) => 2,
        (Party::Protocol, Part::Lamports) => 4,
        (Party::Payer, Part::Money) => 8,
        (Party::Payer, Part::Lamports) => 16,
        _ => 0,
    }
}

/// `count` times `amount`, for the few seats of a job.
fn many(amount: Amount, count: u64) -> Result<Amount> {
    Ok((0..count).try_fold(Amount::ZERO, |sum, _| sum.plus(amount))?)
}
