//! Pays a holder what it is owed in one mint.

use anchor_lang::prelude::*;

use crate::{
    error::RoyaltyError,
    events::Claimed,
    spl,
    state::{PoolMint, Position},
};

/// Accounts of `claim`.
#[derive(Accounts)]
pub struct Claim {
    #[account(constraint = *holder.address() == position.holder @ RoyaltyError::WrongHolder)]
    pub holder: Signer,
    #[account(mut, constraint = position.pool == pool_mint.pool @ RoyaltyError::WrongPool)]
    pub position: Account<Position>,
    #[account(mut)]
    pub pool_mint: Account<PoolMint>,
    /// Where the money goes, of the holder's choosing: for SOL any account, for tokens a token account of the mint.
    #[account(unsafe(dup))]
    pub destination: UncheckedAccount,
    /// The pool mint's vault; absent for SOL.
    #[account(mut)]
    pub vault: Option<UncheckedAccount>,
    /// Absent for SOL.
    pub token_program: Option<UncheckedAccount>,
}

impl Claim {
    /// A claim of nothing succeeds and changes nothing.
    ///
    /// Errors: [`RoyaltyError::WrongHolder`], [`RoyaltyError::WrongPool`], those of [`spl::token_leg`], and the token
    /// program's own when the destination has another mint.
    pub fn handle(&mut self) -> Result<()> {
        let amount = self.position.take(&self.pool_mint)?;
        if amount.is_zero() {
            return Ok(());
        }
        self.pool_mint.pay(amount)?;
        let destination = self.destination.account();
        if self.pool_mint.is_native() {
            spl::move_lamports(self.pool_mint.account(), destination, amount)?;
        } else {
            let leg = spl::token_leg(&self.pool_mint, self.vault.as_ref(), self.token_program.as_ref())?;
            spl::transfer_from_vault(leg.vault, destination, &self.pool_mint, amount);
        }
        emit!(Claimed { position: *self.position.address(), pool_mint: *self.pool_mint.address(), amount: amount.0 });
        self.position.invariant()?;
        self.pool_mint.invariant()
    }
}
