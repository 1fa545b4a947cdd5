//! Shows that the agreed answer is on chain. Its poster gets the demand's deposit.

use anchor_lang::prelude::*;
use provena_arith::merkle;
use provena_common::{money, slot::Slot};

use crate::{
    constants::DEMAND_DEPOSIT,
    error::MarketError,
    state::{AnswerAccount, JobAccount, job},
};

/// Accounts of `seal_answer`.
#[derive(Accounts)]
pub struct SealAnswer {
    /// Who put the answer there; gets the deposit.
    #[account(mut)]
    pub poster: Signer,
    /// The job.
    #[account(mut)]
    pub job: JobAccount,
    /// The poster's answer.
    #[account(mut)]
    pub answer: AnswerAccount,
}

impl SealAnswer {
    /// # Errors
    /// `WrongPoster`, `WrongAnswer` when its content root is not the agreed one, and those of
    /// [`Job::answered`](crate::state::Job::answered).
    pub fn handle(&mut self) -> Result<()> {
        let now = Slot::now()?;
        self.answer.check(self.job.address(), self.poster.address())?;
        let (job, seats) = job::parts(&mut self.job);
        job.answered(now)?;
        let agreed = job.winner(seats).map(|seat| seat.value);
        let right = agreed.is_some() && merkle::chunk_root(self.answer.as_slice()) == agreed;
        require!(right, MarketError::WrongAnswer);
        job.invariant(seats)?;
        self.answer.sealed_at = now.0;
        money::move_lamports(self.job.view(), self.poster.account(), DEMAND_DEPOSIT)
    }
}
