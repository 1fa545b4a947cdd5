//! Shows that a demanded answer is too long to be put on chain. Whoever shows it gets the demand's deposit.
//!
//! It satisfies the demand without making the answer available: until content roots are over leaves of 1 KiB, so that
//! drawn leaves of a long answer can be demanded, a payer of long answers trusts the nodes for their delivery.

use anchor_lang::prelude::*;
use provena_arith::merkle;
use provena_common::{money, slot::Slot};

use crate::{
    constants::{DEMAND_DEPOSIT, MAX_ANSWER},
    error::MarketError,
    state::{JobAccount, job},
};

/// Accounts of `prove_length`.
#[derive(Accounts)]
pub struct ProveLength {
    /// Gets the deposit.
    #[account(mut)]
    pub prover: Signer,
    /// The job.
    #[account(mut)]
    pub job: JobAccount,
}

impl ProveLength {
    /// # Errors
    /// `AnswerLength` for one that fits, `WrongAnswer` when length and tree do not make the agreed content root, and those
    /// of [`Job::answered`](crate::state::Job::answered).
    pub fn handle(&mut self, len: u64, tree: &[u8; 32]) -> Result<()> {
        let now = Slot::now()?;
        let (job, seats) = job::parts(&mut self.job);
        job.answered(now)?;
        require!(usize::try_from(len).is_ok_and(|len| len > MAX_ANSWER), MarketError::AnswerLength);
        let root = merkle::root_of(len, tree);
        require!(job.winner(seats).is_some_and(|seat| seat.value == root), MarketError::WrongAnswer);
        job.invariant(seats)?;
        money::move_lamports(self.job.view(), self.prover.account(), DEMAND_DEPOSIT)
    }
}
