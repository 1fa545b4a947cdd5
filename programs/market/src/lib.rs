//! Sells inference: nodes and their stake, offers, jobs, escrow, commit and reveal, settlement.
//!
//! A job is a header and a few seats in one account; [`state::job`] is its protocol, in pure functions. Nodes take seats,
//! commit and reveal, or answer a job of one seat directly; a quorum of equal results is paid once the payer has the answer
//! or had time to ask for it. A bond is forfeited for one reason alone: the seat's own deadline has passed. Then each party
//! collects for itself, in any order, by anybody; what somebody cannot take holds nobody up.
//!
//! The deposit of an agreed job is divided by [`fees::split`] among nodes, royalty, protocol and payer; of any other job it
//! is the payer's. Of forfeited bonds each seat that revealed gets at most its fees, the treasury the rest, the payer
//! nothing.

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

use fees::Work;
pub use instructions::*;
pub use provena_common::NATIVE_MINT;
use provena_common::amount::Amount;
use state::OfferTerms;

#[cfg(not(target_os = "solana"))]
#[deny(missing_docs)]
pub mod client;
#[deny(missing_docs)]
pub mod constants;
#[deny(missing_docs)]
pub mod error;
mod escrow;
#[deny(missing_docs)]
pub mod events;
#[deny(missing_docs)]
pub mod fees;
mod forfeits;
pub mod instructions;
mod payout;
#[deny(missing_docs)]
pub mod pda;
#[deny(missing_docs)]
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
        ctx.accounts.handle(cluster, protocol_fee_bps, Amount(min_stake))
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
        ctx.accounts.handle(Amount(stake), &endpoint, key, capacity)
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
        ctx.accounts.handle(offer_id, &terms)
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

    /// Posts a job and puts its deposit into escrow.
    pub fn post_job(ctx: &mut Context<PostJob>, args: PostJobArgs) -> Result<()> {
        ctx.accounts.handle(&args)
    }

    /// The payer takes a job back while no node works on it.
    pub fn cancel_job(ctx: &mut Context<CancelJob>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// A node takes seat `index` of a job whose terms have this hash, and locks its bond. `instance` is a number of the process
    /// that acts for the node: for 150 slots no other one takes seats for it. Zero says none.
    pub fn take_seat(ctx: &mut Context<TakeSeat>, index: u8, terms_hash: [u8; 32], instance: u64) -> Result<()> {
        ctx.accounts.handle(index, &terms_hash, instance)
    }

    /// A node leaves its seat without loss, because its co-nodes do not come.
    pub fn leave_seat(ctx: &mut Context<LeaveSeat>, index: u8) -> Result<()> {
        ctx.accounts.handle(index)
    }

    /// Binds a node to a result without showing it.
    pub fn commit(ctx: &mut Context<Commit>, index: u8, commitment: [u8; 32]) -> Result<()> {
        ctx.accounts.handle(index, commitment)
    }

    /// Shows a result and what opens its commitment; the last reveal decides the job.
    pub fn reveal(
        ctx: &mut Context<Reveal>,
        index: u8,
        result_root: [u8; 32],
        units_in: u32,
        units_out: u32,
        salt: [u8; 32],
    ) -> Result<()> {
        ctx.accounts.handle(index, &result_root, Work::new(units_in, units_out), &salt)
    }

    /// Answers a job of one seat, which decides it.
    pub fn answer(ctx: &mut Context<AnswerJob>, result_root: [u8; 32], units_in: u32, units_out: u32) -> Result<()> {
        ctx.accounts.handle(&result_root, Work::new(units_in, units_out))
    }

    /// Ends a seat whose own deadline has passed.
    pub fn expire_seat(ctx: &mut Context<ExpireSeat>, index: u8) -> Result<()> {
        ctx.accounts.handle(index)
    }

    /// Moves on a job whose time has come.
    pub fn finalize(ctx: &mut Context<Finalize>) -> Result<()> {
        let nodes = ctx.remaining_accounts()?;
        ctx.accounts.handle(&nodes)
    }

    /// The payer has the answer: pay waits no longer.
    pub fn acknowledge(ctx: &mut Context<Acknowledge>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// The payer did not get the answer and demands it on chain.
    pub fn demand_answer(ctx: &mut Context<DemandAnswer>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Puts a part of a demanded answer of `len` bytes on chain.
    pub fn put_answer(ctx: &mut Context<PutAnswer>, offset: u32, bytes: Vec<u8>, len: u32) -> Result<()> {
        ctx.accounts.handle(offset, &bytes, len)
    }

    /// Shows that the agreed answer is on chain.
    pub fn seal_answer(ctx: &mut Context<SealAnswer>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Shows that the agreed answer is too long to be put on chain.
    pub fn prove_length(ctx: &mut Context<ProveLength>, len: u64, tree: [u8; 32]) -> Result<()> {
        ctx.accounts.handle(len, &tree)
    }

    /// Returns the rent of an answer that was put on chain.
    pub fn close_answer(ctx: &mut Context<CloseAnswer>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Ends a job whose demanded answer did not come.
    pub fn default_answer(ctx: &mut Context<DefaultAnswer>) -> Result<()> {
        let nodes = ctx.remaining_accounts()?;
        ctx.accounts.handle(&nodes)
    }

    /// Gives a node what its seat earned, and its bond back.
    pub fn collect_seat(ctx: &mut Context<CollectSeat>, index: u8) -> Result<()> {
        ctx.accounts.handle(index)
    }

    /// Gives the royalty pool its part of the fee.
    pub fn collect_royalty(ctx: &mut Context<CollectRoyalty>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Gives the treasury its part of the fee and the rest of forfeited bonds.
    pub fn collect_protocol(ctx: &mut Context<CollectProtocol>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Gives the payer what is his.
    pub fn collect_refund(ctx: &mut Context<CollectRefund>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Puts aside what the node of a seat, or the payer where none is named, could not take.
    pub fn park(ctx: &mut Context<Park>, seat: Option<u8>) -> Result<()> {
        ctx.accounts.handle(seat)
    }

    /// Pays what somebody could not take before.
    pub fn collect_residual(ctx: &mut Context<CollectResidual>) -> Result<()> {
        ctx.accounts.handle()
    }

    /// Returns the rent of a job that is paid out.
    pub fn close_job(ctx: &mut Context<CloseJob>) -> Result<()> {
        ctx.accounts.handle()
    }
}
