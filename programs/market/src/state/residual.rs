//! What could not be paid.

use anchor_lang::prelude::*;
use provena_common::NATIVE_MINT;

use super::STATE_VERSION;
use crate::{constants::RESIDUAL_SEED, error::MarketError, fees::Amount};

/// What somebody could not take from jobs, in one mint, at [`pda::residual`](crate::pda::residual). SOL is this account's own
/// lamports above its rent; tokens lie in `vault`.
#[account]
#[derive(Debug, PartialEq, Eq)]
pub struct Residual {
    /// Whose it is: a node's authority or a payer.
    pub beneficiary: Address,
    /// Its mint; zeros for SOL.
    pub mint: Address,
    /// Its token account, at [`pda::residual_vault`](crate::pda::residual_vault); zeros for SOL.
    pub vault: Address,
    /// Paid the rent and gets it back.
    pub rent_payer: Address,
    /// Lamports that keep this account alive and are not the beneficiary's.
    pub rent: u64,
    /// Of the account's address.
    pub bump: u8,
    /// Of the vault's address.
    pub vault_bump: u8,
    /// [`STATE_VERSION`].
    pub version: u8,
    /// Zero.
    pub padding: [u8; 5],
    /// Zero.
    pub tail: [u8; 64],
}

const _: () = assert!(size_of::<Residual>() == 208);

provena_common::layout!(Residual, STATE_VERSION);

/// What a new [`Residual`] is made with.
pub struct NewResidual {
    /// Whose it is.
    pub beneficiary: Address,
    /// Zeros for SOL.
    pub mint: Address,
    /// Zeros for SOL.
    pub vault: Address,
    /// Pays the rent.
    pub rent_payer: Address,
    /// Lamports that keep the account alive.
    pub rent: Amount,
    /// Of the account's address.
    pub bump: u8,
    /// Of the vault's address.
    pub vault_bump: u8,
}

impl Residual {
    /// Fills a fresh account.
    pub fn initialize(&mut self, new: NewResidual) {
        self.beneficiary = new.beneficiary;
        self.mint = new.mint;
        self.vault = new.vault;
        self.rent_payer = new.rent_payer;
        self.rent = new.rent.0;
        self.bump = new.bump;
        self.vault_bump = new.vault_bump;
        self.version = STATE_VERSION;
    }

    /// Whether it is for SOL.
    #[must_use]
    pub fn is_native(&self) -> bool {
        self.mint == NATIVE_MINT
    }

    /// Checks that it is the residual of `beneficiary` for `mint`.
    ///
    /// # Errors
    /// `WrongResidual`.
    pub fn check(&self, beneficiary: &Address, mint: &Address) -> Result<()> {
        require!(self.beneficiary == *beneficiary && self.mint == *mint, MarketError::WrongResidual);
        Ok(())
    }

    /// Calls with the seeds that sign for it.
    ///
    /// # Errors
    /// Those of the call.
    pub fn signed<T>(&self, call: impl FnOnce(&[&[u8]]) -> Result<T>) -> Result<T> {
        call(&[RESIDUAL_SEED, self.beneficiary.as_ref(), self.mint.as_ref(), &[self.bump]])
    }

    /// Checks what must hold after every write.
    ///
    /// # Errors
    /// `BrokenInvariant`.
    pub fn invariant(&self) -> Result<()> {
        let vault = self.vault != NATIVE_MINT;
        require!(self.version == STATE_VERSION && vault != self.is_native(), MarketError::BrokenInvariant);
        Ok(())
    }
}
