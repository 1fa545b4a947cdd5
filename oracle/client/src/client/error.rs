//! Why a payer does not get an answer.

use std::time::Duration;

use provena_market::state::JobState;
use provena_wire::Units;
use solana_pubkey::Pubkey;
use solana_signature::Signature;

use crate::chain::ChainError;
use crate::kept::KeptError;
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
        asked: Units,
        /// In the offer.
        most: Units,
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
    /// No decision in time.
    #[error(
        "job {job} has no answer after {waited:.0?}; the deposit is safe in its escrow: wait longer with the same job, or cancel it while no node works on it"
    )]
    StillRunning {
        /// Which job.
        job: Pubkey,
        /// Its state.
        state: JobState,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The answer is agreed, and not here in time.
    #[error("the answer to job {job} is agreed, and no node handed it out in {waited:.0?}")]
    NotHandedOut {
        /// Which job.
        job: Pubkey,
        /// How long it was waited for.
        waited: Duration,
        /// Whether it was demanded on chain by then.
        demanded: bool,
    },
    /// The chain fell silent.
    #[error(
        "the chain did not answer for {waited:.0?} ({reason}); job {job} is paid for and goes on without us: look again with the same job"
    )]
    Silent {
        /// Which job.
        job: Pubkey,
        /// How long it was asked.
        waited: Duration,
        /// The last failure.
        reason: String,
    },
    /// A job cannot be kept on this machine.
    #[error("the job could not be kept on this machine, so nothing was paid: {0}")]
    Kept(#[from] KeptError),
    /// It ended without a result.
    #[error("job {job} ended without an answer; all of its deposit goes back to the payer")]
    Ended {
        /// Which job.
        job: Pubkey,
        /// How it ended.
        state: JobState,
        /// What comes back.
        refund: u64,
    },
    /// It no longer exists.
    #[error("job {0} does not exist, or is closed")]
    Closed(Pubkey),
    /// Closing it would lose what was paid for.
    #[error("the answer to job {0} was never fetched, and no node hands it out now; closing the job would lose it")]
    Unfetched(Pubkey),
    /// No quorum agreed yet.
    #[error("the job has no agreed result yet")]
    NoResult,
    /// The nodes have shown that the answer is too long for the chain, and none hands it out.
    #[error(
        "the answer to job {0} is too long to be put on chain and no node hands it out; ask again later with the same job"
    )]
    Withheld(Pubkey),
}
