//! The payer has the answer: pay waits no longer.

use anchor_lang::prelude::*;

use crate::{
    error::MarketError,
    state::{JobAccount, job},
};

/// Accounts of `acknowledge`.
#[derive(Accounts)]
pub struct Acknowledge {
    /// The job's payer.
    #[account(address = job.payer @ MarketError::NotPayer)]
    pub payer: Signer,
    /// The job.
    #[account(mut)]
    pub job: JobAccount,
}

impl Acknowledge {
    /// # Errors
    /// `NotPayer`, and those of [`Job::acknowledge`](crate::state::Job::acknowledge).
    pub fn handle(&mut self) -> Result<()> {
        let (job, seats) = job::parts(&mut self.job);
        job.acknowledge()?;
        job.invariant(seats)
    }
}
