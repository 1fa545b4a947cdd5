use anchor_lang::prelude::*;
use provena_common::amount::Amount;

use super::STATE_VERSION;
use crate::{constants::MAX_INBOXES, error::RoyaltyError};

/// A place to pay into that books share with nobody else's payments: `sync` drains it. SOL is this account's own lamports
/// above its rent; tokens lie in `vault`.
#[account]
pub struct Inbox {
    /// The books that the money belongs to.
    pub books: Address,
    /// Token account of this inbox; zeros for SOL.
    pub vault: Address,
    /// Paid the rent and gets it back.
    pub rent_payer: Address,
    /// Lamports that keep this account alive and are nobody's revenue.
    pub rent: u64,
    /// Number among the books' inboxes.
    pub shard: u8,
    /// Of the account's address.
    pub bump: u8,
    /// Of the vault's address.
    pub vault_bump: u8,
    /// [`STATE_VERSION`].
    pub version: u8,
    /// Zeros.
    pub padding: [u8; 4],
    /// Zeros.
    pub tail: [u8; 64],
}

provena_common::layout!(Inbox, STATE_VERSION);

const _: () = assert!(size_of::<Inbox>() == 176);

/// What a new [`Inbox`] is made with.
pub struct NewInbox {
    /// The books that the money belongs to.
    pub books: Address,
    /// Zeros for SOL.
    pub vault: Address,
    /// Pays the rent.
    pub rent_payer: Address,
    /// Lamports that keep the account alive.
    pub rent: Amount,
    /// Number among the books' inboxes.
    pub shard: u8,
    /// Of the account's address.
    pub bump: u8,
    /// Of the vault's address.
    pub vault_bump: u8,
}

impl Inbox {
    /// Bytes of the account, its discriminator included.
    pub const SPACE: usize = 8 + size_of::<Self>();

    /// Fills a fresh account.
    pub fn initialize(&mut self, new: NewInbox) {
        self.books = new.books;
        self.vault = new.vault;
        self.rent_payer = new.rent_payer;
        self.rent = new.rent.0;
        self.shard = new.shard;
        self.bump = new.bump;
        self.vault_bump = new.vault_bump;
        self.version = STATE_VERSION;
    }

    /// What must hold whenever the account was written.
    ///
    /// # Errors
    /// [`RoyaltyError::BrokenInvariant`].
    pub fn invariant(&self) -> Result<()> {
        let sound = self.version == STATE_VERSION && self.shard < MAX_INBOXES;
        require!(sound, RoyaltyError::BrokenInvariant);
        Ok(())
    }
}
