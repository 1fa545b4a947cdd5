//! Ends a seat whose own deadline has passed. Anybody may call it.

use anchor_lang::prelude::*;
use provena_common::{account::State, slot::Slot};

use crate::{
    error::MarketError,
    events::JobProgressed,
    forfeits,
    state::{JobAccount, Node, job},
};

/// Accounts of `expire_seat`.
#[derive(Accounts)]
pub struct ExpireSeat {
    /// The job.
    #[account(mut)]
    pub job: JobAccount,
    /// The node that holds the seat; loses its bond to the job.
    #[account(mut)]
    pub node: State<Node>,
}

impl ExpireSeat {
    /// # Errors
    /// `WrongNode`, and those of [`Job::expire_seat`](crate::state::Job::expire_seat).
    pub fn handle(&mut self, index: u8) -> Result<()> {
        let now = Slot::now()?;
        let (job, seats) = job::parts(&mut self.job);
        let holder = job.expire_seat(seats, index, now)?;
        require!(holder == self.node.authority, MarketError::WrongNode);
        job.invariant(seats)?;
        let state = job.state;
        forfeits::take_one(&self.job, &mut self.node)?;
        emit!(JobProgressed { job: *self.job.address(), node: holder, state, index });
        Ok(())
    }
}
