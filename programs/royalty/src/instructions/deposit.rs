//! Pays revenue into a pool from a wallet.

use anchor_lang::prelude::*;
use provena_common::{account::State, amount::Amount};

use crate::{
    error::RoyaltyError,
    purse::{Purse, book},
    state::{Admin, Books, Index},
};

/// Accounts of `deposit`. Anybody may call it.
#[derive(Accounts)]
pub struct Deposit {
    /// Pays.
    #[account(mut)]
    pub payer: Signer,
    /// The program's settings: the mint must still be allowed.
    pub admin: State<Admin>,
    /// The pool's index.
    #[account(mut)]
    pub index: State<Index>,
    /// The pool's books in the mint.
    #[account(mut)]
    pub books: State<Books>,
    /// The payer's token account; absent for SOL.
    #[account(mut)]
    pub source: Option<UncheckedAccount>,
    /// The books' vault; absent for SOL.
    #[account(mut)]
    pub vault: Option<UncheckedAccount>,
    /// The payment mint; absent for SOL.
    pub mint: Option<UncheckedAccount>,
    /// The mint's token program; absent for SOL.
    pub token_program: Option<UncheckedAccount>,
    /// Moves SOL.
    pub system_program: Program<System>,
}

impl Deposit {
    /// Books what arrives, which is less than `amount` where the mint takes a fee.
    ///
    /// # Errors
    /// [`RoyaltyError::ZeroAmount`], [`RoyaltyError::MintNotAllowed`], [`RoyaltyError::PoolNotSealed`],
    /// [`RoyaltyError::WrongPool`], those of [`Purse::open`] and [`Purse::take_in`].
    pub fn handle(&mut self, amount: Amount) -> Result<()> {
        require!(!amount.is_zero(), RoyaltyError::ZeroAmount);
        let (vault, mint) = (self.vault.as_ref(), self.mint.as_ref());
        let purse = Purse::open(&self.books, vault, mint, self.token_program.as_ref())?;
        if !self.books.is_native() {
            self.admin.check_allowed(&self.books.mint)?;
        }
        let arrived = purse.take_in(&self.books, self.source.as_ref(), self.payer.account(), amount)?;
        require!(!arrived.is_zero(), RoyaltyError::ZeroAmount);
        book(&mut self.index, &mut self.books, arrived)
    }
}
