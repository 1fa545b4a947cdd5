//! A node binds itself to a result without showing it.

use anchor_lang::prelude::*;

use crate::error::MarketError;
use crate::events::JobProgressed;
use crate::state::{Job, Slot};

/// Accounts of `commit`.
#[derive(Accounts)]
pub struct Commit {
    /// The authority of the node that holds the slot.
    #[account(address = slot.authority @ MarketError::WrongNode)]
    pub authority: Signer,
    /// The job.
    #[account(mut)]
    pub job: Account<Job>,
    /// The slot.
    #[account(mut, constraint = slot.job == *job.address() @ MarketError::WrongSlot)]
    pub slot: Account<Slot>,
}

impl Commit {
    /// Errors: `WrongNode`, `WrongSlot`, `AlreadyCommitted`, `DeadlinePassed`, `WrongState`.
    pub fn handle(&mut self, commitment: [u8; 32]) -> Result<()> {
        let now = Clock::get()?.slot;
        self.slot.commit(commitment, now)?;
        self.job.commit(now)?;
        self.slot.invariant()?;
        self.job.invariant()?;
        emit!(JobProgressed {
            job: *self.job.address(),
            authority: *self.authority.address(),
            state: self.job.state,
            index: self.slot.index,
        });
        Ok(())
    }
}
