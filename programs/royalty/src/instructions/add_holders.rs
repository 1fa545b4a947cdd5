//! Names more initial holders of a pool that still has unassigned shares.

use anchor_lang::prelude::*;
use provena_common::account::State;

use super::create_pool::{Holder, assign_all};
use crate::{
    error::RoyaltyError,
    state::{Index, Pool},
};

/// Accounts of `add_holders`; one writable position account per holder follows, in the same order.
#[derive(Accounts)]
pub struct AddHolders {
    /// Pays.
    #[account(mut, constraint = *creator.address() == pool.creator @ RoyaltyError::NotPoolCreator)]
    pub creator: Signer,
    /// The pool.
    #[account(mut)]
    pub pool: State<Pool>,
    /// The pool's index.
    #[account(mut, constraint = index.pool == *pool.address() @ RoyaltyError::WrongPool)]
    pub index: State<Index>,
    /// Creates the positions.
    pub system_program: Program<System>,
}

impl AddHolders {
    /// # Errors
    /// [`RoyaltyError::NotPoolCreator`], [`RoyaltyError::PoolSealed`] and those of [`assign_all`].
    pub fn handle(&mut self, holders: &[Holder], positions: &[AccountView]) -> Result<()> {
        require!(!self.pool.is_sealed(), RoyaltyError::PoolSealed);
        assign_all(&mut self.pool, &mut self.index, self.creator.account(), holders, positions)?;
        self.pool.invariant()?;
        self.index.invariant()
    }
}
