//! Why a receipt is not what it claims to be.

use provena_arith::receipt::RECEIPT_VERSION;

/// A receipt that cannot be read, is not genuine, or is not this key's to sign.
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
        node: String,
    },
    /// It names another node than the one whose key is to sign it.
    #[error("the receipt's node is {node}, the signing key says {signer}")]
    ForeignKey {
        /// In the receipt.
        node: String,
        /// The key's own address.
        signer: String,
    },
}
