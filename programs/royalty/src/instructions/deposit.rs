//! Pays revenue into a pool from a wallet.

use anchor_lang::prelude::*;

use crate::{amount::Amount, error::RoyaltyError, events::RevenueBooked, spl, state::PoolMint};

/// Accounts of `deposit`.
#[derive(Accounts)]
pub struct Deposit {
    #[account(mut)]
    pub payer: Signer,
    #[account(mut)]
    pub pool_mint: Account<PoolMint>,
    /// The payer's token account; absent for SOL.
    #[account(mut)]
    pub source: Option<UncheckedAccount>,
    /// The pool mint's vault; absent for SOL.
    #[account(mut)]
    pub vault: Option<UncheckedAccount>,
    /// Absent for SOL.
    pub token_program: Option<UncheckedAccount>,
    pub system_program: Program<System>,
}

impl Deposit {
    /// Errors: [`RoyaltyError::ZeroAmount`], [`RoyaltyError::AmountOverflow`], those of [`spl::token_leg`], and the token
    /// program's own when the source has too little or another mint.
    pub fn handle(&mut self, amount: Amount) -> Result<()> {
        require!(!amount.is_zero(), RoyaltyError::ZeroAmount);
        let payer = self.payer.account();
        if self.pool_mint.is_native() {
            spl::transfer_lamports(payer, self.pool_mint.account(), amount);
        } else {
            let leg = spl::token_leg(&self.pool_mint, self.vault.as_ref(), self.token_program.as_ref())?;
            let source = self.source.as_ref().ok_or(RoyaltyError::MissingTokenAccount)?;
            spl::transfer_tokens(source.account(), leg.vault, payer, amount);
        }
        self.pool_mint.book(amount)?;
        emit!(RevenueBooked {
            pool_mint: *self.pool_mint.address(),
            amount: amount.0,
            received: self.pool_mint.received,
        });
        self.pool_mint.invariant()
    }
}
