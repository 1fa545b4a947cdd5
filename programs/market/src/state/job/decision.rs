//! What ends the waiting, and who forfeits.

use anchor_lang::prelude::*;
use provena_common::slot::Slot;

use super::{Job, JobState, indexed};
use crate::{
    error::MarketError,
    state::{Seat, SeatSet, SeatState},
};

impl Job {
    /// Moves on a job whose time has come and returns the seats that forfeit now; the caller takes their bonds.
    ///
    /// Open, after `open_until`: late seats forfeit; with enough commitments the reveals begin, and when enough can no
    /// longer come the job has failed at once, so that nobody is held. Revealing, after `reveal_until`: unrevealed seats
    /// forfeit and the job is decided.
    ///
    /// # Errors
    /// `TooEarly`, `WrongState` for a job that has ended, `Overflow`.
    pub fn finalize(&mut self, seats: &mut [Seat], now: Slot) -> Result<SeatSet> {
        require!(self.is_due(seats, now)?, MarketError::TooEarly);
        let late = indexed(seats).filter(|(_, seat)| self.is_late(seat, now));
        let forfeits = late.fold(SeatSet::NONE, |set, (index, _)| set.with(index));
        for index in forfeits.iter() {
            super::seat_at(seats, index)?.set(SeatState::Missed);
        }
        self.forfeit(forfeits.len())?;
        match self.state()? {
            JobState::Open if self.has_enough(seats, |seat| seat.is(SeatState::Committed)) => {
                self.begin_reveals(now)?;
            }
            JobState::Open => self.end(JobState::Failed, now),
            _ => self.decide(seats, now),
        }
        Ok(forfeits)
    }

    /// Whether `finalize` would do something.
    ///
    /// # Errors
    /// `WrongState` for a job that has ended.
    pub fn is_due(&self, seats: &[Seat], now: Slot) -> Result<bool> {
        match self.state()? {
            JobState::Open => {
                let in_time = |seat: &Seat| seat.is(SeatState::Taken) && !self.is_late(seat, now);
                let hopeful = seats.iter().any(in_time)
                    && self.has_enough(seats, |seat| seat.is(SeatState::Committed) || in_time(seat));
                Ok(self.is_window_over(now) && !hopeful)
            }
            JobState::Revealing => Ok(now.0 > self.reveal_until),
            _ => Err(MarketError::WrongState.into()),
        }
    }

    /// Decides a job in which nobody is left to reveal.
    pub(super) fn decide(&mut self, seats: &[Seat], now: Slot) {
        let winner = indexed(seats).find(|(_, one)| self.has_enough(seats, |other| one.agrees_with(other)));
        match winner {
            Some((index, _)) => {
                self.winner = index;
                self.end(JobState::Agreed, now);
            }
            None => self.end(JobState::Failed, now),
        }
    }

    fn has_enough(&self, seats: &[Seat], which: impl Fn(&Seat) -> bool) -> bool {
        seats.iter().filter(|seat| which(seat)).count() >= usize::from(self.quorum)
    }
}
