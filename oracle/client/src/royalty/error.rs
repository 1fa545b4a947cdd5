//! Why royalties cannot be read or moved.

use solana_pubkey::Pubkey;

use crate::{chain::ChainError, share::show_part, token::TokenError};

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
    /// A payment mint cannot be read.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The program has no settings.
    #[error("the royalty program is not set up on this chain")]
    NotSetUp,
    /// The address is no asset's.
    #[error("{0} has no royalty pool on this chain")]
    NoPool(Pubkey),
    /// More pools hold shares of each other than anybody's lineage has.
    #[error("more than {0} pools hold shares of this pool or of each other")]
    TooManyPools(usize),
    /// Pools are not paid in it.
    #[error("{0} is not on the list of payment mints that the programs' authority allows")]
    MintNotAllowed(Pubkey),
    /// A wallet without a part in the pool.
    #[error("{0} holds no shares of this pool")]
    NoShares(Pubkey),
    /// More than there is.
    #[error("{holder} holds {}, less than that", show_part(*shares, *total))]
    NotEnough {
        /// Whose shares.
        holder: Pubkey,
        /// What it holds.
        shares: u64,
        /// Of so many.
        total: u64,
    },
    /// Some are not vested.
    #[error("{} of {holder} are still locked, until slot {until} at the latest", show_part(*locked, *total))]
    Locked {
        /// Whose shares.
        holder: Pubkey,
        /// Not vested yet.
        locked: u64,
        /// Of so many.
        total: u64,
        /// First slot in which none is locked.
        until: u64,
    },
    /// The wallet has no right to these shares.
    #[error("{holder} has not approved {wallet} for that; it may move {}", show_part(*approved, *total))]
    NotApproved {
        /// Whose shares.
        holder: Pubkey,
        /// Who wants to move them.
        wallet: Pubkey,
        /// What it may move.
        approved: u64,
        /// Of so many.
        total: u64,
    },
    /// Nobody is approved.
    #[error("{0} has approved nobody in this pool")]
    NobodyApproved(Pubkey),
    /// A pool in itself.
    #[error("a pool cannot hold its own shares")]
    SelfHolding,
    /// From somebody to itself.
    #[error("{0} holds these shares already")]
    OwnShares(Pubkey),
    /// An account that nobody holds the key of, and no pool.
    #[error("{address} is no wallet: nobody could collect what shares earn there")]
    NoWallet {
        /// What was named.
        address: Pubkey,
        /// The pool of the asset that has this address.
        pool: Option<Pubkey>,
    },
    /// Something is left in it.
    #[error("{0} has shares of this pool, or something that they earned")]
    InUse(Pubkey),
    /// Neither the holder nor who paid the rent.
    #[error("only {holder} or {rent_payer}, who paid its rent, can close this position")]
    NotCloser {
        /// Whose position.
        holder: Pubkey,
        /// Who paid its rent.
        rent_payer: Pubkey,
    },
    /// Somebody else's money to a place of one's own choice.
    #[error("only {0} itself can have what it is owed paid to another address")]
    NotHolder(Pubkey),
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

pub(super) fn unread(action: &'static str) -> impl FnOnce(ChainError) -> RoyaltyError {
    move |source| RoyaltyError::Unread { action, source }
}

pub(super) fn unsent(outcome: &'static str) -> impl FnOnce(ChainError) -> RoyaltyError {
    move |source| RoyaltyError::Unsent { outcome, source }
}
