//! Names more initial holders of a pool that still has unassigned shares.

use anchor_lang::prelude::*;

use super::create_pool::{Holder, assign_all};
use crate::{error::RoyaltyError, state::Pool};

/// Accounts of `add_holders`; one writable position account per holder follows, in the same order.
#[derive(Accounts)]
pub struct AddHolders {
    #[account(mut, constraint = *creator.address() == pool.creator @ RoyaltyError::NotPoolCreator)]
    pub creator: Signer,
    #[account(mut)]
    pub pool: Account<Pool>,
    pub system_program: Program<System>,
}

impl AddHolders {
    /// Errors: [`RoyaltyError::PoolSealed`] and those of [`assign_all`].
    pub fn handle(&mut self, holders: &[Holder], positions: &[AccountView]) -> Result<()> {
        require!(!self.pool.is_sealed(), RoyaltyError::PoolSealed);
        assign_all(&mut self.pool, self.creator.account(), holders, positions)?;
        self.pool.invariant()
    }
}
