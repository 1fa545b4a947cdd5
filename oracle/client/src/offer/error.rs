//! Why an offer is not made or closed.

use anchor_lang::prelude::ProgramError;
use solana_pubkey::Pubkey;

use crate::{amount::show_bps, asset::AssetError, chain::ChainError, royalty::RoyaltyError, token::TokenError};

/// A failure around offers.
#[derive(Debug, thiserror::Error)]
pub enum OfferError {
    /// The asset is none, is no model, or is not the wallet's.
    #[error(transparent)]
    Asset(#[from] AssetError),
    /// The payment mint is not allowed.
    #[error(transparent)]
    Royalty(#[from] RoyaltyError),
    /// The payment mint cannot be read.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The market has no settings.
    #[error("the market is not set up on this chain")]
    NotSetUp,
    /// The authority has paused it.
    #[error("creating offers is paused by the programs' authority")]
    Paused,
    /// No offer lives there.
    #[error("{0} is no offer on this chain; it may be closed")]
    NoOffer(Pubkey),
    /// A model, and nobody sells its use.
    #[error("nothing is on offer of the model {0}")]
    NotOffered(Pubkey),
    /// The market takes no such terms.
    #[error("the market takes no such offer: {0}")]
    BadTerms(&'static str),
    /// The asset asks for more.
    #[error("{asset} asks for a royalty of at least {}", show_bps(*floor))]
    RoyaltyBelowFloor {
        /// The model's NFT.
        asset: Pubkey,
        /// In basis points.
        floor: u16,
    },
    /// The asset asks for more.
    #[error("{asset} asks for a royalty of {floor} per unit, more than a unit's price")]
    PriceBelowFloor {
        /// The model's NFT.
        asset: Pubkey,
        /// In words.
        floor: String,
    },
    /// The chain does not show it.
    #[error("cannot read {what}")]
    Unread {
        /// What was asked for.
        what: &'static str,
        /// The chain's reason.
        #[source]
        source: ChainError,
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

impl OfferError {
    /// The market's own check of terms, in its words.
    pub(super) fn of_program(error: ProgramError) -> Self {
        let code = match error {
            ProgramError::Custom(code) => code,
            _ => 0,
        };
        Self::BadTerms(provena_market::error::describe(code).map_or("the terms are out of bounds", |(_, text)| text))
    }
}

pub(super) fn unread(what: &'static str) -> impl FnOnce(ChainError) -> OfferError {
    move |source| OfferError::Unread { what, source }
}

pub(super) fn unsent(outcome: &'static str) -> impl FnOnce(ChainError) -> OfferError {
    move |source| OfferError::Unsent { outcome, source }
}
