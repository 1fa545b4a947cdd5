//! What is kept of a job.

use std::fmt::Display;
use std::str::FromStr;

use provena_wire::{SignedReceipt, Units, root};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use solana_pubkey::Pubkey;

use crate::store::Root;
use crate::view::JobView;

/// A job that was paid for, or was about to be. Addresses are base58, roots hex.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptJob {
    /// Its address.
    #[serde(with = "text")]
    pub job: Pubkey,
    /// Genesis hash of the chain.
    #[serde(with = "text")]
    pub cluster: Pubkey,
    /// Who pays.
    #[serde(with = "text")]
    pub wallet: Pubkey,
    /// The offer.
    #[serde(with = "text")]
    pub offer: Pubkey,
    /// What it is paid in; the system program's address for SOL.
    #[serde(with = "text")]
    pub mint: Pubkey,
    /// Base units that leave the wallet.
    pub deposit: u64,
    /// Most units of input.
    pub units_in: u32,
    /// Most units of output.
    pub units_out: u32,
    /// Content root of the request.
    #[serde(with = "hex_root")]
    pub input_root: Root,
    /// First part of the nonce: later than 150 slots after it the job can no longer be posted.
    pub nonce_slot: u64,
    /// Second part of the nonce.
    pub nonce_index: u16,
    /// The transaction that posted it, once it is confirmed.
    #[serde(default)]
    pub posted: Option<String>,
    /// Content root of the agreed answer, once it is known.
    #[serde(default, with = "hex_root_if")]
    pub result_root: Option<Root>,
    /// What the answer cost, in base units.
    #[serde(default)]
    pub fee: Option<u64>,
    /// Whether its account was closed.
    #[serde(default)]
    pub closed: bool,
    /// Whether it ended without an answer: its deposit went back, and there is nothing to fetch.
    #[serde(default)]
    pub refunded: bool,
    /// The nodes' receipts, each checked against its signature and the chain.
    #[serde(default)]
    pub receipts: Vec<SignedReceipt>,
}

impl KeptJob {
    /// A job on the chain that was not kept here.
    #[must_use]
    pub fn of(job: &JobView, cluster: &Root) -> Self {
        let header = &job.job;
        Self {
            job: job.address,
            cluster: Pubkey::from(*cluster),
            wallet: header.payer,
            offer: header.offer,
            mint: header.mint,
            deposit: header.deposit,
            units_in: header.max_input,
            units_out: header.max_output,
            input_root: header.input_root,
            nonce_slot: header.nonce_slot,
            nonce_index: header.nonce_index,
            posted: None,
            result_root: job.winner().map(|seat| seat.value),
            fee: job.fee().map(|fee| fee.0),
            closed: false,
            refunded: false,
            receipts: Vec::new(),
        }
    }

    /// The most units that it is paid for.
    #[must_use]
    pub fn most(&self) -> Units {
        Units::new(self.units_in, self.units_out)
    }

    /// Whether its answer was fetched.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        self.result_root.is_some()
    }

    /// Last slot in which it can still be posted.
    #[must_use]
    pub fn postable_until(&self) -> u64 {
        self.nonce_slot.saturating_add(provena_market::constants::NONCE_AGE)
    }

    /// Adds receipts of nodes of which there is none yet.
    pub fn add_receipts(&mut self, receipts: &[SignedReceipt]) {
        for receipt in receipts {
            if !self.receipts.iter().any(|known| known.node == receipt.node) {
                self.receipts.push(receipt.clone());
            }
        }
    }
}

mod text {
    use super::{Deserialize, Deserializer, Display, FromStr, Serializer};

    pub(super) fn serialize<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(super) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

mod hex_root {
    use super::{Deserialize, Deserializer, Root, Serializer, root};

    pub(super) fn serialize<S: Serializer>(value: &Root, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hex::encode(value))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Root, D::Error> {
        let text = String::deserialize(from)?;
        root::parse(&text).ok_or_else(|| serde::de::Error::custom("a root has 64 hex digits"))
    }
}

mod hex_root_if {
    use super::{Deserialize, Deserializer, Root, Serialize, Serializer, root};

    pub(super) fn serialize<S: Serializer>(value: &Option<Root>, to: S) -> Result<S::Ok, S::Error> {
        value.map(hex::encode).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Root>, D::Error> {
        let text: Option<String> = Option::deserialize(from)?;
        let wrong = || serde::de::Error::custom("a root has 64 hex digits");
        text.map(|text| root::parse(&text).ok_or_else(wrong)).transpose()
    }
}

#[cfg(test)]
impl KeptJob {
    /// A job that is answered and not closed, without receipts.
    pub(super) fn answered(job: Pubkey) -> Self {
        Self {
            job,
            cluster: Pubkey::new_unique(),
            wallet: Pubkey::new_unique(),
            offer: Pubkey::new_unique(),
            mint: Pubkey::default(),
            deposit: 7,
            units_in: 8,
            units_out: 9,
            input_root: [1; 32],
            nonce_slot: 10,
            nonce_index: 11,
            posted: None,
            result_root: Some([2; 32]),
            fee: None,
            closed: false,
            refunded: false,
            receipts: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let record = KeptJob::answered(Pubkey::new_unique());
        let json = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<KeptJob>(&json).unwrap(), record);
        assert!(json.contains(&format!("\"{}\"", record.job)), "{json}");
        assert_eq!(record.postable_until(), 160);
        let damaged = json.replace(&"01".repeat(32), "01");
        assert!(serde_json::from_str::<KeptJob>(&damaged).is_err());
    }
}
