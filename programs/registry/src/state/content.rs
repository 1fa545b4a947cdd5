use anchor_lang::prelude::*;

use super::STATE_VERSION;
use crate::error::RegistryError;

/// Whose these bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ContentState {
    /// An asset registered them first; nobody can register them again.
    Taken = 1,
}

/// Says that content with this root is registered, and to which asset. Its address holds the root.
#[account]
#[derive(Debug, PartialEq, Eq)]
pub struct Content {
    /// The [`Asset`](super::Asset); all zero until an asset uses the content.
    pub asset: Address,
    /// Slot of the registration.
    pub registered: u64,
    /// Number of the asset's version that has this content.
    pub n: u32,
    /// See [`ContentState`].
    pub state: u8,
    /// Of the account's address.
    pub bump: u8,
    /// [`STATE_VERSION`].
    pub version: u8,
    /// Zero.
    pub padding: u8,
    /// Zeros.
    pub tail: [u8; 64],
}

const _: () = assert!(size_of::<Content>() == 112);

provena_common::layout!(Content, STATE_VERSION);

impl Content {
    /// What must hold whenever the account was written.
    ///
    /// # Errors
    ///
    /// [`RegistryError::BrokenInvariant`].
    pub fn invariant(&self) -> Result<()> {
        let sound = self.version == STATE_VERSION && self.state == ContentState::Taken as u8 && self.n > 0;
        require!(sound, RegistryError::BrokenInvariant);
        Ok(())
    }
}
