//! A node shows its result and what opens its commitment. The last reveal decides the job.

use anchor_lang::prelude::*;
use provena_arith::commitment::Commitment;
use provena_common::{account::State, slot::Slot};

use crate::{
    events::ResultRevealed,
    fees::Work,
    state::{Admin, JobAccount, job},
};

/// Accounts of `reveal`.
#[derive(Accounts)]
pub struct Reveal {
    /// The authority of the node that holds the seat.
    pub authority: Signer,
    /// The market's settings, which name the cluster.
    pub admin: State<Admin>,
    /// The job.
    #[account(mut)]
    pub job: JobAccount,
}

impl Reveal {
    /// # Errors
    /// Those of [`Job::reveal`](crate::state::Job::reveal).
    pub fn handle(&mut self, index: u8, result_root: &[u8; 32], work: Work, salt: &[u8; 32]) -> Result<()> {
        let (now, authority, address) = (Slot::now()?, *self.authority.address(), *self.job.address());
        let opened = Commitment {
            cluster: &self.admin.cluster,
            program: crate::ID.as_array(),
            job: address.as_array(),
            terms_hash: &self.job.terms_hash,
            posted_slot: self.job.posted_at,
            node: authority.as_array(),
            result_root,
            units_in: work.input.0,
            units_out: work.output.0,
        }
        .hash(salt);
        let (job, seats) = job::parts(&mut self.job);
        job.reveal(seats, index, &authority, (result_root, work), &opened, now)?;
        job.invariant(seats)?;
        emit!(ResultRevealed {
            job: address,
            node: authority,
            result_root: *result_root,
            units_in: work.input.0,
            units_out: work.output.0,
            state: job.state,
            index,
            padding: [0; 6],
        });
        Ok(())
    }
}
