//! A node and its stake.

use anchor_lang::prelude::*;

use crate::constants::{LAYOUT_VERSION, MAX_ENDPOINT};
use crate::error::MarketError;
use crate::fees::Amount;

/// A node, one per authority, at `pda::node`. Its lamports above rent are its stake.
#[account]
pub struct Node {
    /// The wallet that acts for the node, is paid, and signs receipts.
    pub authority: Address,
    /// Lamports at stake.
    pub stake: u64,
    /// Part of the stake that jobs in progress hold.
    pub locked: u64,
    /// Slots in which this node agreed with the quorum.
    pub agreed: u64,
    /// Slots for which it lost its bond.
    pub forfeited: u64,
    /// Solana slot of registration.
    pub registered_at: u64,
    /// UTF-8, `endpoint_len` bytes, then zeros.
    pub endpoint: [u8; MAX_ENDPOINT],
    /// Bytes of `endpoint` in use.
    pub endpoint_len: u8,
    /// `LAYOUT_VERSION`.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Zero.
    pub padding: [u8; 5],
    /// Zero.
    pub reserved: [u8; 64],
}

const _: () = assert!(core::mem::size_of::<Node>() == 240);

impl Node {
    /// Bytes of the account, discriminator included.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// The endpoint's URL; empty when the bytes are not UTF-8, which registration refuses.
    pub fn endpoint(&self) -> &str {
        self.endpoint.get(..usize::from(self.endpoint_len)).and_then(|b| core::str::from_utf8(b).ok()).unwrap_or("")
    }

    /// Stake that no job holds.
    pub fn free(&self) -> Amount {
        Amount(self.stake.saturating_sub(self.locked))
    }

    /// Sets the endpoint. Errors: `EndpointTooLong`.
    pub fn set_endpoint(&mut self, url: &str) -> Result<()> {
        let bytes = url.as_bytes();
        let target = self.endpoint.get_mut(..bytes.len()).ok_or(MarketError::EndpointTooLong)?;
        target.copy_from_slice(bytes);
        self.endpoint_len = u8::try_from(bytes.len()).map_err(|_| MarketError::EndpointTooLong)?;
        Ok(())
    }

    /// Books new stake.
    pub fn add_stake(&mut self, amount: Amount) -> Result<()> {
        self.stake = Amount(self.stake).plus(amount)?.0;
        Ok(())
    }

    /// Books stake that leaves. Errors: `StakeLocked` when it is not free, `StakeTooLow` when a rest below the minimum
    /// would remain.
    pub fn withdraw(&mut self, amount: Amount, minimum: Amount) -> Result<()> {
        require!(amount <= self.free(), MarketError::StakeLocked);
        self.stake = Amount(self.stake).minus(amount)?.0;
        require!(self.stake == 0 || self.stake >= minimum.0, MarketError::StakeTooLow);
        Ok(())
    }

    /// Locks a job's bond. Errors: `StakeTooLow` below the minimum, `StakeLocked` when too little is free.
    pub fn lock(&mut self, bond: Amount, minimum: Amount) -> Result<()> {
        require!(self.stake >= minimum.0, MarketError::StakeTooLow);
        require!(bond <= self.free(), MarketError::StakeLocked);
        self.locked = Amount(self.locked).plus(bond)?.0;
        Ok(())
    }

    /// Releases a bond; the stake stays.
    pub fn release(&mut self, bond: Amount) -> Result<()> {
        self.locked = Amount(self.locked).minus(bond)?.0;
        Ok(())
    }

    /// Books the loss of a bond; the caller moves the lamports.
    pub fn forfeit(&mut self, bond: Amount) -> Result<()> {
        self.release(bond)?;
        self.stake = Amount(self.stake).minus(bond)?.0;
        self.forfeited = self.forfeited.saturating_add(1);
        Ok(())
    }

    /// Checks what must hold after every write.
    pub fn invariant(&self) -> Result<()> {
        require!(self.version == LAYOUT_VERSION && self.locked <= self.stake, MarketError::Invariant);
        Ok(())
    }
}
