//! Market-wide settings.

use anchor_lang::prelude::*;

use crate::constants::{LAYOUT_VERSION, MAX_PROTOCOL_FEE_BPS};
use crate::error::MarketError;

/// The one config account, at `pda::config`.
#[account]
pub struct Config {
    /// Who set the market up.
    pub authority: Address,
    /// Wallet that receives the protocol's fee.
    pub treasury: Address,
    /// Genesis hash of the cluster; it goes into every commitment and receipt.
    pub cluster: [u8; 32],
    /// Least stake of a node, in lamports.
    pub min_stake: u64,
    /// The protocol's share of a fee, in basis points.
    pub protocol_fee_bps: u16,
    /// `LAYOUT_VERSION`.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Zero.
    pub padding: [u8; 4],
    /// Zero.
    pub reserved: [u8; 64],
}

const _: () = assert!(core::mem::size_of::<Config>() == 176);

impl Config {
    /// Bytes of the account, discriminator included.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// Checks what must hold after every write.
    pub fn invariant(&self) -> Result<()> {
        require!(self.version == LAYOUT_VERSION, MarketError::Invariant);
        require!(self.protocol_fee_bps <= MAX_PROTOCOL_FEE_BPS, MarketError::BpsTooHigh);
        Ok(())
    }
}
