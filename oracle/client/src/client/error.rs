//! Why a payer does not get an answer.

use std::time::Duration;

use provena_market::state::JobState;
use solana_pubkey::Pubkey;
use solana_signature::Signature;

use crate::chain::ChainError;
use crate::store::StoreError;

/// Every message says what happened to the money, or what to do.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The chain cannot be reached, or refuses.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A blob cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The answer is not one.
    #[error("the response cannot be read: {0}")]
    Response(#[from] provena_wire::DecodeError),
    /// Nothing to do.
    #[error("the request is empty; give at least one image or text, and pay for at least one unit")]
    Empty,
    /// More than the offer allows.
    #[error("the request can take {asked} units, the offer allows {most} per job; ask for less at once")]
    TooManyUnits {
        /// What the request can take.
        asked: u32,
        /// In the offer.
        most: u32,
    },
    /// The answer to the payment was lost.
    #[error(
        "it is unknown whether job {job} was paid for (transaction {signature}); look at the job before paying again"
    )]
    MaybePosted {
        /// Which job it would be.
        job: Pubkey,
        /// The transaction.
        signature: Signature,
    },
    /// No settlement in time.
    #[error(
        "job {job} is still {state:?} after {waited:.0?}; the deposit is safe in its escrow: wait longer with the same job, or cancel it while it is Open"
    )]
    StillRunning {
        /// Which job.
        job: Pubkey,
        /// Its state.
        state: JobState,
        /// How long it was waited for.
        waited: Duration,
    },
    /// It ended without a result.
    #[error("job {job} ended without a result ({state:?}); {refund} base units were refunded")]
    Ended {
        /// Which job.
        job: Pubkey,
        /// How it ended.
        state: JobState,
        /// What came back.
        refund: u64,
    },
    /// It no longer exists.
    #[error("job {0} does not exist, or is closed")]
    Closed(Pubkey),
    /// A state of a newer program.
    #[error("job {0} is in a state that this program does not know; update it")]
    UnknownState(Pubkey),
    /// Not settled yet.
    #[error("the job has no agreed result yet")]
    NoResult,
}
