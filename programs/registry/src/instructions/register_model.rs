//! Registers a model and mints its NFT.

use anchor_lang::prelude::*;

use crate::{
    artifact::{ContentReveal, Recipe},
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
    recipe: Recipe,
    floors: Floors,
    parents: Vec<u32>,
) -> Result<()> {
    let others = ctx.remaining_accounts()?;
    let registration = Registration { kind: AssetKind::Model, content, recipe: Some(recipe), floors, parents };
    ctx.accounts.handle(nft, &registration, &others)
}
