//! Changes the URI of an asset's NFT.

use anchor_lang::prelude::*;
use provena_common::nft::check_holder;

use crate::{
    constants::{MAX_URI_LEN, TOKEN_METADATA_PROGRAM},
    error::RegistryError,
    nft,
    state::AssetAccount,
};

/// Accounts of `set_uri`.
#[derive(Accounts)]
pub struct SetUri {
    /// Holds the asset's NFT.
    pub holder: Signer,
    /// The metadata's update authority, which signs.
    pub asset: AssetAccount,
    /// The holder's token account with the NFT.
    pub nft: UncheckedAccount,
    /// The NFT's metadata.
    #[account(mut)]
    pub metadata: UncheckedAccount,
    /// Token Metadata.
    #[account(address = TOKEN_METADATA_PROGRAM)]
    pub token_metadata_program: UncheckedAccount,
}

impl SetUri {
    /// Everything else about the metadata stays as it is.
    ///
    /// # Errors
    ///
    /// `NotNftHolder`, [`RegistryError::UriTooLong`], [`RegistryError::WrongMetadata`].
    pub fn handle(&mut self, uri: &str) -> Result<()> {
        check_holder(self.nft.account(), &self.asset.mint, self.holder.address())?;
        require!(uri.len() <= MAX_URI_LEN, RegistryError::UriTooLong);
        nft::set_uri(&self.asset, self.metadata.account(), uri)
    }
}
