//! A node takes a seat of a job and locks its bond.

use anchor_lang::prelude::*;
use provena_common::{account::State, slot::Slot};

use crate::{
    error::MarketError,
    events::JobProgressed,
    fees::Amount,
    state::{JobAccount, Node, job},
};

/// Accounts of `take_seat`.
#[derive(Accounts)]
pub struct TakeSeat {
    /// The node's authority.
    #[account(address = node.authority @ MarketError::NotNodeAuthority)]
    pub authority: Signer,
    /// The node.
    #[account(mut)]
    pub node: State<Node>,
    /// The job.
    #[account(mut)]
    pub job: JobAccount,
}

impl TakeSeat {
    /// `terms_hash` is the job's, as the node read and accepted it. `instance` is the process that acts for the node, or zero:
    /// two with one key would double its work and its signatures, so that the second is refused. It comes last, after what
    /// says more about a seat.
    ///
    /// # Errors
    /// `NotNodeAuthority`, `StakeTooLow`, `StakeLocked`, `AnotherInstance`, and those of [`Job::take_seat`](crate::state::Job::take_seat).
    pub fn handle(&mut self, index: u8, terms_hash: &[u8; 32], instance: u64) -> Result<()> {
        let (now, authority) = (Slot::now()?, *self.authority.address());
        let (job, seats) = job::parts(&mut self.job);
        job.take_seat(seats, index, authority, terms_hash, now)?;
        self.node.lock(Amount(job.bond), Amount(job.min_stake))?;
        self.node.lease(instance, now)?;
        self.node.invariant()?;
        job.invariant(seats)?;
        let state = job.state;
        emit!(JobProgressed { job: *self.job.address(), node: authority, state, index });
        Ok(())
    }
}
