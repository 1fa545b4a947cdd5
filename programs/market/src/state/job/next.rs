//! What comes next, in one place: handlers, clients, nodes and tests all ask here.

use anchor_lang::prelude::*;
use provena_common::slot::Slot;

use super::{Job, JobState, Party, indexed};
use crate::{
    constants::{ANSWER_WINDOW, GRACE, NONCE_AGE, SETTLE_AFTER},
    error::MarketError,
    state::{Seat, SeatState},
};

/// What somebody can do for a job now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Next {
    /// Take a free seat; a node.
    TakeSeat,
    /// Commit to a result; a node that holds a seat of several.
    Commit,
    /// Answer; the node of a job of one seat.
    Answer,
    /// Reveal the result; a node that committed.
    Reveal,
    /// `expire_seat` for the seat of this index; anybody.
    ExpireSeat(u8),
    /// `finalize`; anybody.
    Finalize,
    /// `acknowledge` the answer, or `demand_answer`; the payer.
    Acknowledge,
    /// Put the demanded answer on chain; a node that agreed.
    PutAnswer,
    /// `default_answer`; anybody.
    DefaultAnswer,
    /// Collect for this party; anybody.
    Collect(Party),
    /// `close_job`.
    Close,
    /// Nothing before this slot.
    WaitUntil(Slot),
    /// Nothing any more: the job is closed.
    Done,
}

/// Who asks what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who<'a> {
    /// Anybody.
    Anybody,
    /// The job's payer.
    Payer,
    /// The node of this authority.
    Node(&'a Address),
}

impl Job {
    /// What `who` can do for the job now, or until when there is nothing to do. When others have to act before that, it is
    /// for them to ask.
    ///
    /// # Errors
    /// `BrokenInvariant` for bytes that are no job's, `Overflow`.
    pub fn next(&self, seats: &[Seat], who: Who<'_>, now: Slot) -> Result<Next> {
        match self.state()? {
            JobState::Open => self.next_when_open(seats, who, now),
            JobState::Revealing => Ok(self.next_when_revealing(seats, who, now)),
            _ => self.next_when_ended(seats, who, now),
        }
    }

    fn next_when_open(&self, seats: &[Seat], who: Who<'_>, now: Slot) -> Result<Next> {
        if self.is_due(seats, now)? {
            return Ok(Next::Finalize);
        }
        if let Who::Node(node) = who {
            // What runs against its own deadline comes before what others failed to do.
            match self.seat_held_by(seats, node) {
                Some((_, seat)) if seat.is(SeatState::Taken) && !self.is_late(seat, now) => {
                    return Ok(if seats.len() > 1 { Next::Commit } else { Next::Answer });
                }
                None if !self.is_window_over(now) && seats.iter().any(|seat| seat.is(SeatState::Free)) => {
                    return Ok(Next::TakeSeat);
                }
                _ => {}
            }
        }
        if let Some(index) = self.late_seat(seats, now) {
            return Ok(Next::ExpireSeat(index));
        }
        let deadlines = seats.iter().filter(|seat| seat.is(SeatState::Taken)).map(|seat| seat.deadline);
        let window = (!self.is_window_over(now)).then_some(self.open_until);
        let first = deadlines.chain(window).min().ok_or(MarketError::BrokenInvariant)?;
        Ok(Next::WaitUntil(Slot(first).after(1)?))
    }

    fn next_when_revealing(&self, seats: &[Seat], who: Who<'_>, now: Slot) -> Next {
        if now.0 > self.reveal_until {
            return Next::Finalize;
        }
        let committed = |node: &Address| seats.iter().any(|seat| seat.node == *node && seat.is(SeatState::Committed));
        match who {
            Who::Node(node) if committed(node) => Next::Reveal,
            _ => Next::WaitUntil(Slot(self.reveal_until.saturating_add(1))),
        }
    }

    fn next_when_ended(&self, seats: &[Seat], who: Who<'_>, now: Slot) -> Result<Next> {
        let own = match who {
            Who::Node(node) => self.seat_held_by(seats, node).map(|(index, _)| Party::Seat(index)),
            _ => None,
        };
        if let Some(party) = own {
            // Its own part first; a demanded answer runs against time, whatever others could collect.
            if self.payable(seats, party, now).is_ok() {
                return Ok(Next::Collect(party));
            }
            if !self.owed(seats, party)?.is_nothing() {
                return Ok(self.next_when_unsettled(seats, who, now));
            }
        }
        if let Some(party) = self.collectable(seats, now)? {
            return Ok(Next::Collect(party));
        }
        if !self.is_settled(now)? {
            return Ok(self.next_when_unsettled(seats, who, now));
        }
        // What could be collected has been, and nothing waits: the job is paid out.
        let by_payer = matches!(who, Who::Payer);
        if self.check_close(seats, by_payer, now).is_ok() {
            return Ok(Next::Close);
        }
        let fresh = self.nonce_slot.saturating_add(NONCE_AGE);
        let grace = if by_payer { 0 } else { self.decided_at.saturating_add(GRACE) };
        Ok(Next::WaitUntil(Slot(fresh.max(grace)).after(1)?))
    }

    fn next_when_unsettled(&self, seats: &[Seat], who: Who<'_>, now: Slot) -> Next {
        if self.is_answer_late(now) {
            return Next::DefaultAnswer;
        }
        if self.is_answer_awaited() {
            let agrees = |node: &Address| seats.iter().any(|seat| seat.node == *node && self.agrees(seats, seat));
            return match who {
                Who::Node(node) if agrees(node) => Next::PutAnswer,
                _ => Next::WaitUntil(Slot(self.demanded_at.saturating_add(ANSWER_WINDOW).saturating_add(1))),
            };
        }
        match who {
            Who::Payer => Next::Acknowledge,
            _ => Next::WaitUntil(Slot(self.decided_at.saturating_add(SETTLE_AFTER).saturating_add(1))),
        }
    }

    /// Checks that the job may be closed: by its payer once all is paid out and its nonce is too old to be used again, by
    /// anybody else later, so that the payer can still read it.
    ///
    /// # Errors
    /// `WrongState` before the job has ended, `NotPaidOut`, `TooEarly`.
    pub fn check_close(&self, seats: &[Seat], by_payer: bool, now: Slot) -> Result<()> {
        require!(self.is_paid_out(seats)?, MarketError::NotPaidOut);
        let spent = now.0 > self.nonce_slot.saturating_add(NONCE_AGE);
        let allowed = by_payer || now.0 > self.decided_at.saturating_add(GRACE);
        require!(spent && allowed, MarketError::TooEarly);
        Ok(())
    }

    /// The node's seat.
    #[must_use]
    pub fn seat_held_by<'a>(&self, seats: &'a [Seat], node: &Address) -> Option<(u8, &'a Seat)> {
        indexed(seats).find(|(_, seat)| seat.node == *node)
    }
}
