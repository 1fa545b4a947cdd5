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

pub use instructions::*;
pub use provena_common::NATIVE_MINT;
use provena_common::amount::Amount;
use state::OfferTerms;

#[cfg(not(target_os = "solana"))]
pub mod client;
pub mod constants;
pub mod error;
pub mod events;
pub mod fees;
pub mod instructions;
pub mod pda;
pub mod state;
mod treasury;

declare_id!("CQ69g4TxZLBeRdPqohZZp2kYrGRjqhbZnG5M1FjwHHxu");

#[program]
pub mod provena_market {
    use super::*;

    /// Sets the market up, once. `cluster` is the cluster's genesis hash.
    pub fn initialize_admin(
        ctx: &mut Context<InitializeAdmin>,
        cluster: [u8; 32],
        protocol_fee_bps: u16,
        min_stake: u64,
    ) -> Result<()> {
        let bump = ctx.bumps.admin;
        ctx.accounts.handle(cluster, protocol_fee_bps, Amount(min_stake), bump)
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

    /// Sets what is paused.
    pub fn set_pause(ctx: &mut Context<SetPause>, bits: u32) -> Result<()> {
        ctx.accounts.handle(bits)
    }

    /// Names another treasury wallet.
    pub fn set_treasury(ctx: &mut Context<SetTreasury>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Sets the protocol's share of the fees of jobs to come.
    pub fn set_protocol_fee(ctx: &mut Context<SetProtocolFee>, bps: u16) -> Result<()> {
        ctx.accounts.handle(bps)
    }

    /// Sets the least stake of nodes, in lamports.
    pub fn set_min_stake(ctx: &mut Context<SetMinStake>, lamports: u64) -> Result<()> {
        ctx.accounts.handle(Amount(lamports))
    }

    /// Registers the caller as a node with `stake` lamports.
    pub fn register_node(
        ctx: &mut Context<RegisterNode>,
        stake: u64,
        endpoint: String,
        key: [u8; 32],
        capacity: u32,
    ) -> Result<()> {
        let bump = ctx.bumps.node;
        ctx.accounts.handle(Amount(stake), &endpoint, key, capacity, bump)
    }

    /// Changes what the caller's node says about itself.
    pub fn update_node(ctx: &mut Context<UpdateNode>, endpoint: String, key: [u8; 32], capacity: u32) -> Result<()> {
        ctx.accounts.handle(&endpoint, key, capacity)
    }

    /// Adds `lamports` to the caller's stake.
    pub fn add_stake(ctx: &mut Context<AddStake>, lamports: u64) -> Result<()> {
        ctx.accounts.handle(Amount(lamports))
    }

    /// Takes `lamports` that no job holds out of the caller's stake.
    pub fn withdraw_stake(ctx: &mut Context<WithdrawStake>, lamports: u64) -> Result<()> {
        ctx.accounts.handle(Amount(lamports))
    }

    /// Ends the caller's node; stake and rent come back.
    pub fn close_node(ctx: &mut Context<CloseNode>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Offers inference with a version of a model whose NFT the caller holds.
    pub fn create_offer(ctx: &mut Context<CreateOffer>, offer_id: u64, terms: OfferTerms) -> Result<()> {
        let bump = ctx.bumps.offer;
        ctx.accounts.handle(offer_id, &terms, bump)
    }

    /// Ends an offer of the asset whose NFT the caller holds; its rent goes back to who paid it.
    pub fn close_offer(ctx: &mut Context<CloseOffer>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Opens one of the treasury's inboxes for a mint.
    pub fn open_treasury_inbox(ctx: &mut Context<OpenTreasuryInbox>, shard: u8) -> Result<()> {
        ctx.accounts.handle(shard)
    }

    /// Moves everything in one of the treasury's inboxes to the treasury.
    pub fn sweep_treasury(ctx: &mut Context<SweepTreasury>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Closes an empty treasury inbox; its rent goes back to who paid it.
    pub fn close_treasury_inbox(ctx: &mut Context<CloseTreasuryInbox>) -> Result<()> {
        ctx.accounts.handle()
    }
}
