//! Why nothing can be said about money.

use solana_pubkey::Pubkey;

use crate::chain::ChainError;

/// A failure around payment mints and token accounts.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The chain does not show it.
    #[error("cannot read {what}")]
    Unread {
        /// What was asked for.
        what: &'static str,
        /// The chain's reason.
        #[source]
        source: ChainError,
    },
    /// It is no mint of SPL Token or Token-2022.
    #[error("{0} is not a token mint on this chain")]
    NotAMint(Pubkey),
    /// The programs take no payments in it, because its issuer could take them back or stop them.
    #[error("{mint} cannot be paid in: {reason}")]
    Unsupported {
        /// Which mint.
        mint: Pubkey,
        /// What is wrong with it, in the programs' own words.
        reason: &'static str,
    },
}

pub(super) fn unread(what: &'static str) -> impl FnOnce(ChainError) -> TokenError {
    move |source| TokenError::Unread { what, source }
}
