use anchor_lang::prelude::*;

use super::STATE_VERSION;
use crate::{
    amount::{Amount, Shares},
    error::RoyaltyError,
};

/// What a pool received and paid in one mint. Holds the pool's SOL itself; tokens lie in `vault`.
#[account]
pub struct PoolMint {
    pub pool: Address,
    /// Payment mint; [`NATIVE_MINT`](crate::NATIVE_MINT) for SOL.
    pub mint: Address,
    /// Token account of this pool and mint; all zero for SOL.
    pub vault: Address,
    /// Base units booked since the beginning: the accumulator, see [`crate::accumulator`].
    pub received: u64,
    /// Base units paid to holders since the beginning.
    pub paid: u64,
    /// Copied from the pool, so that claims need not load it.
    pub total_shares: u64,
    /// Lamports that keep this account alive and are nobody's revenue.
    pub rent: u64,
    /// Position of the mint in the pool's list, and of its checkpoint in every position.
    pub index: u8,
    pub bump: u8,
    pub vault_bump: u8,
    pub version: u8,
    pub reserved: [u8; 28],
}

const _: () = assert!(size_of::<PoolMint>() == 160);

/// What identifies a new [`PoolMint`].
pub struct NewPoolMint {
    pub pool: Address,
    pub mint: Address,
    pub vault: Address,
    pub total: Shares,
    pub rent: Amount,
    pub index: u8,
    pub bump: u8,
    pub vault_bump: u8,
}

impl PoolMint {
    /// Bytes of the account, its discriminator included.
    pub const SPACE: usize = 8 + size_of::<Self>();

    /// Fills a fresh account.
    pub fn initialize(&mut self, new: NewPoolMint) {
        self.pool = new.pool;
        self.mint = new.mint;
        self.vault = new.vault;
        self.total_shares = new.total.get();
        self.rent = new.rent.0;
        self.index = new.index;
        self.bump = new.bump;
        self.vault_bump = new.vault_bump;
        self.version = STATE_VERSION;
    }

    /// Whether this is SOL, held by the account itself.
    pub fn is_native(&self) -> bool {
        self.mint == crate::NATIVE_MINT
    }

    /// The pool's total as a checked number of shares.
    pub fn total(&self) -> Result<Shares> {
        Shares::new(self.total_shares)
    }

    /// What the program must be holding: booked and not yet paid.
    pub fn held(&self) -> Result<Amount> {
        Amount(self.received).minus(Amount(self.paid))
    }

    /// Distributes money that has arrived over all shares.
    pub fn book(&mut self, amount: Amount) -> Result<()> {
        self.received = Amount(self.received).plus(amount)?.0;
        Ok(())
    }

    /// Books what `balance` holds beyond what was booked before, and returns it.
    pub fn book_surplus(&mut self, balance: Amount) -> Result<Amount> {
        let surplus = Amount(balance.0.saturating_sub(self.held()?.0));
        if !surplus.is_zero() {
            self.book(surplus)?;
        }
        Ok(surplus)
    }

    /// Notes that money left for a holder.
    pub fn pay(&mut self, amount: Amount) -> Result<()> {
        self.paid = Amount(self.paid).plus(amount)?.0;
        Ok(())
    }

    /// What must hold whenever the account was written.
    pub fn invariant(&self) -> Result<()> {
        let sound = self.version == STATE_VERSION && self.paid <= self.received;
        require!(sound, RoyaltyError::BrokenInvariant);
        Ok(())
    }
}
