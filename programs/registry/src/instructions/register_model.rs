//! Registers a model and mints its NFT.

use anchor_lang::prelude::*;

use crate::{
    error::RegistryError,
    registration::{NftText, Register, Registration},
    state::{AssetKind, Licence},
};

/// Errors: [`RegistryError::EmptyRecipeRoot`] and those of [`Register::handle`].
pub fn handle(
    ctx: &mut Context<Register>,
    nft: NftText,
    content_root: [u8; 32],
    recipe_root: [u8; 32],
    licence: Licence,
    parent_bps: &[u16],
) -> Result<()> {
    require!(recipe_root != [0; 32], RegistryError::EmptyRecipeRoot);
    let others = ctx.remaining_accounts()?;
    let bump = ctx.bumps.asset;
    let registration = Registration { kind: AssetKind::Model, content_root, recipe_root, licence, parent_bps };
    ctx.accounts.handle(nft, &registration, &others, bump)
}
