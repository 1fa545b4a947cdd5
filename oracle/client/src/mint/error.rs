//! Why an asset is not minted.

use std::path::PathBuf;

use provena_registry::{MAX_FLOORS, MAX_INHERITED, MAX_PARENTS};
use solana_pubkey::Pubkey;

use crate::{
    amount::{Currency, show_bps},
    asset::AssetError,
    chain::ChainError,
    keys::KeyFileError,
    royalty::RoyaltyError,
    share::{ShareError, show_shares},
    store::StoreError,
    token::TokenError,
};

/// A minting that did not come to its end. All but the last few are found out before the first transaction; after it, what
/// was done stays, and minting again goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// A text is longer than NFTs allow.
    #[error("the {what} `{text}` has {} bytes; NFTs allow {limit}", text.len())]
    TextTooLong {
        /// "title" or "symbol".
        what: &'static str,
        /// The text.
        text: String,
        /// Bytes allowed.
        limit: usize,
    },
    /// An NFT without a name.
    #[error("an asset needs a title")]
    Untitled,
    /// Nobody but this machine could read the metadata.
    #[error("the NFT's document would lie in a folder of this machine, where nobody else can read it")]
    LocalUri,
    /// A document that the owner keeps, without a picture.
    #[error("it cannot be told where the picture of {0} is: the address does not end in a name with .json")]
    NoPictureBeside(String),
    /// Nothing to mint.
    #[error("the content is empty")]
    Empty,
    /// The shares are not a whole.
    #[error(transparent)]
    Share(#[from] ShareError),
    /// A parent is no asset, or cannot be read.
    #[error(transparent)]
    Asset(#[from] AssetError),
    /// Nobody may build on it.
    #[error("the parent {0} grants nothing: it has no active licence")]
    NoLicence(Pubkey),
    /// Its licences all have a price, and nobody chose one.
    #[error("the parent {0} asks for a price, so its licence must be chosen")]
    PriceAsked(Pubkey),
    /// A licence is to be published that cannot be.
    #[error("others may not build on this: the licences that it is built under do not allow it")]
    MayNotLicense,
    /// More than the registry takes.
    #[error(
        "the parents pass on {0} ancestors whose licences bind every descendant; an asset inherits at most {MAX_INHERITED}"
    )]
    TooManyAncestors(usize),
    /// The licence has expired or is used up.
    #[error("licence number {id} of {parent} grants nothing any more: it has expired, or granted as often as it may")]
    GrantsNoMore {
        /// The parent's mint.
        parent: Pubkey,
        /// The licence's number.
        id: u32,
    },
    /// The parent's own licences forbid it.
    #[error("nothing may be built on {0}: the licences that it was built under do not allow it")]
    NoDerivatives(Pubkey),
    /// A direct parent that another parent passes on wants more than it is given.
    #[error("{ancestor}'s pool must hold {} of this, because of a licence that binds every descendant", show_bps(*asked))]
    AncestorAsksMore {
        /// The ancestor's asset account.
        ancestor: Pubkey,
        /// In basis points.
        asked: u16,
    },
    /// A later version takes no such parent.
    #[error(
        "{0} was made from assets whose licences bind every descendant, and such a parent is for a new asset alone"
    )]
    PassesOn(Pubkey),
    /// It is in the lineage already.
    #[error("{0} is a parent, or a parent's ancestor, already")]
    ParentAlready(Pubkey),
    /// The asset asks its users for less than a parent does.
    #[error("{parent} asks for a least royalty of {} of each fee, or more per unit, than {asset} does", show_bps(*bps))]
    FloorTooLow {
        /// Whose next version it is.
        asset: Pubkey,
        /// Who asks.
        parent: Pubkey,
        /// In basis points.
        bps: u16,
    },
    /// A parent asks for more than it is given.
    #[error(
        "the parent {parent} asks for {} of what is built on it, not {}", show_bps(*asked), show_shares(*given)
    )]
    ParentAsksMore {
        /// The parent's mint.
        parent: Pubkey,
        /// What its licence asks for, in basis points.
        asked: u16,
        /// What it is given, in shares of [`provena_royalty::DEFAULT_TOTAL_SHARES`].
        given: u64,
    },
    /// A parent's licence asks for its owner's signature.
    #[error("building on {0} needs its owner's signature")]
    NoConsent(Pubkey),
    /// More than the registry takes.
    #[error("{0} parents are too many; an asset has at most {MAX_PARENTS}")]
    TooManyParents(usize),
    /// More than the registry takes.
    #[error(
        "the asset and its parents ask for a royalty per unit in {0} payment mints; there is room for {MAX_FLOORS}"
    )]
    TooManyFloors(usize),
    /// Parents, texts and floors are more than one transaction holds.
    #[error("so many parents and so long texts do not fit one transaction")]
    TooLarge,
    /// Somebody registered these bytes before.
    #[error("this content is registered already, as {0}")]
    ContentTaken(Pubkey),
    /// A program's settings are missing.
    #[error("the {0} is not set up on this chain")]
    NotSetUp(&'static str),
    /// The authority has paused it.
    #[error("{0} is paused by the programs' authority")]
    Paused(&'static str),
    /// A payment mint cannot be used.
    #[error(transparent)]
    Royalty(#[from] RoyaltyError),
    /// A payment mint, or who holds a parent, cannot be told.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The wallet cannot pay for it.
    #[error("minting this takes about {}, and {wallet} has {}", Currency::sol().show(*needed), Currency::sol().show(*has))]
    TooPoor {
        /// Who mints.
        wallet: Pubkey,
        /// Rent and fees, in lamports.
        needed: u64,
        /// In the wallet.
        has: u64,
    },
    /// Somebody else began it.
    #[error("an earlier minting of this content was begun by {wallet} and interrupted (its secrets are in {})", file.display())]
    OtherWallet {
        /// Who alone can go on.
        wallet: Pubkey,
        /// Where the secrets are.
        file: PathBuf,
    },
    /// It is on another chain.
    #[error("an earlier minting of this content is on another chain, of the genesis hash {genesis} (its secrets are in {})", file.display())]
    OtherChain {
        /// The chain's genesis hash.
        genesis: Pubkey,
        /// Where the secrets are.
        file: PathBuf,
    },
    /// The pool of an interrupted minting has other holders than are asked for now.
    #[error("an earlier minting of this content was interrupted, with other shares (its secrets are in {})", .0.display())]
    OtherShares(PathBuf),
    /// The key of the new NFT cannot be kept.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The store does not take it.
    #[error("cannot store the {what}")]
    Unstored {
        /// "content" or "metadata".
        what: &'static str,
        /// The store's reason.
        #[source]
        source: StoreError,
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
    /// The chain's slots do not pass.
    #[error(
        "the content is claimed, but the chain has made no 8 slots since; running the same command again goes on from here"
    )]
    Unripe,
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

pub(super) fn unread(what: &'static str) -> impl FnOnce(ChainError) -> MintError {
    move |source| MintError::Unread { what, source }
}

pub(super) fn unsent(outcome: &'static str) -> impl FnOnce(ChainError) -> MintError {
    move |source| MintError::Unsent { outcome, source }
}

pub(super) fn unstored(what: &'static str) -> impl FnOnce(StoreError) -> MintError {
    move |source| MintError::Unstored { what, source }
}
