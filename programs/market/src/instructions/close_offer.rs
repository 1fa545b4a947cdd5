//! Stops an offer from taking new jobs. Jobs already posted keep their terms.

use anchor_lang::prelude::*;

use crate::error::MarketError;
use crate::state::Offer;

/// Accounts of `close_offer`.
#[derive(Accounts)]
pub struct CloseOffer {
    /// The offer's owner.
    #[account(address = offer.owner @ MarketError::Unauthorized)]
    pub owner: Signer,
    /// The offer.
    #[account(mut)]
    pub offer: Account<Offer>,
}

impl CloseOffer {
    /// Errors: `Unauthorized`, `OfferInactive` when it is closed already.
    pub fn handle(&mut self) -> Result<()> {
        require!(self.offer.active == 1, MarketError::OfferInactive);
        self.offer.active = 0;
        self.offer.invariant()
    }
}
