//! Lets somebody move some of a holder's shares.

use anchor_lang::prelude::*;
use provena_common::account::State;

use crate::{error::RoyaltyError, shares::Shares, state::Position};

/// Accounts of `approve`.
#[derive(Accounts)]
pub struct Approve {
    /// The holder.
    #[account(constraint = *holder.address() == position.holder @ RoyaltyError::WrongHolder)]
    pub holder: Signer,
    /// Its position.
    #[account(mut)]
    pub position: State<Position>,
}

impl Approve {
    /// Replaces whoever was approved before. What is not vested stays locked for a delegate, too.
    ///
    /// # Errors
    /// [`RoyaltyError::WrongHolder`], [`RoyaltyError::ZeroShares`], [`RoyaltyError::TooManyShares`].
    pub fn handle(&mut self, delegate: Address, shares: u64) -> Result<()> {
        let shares = Shares::new(shares)?;
        require!(!shares.is_zero(), RoyaltyError::ZeroShares);
        self.position.approve(delegate, shares);
        self.position.invariant()
    }
}
