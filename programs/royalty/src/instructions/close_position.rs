//! Closes a position that holds nothing any more.

use anchor_lang::prelude::*;
use provena_common::account::{State, close};

use crate::{error::RoyaltyError, state::Position};

/// Accounts of `close_position`.
#[derive(Accounts)]
pub struct ClosePosition {
    /// The holder, or whoever paid the rent.
    pub authority: Signer,
    /// The position.
    #[account(mut)]
    pub position: State<Position>,
    /// Gets the rent.
    #[account(unsafe(dup), constraint = *rent_payer.address() == position.rent_payer @ RoyaltyError::NotRentPayer)]
    pub rent_payer: UncheckedAccount,
}

impl ClosePosition {
    /// # Errors
    /// [`RoyaltyError::WrongHolder`] when neither the holder nor the rent's payer signs, [`RoyaltyError::NotRentPayer`],
    /// [`RoyaltyError::PositionInUse`].
    pub fn handle(&mut self) -> Result<()> {
        let signer = self.authority.address();
        let may = *signer == self.position.holder || *signer == self.position.rent_payer;
        require!(may, RoyaltyError::WrongHolder);
        require!(self.position.is_empty(), RoyaltyError::PositionInUse);
        close(self.position.view(), self.rent_payer.account())?;
        Ok(())
    }
}
