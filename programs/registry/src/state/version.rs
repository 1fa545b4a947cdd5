use anchor_lang::prelude::*;

use super::STATE_VERSION;
use crate::error::RegistryError;

/// One version of an asset. Never changes.
#[account]
#[derive(Debug, PartialEq, Eq)]
pub struct Version {
    /// The [`Asset`](super::Asset).
    pub asset: Address,
    /// Merkle root of the artifact's bytes together with their number.
    pub content_root: [u8; 32],
    /// Hash of what turns the content into answers; all zero for datasets.
    pub recipe_root: [u8; 32],
    /// Bytes of the artifact, as its registrant says.
    pub content_len: u64,
    /// Bytes of the recipe, as its registrant says; zero for datasets.
    pub recipe_len: u64,
    /// Slot of the registration.
    pub registered: u64,
    /// Number of this version; the first is 1.
    pub n: u32,
    /// Of the account's address.
    pub bump: u8,
    /// [`STATE_VERSION`].
    pub version: u8,
    /// Zeros.
    pub padding: [u8; 2],
    /// Zeros.
    pub tail: [u8; 64],
}

const _: () = assert!(size_of::<Version>() == 192);

provena_common::layout!(Version, STATE_VERSION);

impl Version {
    /// What must hold whenever the account was written.
    ///
    /// # Errors
    ///
    /// [`RegistryError::BrokenInvariant`].
    pub fn invariant(&self) -> Result<()> {
        let sound = self.version == STATE_VERSION && self.n > 0 && self.content_root != [0; 32];
        require!(sound, RegistryError::BrokenInvariant);
        Ok(())
    }
}
