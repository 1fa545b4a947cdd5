//! A node's receipt against the chain: does the job that it names say the same?
//!
//! `provena_wire::receipt` checks the signature, which needs no chain and no job.

mod history;

use provena_market::state::Offer;
use provena_wire::{ReceiptError, SignedReceipt};
use solana_pubkey::Pubkey;

use crate::view::{JobView, terms_hash};

pub use history::{Posting, Statement, Witnessed, check_history, posting, statements};

/// Why a receipt does not agree with the chain.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptMismatch {
    /// Its fields cannot be read.
    #[error(transparent)]
    Unreadable(#[from] ReceiptError),
    /// A field differs from what is known otherwise.
    #[error("the receipt's {field} is {found}, {source_of_truth} says {expected}")]
    Differs {
        /// Which field.
        field: &'static str,
        /// In the receipt.
        found: String,
        /// Elsewhere.
        expected: String,
        /// Where else.
        source_of_truth: &'static str,
    },
    /// The job's posting is not in the history that was asked.
    #[error("there is no record of job {job}; ask a server that keeps the history of that time")]
    NoHistory {
        /// The job.
        job: Pubkey,
    },
    /// The job has no result of this node with which the quorum agreed.
    #[error("on the chain, no quorum agreed with {node} on this job")]
    NotAgreed {
        /// The node.
        node: Pubkey,
    },
}

/// Compares a receipt with its job. `cluster` is the genesis hash of the chain that was asked.
///
/// The job does not say which model answered: see [`check_offer`].
///
/// # Errors
/// [`ReceiptMismatch::Differs`] names the first field that differs, [`ReceiptMismatch::NotAgreed`].
pub fn check_against(receipt: &SignedReceipt, cluster: &[u8; 32], job: &JobView) -> Result<(), ReceiptMismatch> {
    const CHAIN: &str = "the job on the chain";
    let receipt = receipt.receipt()?;
    same("kind", &receipt.kind, &provena_arith::receipt::KIND_JOB, "a job")?;
    same("number", &receipt.number, &0, "a job")?;
    same("place", &Pubkey::from(receipt.place), &job.address, CHAIN)?;
    same("program", &Pubkey::from(receipt.program), &provena_market::ID, "this program")?;
    same("cluster", &Pubkey::from(receipt.cluster), &Pubkey::from(*cluster), "the chain")?;
    same("payer", &Pubkey::from(receipt.payer), &job.job.payer, CHAIN)?;
    same("input root", &hex::encode(receipt.input_root), &hex::encode(job.job.input_root), CHAIN)?;
    same("terms hash", &hex::encode(receipt.terms_hash), &hex::encode(job.job.terms_hash), CHAIN)?;
    same("mint", &Pubkey::from(receipt.mint), &job.job.mint, CHAIN)?;
    same("slot", &receipt.slot, &job.job.posted_at, CHAIN)?;
    let node = Pubkey::from(receipt.node);
    let not_agreed = ReceiptMismatch::NotAgreed { node };
    let Some(seat) = job.winner().filter(|_| job.agrees(&node)) else { return Err(not_agreed) };
    same("result root", &hex::encode(receipt.result_root), &hex::encode(seat.value), CHAIN)?;
    same("units of input", &receipt.units_in, &seat.units_in, CHAIN)?;
    same("units of output", &receipt.units_out, &seat.units_out, CHAIN)?;
    let Some(fee) = job.fee() else { return Err(not_agreed) };
    same("amount", &receipt.amount, &fee.0, CHAIN)
}

/// Compares what a receipt says of the model with the job's offer, as long as that is there: the job's terms hash binds the
/// offer's terms, and they name the model.
///
/// # Errors
/// [`ReceiptMismatch::Differs`] names the first field that differs; `terms hash` when the offer is not that of the job any
/// more.
pub fn check_offer(
    receipt: &SignedReceipt,
    cluster: &[u8; 32],
    job: &JobView,
    offer: &Offer,
) -> Result<(), ReceiptMismatch> {
    const OFFER: &str = "the offer on the chain";
    let receipt = receipt.receipt()?;
    let terms = hex::encode(terms_hash(&job.job, offer, cluster));
    same("terms hash", &hex::encode(receipt.terms_hash), &terms, OFFER)?;
    same("asset", &Pubkey::from(receipt.asset), &offer.asset, OFFER)?;
    same("version of the asset", &receipt.asset_version, &offer.asset_version, OFFER)?;
    same("content root", &hex::encode(receipt.content_root), &hex::encode(offer.content_root), OFFER)?;
    same("recipe root", &hex::encode(receipt.recipe_root), &hex::encode(offer.recipe_root), OFFER)?;
    same("engine class", &receipt.engine_class, &offer.engine_class, OFFER)
}

fn same<T: PartialEq + ToString>(
    field: &'static str,
    found: &T,
    expected: &T,
    source_of_truth: &'static str,
) -> Result<(), ReceiptMismatch> {
    if found == expected {
        return Ok(());
    }
    Err(ReceiptMismatch::Differs { field, found: found.to_string(), expected: expected.to_string(), source_of_truth })
}
