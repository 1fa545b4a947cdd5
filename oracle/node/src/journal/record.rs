//! The log's entries, and what they add up to for one job.

use provena_arith::receipt::Receipt;
use provena_wire::SignedReceipt;
use serde::{Deserialize, Serialize};
use solana_pubkey::Pubkey;

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Which job.
    #[serde(with = "text_key")]
    pub job: Pubkey,
    /// What is about to happen, or has ended.
    pub event: Event,
}

/// A transaction that this node sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Takes a slot and locks the bond.
    Claim,
    /// Publishes the commitment.
    Commit,
    /// Publishes the result.
    Reveal,
    /// Pays everybody.
    Settle,
    /// Ends a claim or a job whose time is over.
    Timeout,
}

/// How a job ended for this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Paid.
    Settled,
    /// Given up, with the reason in words.
    Abandoned(String),
}

/// What one entry says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A slot of the job will be claimed.
    Claiming {
        /// Which slot.
        index: u8,
    },
    /// The result is known and its bytes are kept. From here on this node commits to nothing else for this job.
    Computed {
        /// Content root of the response.
        #[serde(with = "hex::serde")]
        result_root: [u8; 32],
        /// Units of work.
        units: u32,
        /// The commitment's salt. The file is as secret as the key until the reveal.
        #[serde(with = "hex::serde")]
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
    /// Nothing more is to be done.
    Ended(End),
}

/// What a node has computed for a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Computed {
    /// Content root of the response.
    pub result_root: [u8; 32],
    /// Units of work.
    pub units: u32,
    /// The commitment's salt.
    pub salt: [u8; 32],
}

/// What the log says of one job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobRecord {
    /// The slot that was last claimed.
    pub index: Option<u8>,
    /// The result, once known.
    pub computed: Option<Computed>,
    /// The last transaction that was sent.
    pub sent: Option<(Step, String, u64)>,
    /// The receipt, once signed.
    pub receipt: Option<SignedReceipt>,
    /// How it ended.
    pub end: Option<End>,
}

impl JobRecord {
    /// Whether `event` may follow; the reason when not.
    pub(super) fn check(&self, event: &Event) -> Result<(), &'static str> {
        match event {
            Event::Computed { result_root, units, .. } => match &self.computed {
                Some(known) if known.result_root != *result_root || known.units != *units => {
                    Err("another result was computed before; this node signs one result per job")
                }
                _ => Ok(()),
            },
            Event::Signing(receipt) => {
                let signed: Receipt = receipt.receipt().map_err(|_| "the receipt is malformed")?;
                match (&self.receipt, &self.computed) {
                    (Some(known), _) if known != receipt => Err("another receipt was signed before"),
                    (None, None) => Err("a receipt needs a computed result"),
                    (_, Some(known)) if known.result_root != signed.result_root || known.units != signed.units => {
                        Err("the receipt states another result than was computed")
                    }
                    _ => Ok(()),
                }
            }
            Event::Claiming { .. } | Event::Sending { .. } | Event::Ended(_) => Ok(()),
        }
    }

    /// Entries that add up to this record.
    pub(super) fn events(&self) -> Vec<Event> {
        let computed =
            self.computed.map(|Computed { result_root, units, salt }| Event::Computed { result_root, units, salt });
        let sent = self.sent.clone().map(|(step, signature, last_valid_block_height)| Event::Sending {
            step,
            signature,
            last_valid_block_height,
        });
        let claiming = self.index.map(|index| Event::Claiming { index });
        let signing = self.receipt.clone().map(Event::Signing);
        let ended = self.end.clone().map(Event::Ended);
        [claiming, computed, sent, signing, ended].into_iter().flatten().collect()
    }

    pub(super) fn apply(&mut self, event: &Event) {
        match event {
            Event::Claiming { index } => {
                self.index = Some(*index);
                self.end = None;
            }
            Event::Computed { result_root, units, salt } => {
                self.computed = Some(Computed { result_root: *result_root, units: *units, salt: *salt });
            }
            Event::Sending { step, signature, last_valid_block_height } => {
                self.sent = Some((*step, signature.clone(), *last_valid_block_height));
            }
            Event::Signing(receipt) => self.receipt = Some(receipt.clone()),
            Event::Ended(end) => self.end = Some(end.clone()),
        }
    }
}

/// A key as base58 text.
mod text_key {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use solana_pubkey::Pubkey;

    pub fn serialize<S: Serializer>(key: &Pubkey, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(key)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Pubkey, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
