//! The node of a job of one seat answers it, which decides it.

use anchor_lang::prelude::*;
use provena_common::slot::Slot;

use crate::{
    events::ResultRevealed,
    fees::Work,
    state::{JobAccount, job},
};

/// Accounts of `answer`.
#[derive(Accounts)]
pub struct AnswerJob {
    /// The authority of the node that holds the seat.
    pub authority: Signer,
    /// The job.
    #[account(mut)]
    pub job: JobAccount,
}

impl AnswerJob {
    /// # Errors
    /// Those of [`Job::answer`](crate::state::Job::answer).
    pub fn handle(&mut self, result_root: &[u8; 32], work: Work) -> Result<()> {
        let (now, authority, address) = (Slot::now()?, *self.authority.address(), *self.job.address());
        let (job, seats) = job::parts(&mut self.job);
        job.answer(seats, &authority, result_root, work, now)?;
        job.invariant(seats)?;
        emit!(ResultRevealed {
            job: address,
            node: authority,
            result_root: *result_root,
            units_in: work.input.0,
            units_out: work.output.0,
            state: job.state,
            index: 0,
            padding: [0; 6],
        });
        Ok(())
    }
}
