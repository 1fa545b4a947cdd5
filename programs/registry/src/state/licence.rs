use anchor_lang::prelude::*;
use provena_common::{amount::Bps, slot::Slot};

use super::STATE_VERSION;
use crate::error::RegistryError;

/// What an asset's owner grants those who build on the asset, and what he asks for it.
///
/// A derivative keeps a copy of what it was granted, so a retired licence ends granting and nothing else. Hence a
/// licence's account is never closed, and its number never comes back with other terms.
#[account]
#[derive(Debug, PartialEq, Eq)]
pub struct Licence {
    /// The [`Asset`](super::Asset) that may be built on.
    pub asset: Address,
    /// Held the asset's NFT when the licence was published.
    pub grantor: Address,
    /// Hash of the licence's text.
    pub terms_hash: [u8; 32],
    /// Mint of `floor_per_unit`; all zero for SOL.
    pub floor_mint: Address,
    /// Mint of `price`; all zero for SOL.
    pub price_mint: Address,
    /// Least royalty per unit of a derivative's use, in base units of `floor_mint`; zero asks for nothing.
    pub floor_per_unit: u64,
    /// Price of one grant in base units of `price_mint`, paid to the asset's pool; zero for nothing.
    pub price: u64,
    /// Slot of publication.
    pub issued: u64,
    /// Last slot in which it grants; zero for ever.
    pub expires: u64,
    /// Number of this licence among the asset's, chosen by its grantor.
    pub id: u32,
    /// Most derivatives; zero for any number.
    pub most_children: u32,
    /// Derivatives granted.
    pub children: u32,
    /// What may be done with a derivative; see [`uses`](crate::constants::uses).
    pub uses: u32,
    /// Least share of a derivative's pool that the asset's pool must hold, in basis points.
    pub bps: u16,
    /// Least royalty on a derivative's use, in basis points.
    pub floor_bps: u16,
    /// Bits: [`Licence::CONSENT`], [`Licence::ACTIVE`] and [`Licence::ABSOLUTE`].
    pub flags: u16,
    /// Of the account's address.
    pub bump: u8,
    /// [`STATE_VERSION`].
    pub version: u8,
    /// Zeros.
    pub tail: [u8; 64],
}

const _: () = assert!(size_of::<Licence>() == 280);

provena_common::layout!(Licence, STATE_VERSION);

impl Licence {
    /// Flag: each derivative needs the signature of whoever holds the asset's NFT.
    pub const CONSENT: u16 = 1;
    /// Flag: the licence grants.
    pub const ACTIVE: u16 = 2;
    /// Flag: the terms bind every descendant, not the direct derivative alone.
    pub const ABSOLUTE: u16 = 4;

    /// Whether the licence has not been retired.
    pub fn is_active(&self) -> bool {
        self.flags & Self::ACTIVE != 0
    }

    /// Whether each derivative needs the holder's signature.
    pub fn needs_consent(&self) -> bool {
        self.flags & Self::CONSENT != 0
    }

    /// Whether the terms bind every descendant.
    pub fn is_absolute(&self) -> bool {
        self.flags & Self::ABSOLUTE != 0
    }

    /// Whether it grants anything now.
    ///
    /// # Errors
    ///
    /// [`RegistryError::LicenceRetired`], [`RegistryError::LicenceExpired`], [`RegistryError::LicenceExhausted`].
    pub fn check_grant(&self, now: Slot) -> Result<()> {
        require!(self.is_active(), RegistryError::LicenceRetired);
        require!(self.expires == 0 || now <= Slot(self.expires), RegistryError::LicenceExpired);
        let free = self.most_children == 0 || self.children < self.most_children;
        require!(free, RegistryError::LicenceExhausted);
        Ok(())
    }

    /// Counts one more derivative.
    ///
    /// # Errors
    ///
    /// [`RegistryError::LicenceRetired`], [`RegistryError::LicenceExpired`], [`RegistryError::LicenceExhausted`].
    pub fn grant(&mut self, now: Slot) -> Result<()> {
        self.check_grant(now)?;
        self.children = self.children.checked_add(1).ok_or(RegistryError::LicenceExhausted)?;
        Ok(())
    }

    /// Counts one derivative less: a draft was abandoned.
    ///
    /// # Errors
    ///
    /// [`RegistryError::BrokenInvariant`] when none was granted.
    pub fn take_back(&mut self) -> Result<()> {
        self.children = self.children.checked_sub(1).ok_or(RegistryError::BrokenInvariant)?;
        Ok(())
    }

    /// Ends granting.
    ///
    /// # Errors
    ///
    /// [`RegistryError::LicenceRetired`] when it had ended before.
    pub fn retire(&mut self) -> Result<()> {
        require!(self.is_active(), RegistryError::LicenceRetired);
        self.flags &= !Self::ACTIVE;
        Ok(())
    }

    /// What must hold whenever the account was written.
    ///
    /// # Errors
    ///
    /// [`RegistryError::BrokenInvariant`].
    pub fn invariant(&self) -> Result<()> {
        let sound = self.version == STATE_VERSION
            && self.flags & !(Self::CONSENT | Self::ACTIVE | Self::ABSOLUTE) == 0
            && (self.most_children == 0 || self.children <= self.most_children)
            && self.uses != 0
            && self.bps <= Bps::FULL.get()
            && self.floor_bps <= Bps::FULL.get();
        require!(sound, RegistryError::BrokenInvariant);
        Ok(())
    }
}
