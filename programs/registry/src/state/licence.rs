use anchor_lang::{
    bytemuck::{Pod, Zeroable},
    prelude::*,
};

use crate::{constants::FULL_BPS, error::RegistryError};

/// What an asset's owner asks of those who build on it.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct Licence {
    /// Hash of the licence's text and terms.
    pub terms_hash: [u8; 32],
    /// The least share of a derivative's pool that this asset's pool must hold, in basis points.
    pub derivative_bps: u16,
    /// Bits of [`Licence::CONSENT_REQUIRED`]; all others must be zero.
    pub flags: u16,
}

impl Licence {
    /// Nobody may build on the asset unless the owner of its NFT signs the registration.
    pub const CONSENT_REQUIRED: u16 = 1;

    /// Whether derivatives are forbidden without the owner's signature.
    pub fn consent_required(&self) -> bool {
        self.flags & Self::CONSENT_REQUIRED != 0
    }

    /// Errors: [`RegistryError::UnknownLicenceFlags`], [`RegistryError::LicenceBpsTooHigh`].
    pub fn validate(&self) -> Result<()> {
        require!(self.flags & !Self::CONSENT_REQUIRED == 0, RegistryError::UnknownLicenceFlags);
        require!(self.derivative_bps <= FULL_BPS, RegistryError::LicenceBpsTooHigh);
        Ok(())
    }
}
