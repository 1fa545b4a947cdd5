//! Commitments, reveals, and the one answer of a job of one seat.

use anchor_lang::prelude::*;
use provena_common::slot::Slot;

use super::{Job, JobState, seat_of};
use crate::{
    error::MarketError,
    fees::Work,
    state::{Seat, SeatState},
};

impl Job {
    /// Binds the node of seat `index` to a result. With the last seat's commitment the time to reveal begins.
    ///
    /// # Errors
    /// `WrongState` unless the job is open, `SingleSeat` for a job of one seat, which is answered instead,
    /// `SeatOutOfRange`, `WrongNode`, `AlreadyCommitted`, `DeadlinePassed`, `Overflow`.
    pub fn commit(
        &mut self,
        seats: &mut [Seat],
        index: u8,
        node: &Address,
        commitment: [u8; 32],
        now: Slot,
    ) -> Result<()> {
        self.expect(JobState::Open)?;
        require!(seats.len() > 1, MarketError::SingleSeat);
        let seat = seat_of(seats, index, node)?;
        require!(seat.is(SeatState::Taken), MarketError::AlreadyCommitted);
        require!(now.0 <= seat.deadline, MarketError::DeadlinePassed);
        seat.value = commitment;
        seat.set(SeatState::Committed);
        if seats.iter().all(|seat| seat.is(SeatState::Committed)) {
            self.begin_reveals(now)?;
        }
        Ok(())
    }

    /// Shows a result. `opened` is the commitment that result, units and salt make. The last reveal decides the job.
    ///
    /// # Errors
    /// `WrongState` unless reveals have begun, `SeatOutOfRange`, `WrongNode`, `AlreadyRevealed`, `NotCommitted`,
    /// `DeadlinePassed`, `ZeroUnits`, `TooManyUnits`, `WrongPreimage`.
    pub fn reveal(
        &mut self,
        seats: &mut [Seat],
        index: u8,
        node: &Address,
        result: (&[u8; 32], Work),
        opened: &[u8; 32],
        now: Slot,
    ) -> Result<()> {
        self.expect(JobState::Revealing)?;
        let seat = seat_of(seats, index, node)?;
        require!(!seat.is(SeatState::Revealed), MarketError::AlreadyRevealed);
        require!(seat.is(SeatState::Committed), MarketError::NotCommitted);
        require!(now.0 <= self.reveal_until, MarketError::DeadlinePassed);
        let (result_root, work) = result;
        self.check_work(work)?;
        require!(seat.value == *opened, MarketError::WrongPreimage);
        seat.reveal(*result_root, work);
        if !seats.iter().any(|seat| seat.is(SeatState::Committed)) {
            self.decide(seats, now);
        }
        Ok(())
    }

    /// Answers a job of one seat, which decides it.
    ///
    /// # Errors
    /// `WrongState` unless the job is open, `ManySeats` for a job of more seats, `WrongNode`, `DeadlinePassed`, `ZeroUnits`,
    /// `TooManyUnits`.
    pub fn answer(
        &mut self,
        seats: &mut [Seat],
        node: &Address,
        result_root: &[u8; 32],
        work: Work,
        now: Slot,
    ) -> Result<()> {
        self.expect(JobState::Open)?;
        require!(seats.len() == 1, MarketError::ManySeats);
        let seat = seat_of(seats, 0, node)?;
        require!(now.0 <= seat.deadline, MarketError::DeadlinePassed);
        self.check_work(work)?;
        seat.reveal(*result_root, work);
        self.decide(seats, now);
        Ok(())
    }

    pub(super) fn begin_reveals(&mut self, now: Slot) -> Result<()> {
        self.reveal_until = now.after(u64::from(self.reveal_window))?.0;
        self.state = JobState::Revealing as u8;
        Ok(())
    }

    /// The deposit covers the most work, so that this check is the only one that a fee needs.
    fn check_work(&self, work: Work) -> Result<()> {
        require!(!work.is_zero(), MarketError::ZeroUnits);
        require!(work.within(self.most()), MarketError::TooManyUnits);
        Ok(())
    }
}
