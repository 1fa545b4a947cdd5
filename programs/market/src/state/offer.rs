//! What an asset's owner sells, and for how much.

use anchor_lang::prelude::*;

use crate::constants::{BPS, LAYOUT_VERSION, MAX_SLOTS, MAX_WINDOW, MIN_WINDOW};
use crate::error::MarketError;

/// The owner's choices for an offer. They never change; another price is another offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct OfferTerms {
    /// Base units of the mint for one unit of work.
    pub price_per_unit: u64,
    /// Lamports of stake that a node's claim locks.
    pub bond_lamports: u64,
    /// Solana slots a posted job waits for claims.
    pub open_window: u32,
    /// Solana slots from a claim to its commit.
    pub commit_window: u32,
    /// Solana slots from the last commit to the last reveal.
    pub reveal_window: u32,
    /// Most units of one job.
    pub max_units: u32,
    /// The royalty pool's share of a fee, in basis points.
    pub royalty_bps: u16,
    /// Nodes per job, n.
    pub slots: u8,
    /// Nodes that must agree, m; a strict majority of n.
    pub quorum: u8,
    /// `provena_arith::receipt::ENGINE_CLASS_INT_V1`.
    pub engine_class: u8,
}

impl OfferTerms {
    /// Checks every bound. Errors: `ZeroPrice`, `ZeroUnits`, `ZeroBond`, `BpsTooHigh`, `BadQuorum`, `BadWindow`,
    /// `WrongAsset` for an engine class that nodes may not agree on.
    pub fn validate(&self) -> Result<()> {
        require!(self.price_per_unit > 0, MarketError::ZeroPrice);
        require!(self.max_units > 0, MarketError::ZeroUnits);
        require!(self.bond_lamports > 0, MarketError::ZeroBond);
        require!(self.royalty_bps <= BPS, MarketError::BpsTooHigh);
        let (n, m) = (self.slots, self.quorum);
        require!(n >= 1 && usize::from(n) <= MAX_SLOTS && m <= n, MarketError::BadQuorum);
        // A strict majority: two different results can then never both reach the quorum.
        require!(u16::from(m) > u16::from(n) / 2, MarketError::BadQuorum);
        for window in [self.open_window, self.commit_window, self.reveal_window] {
            require!((MIN_WINDOW..=MAX_WINDOW).contains(&window), MarketError::BadWindow);
        }
        require!(self.engine_class == provena_arith::receipt::ENGINE_CLASS_INT_V1, MarketError::WrongAsset);
        // The largest job must have a price at all.
        self.price_per_unit.checked_mul(u64::from(self.max_units)).ok_or(MarketError::Overflow)?;
        Ok(())
    }
}

/// An offer, at `pda::offer`.
#[account]
pub struct Offer {
    /// Who made it; the holder of the asset's NFT at that time.
    pub owner: Address,
    /// Mint of the asset's NFT.
    pub asset: Address,
    /// The asset's royalty pool.
    pub pool: Address,
    /// The pool's account for `mint`, where royalties are booked.
    pub pool_mint: Address,
    /// The token account that holds the pool's `mint`; zeros for SOL, which `pool_mint` holds itself.
    pub vault: Address,
    /// What the offer is priced in; all zeros is SOL.
    pub mint: Address,
    /// Content root of the artifact.
    pub content_root: [u8; 32],
    /// Recipe root of the artifact.
    pub recipe_root: [u8; 32],
    /// SHA-256 over all of the above and the terms; every job carries it.
    pub terms_hash: [u8; 32],
    /// Distinguishes an asset's offers.
    pub offer_id: u64,
    /// See [`OfferTerms`].
    pub price_per_unit: u64,
    /// See [`OfferTerms`].
    pub bond_lamports: u64,
    /// See [`OfferTerms`].
    pub open_window: u32,
    /// See [`OfferTerms`].
    pub commit_window: u32,
    /// See [`OfferTerms`].
    pub reveal_window: u32,
    /// See [`OfferTerms`].
    pub max_units: u32,
    /// See [`OfferTerms`].
    pub royalty_bps: u16,
    /// See [`OfferTerms`].
    pub slots: u8,
    /// See [`OfferTerms`].
    pub quorum: u8,
    /// See [`OfferTerms`].
    pub engine_class: u8,
    /// 1 while jobs may be posted.
    pub active: u8,
    /// `LAYOUT_VERSION`.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Zero.
    pub reserved: [u8; 64],
}

const _: () = assert!(core::mem::size_of::<Offer>() == 400);

impl Offer {
    /// Bytes of the account, discriminator included.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// The owner's choices.
    pub fn terms(&self) -> OfferTerms {
        OfferTerms {
            price_per_unit: self.price_per_unit,
            bond_lamports: self.bond_lamports,
            open_window: self.open_window,
            commit_window: self.commit_window,
            reveal_window: self.reveal_window,
            max_units: self.max_units,
            royalty_bps: self.royalty_bps,
            slots: self.slots,
            quorum: self.quorum,
            engine_class: self.engine_class,
        }
    }

    /// Copies the owner's choices in.
    pub fn set_terms(&mut self, terms: &OfferTerms) {
        self.price_per_unit = terms.price_per_unit;
        self.bond_lamports = terms.bond_lamports;
        self.open_window = terms.open_window;
        self.commit_window = terms.commit_window;
        self.reveal_window = terms.reveal_window;
        self.max_units = terms.max_units;
        self.royalty_bps = terms.royalty_bps;
        self.slots = terms.slots;
        self.quorum = terms.quorum;
        self.engine_class = terms.engine_class;
    }

    /// The hash that names these terms, the model and the pool.
    pub fn hash_terms(&self) -> [u8; 32] {
        provena_arith::hash::sha256(&[
            provena_arith::domain::TERMS,
            self.asset.as_ref(),
            self.pool.as_ref(),
            self.mint.as_ref(),
            &self.content_root,
            &self.recipe_root,
            &self.price_per_unit.to_le_bytes(),
            &self.bond_lamports.to_le_bytes(),
            &self.open_window.to_le_bytes(),
            &self.commit_window.to_le_bytes(),
            &self.reveal_window.to_le_bytes(),
            &self.max_units.to_le_bytes(),
            &self.royalty_bps.to_le_bytes(),
            &[self.slots, self.quorum, self.engine_class],
        ])
    }

    /// Checks what must hold after every write.
    pub fn invariant(&self) -> Result<()> {
        require!(self.version == LAYOUT_VERSION && self.active <= 1, MarketError::Invariant);
        self.terms().validate()
    }
}
