use anchor_lang::prelude::*;
use provena_common::admin::Control;

use super::STATE_VERSION;
use crate::{constants::pause, error::RegistryError};

/// Who may pause what is paused. One per program.
#[account]
#[derive(Debug, PartialEq, Eq)]
pub struct Admin {
    /// The authority, how it is handed over, and the [pause bits](crate::constants::pause).
    pub control: Control,
    /// Of the account's address.
    pub bump: u8,
    /// [`STATE_VERSION`].
    pub version: u8,
    /// Zeros.
    pub padding: [u8; 6],
    /// Zeros.
    pub tail: [u8; 64],
}

const _: () = assert!(size_of::<Admin>() == 152);

provena_common::layout!(Admin, STATE_VERSION);

impl Admin {
    /// What must hold whenever the account was written.
    ///
    /// # Errors
    ///
    /// [`RegistryError::UnknownPauseBits`], [`RegistryError::BrokenInvariant`].
    pub fn invariant(&self) -> Result<()> {
        require!(self.control.paused & !pause::ALL == 0, RegistryError::UnknownPauseBits);
        let sound = self.version == STATE_VERSION && self.control.authority != Address::default();
        require!(sound, RegistryError::BrokenInvariant);
        Ok(())
    }
}
