//! What the holder of a model's NFT sells, and for how much.

use anchor_lang::{address_eq, prelude::*};
use provena_common::{
    amount::{Amount, Bps},
    pda::is_zero,
};
use provena_registry::{
    state::{Asset, AssetKind, Floor, per_unit_floor},
    uses,
};

use super::STATE_VERSION;
use crate::{error::MarketError, fees::Prices};

pub use terms::OfferTerms;

mod terms;

/// An offer, at [`pda::offer`](crate::pda::offer). It exists as long as jobs may be posted on it.
#[account]
#[derive(Debug, PartialEq, Eq)]
pub struct Offer {
    /// Mint of the asset's NFT.
    pub asset: Address,
    /// The asset's account in the registry.
    pub asset_account: Address,
    /// The asset's royalty pool.
    pub pool: Address,
    /// The pool's books for `mint`, whose inboxes take the royalties.
    pub books: Address,
    /// What the offer is priced in; all zeros is SOL.
    pub mint: Address,
    /// The token program of `mint`; zeros for SOL.
    pub token_program: Address,
    /// Content root of the version's artifact.
    pub content_root: [u8; 32],
    /// Recipe root of the version's artifact.
    pub recipe_root: [u8; 32],
    /// See [`Offer::hash_terms`]; goes into the hash of every job's terms.
    pub terms_hash: [u8; 32],
    /// Paid the account's rent and gets it back.
    pub rent_payer: Address,
    /// Distinguishes an asset's offers.
    pub offer_id: u64,
    /// See [`OfferTerms`].
    pub base_price: u64,
    /// See [`OfferTerms`].
    pub input_price: u64,
    /// See [`OfferTerms`].
    pub output_price: u64,
    /// See [`OfferTerms`].
    pub bond_lamports: u64,
    /// The asset's least royalty per unit in `mint` when the offer was made.
    pub least_royalty: u64,
    /// Number of the asset's version.
    pub asset_version: u32,
    /// See [`OfferTerms`].
    pub open_window: u32,
    /// See [`OfferTerms`].
    pub commit_window: u32,
    /// See [`OfferTerms`].
    pub reveal_window: u32,
    /// See [`OfferTerms`].
    pub max_input_units: u32,
    /// See [`OfferTerms`].
    pub max_output_units: u32,
    /// See [`OfferTerms`].
    pub royalty_bps: u16,
    /// See [`OfferTerms`].
    pub seats: u8,
    /// See [`OfferTerms`].
    pub quorum: u8,
    /// See [`OfferTerms`].
    pub engine_class: u8,
    /// See [`OfferTerms`].
    pub flags: u8,
    /// 1: jobs may be posted. A closed offer has no account.
    pub active: u8,
    /// Of the account's address.
    pub bump: u8,
    /// [`STATE_VERSION`].
    pub version: u8,
    /// Zero.
    pub padding: [u8; 7],
    /// Zero.
    pub tail: [u8; 64],
}

const _: () = assert!(size_of::<Offer>() == 472);

provena_common::layout!(Offer, STATE_VERSION);

/// What a new [`Offer`] is made with, besides its terms.
pub struct NewOffer {
    /// Mint of the asset's NFT.
    pub asset: Address,
    /// The asset's account.
    pub asset_account: Address,
    /// The asset's royalty pool.
    pub pool: Address,
    /// The pool's books.
    pub books: Address,
    /// Payment mint; zeros for SOL.
    pub mint: Address,
    /// Its token program; zeros for SOL.
    pub token_program: Address,
    /// Number of the asset's version.
    pub asset_version: u32,
    /// Its artifact.
    pub content_root: [u8; 32],
    /// Its artifact's recipe.
    pub recipe_root: [u8; 32],
    /// The asset's least royalty per unit in the payment mint.
    pub least_royalty: Amount,
    /// Pays the rent.
    pub rent_payer: Address,
    /// Distinguishes an asset's offers.
    pub offer_id: u64,
    /// Of the account's address.
    pub bump: u8,
}

impl Offer {
    /// Fills a fresh account and hashes its terms.
    pub fn initialize(&mut self, new: &NewOffer, terms: &OfferTerms) {
        self.asset = new.asset;
        self.asset_account = new.asset_account;
        self.pool = new.pool;
        self.books = new.books;
        self.mint = new.mint;
        self.token_program = new.token_program;
        self.content_root = new.content_root;
        self.recipe_root = new.recipe_root;
        self.rent_payer = new.rent_payer;
        self.offer_id = new.offer_id;
        self.least_royalty = new.least_royalty.0;
        self.asset_version = new.asset_version;
        self.bump = new.bump;
        self.active = 1;
        self.version = STATE_VERSION;
        self.set_terms(terms);
        self.terms_hash = self.hash_terms();
    }

    /// Whether the offer is priced in SOL.
    #[must_use]
    pub fn is_native(&self) -> bool {
        is_zero(&self.mint)
    }

    /// What work of a job costs that is posted on it now, and who takes part of the fee; `protocol` is the market's share.
    ///
    /// # Errors
    /// `BpsTooHigh` for a royalty beyond the whole, which no offer has.
    pub fn prices(&self, protocol: Bps) -> Result<Prices> {
        Ok(Prices {
            base: Amount(self.base_price),
            input: Amount(self.input_price),
            output: Amount(self.output_price),
            royalty: Bps::new(self.royalty_bps)?,
            least_royalty: Amount(self.least_royalty),
            protocol,
        })
    }

    /// The holder's choices.
    #[must_use]
    pub fn terms(&self) -> OfferTerms {
        OfferTerms {
            base_price: self.base_price,
            input_price: self.input_price,
            output_price: self.output_price,
            bond_lamports: self.bond_lamports,
            open_window: self.open_window,
            commit_window: self.commit_window,
            reveal_window: self.reveal_window,
            max_input_units: self.max_input_units,
            max_output_units: self.max_output_units,
            royalty_bps: self.royalty_bps,
            seats: self.seats,
            quorum: self.quorum,
            engine_class: self.engine_class,
            flags: self.flags,
        }
    }

    fn set_terms(&mut self, terms: &OfferTerms) {
        self.base_price = terms.base_price;
        self.input_price = terms.input_price;
        self.output_price = terms.output_price;
        self.bond_lamports = terms.bond_lamports;
        self.open_window = terms.open_window;
        self.commit_window = terms.commit_window;
        self.reveal_window = terms.reveal_window;
        self.max_input_units = terms.max_input_units;
        self.max_output_units = terms.max_output_units;
        self.royalty_bps = terms.royalty_bps;
        self.seats = terms.seats;
        self.quorum = terms.quorum;
        self.engine_class = terms.engine_class;
        self.flags = terms.flags;
    }

    /// The hash that names these terms, the version of the model, and where its royalties go: SHA-256 over the domain, asset
    /// mint, pool, books, mint, version, both roots, the terms in the order of [`OfferTerms`] and the least royalty; numbers
    /// little endian.
    #[must_use]
    pub fn hash_terms(&self) -> [u8; 32] {
        provena_arith::hash::sha256(&[
            provena_arith::domain::TERMS,
            self.asset.as_ref(),
            self.pool.as_ref(),
            self.books.as_ref(),
            self.mint.as_ref(),
            &self.asset_version.to_le_bytes(),
            &self.content_root,
            &self.recipe_root,
            &self.base_price.to_le_bytes(),
            &self.input_price.to_le_bytes(),
            &self.output_price.to_le_bytes(),
            &self.bond_lamports.to_le_bytes(),
            &self.open_window.to_le_bytes(),
            &self.commit_window.to_le_bytes(),
            &self.reveal_window.to_le_bytes(),
            &self.max_input_units.to_le_bytes(),
            &self.max_output_units.to_le_bytes(),
            &self.royalty_bps.to_le_bytes(),
            &[self.seats, self.quorum, self.engine_class, self.flags],
            &self.least_royalty.to_le_bytes(),
        ])
    }

    /// Checks that jobs may be posted: the asset is this offer's and active, and its floors, which may have risen since the
    /// offer was made, are still kept.
    ///
    /// # Errors
    /// [`MarketError::WrongAsset`], [`MarketError::AssetNotActive`], [`MarketError::UseNotAllowed`],
    /// [`MarketError::FloorRaised`], and those of [`OfferTerms::check_floor`].
    pub fn check_asset(&self, address: &Address, asset: &Asset, floors: &[Floor]) -> Result<()> {
        require!(address_eq(address, &self.asset_account), MarketError::WrongAsset);
        require!(asset.is_active(), MarketError::AssetNotActive);
        require!(asset.allows(uses::SERVE), MarketError::UseNotAllowed);
        let per_unit = Amount(per_unit_floor(floors, &self.mint));
        self.terms().check_floor(asset.floor_bps, per_unit)?;
        require!(self.least_royalty >= per_unit.0, MarketError::FloorRaised);
        Ok(())
    }

    /// Checks what must hold after every write.
    ///
    /// # Errors
    /// [`MarketError::BrokenInvariant`], and those of [`OfferTerms::validate`].
    pub fn invariant(&self) -> Result<()> {
        let tokens = !is_zero(&self.token_program);
        let sound = self.version == STATE_VERSION && self.active == 1 && tokens != self.is_native();
        require!(sound && self.asset_version > 0, MarketError::BrokenInvariant);
        self.terms().validate()
    }
}

/// Checks that an asset can be offered at all: an active model.
///
/// # Errors
/// [`MarketError::NotModel`], [`MarketError::AssetNotActive`], [`MarketError::UseNotAllowed`].
pub fn check_model(asset: &Asset) -> Result<()> {
    require!(asset.kind() == Ok(AssetKind::Model), MarketError::NotModel);
    require!(asset.is_active(), MarketError::AssetNotActive);
    require!(asset.allows(uses::SERVE), MarketError::UseNotAllowed);
    Ok(())
}
