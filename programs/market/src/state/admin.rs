//! Market-wide settings.

use anchor_lang::prelude::*;
use provena_common::{
    admin::Control,
    amount::{Amount, Bps},
    pda::is_zero,
};

use super::STATE_VERSION;
use crate::{
    constants::{MAX_PROTOCOL_FEE_BPS, pause},
    error::MarketError,
};

/// The one admin account, at [`pda::admin`](crate::pda::admin).
#[account]
#[derive(Debug, PartialEq, Eq)]
pub struct Admin {
    /// The authority, how it is handed over, and the [pause bits](crate::constants::pause).
    pub control: Control,
    /// Wallet that receives the protocol's fees and the rest of forfeited bonds.
    pub treasury: Address,
    /// Genesis hash of the cluster; it goes into every job's terms, commitment and receipt. Never changes.
    pub cluster: [u8; 32],
    /// Least stake of a node, in lamports.
    pub min_stake: u64,
    /// The protocol's share of a fee, in basis points; at most [`MAX_PROTOCOL_FEE_BPS`].
    pub protocol_fee_bps: u16,
    /// Of the account's address.
    pub bump: u8,
    /// [`STATE_VERSION`].
    pub version: u8,
    /// Zero.
    pub padding: [u8; 4],
    /// Zero.
    pub tail: [u8; 64],
}

const _: () = assert!(size_of::<Admin>() == 224);

provena_common::layout!(Admin, STATE_VERSION);

impl Admin {
    /// Sets the protocol's share of the fees of jobs that are posted from now on.
    ///
    /// # Errors
    /// [`MarketError::FeeTooHigh`] above [`MAX_PROTOCOL_FEE_BPS`].
    pub fn set_protocol_fee(&mut self, bps: u16) -> Result<()> {
        require!(bps <= MAX_PROTOCOL_FEE_BPS, MarketError::FeeTooHigh);
        self.protocol_fee_bps = bps;
        Ok(())
    }

    /// The protocol's share of a fee.
    ///
    /// # Errors
    /// `BpsTooHigh` for what this program never writes.
    pub fn protocol_fee(&self) -> Result<Bps> {
        Ok(Bps::new(self.protocol_fee_bps)?)
    }

    /// Least stake of a node, in lamports.
    #[must_use]
    pub fn min_stake(&self) -> Amount {
        Amount(self.min_stake)
    }

    /// Checks what must hold after every write.
    ///
    /// # Errors
    /// [`MarketError::FeeTooHigh`], [`MarketError::UnknownPauseBits`], [`MarketError::BrokenInvariant`].
    #[inline(never)]
    pub fn invariant(&self) -> Result<()> {
        require!(self.protocol_fee_bps <= MAX_PROTOCOL_FEE_BPS, MarketError::FeeTooHigh);
        require!(self.control.paused & !pause::ALL == 0, MarketError::UnknownPauseBits);
        let named = !is_zero(&self.control.authority) && !is_zero(&self.treasury);
        require!(self.version == STATE_VERSION && named, MarketError::BrokenInvariant);
        Ok(())
    }
}
