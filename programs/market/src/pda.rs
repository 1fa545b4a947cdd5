//! Addresses of this program's accounts. On chain the search for a bump happens only when an account is created; after
//! that the stored bump is used, because a search costs an unknown number of hashes.

use anchor_lang::prelude::*;

use crate::ID;
use crate::constants::{CONFIG_SEED, ESCROW_SEED, JOB_SEED, NODE_SEED, OFFER_SEED, SLOT_SEED};

/// The one config account.
pub fn config() -> (Address, u8) {
    find_program_address(&[CONFIG_SEED], &ID)
}

/// The node account of `authority`.
pub fn node(authority: &Address) -> (Address, u8) {
    find_program_address(&[NODE_SEED, authority.as_ref()], &ID)
}

/// Offer `offer_id` for the asset whose NFT mint is `asset`.
pub fn offer(asset: &Address, offer_id: u64) -> (Address, u8) {
    find_program_address(&[OFFER_SEED, asset.as_ref(), &offer_id.to_le_bytes()], &ID)
}

/// The job that `payer` posts on `offer` under `nonce`.
pub fn job(offer: &Address, payer: &Address, nonce: u64) -> (Address, u8) {
    find_program_address(&[JOB_SEED, offer.as_ref(), payer.as_ref(), &nonce.to_le_bytes()], &ID)
}

/// Slot `index` of `job`.
pub fn slot(job: &Address, index: u8) -> (Address, u8) {
    find_program_address(&[SLOT_SEED, job.as_ref(), &[index]], &ID)
}

/// The token escrow of `job`; a job paid in SOL has none, its lamports lie in the job account itself.
pub fn escrow(job: &Address) -> (Address, u8) {
    find_program_address(&[ESCROW_SEED, job.as_ref()], &ID)
}
