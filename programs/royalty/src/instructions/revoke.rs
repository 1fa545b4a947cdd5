//! Takes a delegate's right back.

use anchor_lang::prelude::*;
use provena_common::account::State;

use crate::{error::RoyaltyError, state::Position};

/// Accounts of `revoke`.
#[derive(Accounts)]
pub struct Revoke {
    /// The holder.
    #[account(constraint = *holder.address() == position.holder @ RoyaltyError::WrongHolder)]
    pub holder: Signer,
    /// Its position.
    #[account(mut)]
    pub position: State<Position>,
}

impl Revoke {
    /// Succeeds as well when nobody was approved.
    ///
    /// # Errors
    /// [`RoyaltyError::WrongHolder`].
    pub fn handle(&mut self) -> Result<()> {
        self.position.revoke();
        self.position.invariant()
    }
}
