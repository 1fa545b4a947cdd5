//! The holder of a model's NFT offers inference with it.

use anchor_lang::prelude::*;
use anchor_spl::token::TokenAccount;
use provena_registry::state::{Asset, AssetKind};
use provena_royalty::state::PoolMint;

use crate::constants::{LAYOUT_VERSION, OFFER_SEED};
use crate::error::MarketError;
use crate::events::OfferCreated;
use crate::state::{Offer, OfferTerms};

/// Accounts of `create_offer`.
#[derive(Accounts)]
#[instruction(offer_id: u64)]
pub struct CreateOffer {
    /// The holder of the NFT; pays the offer's rent.
    #[account(mut)]
    pub owner: Signer,
    /// The model.
    #[account(constraint = asset.kind() == Some(AssetKind::Model) @ MarketError::WrongAsset)]
    pub asset: Account<Asset>,
    /// The owner's token account that holds the NFT.
    #[account(constraint = holds_nft(&nft, owner.address(), &asset.mint) @ MarketError::NotAssetOwner)]
    pub nft: Account<TokenAccount>,
    /// The account of the asset's pool for the mint that the offer is priced in.
    #[account(constraint = pool_mint.pool == asset.pool @ MarketError::WrongPool)]
    pub pool_mint: Account<PoolMint>,
    /// Created here.
    #[account(
        init, payer = owner, space = Offer::SPACE,
        seeds = [OFFER_SEED, asset.mint.as_ref(), &offer_id.to_le_bytes()], bump
    )]
    pub offer: Account<Offer>,
    /// The system program.
    pub system_program: Program<System>,
}

impl CreateOffer {
    /// Errors: `WrongAsset` for a dataset, `NotAssetOwner`, `WrongPool`, and those of `OfferTerms::validate`.
    pub fn handle(&mut self, offer_id: u64, terms: &OfferTerms, bump: u8) -> Result<()> {
        terms.validate()?;
        let address = *self.offer.address();
        let offer = &mut *self.offer;
        offer.owner = *self.owner.address();
        offer.asset = self.asset.mint;
        offer.pool = self.asset.pool;
        offer.pool_mint = *self.pool_mint.address();
        offer.vault = self.pool_mint.vault;
        offer.mint = self.pool_mint.mint;
        offer.content_root = self.asset.content_root;
        offer.recipe_root = self.asset.recipe_root;
        offer.offer_id = offer_id;
        offer.set_terms(terms);
        offer.terms_hash = offer.hash_terms();
        offer.active = 1;
        offer.version = LAYOUT_VERSION;
        offer.bump = bump;
        offer.invariant()?;
        emit!(OfferCreated {
            offer: address,
            asset: offer.asset,
            mint: offer.mint,
            price_per_unit: offer.price_per_unit,
        });
        Ok(())
    }
}

fn holds_nft(account: &TokenAccount, owner: &Address, mint: &Address) -> bool {
    account.owner() == owner && account.mint() == mint && account.amount() == 1
}
