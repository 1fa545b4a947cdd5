//! A node binds itself to a result without showing it.

use anchor_lang::prelude::*;
use provena_common::slot::Slot;

use crate::{
    events::JobProgressed,
    state::{JobAccount, job},
};

/// Accounts of `commit`.
#[derive(Accounts)]
pub struct Commit {
    /// The authority of the node that holds the seat.
    pub authority: Signer,
    /// The job.
    #[account(mut)]
    pub job: JobAccount,
}

impl Commit {
    /// # Errors
    /// Those of [`Job::commit`](crate::state::Job::commit).
    pub fn handle(&mut self, index: u8, commitment: [u8; 32]) -> Result<()> {
        let (now, authority) = (Slot::now()?, *self.authority.address());
        let (job, seats) = job::parts(&mut self.job);
        job.commit(seats, index, &authority, commitment, now)?;
        job.invariant(seats)?;
        let state = job.state;
        emit!(JobProgressed { job: *self.job.address(), node: authority, state, index });
        Ok(())
    }
}
