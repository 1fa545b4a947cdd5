//! Models and datasets as NFTs with versions, content roots, licences and lineage.
//!
//! Registering mints an NFT through Token Metadata and records, once and for all, what the asset is and whose work it
//! builds on. The asset's royalty pool must exist before: its shares prove what each parent was promised.

#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::unwrap_used,
        clippy::expect_used
    )
)]

use anchor_lang::prelude::*;
#[cfg(target_arch = "bpf")]
use solana_compiler_builtins as _;

pub use constants::*;
pub use instructions::*;
#[cfg(feature = "program")]
use state::Licence;

pub mod constants;
pub mod error;
pub mod events;
pub mod instructions;
pub mod lineage;
mod nft;
pub mod pda;
pub mod registration;
pub mod state;

declare_id!("FLMpa898vXMExH9CgE6LQF8BaEfWn7X3XCtuGZxEm512");

#[cfg(feature = "program")]
#[program]
pub mod provena_registry {
    use super::*;

    /// Registers a dataset and mints its NFT. `parent_bps` has one promise per parent.
    pub fn register_dataset(
        ctx: &mut Context<Register>,
        nft: NftText,
        content_root: [u8; 32],
        licence: Licence,
        parent_bps: Vec<u16>,
    ) -> Result<()> {
        register_dataset::handle(ctx, nft, content_root, licence, &parent_bps)
    }

    /// Registers a model and mints its NFT. `parent_bps` has one promise per parent.
    pub fn register_model(
        ctx: &mut Context<Register>,
        nft: NftText,
        content_root: [u8; 32],
        recipe_root: [u8; 32],
        licence: Licence,
        parent_bps: Vec<u16>,
    ) -> Result<()> {
        register_model::handle(ctx, nft, content_root, recipe_root, licence, &parent_bps)
    }
}
