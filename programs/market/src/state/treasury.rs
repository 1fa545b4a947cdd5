//! Where jobs pay the protocol's part, so that no two jobs must write the same account.

use anchor_lang::prelude::*;
use provena_common::{amount::Amount, pda::is_zero};

use super::STATE_VERSION;
use crate::{constants::MAX_TREASURY_SHARDS, error::MarketError};

/// One of the treasury's inboxes for a mint, at [`pda::treasury_inbox`](crate::pda::treasury_inbox). SOL is this account's own
/// lamports above its rent; tokens lie in `vault`.
#[account]
#[derive(Debug, PartialEq, Eq)]
pub struct TreasuryInbox {
    /// Payment mint; zeros for SOL.
    pub mint: Address,
    /// Token account of this inbox, at [`pda::treasury_vault`](crate::pda::treasury_vault); zeros for SOL.
    pub vault: Address,
    /// Paid the rent and gets it back.
    pub rent_payer: Address,
    /// Lamports that keep this account alive and are not the treasury's.
    pub rent: u64,
    /// Number among the mint's inboxes, below [`MAX_TREASURY_SHARDS`].
    pub shard: u8,
    /// Of the account's address.
    pub bump: u8,
    /// Of the vault's address.
    pub vault_bump: u8,
    /// [`STATE_VERSION`].
    pub version: u8,
    /// Zero.
    pub padding: [u8; 4],
    /// Zero.
    pub tail: [u8; 64],
}

const _: () = assert!(size_of::<TreasuryInbox>() == 176);

provena_common::layout!(TreasuryInbox, STATE_VERSION);

/// What a new [`TreasuryInbox`] is made with.
pub struct NewTreasuryInbox {
    /// Payment mint; zeros for SOL.
    pub mint: Address,
    /// Zeros for SOL.
    pub vault: Address,
    /// Pays the rent.
    pub rent_payer: Address,
    /// Lamports that keep the account alive.
    pub rent: Amount,
    /// Number among the mint's inboxes.
    pub shard: u8,
    /// Of the account's address.
    pub bump: u8,
    /// Of the vault's address.
    pub vault_bump: u8,
}

impl TreasuryInbox {
    /// Fills a fresh account.
    pub fn initialize(&mut self, new: NewTreasuryInbox) {
        self.mint = new.mint;
        self.vault = new.vault;
        self.rent_payer = new.rent_payer;
        self.rent = new.rent.0;
        self.shard = new.shard;
        self.bump = new.bump;
        self.vault_bump = new.vault_bump;
        self.version = STATE_VERSION;
    }

    /// Whether this inbox is for SOL.
    #[must_use]
    pub fn is_native(&self) -> bool {
        is_zero(&self.mint)
    }

    /// Checks what must hold after every write.
    ///
    /// # Errors
    /// [`MarketError::BrokenInvariant`].
    pub fn invariant(&self) -> Result<()> {
        let vault = !is_zero(&self.vault);
        let sound = self.version == STATE_VERSION && self.shard < MAX_TREASURY_SHARDS && vault != self.is_native();
        require!(sound, MarketError::BrokenInvariant);
        Ok(())
    }
}
