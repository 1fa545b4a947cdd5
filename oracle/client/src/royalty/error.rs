//! Why royalties cannot be read, swept or claimed.

use solana_pubkey::Pubkey;

use crate::chain::ChainError;

/// A failure around a royalty pool.
#[derive(Debug, thiserror::Error)]
pub enum RoyaltyError {
    /// The chain does not show it: it does not answer, or an account is missing.
    #[error("cannot {action}")]
    Unread {
        /// What was asked for.
        action: &'static str,
        /// The chain's reason.
        #[source]
        source: ChainError,
    },
    /// The address is no asset's.
    #[error("{0} has no royalty pool on this chain")]
    NoPool(Pubkey),
    /// A wallet without a part in the pool.
    #[error("{0} holds no shares of this pool")]
    NoShares(Pubkey),
    /// A sweep was refused, or its outcome is unknown.
    #[error("cannot move a derived asset's royalties to its parent")]
    NotSwept(#[source] ChainError),
    /// A claim was refused, or its outcome is unknown.
    #[error("the claim did not go through; nothing was lost and it can be repeated")]
    NotClaimed(#[source] ChainError),
}

pub(super) fn unread(action: &'static str) -> impl FnOnce(ChainError) -> RoyaltyError {
    move |source| RoyaltyError::Unread { action, source }
}
