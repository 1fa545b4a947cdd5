//! The holder of a model's NFT offers inference with a version of it.

use anchor_lang::{address_eq, prelude::*};
use provena_common::{
    account::{self, State},
    amount::Amount,
    nft,
};
use provena_registry::state::{AssetAccount, Version, per_unit_floor};
use provena_royalty::state::Books;

use crate::{
    constants::{OFFER_SEED, pause},
    error::MarketError,
    events::OfferCreated,
    state::{Admin, NewOffer, Offer, OfferTerms, check_model},
};

/// Accounts of `create_offer`.
#[derive(Accounts)]
pub struct CreateOffer {
    /// The holder of the NFT; pays the offer's rent.
    #[account(mut)]
    pub holder: Signer,
    /// The market's settings.
    pub admin: State<Admin>,
    /// The model.
    pub asset: AssetAccount,
    /// The version of the model that is offered.
    #[account(constraint = address_eq(&version.asset, asset.address()) @ MarketError::WrongAsset)]
    pub version: State<Version>,
    /// The holder's token account that holds the NFT.
    pub nft: UncheckedAccount,
    /// The books of the asset's pool for the mint that the offer is priced in.
    #[account(constraint = address_eq(&books.pool, &asset.pool) @ MarketError::WrongBooks)]
    pub books: State<Books>,
    /// To be created.
    #[account(mut)]
    pub offer: UncheckedAccount,
    /// Creates the account.
    pub system_program: Program<System>,
}

impl CreateOffer {
    /// # Errors
    /// `Paused`, `NotModel`, `AssetNotActive`, `NotNftHolder`, `WrongAsset`, `WrongBooks`, `WrongPda`, and those of
    /// [`OfferTerms::validate`] and [`OfferTerms::check_floor`]; the System program's where the account exists already.
    pub fn handle(&mut self, offer_id: u64, terms: &OfferTerms) -> Result<()> {
        self.admin.control.check_running(pause::OFFERS)?;
        check_model(&self.asset)?;
        nft::check_holder(self.nft.account(), &self.asset.mint, self.holder.address())?;
        terms.validate()?;
        let least_royalty = Amount(per_unit_floor(self.asset.as_slice(), &self.books.mint));
        terms.check_floor(self.asset.floor_bps, least_royalty)?;
        let seeds: [&[u8]; 3] = [OFFER_SEED, self.asset.mint.as_ref(), &offer_id.to_le_bytes()];
        let (mut offer, bump) = account::create::<Offer>(self.holder.account(), self.offer.account(), &seeds)?;
        let new = NewOffer {
            asset: self.asset.mint,
            asset_account: *self.asset.address(),
            pool: self.asset.pool,
            books: *self.books.address(),
            mint: self.books.mint,
            token_program: self.books.token_program,
            asset_version: self.version.n,
            content_root: self.version.content_root,
            recipe_root: self.version.recipe_root,
            least_royalty,
            rent_payer: *self.holder.address(),
            offer_id,
            bump,
        };
        offer.initialize(&new, terms);
        offer.invariant()?;
        emit!(OfferCreated { offer: *offer.address(), asset: new.asset, mint: new.mint });
        Ok(())
    }
}
