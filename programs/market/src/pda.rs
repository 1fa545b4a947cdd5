//! Addresses of this program's accounts. Works on chain and on the host. On chain the search for a bump happens only when an
//! account is created; after that the stored bump is used, because a search costs an unknown number of hashes.

use anchor_lang::prelude::*;

use crate::{
    ID,
    constants::{
        ADMIN_SEED, ANSWER_SEED, ESCROW_SEED, JOB_SEED, NODE_SEED, OFFER_SEED, RESIDUAL_SEED, RESIDUAL_VAULT_SEED,
        TREASURY_SEED, TREASURY_VAULT_SEED,
    },
};

/// The one [`Admin`](crate::state::Admin).
#[must_use]
pub fn admin() -> (Address, u8) {
    find_program_address(&[ADMIN_SEED], &ID)
}

/// The [`Node`](crate::state::Node) of `authority`.
#[must_use]
pub fn node(authority: &Address) -> (Address, u8) {
    find_program_address(&[NODE_SEED, authority.as_ref()], &ID)
}

/// The [`Offer`](crate::state::Offer) `offer_id` for the asset whose NFT mint is `asset`.
#[must_use]
pub fn offer(asset: &Address, offer_id: u64) -> (Address, u8) {
    find_program_address(&[OFFER_SEED, asset.as_ref(), &offer_id.to_le_bytes()], &ID)
}

/// The job that `payer` posts under a nonce: a slot of the chain and an index. It never comes back, see `close_job`.
#[must_use]
pub fn job(payer: &Address, nonce_slot: u64, nonce_index: u16) -> (Address, u8) {
    find_program_address(&[JOB_SEED, payer.as_ref(), &nonce_slot.to_le_bytes(), &nonce_index.to_le_bytes()], &ID)
}

/// The token escrow of `job`; a job paid in SOL has none, its lamports lie in the job account itself.
#[must_use]
pub fn escrow(job: &Address) -> (Address, u8) {
    find_program_address(&[ESCROW_SEED, job.as_ref()], &ID)
}

/// The [`Answer`](crate::state::Answer) to `job` that `poster` puts on chain.
#[must_use]
pub fn answer(job: &Address, poster: &Address) -> (Address, u8) {
    find_program_address(&[ANSWER_SEED, job.as_ref(), poster.as_ref()], &ID)
}

/// What could not be paid to `beneficiary` in `mint`; zeros stand for SOL.
#[must_use]
pub fn residual(beneficiary: &Address, mint: &Address) -> (Address, u8) {
    find_program_address(&[RESIDUAL_SEED, beneficiary.as_ref(), mint.as_ref()], &ID)
}

/// The token account of a residual.
#[must_use]
pub fn residual_vault(residual: &Address) -> (Address, u8) {
    find_program_address(&[RESIDUAL_VAULT_SEED, residual.as_ref()], &ID)
}

/// The [`TreasuryInbox`](crate::state::TreasuryInbox) `shard` for `mint`; zeros stand for SOL.
#[must_use]
pub fn treasury_inbox(mint: &Address, shard: u8) -> (Address, u8) {
    find_program_address(&[TREASURY_SEED, mint.as_ref(), &[shard]], &ID)
}

/// The token account of a treasury inbox; SOL has none.
#[must_use]
pub fn treasury_vault(inbox: &Address) -> (Address, u8) {
    find_program_address(&[TREASURY_VAULT_SEED, inbox.as_ref()], &ID)
}
