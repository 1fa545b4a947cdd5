//! Why an asset is not minted.

use provena_registry::MAX_URI_LEN;
use solana_pubkey::Pubkey;

use crate::{
    amount::show_bps, chain::ChainError, keys::KeyFileError, share::ShareError, store::StoreError, token::TokenError,
};

/// A minting that did not come to its end. What was done stays, and minting again goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// A text is longer than NFTs allow.
    #[error("the {what} `{text}` has {} bytes; NFTs allow {limit}", text.len())]
    TextTooLong {
        /// "title" or "symbol".
        what: &'static str,
        /// The text.
        text: String,
        /// Bytes allowed.
        limit: usize,
    },
    /// An NFT without a name.
    #[error("an asset needs a title")]
    Untitled,
    /// The store's own address leaves no room for the metadata's.
    #[error("the store's address is too long: an NFT's URI has room for {MAX_URI_LEN} bytes")]
    UriTooLong,
    /// The shares are not a whole.
    #[error(transparent)]
    Share(#[from] ShareError),
    /// A parent is no asset.
    #[error("the parent {0} is no asset on this chain")]
    NoParent(Pubkey),
    /// A parent asks for more than it is given.
    #[error(
        "the parent {parent} asks for {} of what is built on it, not {}", show_bps(*asked), show_bps(*given)
    )]
    ParentAsksMore {
        /// The parent's mint.
        parent: Pubkey,
        /// What its licence asks for, in basis points.
        asked: u16,
        /// What it is given, in basis points.
        given: u16,
    },
    /// A parent's licence asks for its owner's signature.
    #[error("building on {0} needs its owner's signature")]
    NoConsent(Pubkey),
    /// The pool of an interrupted minting has other holders than are asked for now.
    #[error("an earlier minting of this content was interrupted, with other shares")]
    OtherShares,
    /// The store does not take it.
    #[error("cannot store the {what}")]
    Unstored {
        /// "content" or "metadata".
        what: &'static str,
        /// The store's reason.
        #[source]
        source: StoreError,
    },
    /// The chain does not show it.
    #[error("cannot read {what}")]
    Unread {
        /// What was asked for.
        what: &'static str,
        /// The chain's reason.
        #[source]
        source: ChainError,
    },
    /// Who holds a parent cannot be told.
    #[error("cannot tell who holds a parent")]
    Holder(#[source] TokenError),
    /// The key of the new NFT cannot be kept.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// A transaction was refused, or its outcome is unknown.
    #[error("{outcome}")]
    Unsent {
        /// What did not happen.
        outcome: &'static str,
        /// The chain's reason.
        #[source]
        source: ChainError,
    },
}

pub(super) fn unread(what: &'static str) -> impl FnOnce(ChainError) -> MintError {
    move |source| MintError::Unread { what, source }
}

pub(super) fn unsent(outcome: &'static str) -> impl FnOnce(ChainError) -> MintError {
    move |source| MintError::Unsent { outcome, source }
}

pub(super) fn unstored(what: &'static str) -> impl FnOnce(StoreError) -> MintError {
    move |source| MintError::Unstored { what, source }
}
