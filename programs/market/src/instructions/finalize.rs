//! Moves on a job whose time has come. Anybody may call it.

use anchor_lang::prelude::*;
use provena_common::slot::Slot;

use crate::{
    events::JobProgressed,
    forfeits,
    state::{JobAccount, job},
};

/// Accounts of `finalize`. After them follow, writable and in the order of the seats, the node accounts of the seats that
/// lose their bonds by it: the late ones. It calls no program and touches no token account.
#[derive(Accounts)]
pub struct Finalize {
    /// The job.
    #[account(mut)]
    pub job: JobAccount,
}

impl Finalize {
    /// # Errors
    /// `MissingNodes`, `WrongNode`, and those of [`Job::finalize`](crate::state::Job::finalize).
    pub fn handle(&mut self, nodes: &[AccountView]) -> Result<()> {
        let now = Slot::now()?;
        let (job, seats) = job::parts(&mut self.job);
        let late = job.finalize(seats, now)?;
        job.invariant(seats)?;
        let (state, index) = (job.state, job.winner);
        forfeits::take(&self.job, late, nodes)?;
        emit!(JobProgressed { job: *self.job.address(), node: Address::default(), state, index });
        Ok(())
    }
}
