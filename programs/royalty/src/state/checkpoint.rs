use anchor_lang::{
    bytemuck::{Pod, Zeroable},
    prelude::*,
};
use provena_common::{
    amount::Amount,
    wide::{Wide, mul_div_rem},
};

use crate::{error::RoyaltyError, shares::Shares};

/// A position's standing in one mint.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable, IdlType)]
pub struct Checkpoint {
    /// What the index had released when this position was last settled.
    pub entry: Wide,
    /// Base units earned and not yet claimed.
    pub accrued: u64,
    /// What was earned beyond that, in parts of a base unit of which the pool's total shares make one.
    pub remainder: u64,
    /// Base units claimed since the beginning: a statistic that stops at 2^64 - 1.
    pub claimed: u64,
}

impl Checkpoint {
    /// Settles up to what has been released now. Claims, sweeps and transfers all go through here.
    ///
    /// # Errors
    /// [`RoyaltyError::BrokenInvariant`] when the position is ahead of the index or earned more than 64 bits can count;
    /// neither can happen to accounts that only this program wrote.
    pub fn settle(&mut self, released: Wide, shares: Shares, total_shares: u64) -> Result<()> {
        if released == self.entry {
            return Ok(());
        }
        let growth = released.minus(self.entry).ok_or(RoyaltyError::BrokenInvariant)?;
        let earned = mul_div_rem(growth, shares.get(), total_shares, self.remainder);
        let (whole, remainder) = earned.ok_or(RoyaltyError::BrokenInvariant)?;
        self.accrued = Amount(self.accrued).plus(whole)?.0;
        self.remainder = remainder;
        self.entry = released;
        Ok(())
    }

    /// Takes up to `most` of what is accrued; the caller pays it.
    pub fn take(&mut self, most: Amount) -> Amount {
        let amount = Amount(self.accrued).min(most);
        self.accrued = Amount(self.accrued).less(amount).0;
        self.claimed = self.claimed.saturating_add(amount.0);
        amount
    }

    /// Moves the fraction of a unit that is left over to another position of the same pool.
    ///
    /// # Errors
    /// `Overflow`; [`RoyaltyError::BrokenInvariant`] when a remainder is not smaller than `total_shares`.
    pub fn give_remainder(&mut self, to: &mut Self, total_shares: u64) -> Result<()> {
        let parts = self.remainder.saturating_add(to.remainder);
        self.remainder = 0;
        if parts < total_shares {
            to.remainder = parts;
            return Ok(());
        }
        to.remainder = parts.saturating_sub(total_shares);
        require!(to.remainder < total_shares, RoyaltyError::BrokenInvariant);
        to.accrued = Amount(to.accrued).plus(Amount(1))?.0;
        Ok(())
    }

    /// Whether nothing is owed here, not even a fraction of a unit.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.accrued == 0 && self.remainder == 0
    }
}
