use anchor_lang::{
    bytemuck::{Pod, Zeroable},
    prelude::*,
};

use super::{PoolMint, STATE_VERSION};
use crate::{
    accumulator::earned,
    amount::{Amount, Shares},
    constants::MAX_MINTS,
    error::RoyaltyError,
};

/// One holder's shares of one pool, and where it stands in each of the pool's mints.
#[account]
pub struct Position {
    pub pool: Address,
    /// A wallet, or the pool of a parent asset.
    pub holder: Address,
    pub shares: u64,
    pub bump: u8,
    pub version: u8,
    pub padding: [u8; 6],
    /// Numbered like the pool's mints.
    pub checkpoints: [Checkpoint; MAX_MINTS],
    pub reserved: [u8; 16],
}

const _: () = assert!(size_of::<Position>() == 352);

/// A position's standing in one mint.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable, IdlType)]
pub struct Checkpoint {
    /// The pool mint's `received` up to which this position is settled.
    pub entry: u64,
    /// Base units earned and not yet claimed.
    pub accrued: u64,
    /// What was earned beyond that, in parts of a base unit of which `total_shares` make one.
    pub remainder: u64,
    /// Base units claimed since the beginning.
    pub claimed: u64,
}

impl Checkpoint {
    /// Settles up to the pool mint's present revenue. Claims, sweeps and transfers all go through here.
    pub fn settle(&mut self, pool_mint: &PoolMint, shares: Shares) -> Result<()> {
        let received = Amount(pool_mint.received);
        let earned = earned(received, Amount(self.entry), shares, pool_mint.total()?, self.remainder);
        let (whole, remainder) = earned.ok_or(RoyaltyError::AmountOverflow)?;
        self.accrued = Amount(self.accrued).plus(whole)?.0;
        self.remainder = remainder;
        self.entry = received.0;
        Ok(())
    }
}

impl Position {
    /// Bytes of the account, its discriminator included.
    pub const SPACE: usize = 8 + size_of::<Self>();

    /// Fills a fresh account. In a pool that has mints, [`Position::settle`] must follow for each before shares are added.
    pub fn initialize(&mut self, pool: Address, holder: Address, bump: u8) {
        self.pool = pool;
        self.holder = holder;
        self.bump = bump;
        self.version = STATE_VERSION;
    }

    /// The position's shares as a checked number.
    pub fn shares(&self) -> Result<Shares> {
        Shares::new(self.shares)
    }

    /// Brings the standing in one mint up to date.
    pub fn settle(&mut self, pool_mint: &PoolMint) -> Result<()> {
        let shares = self.shares()?;
        self.checkpoint_mut(pool_mint.index)?.settle(pool_mint, shares)
    }

    /// Settles and empties the standing in one mint; the caller pays the returned amount.
    pub fn take(&mut self, pool_mint: &PoolMint) -> Result<Amount> {
        let shares = self.shares()?;
        let checkpoint = self.checkpoint_mut(pool_mint.index)?;
        checkpoint.settle(pool_mint, shares)?;
        let amount = Amount(checkpoint.accrued);
        checkpoint.accrued = 0;
        checkpoint.claimed = Amount(checkpoint.claimed).plus(amount)?.0;
        Ok(amount)
    }

    /// Adds shares. Settle every mint first.
    pub fn add(&mut self, shares: Shares) -> Result<()> {
        self.shares = Amount(self.shares).plus(Amount(shares.get()))?.0;
        Ok(())
    }

    /// Removes shares, or fails with [`RoyaltyError::NotEnoughShares`]. Settle every mint first.
    pub fn remove(&mut self, shares: Shares) -> Result<()> {
        let left = self.shares.checked_sub(shares.get());
        self.shares = left.ok_or(RoyaltyError::NotEnoughShares)?;
        Ok(())
    }

    /// What must hold whenever the account was written.
    pub fn invariant(&self) -> Result<()> {
        let sound = self.version == STATE_VERSION && self.shares <= crate::MAX_TOTAL_SHARES;
        require!(sound, RoyaltyError::BrokenInvariant);
        Ok(())
    }

    fn checkpoint_mut(&mut self, index: u8) -> Result<&mut Checkpoint> {
        let checkpoint = self.checkpoints.get_mut(usize::from(index));
        Ok(checkpoint.ok_or(RoyaltyError::BrokenInvariant)?)
    }
}
