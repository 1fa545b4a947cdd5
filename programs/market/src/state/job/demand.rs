//! The payer acknowledges the answer, or demands it on chain.

use anchor_lang::prelude::*;
use provena_common::slot::Slot;

use super::{Job, JobState, flag, indexed};
use crate::{
    constants::{ANSWER_WINDOW, SETTLE_AFTER},
    error::MarketError,
    state::{Seat, SeatSet},
};

impl Job {
    /// The payer has the answer: pay waits no longer.
    ///
    /// # Errors
    /// `WrongState` unless a quorum agreed, `AlreadyAcknowledged`, `AnswerDemanded` while a demanded answer is awaited: the
    /// nodes may be putting it on chain, at their cost.
    pub fn acknowledge(&mut self) -> Result<()> {
        self.expect(JobState::Agreed)?;
        require!(!self.has(flag::ACKNOWLEDGED), MarketError::AlreadyAcknowledged);
        require!(!self.is_answer_awaited(), MarketError::AnswerDemanded);
        self.flags |= flag::ACKNOWLEDGED;
        Ok(())
    }

    /// The payer did not get the answer: it must come on chain within 750 slots. The caller takes the demand's deposit.
    ///
    /// # Errors
    /// `WrongState` unless a quorum agreed, `AlreadyAcknowledged`, `AlreadyDemanded`, `WindowOver` later than 1,500 slots
    /// after the decision.
    pub fn demand_answer(&mut self, now: Slot) -> Result<()> {
        self.expect(JobState::Agreed)?;
        require!(!self.has(flag::ACKNOWLEDGED), MarketError::AlreadyAcknowledged);
        require!(self.demanded_at == 0, MarketError::AlreadyDemanded);
        require!(now.since(Slot(self.decided_at)) <= SETTLE_AFTER, MarketError::WindowOver);
        self.demanded_at = now.0;
        Ok(())
    }

    /// The demanded answer is on chain, or is shown to be too long for it. The caller pays the demand's deposit to whoever
    /// brought it. One copy serves all agreeing nodes: it makes the answer available.
    ///
    /// # Errors
    /// `WrongState` unless a quorum agreed, `NotDemanded` when no answer is awaited, `DeadlinePassed` later than 750 slots
    /// after the demand.
    pub fn answered(&mut self, now: Slot) -> Result<()> {
        self.expect(JobState::Agreed)?;
        require!(self.is_answer_awaited(), MarketError::NotDemanded);
        require!(now.since(Slot(self.demanded_at)) <= ANSWER_WINDOW, MarketError::DeadlinePassed);
        self.flags |= flag::ANSWERED;
        Ok(())
    }

    /// Ends a job whose demanded answer did not come, and returns the agreeing seats; the caller takes their bonds, which
    /// go to the treasury. The payer gets everything back, and a minority keeps what it had.
    ///
    /// # Errors
    /// `WrongState` unless a quorum agreed, `NotDemanded` when no answer is awaited, `TooEarly` within 750 slots of the
    /// demand.
    pub fn default_answer(&mut self, seats: &[Seat], now: Slot) -> Result<SeatSet> {
        self.expect(JobState::Agreed)?;
        require!(self.is_answer_awaited(), MarketError::NotDemanded);
        require!(self.is_answer_late(now), MarketError::TooEarly);
        let agreeing = self.agreeing(seats);
        self.end(JobState::Defaulted, now);
        Ok(agreeing)
    }

    /// Whether the payer's demand waits for the answer.
    #[must_use]
    pub const fn is_answer_awaited(&self) -> bool {
        self.state == JobState::Agreed as u8 && self.demanded_at != 0 && !self.has(flag::ANSWERED)
    }

    /// Whether an awaited answer is late.
    #[must_use]
    pub const fn is_answer_late(&self, now: Slot) -> bool {
        self.is_answer_awaited() && now.since(Slot(self.demanded_at)) > ANSWER_WINDOW
    }

    /// Whether an ended job pays out: an agreed one once the payer acknowledged it, once a demanded answer is on chain, or
    /// when 1,500 slots have passed without a demand; all others at once.
    ///
    /// # Errors
    /// `WrongState` for a job that has not ended.
    pub fn is_settled(&self, now: Slot) -> Result<bool> {
        let state = self.state()?;
        require!(state.is_ended(), MarketError::WrongState);
        let waited = self.demanded_at == 0 && now.since(Slot(self.decided_at)) > SETTLE_AFTER;
        Ok(state != JobState::Agreed || self.has(flag::ACKNOWLEDGED | flag::ANSWERED) || waited)
    }

    /// The seats that revealed what the quorum agreed on.
    #[must_use]
    pub fn agreeing(&self, seats: &[Seat]) -> SeatSet {
        let agreeing = indexed(seats).filter(|(_, seat)| self.agrees(seats, seat));
        agreeing.fold(SeatSet::NONE, |set, (index, _)| set.with(index))
    }
}
