//! A node and its stake.

use anchor_lang::prelude::*;
use provena_common::{amount::Amount, slot::Slot};

use super::STATE_VERSION;
use crate::{
    constants::{LEASE_SLOTS, MAX_ENDPOINT},
    error::MarketError,
};

/// A node, one per authority, at [`pda::node`](crate::pda::node). Its lamports above rent are its stake.
#[account]
#[derive(Debug, PartialEq, Eq)]
pub struct Node {
    /// The wallet that acts for the node, is paid, and signs receipts.
    pub authority: Address,
    /// X25519 key with which requests can be encrypted to the node; zeros when it has none.
    pub key: [u8; 32],
    /// Lamports at stake.
    pub stake: u64,
    /// Part of the stake that jobs in progress hold.
    pub locked: u64,
    /// Part of the stake that is leaving. Zero: stake leaves at once while answers cannot be challenged.
    pub unbonding: u64,
    /// Slot in which that part began to leave. Zero.
    pub unbonding_at: u64,
    /// Slot from which the stake counts in a lottery of seats: that of registration.
    pub active_from: u64,
    /// Seats in which this node agreed with the quorum.
    pub agreed: u64,
    /// Seats for which it lost its bond.
    pub forfeited: u64,
    /// Slot of registration.
    pub registered_at: u64,
    /// Jobs that the node works on at the same time, as it says; zero when it does not say.
    pub capacity: u32,
    /// UTF-8, `endpoint_len` bytes, then zeros.
    pub endpoint: [u8; MAX_ENDPOINT],
    /// Bytes of `endpoint` in use.
    pub endpoint_len: u8,
    /// Of the account's address.
    pub bump: u8,
    /// [`STATE_VERSION`].
    pub version: u8,
    /// Zero.
    pub padding: u8,
    /// Which process took seats last, by a number of its own; zero while none has said one.
    pub instance: u64,
    /// Slot of the last seat that it took.
    pub leased_at: u64,
    /// Zero.
    pub tail: [u64; 14],
}

const _: () = assert!(size_of::<Node>() == 360);

provena_common::layout!(Node, STATE_VERSION);

impl Node {
    /// Fills a fresh account without stake.
    pub fn initialize(&mut self, authority: Address, now: u64, bump: u8) {
        self.authority = authority;
        self.registered_at = now;
        self.active_from = now;
        self.bump = bump;
        self.version = STATE_VERSION;
    }

    /// The endpoint's URL; empty when the bytes are not UTF-8, which [`Node::describe`] refuses.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        self.endpoint.get(..usize::from(self.endpoint_len)).and_then(|b| core::str::from_utf8(b).ok()).unwrap_or("")
    }

    /// Sets what the node says about itself.
    ///
    /// # Errors
    /// [`MarketError::EndpointTooLong`].
    pub fn describe(&mut self, endpoint: &str, key: [u8; 32], capacity: u32) -> Result<()> {
        let bytes = endpoint.as_bytes();
        self.endpoint = [0; MAX_ENDPOINT];
        let target = self.endpoint.get_mut(..bytes.len()).ok_or(MarketError::EndpointTooLong)?;
        target.copy_from_slice(bytes);
        self.endpoint_len = u8::try_from(bytes.len()).map_err(|_| MarketError::EndpointTooLong)?;
        self.key = key;
        self.capacity = capacity;
        Ok(())
    }

    /// Stake that neither a job holds nor is leaving.
    #[must_use]
    pub fn free(&self) -> Amount {
        Amount(self.stake).less(Amount(self.locked)).less(Amount(self.unbonding))
    }

    /// Books new stake.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn add_stake(&mut self, amount: Amount) -> Result<()> {
        self.stake = Amount(self.stake).plus(amount)?.0;
        Ok(())
    }

    /// Books stake that leaves; the caller moves the lamports.
    ///
    /// # Errors
    /// [`MarketError::StakeLocked`] when it is not free, [`MarketError::StakeTooLow`] when a rest below the minimum would
    /// remain.
    pub fn withdraw(&mut self, amount: Amount, minimum: Amount) -> Result<()> {
        require!(amount <= self.free(), MarketError::StakeLocked);
        self.stake = Amount(self.stake).minus(amount)?.0;
        require!(self.stake == 0 || self.stake >= minimum.0, MarketError::StakeTooLow);
        Ok(())
    }

    /// Locks a job's bond.
    ///
    /// # Errors
    /// [`MarketError::StakeTooLow`] below the minimum, [`MarketError::StakeLocked`] when too little is free.
    pub fn lock(&mut self, bond: Amount, minimum: Amount) -> Result<()> {
        require!(self.stake >= minimum.0, MarketError::StakeTooLow);
        require!(bond <= self.free(), MarketError::StakeLocked);
        self.locked = Amount(self.locked).plus(bond)?.0;
        Ok(())
    }

    /// Whether another process than `instance` holds the node's lease at slot `now`. To say none, `instance` zero, is to be
    /// another one.
    #[must_use]
    pub const fn is_leased_to_another(&self, instance: u64, now: Slot) -> bool {
        self.instance != 0 && self.instance != instance && now.since(Slot(self.leased_at)) < LEASE_SLOTS
    }

    /// Takes or renews the lease of the process `instance`. Zero, which says none, leaves it as it is.
    ///
    /// # Errors
    /// [`MarketError::AnotherInstance`] while another process holds it.
    pub fn lease(&mut self, instance: u64, now: Slot) -> Result<()> {
        require!(!self.is_leased_to_another(instance, now), MarketError::AnotherInstance);
        if instance != 0 {
            self.instance = instance;
            self.leased_at = now.0;
        }
        Ok(())
    }

    /// Releases a bond; the stake stays.
    ///
    /// # Errors
    /// `Overflow` when less than that is locked.
    pub fn release(&mut self, bond: Amount) -> Result<()> {
        self.locked = Amount(self.locked).minus(bond)?.0;
        Ok(())
    }

    /// Counts a seat in which the node agreed with the quorum.
    pub fn agree(&mut self) {
        self.agreed = self.agreed.saturating_add(1);
    }

    /// Books the loss of a bond; the caller moves the lamports.
    ///
    /// # Errors
    /// `Overflow` when less than that is locked.
    pub fn forfeit(&mut self, bond: Amount) -> Result<()> {
        self.release(bond)?;
        self.stake = Amount(self.stake).minus(bond)?.0;
        self.forfeited = self.forfeited.saturating_add(1);
        Ok(())
    }

    /// Checks that no job holds any of the stake, so that the account can go.
    ///
    /// # Errors
    /// [`MarketError::StakeLocked`].
    pub fn check_idle(&self) -> Result<()> {
        require!(self.locked == 0 && self.unbonding == 0, MarketError::StakeLocked);
        Ok(())
    }

    /// Checks what must hold after every write.
    ///
    /// # Errors
    /// [`MarketError::BrokenInvariant`].
    #[inline(never)]
    pub fn invariant(&self) -> Result<()> {
        let held = Amount(self.locked).plus(Amount(self.unbonding))?;
        let sound = held.0 <= self.stake && usize::from(self.endpoint_len) <= MAX_ENDPOINT;
        let sound = sound && (self.instance != 0 || self.leased_at == 0);
        require!(self.version == STATE_VERSION && sound, MarketError::BrokenInvariant);
        Ok(())
    }
}
