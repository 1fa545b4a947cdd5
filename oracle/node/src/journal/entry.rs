//! What is written into the log.

use provena_client::view::terms_hash;
use provena_market::state::{Job, Offer};
use provena_wire::SignedReceipt;
use serde::{Deserialize, Serialize};
use solana_pubkey::Pubkey;

/// One thing that is written into the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Which job.
    pub key: JobKey,
    /// What is about to happen, or has ended.
    pub event: Event,
}

/// What names one posting of a job for ever: what was written for it says nothing about another at the same address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobKey {
    /// The job's address.
    pub job: Pubkey,
    /// Slot of posting.
    pub posted_at: u64,
    /// Content root of the request.
    pub input_root: [u8; 32],
}

impl JobKey {
    /// Of the job that lives at `address`.
    #[must_use]
    pub fn of(address: &Pubkey, job: &Job) -> Self {
        Self { job: *address, posted_at: job.posted_at, input_root: job.input_root }
    }
}

/// What a seat is taken for, as far as the job itself does not say it: its offer may be closed while it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Hash of the job's terms.
    #[serde(with = "hex::serde")]
    pub hash: [u8; 32],
    /// Mint of the model's NFT.
    #[serde(with = "text_key")]
    pub asset: Pubkey,
    /// The version of the model.
    pub asset_version: u32,
    /// Content root of the artifact.
    #[serde(with = "hex::serde")]
    pub content_root: [u8; 32],
    /// Recipe root of the artifact.
    #[serde(with = "hex::serde")]
    pub recipe_root: [u8; 32],
    /// Arithmetic that is asked for.
    pub engine_class: u8,
    /// What the job is paid in; zeros for SOL.
    #[serde(with = "text_key")]
    pub mint: Pubkey,
}

impl Terms {
    /// Those of a job on an offer; `None` when it was posted for other terms than the offer's.
    #[must_use]
    pub fn of(job: &Job, offer: &Offer, cluster: &[u8; 32]) -> Option<Self> {
        (terms_hash(job, offer, cluster) == job.terms_hash)
            .then_some(Self { hash: job.terms_hash, ..Self::of_offer(offer) })
    }

    /// What an offer says of every job on it; the hash, which is a job's own, is zeros.
    #[must_use]
    pub fn of_offer(offer: &Offer) -> Self {
        Self {
            hash: [0; 32],
            asset: offer.asset,
            asset_version: offer.asset_version,
            content_root: offer.content_root,
            recipe_root: offer.recipe_root,
            engine_class: offer.engine_class,
            mint: offer.mint,
        }
    }
}

/// A transaction that this node sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Takes a seat and locks the bond.
    Take,
    /// Gives a seat up.
    Leave,
    /// Publishes the commitment.
    Commit,
    /// Publishes the result of a job of one seat.
    Answer,
    /// Publishes the result behind a commitment.
    Reveal,
    /// Ends the waiting.
    Finalize,
    /// Ends a late seat.
    Expire,
    /// Puts a demanded answer on chain.
    PutAnswer,
    /// Takes pay and bond.
    Collect,
}

/// How a job ended for this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The quorum agreed with this node, and it is paid.
    Settled,
    /// Given up, with the reason in words.
    Abandoned(String),
}

impl End {
    /// Why a seat is lost with its bond: its deadline passed.
    pub const MISSED: &str = "the seat's deadline was missed and its bond is lost";

    /// Why bonds of a decided job are lost: its payer asked for the answer on chain, and it did not come.
    pub const DEFAULTED: &str = "the demanded answer did not come on chain";

    /// Why the job took a bond, when it did.
    #[must_use]
    pub fn lost_bond(&self) -> Option<&str> {
        match self {
            Self::Abandoned(reason) if reason == Self::MISSED || reason == Self::DEFAULTED => Some(reason),
            Self::Abandoned(_) | Self::Settled => None,
        }
    }
}

/// What one entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A seat will be taken.
    Taking {
        /// Which seat.
        index: u8,
        /// For which terms.
        terms: Terms,
    },
    /// The chain shows this node in a seat.
    Seated,
    /// The seat will be given up.
    Leaving,
    /// The result is known and its bytes are kept. From here on this node commits to nothing else for this job.
    Computed {
        /// Content root of the response.
        result_root: [u8; 32],
        /// Units of input.
        units_in: u32,
        /// Units of output.
        units_out: u32,
        /// The commitment's salt. The log is as secret as the key until the reveal.
        salt: [u8; 32],
    },
    /// A signed transaction will be sent.
    Sending {
        /// For what.
        step: Step,
        /// Its signature.
        signature: String,
        /// Block height after which it cannot land.
        last_valid_block_height: u64,
    },
    /// The receipt will be signed. From here on this node signs no other for this job.
    Signing(SignedReceipt),
    /// The job is decided, and what follows does not need this node's engine: pay or bond are awaited.
    Decided {
        /// Whether the quorum agreed with this node.
        agreed: bool,
    },
    /// Nothing more is to be done.
    Ended(End),
}

/// A key as base58 text.
mod text_key {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use solana_pubkey::Pubkey;

    pub(super) fn serialize<S: Serializer>(key: &Pubkey, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(key)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Pubkey, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
