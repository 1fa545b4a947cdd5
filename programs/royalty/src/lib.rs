//! Holds revenue: pools, shares, deposits and claims that cost the same for any number of holders.
//!
//! Every asset has a [`Pool`](state::Pool) whose shares and settings are fixed at creation. What was released to them in every
//! mint is counted in one [`Index`](state::Index); the money lies in one [`Books`](state::Books) per mint, and comes in
//! directly, through [`Inbox`](state::Inbox)es, or as resale royalties of the asset's NFT. A holder's
//! [`Position`](state::Position) remembers where it entered. The pool of a parent asset is a holder like any other, paid by
//! `sweep`.

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
use provena_common::amount::Amount;
#[cfg(target_arch = "bpf")]
use solana_compiler_builtins as _;

pub use constants::*;
pub use instructions::*;

#[deny(missing_docs)]
pub mod asset;
#[cfg(not(target_os = "solana"))]
#[deny(missing_docs)]
pub mod client;
#[deny(missing_docs)]
pub mod constants;
#[deny(missing_docs)]
pub mod error;
#[deny(missing_docs)]
pub mod events;
pub mod instructions;
#[deny(missing_docs)]
pub mod pda;
#[deny(missing_docs)]
pub mod positions;
#[deny(missing_docs)]
pub mod purse;
#[deny(missing_docs)]
pub mod shares;
#[deny(missing_docs)]
pub mod state;
#[deny(missing_docs)]
pub mod view;

declare_id!("5gKboBXosoqHHjNaukp6kWPxXiR4W9B4PgR3e7JvfjUQ");

/// The program's entry and its instructions.
#[program]
pub mod provena_royalty {
    use super::*;

    /// Creates the program's settings. The caller, who must be the program's upgrade authority, becomes the authority; SOL
    /// is allowed from the start.
    pub fn initialize_admin(ctx: &mut Context<InitializeAdmin>) -> Result<()> {
        let bump = ctx.bumps.admin;
        ctx.accounts.handle(bump)
    }

    /// Proposes a new authority, who may accept 432,000 slots later.
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

    /// Sets what is paused: bit 0 stops new pools and books.
    pub fn set_pause(ctx: &mut Context<SetPause>, bits: u32) -> Result<()> {
        ctx.accounts.handle(bits)
    }

    /// Adds a mint to the list of payment mints.
    pub fn allow_mint(ctx: &mut Context<AllowMint>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Takes a mint off the list: no new books and no deposits in it. Claims go on.
    pub fn disallow_mint(ctx: &mut Context<DisallowMint>, mint: Address) -> Result<()> {
        ctx.accounts.handle(&mint)
    }

    /// Creates an asset's pool with its index, its books in SOL and some or all of its holders. It is sealed once
    /// `total_shares` are assigned. `window` is 0 unless `flags` say that shares can be wrapped.
    pub fn create_pool(
        ctx: &mut Context<CreatePool>,
        total_shares: u64,
        window: u32,
        flags: u8,
        holders: Vec<Holder>,
    ) -> Result<()> {
        let positions = ctx.remaining_accounts()?;
        let bumps = [ctx.bumps.pool, ctx.bumps.index, ctx.bumps.books];
        let terms = PoolTerms { total_shares, window, flags, holders: &holders };
        ctx.accounts.handle(&terms, &positions, bumps)
    }

    /// Names more holders of a pool that is not sealed yet.
    pub fn add_holders(ctx: &mut Context<AddHolders>, holders: Vec<Holder>) -> Result<()> {
        let positions = ctx.remaining_accounts()?;
        ctx.accounts.handle(&holders, &positions)
    }

    /// Closes a pool that never came into use, as long as its NFT does not exist.
    pub fn abandon_pool(ctx: &mut Context<AbandonPool>) -> Result<()> {
        let others = ctx.remaining_accounts()?;
        ctx.accounts.handle(&others)
    }

    /// Opens a pool's books in an allowed mint beyond SOL.
    pub fn open_books(ctx: &mut Context<OpenBooks>) -> Result<()> {
        let evidence = ctx.remaining_accounts()?;
        ctx.accounts.handle(&evidence)
    }

    /// Opens one more inbox of some books.
    pub fn open_inbox(ctx: &mut Context<OpenInbox>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Closes the last inbox of some books, if it is empty.
    pub fn close_inbox(ctx: &mut Context<CloseInbox>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Pays revenue into a pool.
    pub fn deposit(ctx: &mut Context<Deposit>, amount: u64) -> Result<()> {
        ctx.accounts.handle(Amount(amount))
    }

    /// Drains inboxes and books what reached a pool by plain transfer.
    pub fn sync(ctx: &mut Context<Sync>) -> Result<()> {
        let inboxes = ctx.remaining_accounts()?;
        ctx.accounts.handle(&inboxes)
    }

    /// Books the resale royalties that marketplaces paid to the pool.
    pub fn collect(ctx: &mut Context<Collect>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Moves what a child's pool owes to a parent's pool into the parent's books.
    pub fn sweep(ctx: &mut Context<Sweep>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Pays the holder what it is owed in one mint.
    pub fn claim(ctx: &mut Context<Claim>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Pays the holder what it is owed in one mint by several pools.
    pub fn claim_many(ctx: &mut Context<ClaimMany>) -> Result<()> {
        let pools = ctx.remaining_accounts()?;
        ctx.accounts.handle(&pools)
    }

    /// Moves shares to another holder, settling both sides first.
    pub fn transfer_shares(ctx: &mut Context<TransferShares>, shares: u64) -> Result<()> {
        ctx.accounts.handle(shares)
    }

    /// Lets a delegate move up to `shares` of the holder's.
    pub fn approve(ctx: &mut Context<Approve>, delegate: Address, shares: u64) -> Result<()> {
        ctx.accounts.handle(delegate, shares)
    }

    /// Takes the delegate's right back.
    pub fn revoke(ctx: &mut Context<Revoke>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Closes a position that holds nothing any more.
    pub fn close_position(ctx: &mut Context<ClosePosition>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Signs the pool as a verified creator of its asset's NFT.
    pub fn verify_creator(ctx: &mut Context<VerifyCreator>) -> Result<()> {
        ctx.accounts.handle()
    }
}
