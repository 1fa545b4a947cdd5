//! Pays revenue into a pool from a wallet.

use anchor_lang::prelude::*;
use provena_common::{
    account::State,
    amount::Amount,
    money,
    token::{check_mint, needed},
};

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
    /// Books what arrives, which is less than `amount` where the mint takes a fee. A mint of Token-2022 is checked again: it
    /// may have got a transfer hook since it was allowed.
    ///
    /// # Errors
    /// [`RoyaltyError::ZeroAmount`], [`RoyaltyError::MintNotAllowed`], [`RoyaltyError::PoolNotSealed`],
    /// [`RoyaltyError::WrongPool`], those of [`check_mint`] and [`Purse::open`], and the token program's own when the
    /// source has too little or another mint.
    pub fn handle(&mut self, amount: Amount) -> Result<()> {
        require!(!amount.is_zero(), RoyaltyError::ZeroAmount);
        let payer = self.payer.account();
        let mint = self.mint.as_ref();
        let arrived = match Purse::open(&self.books, self.vault.as_ref(), mint, self.token_program.as_ref())? {
            Purse::Lamports => {
                money::transfer_from_wallet(payer, self.books.view(), amount)?;
                amount
            }
            Purse::Tokens { token, vault } => {
                self.admin.check_allowed(&self.books.mint)?;
                check_mint(token.mint())?;
                token.transfer(needed(self.source.as_ref())?, vault, payer, amount, &[])?
            }
        };
        require!(!arrived.is_zero(), RoyaltyError::ZeroAmount);
        book(&mut self.index, &mut self.books, arrived)
    }
}
