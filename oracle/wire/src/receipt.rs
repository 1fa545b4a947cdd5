//! Receipt files: a node's signed statement, as JSON that anybody can keep and check.
//!
//! The file holds the receipt's fields and an Ed25519 signature over `Receipt::preimage()` by the node's own key.
//! Checking it needs neither the chain nor the node; `provena_client::receipt` then compares it with the chain.

mod error;

use std::path::Path;

use ed25519_dalek::{SIGNATURE_LENGTH, Signature, Signer, SigningKey, VerifyingKey};
use provena_arith::receipt::{RECEIPT_VERSION, Receipt};
use serde::{Deserialize, Serialize};

use crate::root;

pub use error::ReceiptError;

/// A receipt with its signature. Roots are lower-case hex, addresses and the signature base58.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedReceipt {
    /// Layout version; 2.
    pub version: u8,
    /// 1 is a job, 2 a call of a session, 3 a call paid into a till.
    pub kind: u8,
    /// Genesis hash of the cluster, base58 as Solana's tools print it.
    pub cluster: String,
    /// The program through which the work was paid.
    pub program: String,
    /// The job, session or till.
    pub place: String,
    /// Number of the call in its session or till; 0 for a job.
    pub number: u64,
    /// The node's authority, whose key signed.
    pub node: String,
    /// Who paid.
    pub payer: String,
    /// Mint of the model's NFT.
    pub asset: String,
    /// The version of the asset.
    pub asset_version: u32,
    /// Content root of the artifact.
    pub content_root: String,
    /// Recipe root of the artifact.
    pub recipe_root: String,
    /// Content root of the request.
    pub input_root: String,
    /// Content root of the response.
    pub result_root: String,
    /// Hash of the terms under which it was paid.
    pub terms_hash: String,
    /// Mint of the payment; the system program's address for SOL.
    pub mint: String,
    /// The fee, in base units of the mint.
    pub amount: u64,
    /// 1 is int-v1.
    pub engine_class: u8,
    /// Units of input that were read.
    pub units_in: u32,
    /// Units of output that were made.
    pub units_out: u32,
    /// Slot of the chain in which the work was posted.
    pub slot: u64,
    /// Ed25519 over the domain-separated preimage, base58.
    pub signature: String,
}

/// Signs `receipt` with the node's key, which must be the one it names.
///
/// # Errors
/// [`ReceiptError::ForeignKey`] when the key is another.
pub fn sign(receipt: &Receipt, key: &SigningKey) -> Result<SignedReceipt, ReceiptError> {
    let signer = key.verifying_key().to_bytes();
    if receipt.node != signer {
        return Err(ReceiptError::ForeignKey { node: base58(&receipt.node), signer: base58(&signer) });
    }
    Ok(SignedReceipt::from_parts(receipt, &key.sign(&receipt.preimage()).to_bytes()))
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
    pub fn from_parts(receipt: &Receipt, signature: &[u8; SIGNATURE_LENGTH]) -> Self {
        Self {
            version: receipt.version,
            kind: receipt.kind,
            cluster: base58(&receipt.cluster),
            program: base58(&receipt.program),
            place: base58(&receipt.place),
            number: receipt.number,
            node: base58(&receipt.node),
            payer: base58(&receipt.payer),
            asset: base58(&receipt.asset),
            asset_version: receipt.asset_version,
            content_root: hex::encode(receipt.content_root),
            recipe_root: hex::encode(receipt.recipe_root),
            input_root: hex::encode(receipt.input_root),
            result_root: hex::encode(receipt.result_root),
            terms_hash: hex::encode(receipt.terms_hash),
            mint: base58(&receipt.mint),
            amount: receipt.amount,
            engine_class: receipt.engine_class,
            units_in: receipt.units_in,
            units_out: receipt.units_out,
            slot: receipt.slot,
            signature: base58(signature),
        }
    }

    /// The fields as the type that is signed.
    ///
    /// # Errors
    /// [`ReceiptError::Malformed`] names the field that is not what it should be.
    pub fn receipt(&self) -> Result<Receipt, ReceiptError> {
        Ok(Receipt {
            version: self.version,
            kind: self.kind,
            cluster: key(&self.cluster, "cluster")?,
            program: key(&self.program, "program")?,
            place: key(&self.place, "place")?,
            number: self.number,
            node: key(&self.node, "node")?,
            payer: key(&self.payer, "payer")?,
            asset: key(&self.asset, "asset")?,
            asset_version: self.asset_version,
            content_root: root(&self.content_root, "content_root")?,
            recipe_root: root(&self.recipe_root, "recipe_root")?,
            input_root: root(&self.input_root, "input_root")?,
            result_root: root(&self.result_root, "result_root")?,
            terms_hash: root(&self.terms_hash, "terms_hash")?,
            mint: key(&self.mint, "mint")?,
            amount: self.amount,
            engine_class: self.engine_class,
            units_in: self.units_in,
            units_out: self.units_out,
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
        let mut signature = [0; SIGNATURE_LENGTH];
        if bs58::decode(&self.signature).onto(&mut signature) != Ok(SIGNATURE_LENGTH) {
            return Err(ReceiptError::Malformed("signature: not 64 bytes in base58".to_owned()));
        }
        let forged = || ReceiptError::Signature { node: self.node.clone() };
        let key = VerifyingKey::from_bytes(&receipt.node).map_err(|_| forged())?;
        let signature = Signature::from_bytes(&signature);
        // Strict: a signature under a weak key, or a second encoding of the same one, is refused.
        key.verify_strict(&receipt.preimage(), &signature).map_err(|_| forged())?;
        Ok(receipt)
    }
}

fn base58(bytes: &[u8]) -> String {
    bs58::encode(bytes).into_string()
}

fn key(text: &str, field: &str) -> Result<[u8; 32], ReceiptError> {
    let mut key = [0; 32];
    match bs58::decode(text).onto(&mut key) {
        Ok(32) => Ok(key),
        _ => Err(ReceiptError::Malformed(format!("{field}: not 32 bytes in base58"))),
    }
}

fn root(text: &str, field: &str) -> Result<[u8; 32], ReceiptError> {
    root::parse(text).ok_or_else(|| ReceiptError::Malformed(format!("{field}: not 32 bytes in hex")))
}
