//! Offers.

use anchor_lang::{prelude::*, solana_program::instruction::Instruction};

use super::build;
use crate::{
    accounts, instruction, pda,
    state::{Offer, OfferTerms},
};

/// What an offer is made of, besides its terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfferOf {
    /// Mint of the model's NFT.
    pub asset: Address,
    /// Number of the model's version.
    pub version: u32,
    /// What it is priced in; zeros for SOL.
    pub mint: Address,
    /// Distinguishes the asset's offers.
    pub offer_id: u64,
}

/// `create_offer`. `nft` is the holder's token account that holds the NFT.
#[must_use]
pub fn create_offer(holder: Address, nft: Address, of: OfferOf, terms: OfferTerms) -> Instruction {
    let asset = provena_registry::pda::asset(&of.asset).0;
    let pool = provena_royalty::pda::pool(&of.asset).0;
    build(
        &accounts::CreateOffer {
            holder,
            admin: pda::admin().0,
            asset,
            version: provena_registry::pda::version(&asset, of.version).0,
            nft,
            books: provena_royalty::pda::books(&pool, &of.mint).0,
            offer: pda::offer(&of.asset, of.offer_id).0,
            system_program: System::id(),
        },
        &instruction::CreateOffer { offer_id: of.offer_id, terms },
    )
}

/// `close_offer` by the present holder, whose token account `nft` holds the NFT.
#[must_use]
pub fn close_offer(holder: Address, nft: Address, address: Address, offer: &Offer) -> Instruction {
    build(
        &accounts::CloseOffer { holder, nft, offer: address, rent_payer: offer.rent_payer },
        &instruction::CloseOffer {},
    )
}
