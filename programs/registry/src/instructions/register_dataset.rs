//! Registers a dataset and mints its NFT.

use anchor_lang::prelude::*;

use crate::{
    artifact::ContentReveal,
    registration::{Floors, NftText, Register, Registration},
    state::AssetKind,
};

/// # Errors
///
/// Those of [`Register::handle`].
pub fn handle(
    ctx: &mut Context<Register>,
    nft: &NftText,
    content: ContentReveal,
    floors: Floors,
    parents: Vec<u32>,
) -> Result<()> {
    let others = ctx.remaining_accounts()?;
    let registration = Registration { kind: AssetKind::Dataset, content, recipe: None, floors, parents };
    ctx.accounts.handle(nft, &registration, &others)
}
