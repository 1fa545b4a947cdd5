//! Registers a dataset and mints its NFT.

use anchor_lang::prelude::*;

use crate::{
    registration::{NftText, Register, Registration},
    state::{AssetKind, Licence},
};

/// Errors: those of [`Register::handle`].
pub fn handle(
    ctx: &mut Context<Register>,
    nft: NftText,
    content_root: [u8; 32],
    licence: Licence,
    parent_bps: &[u16],
) -> Result<()> {
    let others = ctx.remaining_accounts()?;
    let bump = ctx.bumps.asset;
    let kind = AssetKind::Dataset;
    let registration = Registration { kind, content_root, recipe_root: [0; 32], licence, parent_bps };
    ctx.accounts.handle(nft, &registration, &others, bump)
}
