//! The payer takes a job back while no node works on it.

use anchor_lang::prelude::*;
use provena_common::slot::Slot;

use crate::{
    error::MarketError,
    events::JobProgressed,
    state::{JobAccount, job},
};

/// Accounts of `cancel_job`.
#[derive(Accounts)]
pub struct CancelJob {
    /// The job's payer.
    #[account(address = job.payer @ MarketError::NotPayer)]
    pub payer: Signer,
    /// The job.
    #[account(mut)]
    pub job: JobAccount,
}

impl CancelJob {
    /// The deposit waits for `collect_refund`.
    ///
    /// # Errors
    /// `NotPayer`, and those of [`Job::cancel`](crate::state::Job::cancel).
    pub fn handle(&mut self) -> Result<()> {
        let now = Slot::now()?;
        let (job, seats) = job::parts(&mut self.job);
        job.cancel(seats, now)?;
        job.invariant(seats)?;
        let state = job.state;
        emit!(JobProgressed { job: *self.job.address(), node: Address::default(), state, index: 0 });
        Ok(())
    }
}
