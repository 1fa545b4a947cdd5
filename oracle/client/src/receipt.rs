//! A node's receipt against the chain: does the job that it names say the same?
//!
//! `provena_wire::receipt` checks the signature, which needs no chain.

use provena_market::state::{Job, Slot};
use provena_wire::{ReceiptError, SignedReceipt};
use solana_pubkey::Pubkey;

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
    /// The job has no revealed result of this node.
    #[error("on the chain, {node} has revealed no result for this job")]
    NotRevealed {
        /// The node.
        node: Pubkey,
    },
}

/// Compares the receipt with the job on the chain, and with the node's slot while that exists (it is closed when
/// the job ends; the job then holds the agreed result).
///
/// # Errors
/// [`ReceiptMismatch::Differs`] names the first field that differs, [`ReceiptMismatch::NotRevealed`].
pub fn check_against(
    receipt: &SignedReceipt,
    address: &Pubkey,
    job: &Job,
    slot: Option<&Slot>,
) -> Result<(), ReceiptMismatch> {
    const CHAIN: &str = "the job on the chain";
    let receipt = receipt.receipt()?;
    same("job", &Pubkey::from(receipt.job), address, CHAIN)?;
    same("market program", &Pubkey::from(receipt.market_program), &provena_market::ID, "this program")?;
    same("cluster", &Pubkey::from(receipt.cluster), &Pubkey::from(job.cluster), CHAIN)?;
    same("asset", &Pubkey::from(receipt.asset), &job.asset, CHAIN)?;
    same("content root", &hex::encode(receipt.content_root), &hex::encode(job.content_root), CHAIN)?;
    same("recipe root", &hex::encode(receipt.recipe_root), &hex::encode(job.recipe_root), CHAIN)?;
    same("input root", &hex::encode(receipt.input_root), &hex::encode(job.input_root), CHAIN)?;
    same("engine class", &receipt.engine_class, &job.engine_class, CHAIN)?;
    let node = Pubkey::from(receipt.node);
    if !job.nodes.contains(&node) {
        return Err(ReceiptMismatch::NotRevealed { node });
    }
    let (result_root, units) = match slot {
        Some(slot) if slot.authority == node && slot.units > 0 => (slot.result_root, slot.units),
        _ if job.units_used > 0 => (job.result_root, job.units_used),
        _ => return Err(ReceiptMismatch::NotRevealed { node }),
    };
    same("result root", &hex::encode(receipt.result_root), &hex::encode(result_root), CHAIN)?;
    same("units", &receipt.units, &units, CHAIN)
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
