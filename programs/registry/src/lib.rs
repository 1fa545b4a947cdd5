//! Models and datasets as NFTs with versions, content, licences and lineage.
//!
//! Registering mints an NFT through Token Metadata and records what the asset is and whose work it builds on. The
//! asset's royalty pool must exist before: its shares prove what each parent was promised. Rights follow the NFT:
//! whoever holds it adds versions, publishes licences and raises the floor. All versions share one pool.

#![allow(missing_docs, reason = "Anchor's macros add items without documentation")]
#![allow(elided_lifetimes_in_paths, reason = "Anchor takes `Context<T>` alone")]
#![allow(clippy::missing_errors_doc, reason = "each instruction's file says its own errors")]
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

pub use artifact::{ContentReveal, Recipe};
pub use constants::*;
pub use instructions::*;
#[cfg(feature = "program")]
use state::Floor;

#[deny(missing_docs)]
pub mod artifact;
#[cfg(all(feature = "program", not(target_os = "solana")))]
#[deny(missing_docs)]
pub mod client;
#[deny(missing_docs)]
pub mod constants;
#[deny(missing_docs)]
pub mod content_claim;
mod creation;
mod draft;
#[deny(missing_docs)]
pub mod error;
#[deny(missing_docs)]
pub mod events;
pub mod instructions;
#[deny(missing_docs)]
pub mod lineage;
mod nft;
#[deny(missing_docs)]
pub mod pda;
pub mod registration;
#[deny(missing_docs)]
pub mod state;

declare_id!("FLMpa898vXMExH9CgE6LQF8BaEfWn7X3XCtuGZxEm512");

/// The instructions' dispatch.
#[cfg(feature = "program")]
#[program]
pub mod provena_registry {
    use super::*;

    /// Creates the admin account. The caller, who must be the program's upgrade authority, becomes the authority.
    pub fn initialize_admin(ctx: &mut Context<InitializeAdmin>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Proposes another authority, which may accept 432,000 slots later.
    pub fn propose_authority(ctx: &mut Context<ProposeAuthority>, new: Address) -> Result<()> {
        ctx.accounts.handle(new)
    }

    /// The proposed authority takes over.
    pub fn accept_authority(ctx: &mut Context<AcceptAuthority>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// The authority takes its proposal back.
    pub fn cancel_authority(ctx: &mut Context<CancelAuthority>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Sets what is paused: registering, adding versions, publishing licences.
    pub fn set_pause(ctx: &mut Context<SetPause>, bits: u32) -> Result<()> {
        ctx.accounts.handle(bits)
    }

    /// Claims content by a hash that hides its root, to register it 8 slots later or within a day.
    pub fn claim_content(ctx: &mut Context<ClaimContent>, hash: [u8; 32]) -> Result<()> {
        ctx.accounts.handle(&hash)
    }

    /// Clears a claim away: its claimant at any time, anybody once it has lapsed. The rent goes to the claimant.
    pub fn abandon_claim(ctx: &mut Context<AbandonClaim>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Registers a dataset and mints its NFT. `parents` has the version of each parent that was built on.
    pub fn register_dataset(
        ctx: &mut Context<Register>,
        nft: NftText,
        content: ContentReveal,
        floors: Floors,
        parents: Vec<u32>,
    ) -> Result<()> {
        register_dataset::handle(ctx, &nft, content, floors, parents)
    }

    /// Registers a model and mints its NFT. `parents` has the version of each parent that was built on.
    pub fn register_model(
        ctx: &mut Context<Register>,
        nft: NftText,
        content: ContentReveal,
        recipe: Recipe,
        floors: Floors,
        parents: Vec<u32>,
    ) -> Result<()> {
        register_model::handle(ctx, &nft, content, recipe, floors, parents)
    }

    /// Begins the draft of a registration that takes several transactions. `kind` is 1 for a dataset, 2 for a model.
    pub fn begin_asset(ctx: &mut Context<BeginAsset>, kind: u8, floors: Floors) -> Result<()> {
        ctx.accounts.handle(kind, &floors)
    }

    /// Adds a direct parent, of whose `version` was built on, to a draft or to an asset's next version, and pays the licence's
    /// price. What it grants must allow all of `uses`.
    pub fn add_parent(ctx: &mut Context<AddParent>, version: u32, uses: u32) -> Result<()> {
        ctx.accounts.handle(version, uses)
    }

    /// Copies what binds every descendant into a draft, from up to `count` edges of the parent that edge number `parent` names.
    pub fn inherit(ctx: &mut Context<Inherit>, parent: u8, count: u8) -> Result<()> {
        let positions = ctx.remaining_accounts()?;
        ctx.accounts.handle(parent, count, &positions)
    }

    /// Registers a draft: records its first version and mints its NFT.
    pub fn seal_asset(
        ctx: &mut Context<Register>,
        nft: NftText,
        content: ContentReveal,
        recipe: Option<Recipe>,
    ) -> Result<()> {
        let others = ctx.remaining_accounts()?;
        ctx.accounts.seal(&nft, content, recipe, &others)
    }

    /// Clears a draft away: its registrant at any time, anybody after 1,512,000 slots or when it cannot be sealed any more because
    /// its pool is gone or has other holders. The rent goes to the registrant, and each
    /// grant back to its licence.
    pub fn abandon_asset(ctx: &mut Context<AbandonAsset>) -> Result<()> {
        let licences = ctx.remaining_accounts()?;
        ctx.accounts.handle(&licences)
    }

    /// Adds the next version; a model's brings its recipe. The pool stays the same.
    pub fn add_version(ctx: &mut Context<AddVersion>, content: ContentReveal, recipe: Option<Recipe>) -> Result<()> {
        ctx.accounts.handle(content, recipe)
    }

    /// Changes the URI of the asset's NFT, and nothing else of its metadata.
    pub fn set_uri(ctx: &mut Context<SetUri>, uri: String) -> Result<()> {
        ctx.accounts.handle(&uri)
    }

    /// Raises the least royalty on use, in basis points and, for one mint, per unit.
    pub fn raise_floor(ctx: &mut Context<RaiseFloor>, bps: u16, per_unit: Option<Floor>) -> Result<()> {
        ctx.accounts.handle(bps, per_unit)
    }

    /// Publishes a licence for derivatives.
    pub fn publish_licence(ctx: &mut Context<PublishLicence>, id: u32, terms: LicenceTerms) -> Result<()> {
        ctx.accounts.handle(id, &terms)
    }

    /// Ends granting by a licence.
    pub fn retire_licence(ctx: &mut Context<RetireLicence>) -> Result<()> {
        ctx.accounts.handle()
    }
}
