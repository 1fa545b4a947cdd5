//! Books what reached a pool by plain transfer.

use anchor_lang::prelude::*;

use crate::{amount::Amount, events::RevenueBooked, spl, state::PoolMint};

/// Accounts of `sync`. Anybody may call it; the market does after paying royalties.
#[derive(Accounts)]
pub struct Sync {
    #[account(mut)]
    pub pool_mint: Account<PoolMint>,
    /// The pool mint's vault; absent for SOL.
    pub vault: Option<UncheckedAccount>,
}

impl Sync {
    /// Books the surplus, which may be nothing. Errors: those of [`spl::checked_vault`], [`AmountOverflow`].
    ///
    /// [`AmountOverflow`]: crate::error::RoyaltyError::AmountOverflow
    pub fn handle(&mut self) -> Result<()> {
        let balance = self.balance()?;
        let amount = self.pool_mint.book_surplus(balance)?;
        if !amount.is_zero() {
            emit!(RevenueBooked {
                pool_mint: *self.pool_mint.address(),
                amount: amount.0,
                received: self.pool_mint.received,
            });
        }
        self.pool_mint.invariant()
    }

    fn balance(&self) -> Result<Amount> {
        if self.pool_mint.is_native() {
            return Ok(spl::native_balance(&self.pool_mint));
        }
        spl::token_amount(spl::checked_vault(&self.pool_mint, self.vault.as_ref())?)
    }
}
