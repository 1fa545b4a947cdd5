//! Ends a claim whose commit or reveal is late. Anybody may call it.

use anchor_lang::prelude::*;

use crate::committee::{self, Outcome};
use crate::error::MarketError;
use crate::events::JobProgressed;
use crate::state::{Job, JobState, SlotState};

/// Accounts of `timeout_claim`.
#[derive(Accounts)]
pub struct TimeoutClaim {
    /// The job.
    #[account(mut)]
    pub job: Account<Job>,
    /// The late slot; closed here.
    #[account(mut)]
    pub slot: UncheckedAccount,
    /// The node that holds it; loses its bond.
    #[account(mut)]
    pub node: UncheckedAccount,
    /// The node's authority; gets the slot's rent back.
    #[account(unsafe(dup))]
    pub authority: UncheckedAccount,
    /// Receives the bond.
    #[account(unsafe(dup), address = job.payer @ MarketError::Unauthorized)]
    pub payer: UncheckedAccount,
}

impl TimeoutClaim {
    /// Errors: `WrongSlot`, `WrongNode`, `DeadlineNotReached`, `WrongState` for a claim that cannot be late now,
    /// `AlreadyRevealed`.
    pub fn handle(&mut self) -> Result<()> {
        let now = Clock::get()?.slot;
        let accounts = [*self.slot.account(), *self.node.account(), *self.authority.account()];
        let member = committee::read_one(&self.job, &accounts)?;
        match member.state {
            SlotState::Claimed => {
                require!(now > member.commit_deadline, MarketError::DeadlineNotReached);
                self.job.miss_commit(member.index)?;
            }
            SlotState::Committed => {
                let revealing = matches!(self.job.state()?, JobState::Committed | JobState::Revealed);
                require!(revealing, MarketError::WrongState);
                require!(now > self.job.reveal_deadline, MarketError::DeadlineNotReached);
                self.job.miss_reveal(member.index)?;
            }
            SlotState::Revealed => return Err(MarketError::AlreadyRevealed.into()),
        }
        member.end(Outcome::Forfeited, self.job.account(), self.payer.account())?;
        self.job.invariant()?;
        emit!(JobProgressed {
            job: *self.job.address(),
            authority: *self.authority.address(),
            state: self.job.state,
            index: member.index,
        });
        Ok(())
    }
}
