//! Ends a job whose demanded answer did not come. Anybody may call it.

use anchor_lang::prelude::*;
use provena_common::slot::Slot;

use crate::{
    events::JobProgressed,
    forfeits,
    state::{JobAccount, job},
};

/// Accounts of `default_answer`. After them follow, writable and in the order of the seats, the node accounts of the seats
/// that agreed: they lose their bonds.
#[derive(Accounts)]
pub struct DefaultAnswer {
    /// The job.
    #[account(mut)]
    pub job: JobAccount,
}

impl DefaultAnswer {
    /// # Errors
    /// `MissingNodes`, `WrongNode`, and those of [`Job::default_answer`](crate::state::Job::default_answer).
    pub fn handle(&mut self, nodes: &[AccountView]) -> Result<()> {
        let now = Slot::now()?;
        let (job, seats) = job::parts(&mut self.job);
        let agreeing = job.default_answer(seats, now)?;
        job.invariant(seats)?;
        let (state, index) = (job.state, job.winner);
        forfeits::take(&self.job, agreeing, nodes)?;
        emit!(JobProgressed { job: *self.job.address(), node: Address::default(), state, index });
        Ok(())
    }
}
