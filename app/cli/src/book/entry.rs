//! A name and what it names.

use std::fmt;

use serde::{Deserialize, Serialize};
use solana_pubkey::Pubkey;

/// What an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// The NFT of a model.
    Model,
    /// The NFT of a dataset.
    Dataset,
    /// An offer of a model's use.
    Offer,
    /// A job that was paid for.
    Job,
    /// Somebody's wallet, a node's included.
    Wallet,
}

impl Kind {
    /// The chain to which such an address belongs; a wallet is the same on all.
    pub(super) fn chain(self, chain: &str) -> Option<String> {
        (self != Self::Wallet).then(|| chain.to_owned())
    }

    /// Whether two kinds share their names, so that a name of one is never one of the other.
    pub(crate) fn shares_names_with(self, other: Self) -> bool {
        let asset = |kind| matches!(kind, Self::Model | Self::Dataset);
        self == other || (asset(self) && asset(other))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Model => "model",
            Self::Dataset => "dataset",
            Self::Offer => "offer",
            Self::Job => "job",
            Self::Wallet => "wallet",
        })
    }
}

/// A word with its article.
pub(super) fn with_article(word: impl fmt::Display) -> String {
    let word = word.to_string();
    let article = if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {word}")
}

/// What a command asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// A model or a dataset.
    Asset,
    /// A model or a dataset; an offer's name stands for what it sells.
    Earning,
    /// A model.
    Model,
    /// An offer; a model's name stands for the best offer of it.
    Offer,
    /// A job.
    Job,
    /// Any address, wallets before others.
    Any,
}

impl Wanted {
    /// The kinds that will do, the best first.
    pub(super) fn kinds(self) -> &'static [Kind] {
        match self {
            Self::Asset => &[Kind::Model, Kind::Dataset],
            Self::Earning => &[Kind::Model, Kind::Dataset, Kind::Offer],
            Self::Model => &[Kind::Model],
            Self::Offer => &[Kind::Offer, Kind::Model],
            Self::Job => &[Kind::Job],
            Self::Any => &[Kind::Wallet, Kind::Model, Kind::Dataset, Kind::Offer, Kind::Job],
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Asset | Self::Earning => "model or dataset",
            Self::Model => "model",
            Self::Offer => "offer",
            Self::Job => "job",
            Self::Any => "address",
        })
    }
}

impl From<Kind> for Wanted {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Model | Kind::Dataset => Self::Asset,
            Kind::Offer => Self::Offer,
            Kind::Job => Self::Job,
            Kind::Wallet => Self::Any,
        }
    }
}

/// A name and what it names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// Without the `@`.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Where it is.
    #[serde(with = "base58")]
    pub address: Pubkey,
    /// The genesis hash of its chain, or its RPC address as long as it was not asked; none for wallets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<String>,
}

impl Entry {
    /// Whether the name is one on this chain.
    pub(super) fn holds_on(&self, chain: &str) -> bool {
        self.chain.as_deref().is_none_or(|own| own == chain)
    }
}

/// Addresses as people and other programs write them.
mod base58 {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use solana_pubkey::Pubkey;

    pub(super) fn serialize<S: Serializer>(address: &Pubkey, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(address)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Pubkey, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
