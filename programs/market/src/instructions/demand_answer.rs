//! The payer did not get the answer and demands it on chain.

use anchor_lang::prelude::*;
use provena_common::{money, slot::Slot};

use crate::{
    constants::DEMAND_DEPOSIT,
    error::MarketError,
    events::AnswerDemanded,
    state::{JobAccount, job},
};

/// Accounts of `demand_answer`.
#[derive(Accounts)]
pub struct DemandAnswer {
    /// The job's payer; deposits 60,000 lamports for whoever brings the answer.
    #[account(mut, address = job.payer @ MarketError::NotPayer)]
    pub payer: Signer,
    /// The job.
    #[account(mut)]
    pub job: JobAccount,
    /// Moves the deposit.
    pub system_program: Program<System>,
}

impl DemandAnswer {
    /// # Errors
    /// `NotPayer`, and those of [`Job::demand_answer`](crate::state::Job::demand_answer).
    pub fn handle(&mut self) -> Result<()> {
        let now = Slot::now()?;
        money::transfer_from_wallet(self.payer.account(), self.job.view(), DEMAND_DEPOSIT)?;
        let (job, seats) = job::parts(&mut self.job);
        job.demand_answer(now)?;
        job.invariant(seats)?;
        emit!(AnswerDemanded { job: *self.job.address(), demanded_at: now.0 });
        Ok(())
    }
}
