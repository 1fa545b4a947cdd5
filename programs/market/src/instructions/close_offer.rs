//! The present holder of the NFT closes an offer, whoever made it. Posted jobs carry their own terms and go on.

use anchor_lang::prelude::*;
use provena_common::{
    account::{self, State},
    nft,
};

use crate::{error::MarketError, state::Offer};

/// Accounts of `close_offer`.
#[derive(Accounts)]
pub struct CloseOffer {
    /// The holder of the NFT.
    pub holder: Signer,
    /// The holder's token account that holds the NFT.
    pub nft: UncheckedAccount,
    /// The offer, closed here.
    #[account(mut)]
    pub offer: State<Offer>,
    /// Paid the offer's rent and gets it back.
    #[account(unsafe(dup), address = offer.rent_payer @ MarketError::NotRentPayer)]
    pub rent_payer: UncheckedAccount,
}

impl CloseOffer {
    /// # Errors
    /// `NotNftHolder`, `NotRentPayer` when the account that receives the rent is another.
    pub fn handle(&mut self) -> Result<()> {
        nft::check_holder(self.nft.account(), &self.offer.asset, self.holder.address())?;
        account::close(self.offer.account(), self.rent_payer.account())?;
        Ok(())
    }
}
