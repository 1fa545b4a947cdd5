//! Nodes take seats and leave them, late ones expire, the payer cancels.

use anchor_lang::{bytemuck::Zeroable, prelude::*};
use provena_common::slot::Slot;

use super::{Job, JobState, indexed, seat_at, seat_of};
use crate::{
    constants::LEAVE_AFTER,
    error::MarketError,
    fees::Amount,
    state::{Seat, SeatState},
};

impl Job {
    /// Gives seat `index` to `node`, whose bond the caller locks. `terms_hash` is the hash of the terms that the node
    /// agreed to: a payer cannot exchange the job under the node's feet.
    ///
    /// # Errors
    /// `WrongState`, `WindowOver` after `open_until`, `WrongTerms`, `DuplicateNode` when the node is named by a seat
    /// already, `SeatOutOfRange`, `SeatTaken`, `Overflow`.
    pub fn take_seat(
        &mut self,
        seats: &mut [Seat],
        index: u8,
        node: Address,
        terms_hash: &[u8; 32],
        now: Slot,
    ) -> Result<()> {
        self.expect(JobState::Open)?;
        require!(!self.is_window_over(now), MarketError::WindowOver);
        require!(*terms_hash == self.terms_hash, MarketError::WrongTerms);
        require!(seats.iter().all(|seat| seat.node != node), MarketError::DuplicateNode);
        let deadline = now.after(u64::from(self.commit_window))?;
        let seat = seat_at(seats, index)?;
        require!(seat.is(SeatState::Free), MarketError::SeatTaken);
        seat.node = node;
        seat.deadline = deadline.0;
        seat.set(SeatState::Taken);
        Ok(())
    }

    /// Frees the node's seat without loss: its co-nodes do not come. The caller releases the bond.
    ///
    /// Only while seats may still be taken: afterwards `finalize` ends the waiting for everybody, and a node that left
    /// then would take the others' pay with it.
    ///
    /// # Errors
    /// `WrongState` unless the job is open, `SeatOutOfRange`, `WrongNode`, `WindowOver`, `DeadlinePassed` for a late seat,
    /// `NobodyMissing` while no other seat is free, `TooEarly` within 150 slots of taking it.
    pub fn leave_seat(&mut self, seats: &mut [Seat], index: u8, node: &Address, now: Slot) -> Result<()> {
        self.expect(JobState::Open)?;
        let missing = seats.iter().any(|seat| seat.is(SeatState::Free));
        let late = |seat: &Seat| self.is_late(seat, now);
        let seat = seat_of(seats, index, node)?;
        require!(!self.is_window_over(now), MarketError::WindowOver);
        require!(!late(seat), MarketError::DeadlinePassed);
        require!(missing, MarketError::NobodyMissing);
        let taken_at = seat.deadline.saturating_sub(u64::from(self.commit_window));
        require!(now.since(Slot(taken_at)) >= LEAVE_AFTER, MarketError::TooEarly);
        *seat = Seat::zeroed();
        Ok(())
    }

    /// Ends a seat whose own deadline has passed; its bond is forfeited. The caller takes the bond from the node that is
    /// returned. While seats may be taken, the seat is free again; afterwards it stays [`SeatState::Missed`].
    ///
    /// # Errors
    /// `WrongState` unless the job is open, `SeatOutOfRange`, `NotLate`.
    pub fn expire_seat(&mut self, seats: &mut [Seat], index: u8, now: Slot) -> Result<Address> {
        self.expect(JobState::Open)?;
        let window_over = self.is_window_over(now);
        let late = |seat: &Seat| self.is_late(seat, now);
        let seat = seat_at(seats, index)?;
        require!(late(seat), MarketError::NotLate);
        let node = seat.node;
        if window_over {
            seat.set(SeatState::Missed);
        } else {
            *seat = Seat::zeroed();
        }
        self.forfeit(1)?;
        Ok(node)
    }

    /// The payer takes the job back while no node works on it.
    ///
    /// # Errors
    /// `WrongState` unless the job is open, `WindowOver` after `open_until` (use `finalize`), `JobInUse` when a node holds a
    /// seat.
    pub fn cancel(&mut self, seats: &[Seat], now: Slot) -> Result<()> {
        self.expect(JobState::Open)?;
        require!(!self.is_window_over(now), MarketError::WindowOver);
        require!(seats.iter().all(|seat| seat.is(SeatState::Free)), MarketError::JobInUse);
        self.end(JobState::Cancelled, now);
        Ok(())
    }

    /// Whether seats may no longer be taken.
    #[must_use]
    pub const fn is_window_over(&self, now: Slot) -> bool {
        now.0 > self.open_until
    }

    /// Whether a seat's own deadline has passed without what it promised: the one reason for which a bond is ever
    /// forfeited before a job ends.
    ///
    /// In an open job that is a seat without commitment or answer after its `deadline`; while others reveal, a commitment
    /// that is not revealed after `reveal_until`.
    #[must_use]
    pub fn is_late(&self, seat: &Seat, now: Slot) -> bool {
        match (self.state(), seat.state()) {
            (Ok(JobState::Open), Ok(SeatState::Taken)) => now.0 > seat.deadline,
            (Ok(JobState::Revealing), Ok(SeatState::Committed)) => now.0 > self.reveal_until,
            _ => false,
        }
    }

    /// The first late seat.
    #[must_use]
    pub fn late_seat(&self, seats: &[Seat], now: Slot) -> Option<u8> {
        indexed(seats).find(|(_, seat)| self.is_late(seat, now)).map(|(index, _)| index)
    }

    /// Counts the bonds of `count` seats as forfeited.
    pub(super) fn forfeit(&mut self, count: u64) -> Result<()> {
        for _ in 0..count {
            self.forfeited = Amount(self.forfeited).plus(Amount(self.bond))?.0;
        }
        Ok(())
    }
}
