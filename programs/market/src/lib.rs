//! Sells inference: nodes and their stake, offers, jobs, escrow, commit and reveal, settlement.
//!
//! A job goes Open -> Claimed -> Committed -> Revealed -> Final -> Settled -> Closed, and leaves that road by `cancel`,
//! `timeout_claim` (back to Open, at most three times) or `timeout_job`. See [`state::JobState`] for what ends each state;
//! all but the payer's `cancel` may be called by anybody.
//!
//! Who gets what: the royalty pool and the protocol get their share of the fee, rounded down; the nodes whose results
//! equal the quorum's byte for byte divide the rest of the fee; the payer gets the rest of the deposit. A node that
//! misses a deadline, or reveals something else than the quorum, loses its bond to the payer. Without a quorum the payer
//! gets everything back and nodes that revealed keep their bonds, because nobody can say which of them was right.

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

#[cfg(not(target_os = "solana"))]
pub mod client;
mod committee;
pub mod constants;
pub mod error;
mod escrow;
pub mod events;
pub mod fees;
mod funds;
pub mod instructions;
pub mod pda;
pub mod state;
mod tokens;
#[cfg(not(target_os = "solana"))]
pub mod view;

use fees::{Amount, Bps};
pub use instructions::*;
pub use provena_royalty::NATIVE_MINT;
use state::OfferTerms;

declare_id!("CQ69g4TxZLBeRdPqohZZp2kYrGRjqhbZnG5M1FjwHHxu");

#[program]
pub mod provena_market {
    use super::*;

    /// Sets the market up, once. `cluster` is the cluster's genesis hash.
    pub fn initialize_config(
        ctx: &mut Context<InitializeConfig>,
        cluster: [u8; 32],
        protocol_fee_bps: u16,
        min_stake: u64,
    ) -> Result<()> {
        let bump = ctx.bumps.config;
        ctx.accounts.handle(cluster, Bps(protocol_fee_bps), Amount(min_stake), bump)
    }

    /// Registers the caller as a node with `stake` lamports.
    pub fn register_node(ctx: &mut Context<RegisterNode>, stake: u64, endpoint: String) -> Result<()> {
        let bump = ctx.bumps.node;
        ctx.accounts.handle(Amount(stake), &endpoint, bump)
    }

    /// Adds `lamports` to the caller's stake.
    pub fn add_stake(ctx: &mut Context<AddStake>, lamports: u64) -> Result<()> {
        ctx.accounts.handle(Amount(lamports))
    }

    /// Takes `lamports` that no job holds out of the caller's stake.
    pub fn withdraw_stake(ctx: &mut Context<WithdrawStake>, lamports: u64) -> Result<()> {
        ctx.accounts.handle(Amount(lamports))
    }

    /// Offers inference with a model whose NFT the caller holds.
    pub fn create_offer(ctx: &mut Context<CreateOffer>, offer_id: u64, terms: OfferTerms) -> Result<()> {
        let bump = ctx.bumps.offer;
        ctx.accounts.handle(offer_id, &terms, bump)
    }

    /// Stops an offer from taking new jobs.
    pub fn close_offer(ctx: &mut Context<CloseOffer>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Posts a job and puts its deposit into escrow.
    pub fn post_job(ctx: &mut Context<PostJob>, args: PostJobArgs) -> Result<()> {
        ctx.accounts.handle(args)
    }

    /// Takes slot `index` of a job and locks the node's bond.
    pub fn claim_slot(ctx: &mut Context<ClaimSlot>, index: u8, slot_bump: u8) -> Result<()> {
        ctx.accounts.handle(index, slot_bump)
    }

    /// Binds the node to a result without showing it.
    pub fn commit(ctx: &mut Context<Commit>, commitment: [u8; 32]) -> Result<()> {
        ctx.accounts.handle(commitment)
    }

    /// Shows the result and what opens the commitment.
    pub fn reveal(ctx: &mut Context<Reveal>, result_root: [u8; 32], units: u32, salt: [u8; 32]) -> Result<()> {
        ctx.accounts.handle(result_root, units, salt)
    }

    /// Pays a job whose results reach the quorum.
    pub fn settle(ctx: &mut Context<Settle>) -> Result<()> {
        let rest = ctx.remaining_accounts()?;
        ctx.accounts.handle(&rest)
    }

    /// Takes a job back that no node holds.
    pub fn cancel(ctx: &mut Context<Cancel>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Ends a claim whose commit or reveal is late.
    pub fn timeout_claim(ctx: &mut Context<TimeoutClaim>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Refunds a job that can no longer be settled.
    pub fn timeout_job(ctx: &mut Context<TimeoutJob>) -> Result<()> {
        let rest = ctx.remaining_accounts()?;
        ctx.accounts.handle(&rest)
    }

    /// Returns the rent of a job that has ended.
    pub fn close_job(ctx: &mut Context<CloseJob>) -> Result<()> {
        ctx.accounts.handle()
    }
}
