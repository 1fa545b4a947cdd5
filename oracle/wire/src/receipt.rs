//! Receipt files: a node's signed statement, as JSON that anybody can keep and check.
//!
//! The file holds the receipt's fields and an Ed25519 signature over `Receipt::preimage()` by the node's own key.
//! Checking it needs neither the chain nor the node; [`SignedReceipt::check_against`] then compares it with the chain.

use std::path::Path;

use provena_arith::receipt::{RECEIPT_VERSION, Receipt};
use provena_market::state::{Job, Slot};
use serde::{Deserialize, Serialize};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_signer::Signer;

/// A receipt with its signature. Roots are lower-case hex, addresses and the signature base58.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedReceipt {
    /// Layout version; 1.
    pub version: u8,
    /// Genesis hash of the cluster, base58 as Solana's tools print it.
    pub cluster: String,
    /// The market program.
    pub market_program: String,
    /// The job.
    pub job: String,
    /// The node's authority, whose key signed.
    pub node: String,
    /// Mint of the model's NFT.
    pub asset: String,
    /// Content root of the artifact.
    pub content_root: String,
    /// Recipe root of the artifact.
    pub recipe_root: String,
    /// Content root of the request.
    pub input_root: String,
    /// Content root of the response.
    pub result_root: String,
    /// 1 is int-v1.
    pub engine_class: u8,
    /// Units of work done.
    pub units: u32,
    /// The chain's slot when it was signed.
    pub slot: u64,
    /// Ed25519 over the domain-separated preimage, base58.
    pub signature: String,
}

/// Why a receipt is not what it claims to be.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// The file cannot be read.
    #[error("the receipt {path} cannot be read ({reason})")]
    Unreadable {
        /// Which file.
        path: String,
        /// The system's words.
        reason: String,
    },
    /// It is not a receipt.
    #[error("this is not a receipt: {0}")]
    Malformed(String),
    /// A newer layout.
    #[error("the receipt has layout version {0}, this program knows version {RECEIPT_VERSION}; update it")]
    Version(u8),
    /// The signature is not the node's over these fields.
    #[error("the signature is not {node}'s over these fields: the receipt was altered or forged")]
    Signature {
        /// Who should have signed.
        node: Pubkey,
    },
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

/// Signs `receipt` with the node's key, which must be the one it names.
///
/// # Errors
/// [`ReceiptError::Differs`] when the key is another.
pub fn sign(receipt: &Receipt, key: &Keypair) -> Result<SignedReceipt, ReceiptError> {
    let node = Pubkey::from(receipt.node);
    same("node", &node, &key.pubkey(), "the signing key")?;
    Ok(SignedReceipt::from_parts(receipt, &key.sign_message(&receipt.preimage())))
}

/// Reads a receipt file; nothing is verified yet.
///
/// # Errors
/// [`ReceiptError::Unreadable`] and [`ReceiptError::Malformed`].
pub fn load(path: &Path) -> Result<SignedReceipt, ReceiptError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| ReceiptError::Unreadable { path: path.display().to_string(), reason: error.to_string() })?;
    parse(&text)
}

/// Reads a receipt from JSON; nothing is verified yet.
///
/// # Errors
/// [`ReceiptError::Malformed`].
pub fn parse(json: &str) -> Result<SignedReceipt, ReceiptError> {
    serde_json::from_str(json).map_err(|error| ReceiptError::Malformed(error.to_string()))
}

impl SignedReceipt {
    /// Puts fields and signature into the file's form.
    #[must_use]
    pub fn from_parts(receipt: &Receipt, signature: &Signature) -> Self {
        let base58 = |bytes: &[u8; 32]| bs58::encode(bytes).into_string();
        Self {
            version: receipt.version,
            cluster: base58(&receipt.cluster),
            market_program: base58(&receipt.market_program),
            job: base58(&receipt.job),
            node: base58(&receipt.node),
            asset: base58(&receipt.asset),
            content_root: hex::encode(receipt.content_root),
            recipe_root: hex::encode(receipt.recipe_root),
            input_root: hex::encode(receipt.input_root),
            result_root: hex::encode(receipt.result_root),
            engine_class: receipt.engine_class,
            units: receipt.units,
            slot: receipt.slot,
            signature: signature.to_string(),
        }
    }

    /// The fields as the type that is signed.
    ///
    /// # Errors
    /// [`ReceiptError::Malformed`] names the field that is not what it should be.
    pub fn receipt(&self) -> Result<Receipt, ReceiptError> {
        Ok(Receipt {
            version: self.version,
            cluster: base58(&self.cluster, "cluster")?,
            market_program: base58(&self.market_program, "market_program")?,
            job: base58(&self.job, "job")?,
            node: base58(&self.node, "node")?,
            asset: base58(&self.asset, "asset")?,
            content_root: root(&self.content_root, "content_root")?,
            recipe_root: root(&self.recipe_root, "recipe_root")?,
            input_root: root(&self.input_root, "input_root")?,
            result_root: root(&self.result_root, "result_root")?,
            engine_class: self.engine_class,
            units: self.units,
            slot: self.slot,
        })
    }

    /// Checks the signature, offline.
    ///
    /// # Errors
    /// [`ReceiptError::Version`], [`ReceiptError::Malformed`], [`ReceiptError::Signature`].
    pub fn verify(&self) -> Result<Receipt, ReceiptError> {
        if self.version != RECEIPT_VERSION {
            return Err(ReceiptError::Version(self.version));
        }
        let receipt = self.receipt()?;
        let bad = || ReceiptError::Malformed("signature: not 64 bytes in base58".to_owned());
        let signature: Signature = self.signature.parse().map_err(|_| bad())?;
        let node = Pubkey::from(receipt.node);
        let forged = || ReceiptError::Signature { node };
        let key = ed25519_dalek::VerifyingKey::from_bytes(&receipt.node).map_err(|_| forged())?;
        let signature = ed25519_dalek::Signature::from_bytes(signature.as_array());
        // Strict: a signature under a weak key, or a second encoding of the same one, is refused.
        key.verify_strict(&receipt.preimage(), &signature).map_err(|_| forged())?;
        Ok(receipt)
    }

    /// Compares the receipt with the job on the chain, and with the node's slot while that exists (it is closed when
    /// the job ends; the job then holds the agreed result).
    ///
    /// # Errors
    /// [`ReceiptError::Differs`] names the first field that differs, [`ReceiptError::NotRevealed`].
    pub fn check_against(&self, address: &Pubkey, job: &Job, slot: Option<&Slot>) -> Result<(), ReceiptError> {
        const CHAIN: &str = "the job on the chain";
        let receipt = self.receipt()?;
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
            return Err(ReceiptError::NotRevealed { node });
        }
        let (result_root, units) = match slot {
            Some(slot) if slot.authority == node && slot.units > 0 => (slot.result_root, slot.units),
            _ if job.units_used > 0 => (job.result_root, job.units_used),
            _ => return Err(ReceiptError::NotRevealed { node }),
        };
        same("result root", &hex::encode(receipt.result_root), &hex::encode(result_root), CHAIN)?;
        same("units", &receipt.units, &units, CHAIN)
    }
}

fn same<T: PartialEq + ToString>(
    field: &'static str,
    found: &T,
    expected: &T,
    source_of_truth: &'static str,
) -> Result<(), ReceiptError> {
    if found == expected {
        return Ok(());
    }
    Err(ReceiptError::Differs { field, found: found.to_string(), expected: expected.to_string(), source_of_truth })
}

fn base58(text: &str, field: &str) -> Result<[u8; 32], ReceiptError> {
    let key: Pubkey = text.parse().map_err(|_| ReceiptError::Malformed(format!("{field}: not 32 bytes in base58")))?;
    Ok(key.to_bytes())
}

fn root(text: &str, field: &str) -> Result<[u8; 32], ReceiptError> {
    crate::store::parse_root(text).ok_or_else(|| ReceiptError::Malformed(format!("{field}: not 32 bytes in hex")))
}
