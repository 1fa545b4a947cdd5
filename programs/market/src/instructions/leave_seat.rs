//! A node leaves a seat without loss, because its co-nodes do not come.

use anchor_lang::prelude::*;
use provena_common::{account::State, slot::Slot};

use crate::{
    error::MarketError,
    events::JobProgressed,
    fees::Amount,
    state::{JobAccount, Node, job},
};

/// Accounts of `leave_seat`.
#[derive(Accounts)]
pub struct LeaveSeat {
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

impl LeaveSeat {
    /// # Errors
    /// `NotNodeAuthority`, and those of [`Job::leave_seat`](crate::state::Job::leave_seat).
    pub fn handle(&mut self, index: u8) -> Result<()> {
        let (now, authority) = (Slot::now()?, *self.authority.address());
        let (job, seats) = job::parts(&mut self.job);
        job.leave_seat(seats, index, &authority, now)?;
        self.node.release(Amount(job.bond))?;
        self.node.invariant()?;
        job.invariant(seats)?;
        let state = job.state;
        emit!(JobProgressed { job: *self.job.address(), node: authority, state, index });
        Ok(())
    }
}
