//! Holds revenue: pools, shares, deposits and claims that cost the same for any number of holders.
//!
//! Every asset has a [`Pool`](state::Pool) whose shares are fixed at creation. Money is counted per pool and payment mint
//! in a [`PoolMint`](state::PoolMint), as revenue since the beginning; see [`accumulator`]. A holder's [`Position`](state::Position)
//! remembers where it entered. The pool of a parent asset is a holder like any other, paid by `sweep`.

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

pub mod accumulator;
pub mod amount;
pub mod constants;
pub mod error;
pub mod events;
pub mod instructions;
pub mod opening;
pub mod pda;
pub mod spl;
pub mod state;
pub mod upgrade;
pub mod view;

declare_id!("5gKboBXosoqHHjNaukp6kWPxXiR4W9B4PgR3e7JvfjUQ");

#[program]
pub mod provena_royalty {
    use super::*;

    /// Creates the configuration. The caller, who must be the program's upgrade authority, becomes its authority; SOL is
    /// allowed from the start.
    pub fn initialize_config(ctx: &mut Context<InitializeConfig>) -> Result<()> {
        let bump = ctx.bumps.config;
        ctx.accounts.handle(bump)
    }

    /// Adds an SPL Token mint to the list of payment mints.
    pub fn allow_mint(ctx: &mut Context<AllowMint>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Creates an asset's pool with some or all of its holders. It is sealed once `total_shares` are assigned.
    pub fn create_pool(ctx: &mut Context<CreatePool>, total_shares: u64, holders: Vec<Holder>) -> Result<()> {
        let positions = ctx.remaining_accounts()?;
        let bump = ctx.bumps.pool;
        ctx.accounts.handle(total_shares, &holders, &positions, bump)
    }

    /// Names more holders of a pool that is not sealed yet.
    pub fn add_holders(ctx: &mut Context<AddHolders>, holders: Vec<Holder>) -> Result<()> {
        let positions = ctx.remaining_accounts()?;
        ctx.accounts.handle(&holders, &positions)
    }

    /// Lets a sealed pool receive an allowed mint.
    pub fn add_mint(ctx: &mut Context<AddMint>) -> Result<()> {
        let bump = ctx.bumps.pool_mint;
        ctx.accounts.handle(bump)
    }

    /// Pays revenue into a pool.
    pub fn deposit(ctx: &mut Context<Deposit>, amount: u64) -> Result<()> {
        ctx.accounts.handle(amount::Amount(amount))
    }

    /// Books what reached a pool by plain transfer.
    pub fn sync(ctx: &mut Context<Sync>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Moves what a child's pool owes to a parent's pool into the parent's accumulator.
    pub fn sweep(ctx: &mut Context<Sweep>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Pays the holder what it is owed in one mint.
    pub fn claim(ctx: &mut Context<Claim>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Moves shares to another holder, settling both sides first.
    pub fn transfer_shares(ctx: &mut Context<TransferShares>, shares: u64) -> Result<()> {
        let pool_mints = ctx.remaining_accounts()?;
        ctx.accounts.handle(shares, &pool_mints)
    }

    /// Signs the pool as a verified creator of its asset's NFT.
    pub fn verify_creator(ctx: &mut Context<VerifyCreator>) -> Result<()> {
        ctx.accounts.handle()
    }
}
