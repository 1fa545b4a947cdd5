//! Why an asset is not found, or not changed.

use provena_registry::MAX_URI_LEN;
use solana_pubkey::Pubkey;

use crate::{amount::show_bps, chain::ChainError, token::TokenError};

/// A failure around a registered asset. Everything but [`AssetError::Unread`] and [`AssetError::Unsent`] is found out
/// before anything is sent.
#[derive(Debug, thiserror::Error)]
pub enum AssetError {
    /// The chain does not show it.
    #[error("cannot read {what}")]
    Unread {
        /// What was asked for.
        what: &'static str,
        /// The chain's reason.
        #[source]
        source: ChainError,
    },
    /// The address is no asset's.
    #[error("{0} is no asset on this chain")]
    NoAsset(Pubkey),
    /// It is a dataset where a model is needed, or the other way round.
    #[error("{mint} is a {is}, not a {wanted}")]
    WrongKind {
        /// The NFT's mint.
        mint: Pubkey,
        /// "model" or "dataset".
        is: &'static str,
        /// "model" or "dataset".
        wanted: &'static str,
    },
    /// It is disputed or frozen.
    #[error("{0} is not active: its content is disputed, or a ruling went against it")]
    NotActive(Pubkey),
    /// There are not so many versions.
    #[error("{mint} has no version {n}; its latest is {latest}")]
    NoVersion {
        /// The NFT's mint.
        mint: Pubkey,
        /// What was asked for.
        n: u32,
        /// The last there is.
        latest: u32,
    },
    /// The wallet does not hold the NFT.
    #[error("{wallet} does not own {mint}{}", .owner.map(|owner| format!("; its owner is {owner}")).unwrap_or_default())]
    NotOwner {
        /// Who asks.
        wallet: Pubkey,
        /// The NFT's mint.
        mint: Pubkey,
        /// Who holds it.
        owner: Option<Pubkey>,
    },
    /// Who holds the NFT, or what a payment mint is, cannot be told.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// No licence of that number.
    #[error("{mint} has no licence number {id}")]
    NoLicence {
        /// The NFT's mint.
        mint: Pubkey,
        /// What was asked for.
        id: u32,
    },
    /// The licence grants nothing any more.
    #[error("licence number {id} of {mint} is retired")]
    Retired {
        /// The NFT's mint.
        mint: Pubkey,
        /// Which licence.
        id: u32,
    },
    /// A number is used once.
    #[error("{mint} has a licence number {id} already")]
    LicenceExists {
        /// The NFT's mint.
        mint: Pubkey,
        /// Which number.
        id: u32,
    },
    /// A floor never falls.
    #[error("the royalty of {mint} is at least {} for ever; it can only be raised", show_bps(*.floor))]
    FloorLowered {
        /// The NFT's mint.
        mint: Pubkey,
        /// The present floor in basis points.
        floor: u16,
    },
    /// A floor per unit never falls.
    #[error("the royalty of {mint} per unit is at least {floor} for ever; it can only be raised")]
    UnitFloorLowered {
        /// The NFT's mint.
        mint: Pubkey,
        /// The present floor in words.
        floor: String,
    },
    /// There is room for eight.
    #[error("{0} asks for a royalty per unit in 8 payment mints already, and there is room for no more")]
    TooManyFloors(Pubkey),
    /// Longer than an NFT's URI may be.
    #[error("the URI has {0} bytes; an NFT's has room for {MAX_URI_LEN}")]
    UriTooLong(usize),
    /// Wallets and marketplaces could not read it.
    #[error("{} is no address of an NFT's document: {reason}", provena_wire::printable(uri))]
    BadUri {
        /// What was given.
        uri: String,
        /// What is wrong with it.
        reason: &'static str,
    },
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

pub(crate) fn unread(what: &'static str) -> impl FnOnce(ChainError) -> AssetError {
    move |source| AssetError::Unread { what, source }
}

pub(crate) fn unsent(outcome: &'static str) -> impl FnOnce(ChainError) -> AssetError {
    move |source| AssetError::Unsent { outcome, source }
}
