use anchor_lang::prelude::*;
use provena_common::{NATIVE_MINT, amount::Amount, wide::Wide};

use super::STATE_VERSION;
use crate::{constants::MAX_INBOXES, error::RoyaltyError};

/// The money of a pool in one mint. SOL is this account's own lamports above its rent; tokens lie in `vault`.
#[account]
pub struct Books {
    /// The pool.
    pub pool: Address,
    /// Payment mint; [`NATIVE_MINT`] for SOL.
    pub mint: Address,
    /// The token program of the mint; zeros for SOL.
    pub token_program: Address,
    /// Token account of these books; zeros for SOL.
    pub vault: Address,
    /// Base units booked and not paid.
    pub held: u64,
    /// Base units booked since the beginning: a statistic.
    pub received: Wide,
    /// Base units paid since the beginning: a statistic.
    pub paid: Wide,
    /// Lamports that keep this account alive and are nobody's revenue.
    pub rent: u64,
    /// Place of the mint in the pool's list, of its entry in the index, and of its checkpoint in every position.
    pub index: u8,
    /// Inboxes that are open: those with shards below this number.
    pub inbox_count: u8,
    /// Of the account's address.
    pub bump: u8,
    /// Of the vault's address.
    pub vault_bump: u8,
    /// Decimal places of the mint; 9 for SOL.
    pub decimals: u8,
    /// [`STATE_VERSION`].
    pub version: u8,
    /// Zeros.
    pub padding: [u8; 2],
    /// Zeros.
    pub tail: [u8; 64],
}

provena_common::layout!(Books, STATE_VERSION);

const _: () = assert!(size_of::<Books>() == 248);

/// What new [`Books`] are made with.
pub struct NewBooks {
    /// The pool.
    pub pool: Address,
    /// Payment mint.
    pub mint: Address,
    /// Zeros for SOL.
    pub token_program: Address,
    /// Zeros for SOL.
    pub vault: Address,
    /// Lamports that keep the account alive.
    pub rent: Amount,
    /// Place of the mint in the pool's list.
    pub index: u8,
    /// Of the account's address.
    pub bump: u8,
    /// Of the vault's address.
    pub vault_bump: u8,
    /// Decimal places of the mint.
    pub decimals: u8,
}

impl Books {
    /// Bytes of the account, its discriminator included.
    pub const SPACE: usize = 8 + size_of::<Self>();

    /// Fills a fresh account.
    pub fn initialize(&mut self, new: NewBooks) {
        self.pool = new.pool;
        self.mint = new.mint;
        self.token_program = new.token_program;
        self.vault = new.vault;
        self.rent = new.rent.0;
        self.index = new.index;
        self.bump = new.bump;
        self.vault_bump = new.vault_bump;
        self.decimals = new.decimals;
        self.version = STATE_VERSION;
    }

    /// Whether this is SOL, held by the account itself.
    #[must_use]
    pub fn is_native(&self) -> bool {
        self.mint == NATIVE_MINT
    }

    /// Notes money that has been booked in the index.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn receive(&mut self, amount: Amount) -> Result<()> {
        self.held = Amount(self.held).plus(amount)?.0;
        self.received = self.received.plus(amount)?;
        Ok(())
    }

    /// Notes that money leaves for a holder.
    ///
    /// # Errors
    /// `Overflow` when more is paid than held.
    pub fn pay(&mut self, amount: Amount) -> Result<()> {
        self.held = Amount(self.held).minus(amount)?.0;
        self.paid = self.paid.plus(amount)?;
        Ok(())
    }

    /// The number of the next inbox.
    ///
    /// # Errors
    /// [`RoyaltyError::TooManyInboxes`].
    pub fn open_inbox(&mut self) -> Result<u8> {
        let shard = self.inbox_count;
        require!(shard < MAX_INBOXES, RoyaltyError::TooManyInboxes);
        self.inbox_count = shard.saturating_add(1);
        Ok(shard)
    }

    /// Forgets the last inbox, which must be this one.
    ///
    /// # Errors
    /// [`RoyaltyError::NotLastInbox`].
    pub fn close_inbox(&mut self, shard: u8) -> Result<()> {
        let last = self.inbox_count.checked_sub(1);
        require!(last == Some(shard), RoyaltyError::NotLastInbox);
        self.inbox_count = shard;
        Ok(())
    }

    /// What must hold whenever the account was written.
    ///
    /// # Errors
    /// [`RoyaltyError::BrokenInvariant`].
    pub fn invariant(&self) -> Result<()> {
        let balanced = self.received.minus(self.paid) == Some(Wide::from(Amount(self.held)));
        let sound = self.version == STATE_VERSION && balanced && self.inbox_count <= MAX_INBOXES;
        require!(sound, RoyaltyError::BrokenInvariant);
        Ok(())
    }
}
