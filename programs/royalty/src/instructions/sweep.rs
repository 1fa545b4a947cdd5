//! Moves what a child's pool owes to a parent asset's pool into the parent's accumulator.

use anchor_lang::prelude::*;

use crate::{
    amount::Amount,
    error::RoyaltyError,
    events::Swept,
    spl,
    state::{Pool, PoolMint, Position},
};

/// Accounts of `sweep`. Anybody may call it.
#[derive(Accounts)]
pub struct Sweep {
    /// The child's pool mint, which pays.
    #[account(mut)]
    pub child: Account<PoolMint>,
    /// The parent pool's position in the child's pool.
    #[account(
        mut,
        constraint = position.pool == child.pool @ RoyaltyError::WrongPool,
        constraint = position.holder == *parent_pool.address() @ RoyaltyError::WrongHolder
    )]
    pub position: Account<Position>,
    pub parent_pool: Account<Pool>,
    /// The parent's pool mint for the same mint, which receives.
    #[account(
        mut,
        constraint = parent.pool == *parent_pool.address() @ RoyaltyError::WrongPool,
        constraint = parent.mint == child.mint @ RoyaltyError::WrongMint
    )]
    pub parent: Account<PoolMint>,
    /// Absent for SOL.
    #[account(mut)]
    pub child_vault: Option<UncheckedAccount>,
    /// Absent for SOL.
    #[account(mut)]
    pub parent_vault: Option<UncheckedAccount>,
    /// Absent for SOL.
    pub token_program: Option<UncheckedAccount>,
}

impl Sweep {
    /// A sweep of nothing succeeds and changes nothing; more than the child holds is never paid.
    ///
    /// Errors: [`RoyaltyError::WrongPool`], [`RoyaltyError::WrongHolder`], [`RoyaltyError::WrongMint`] and those of
    /// [`spl::token_leg`].
    pub fn handle(&mut self) -> Result<()> {
        let amount = self.position.take(&self.child)?;
        if amount.is_zero() {
            return Ok(());
        }
        self.child.pay(amount)?;
        self.transfer(amount)?;
        self.parent.book(amount)?;
        emit!(Swept { child: *self.child.address(), parent: *self.parent.address(), amount: amount.0 });
        self.position.invariant()?;
        self.child.invariant()?;
        self.parent.invariant()
    }

    fn transfer(&self, amount: Amount) -> Result<()> {
        if self.child.is_native() {
            return spl::move_lamports(self.child.account(), self.parent.account(), amount);
        }
        let leg = spl::token_leg(&self.child, self.child_vault.as_ref(), self.token_program.as_ref())?;
        let parent_vault = spl::checked_vault(&self.parent, self.parent_vault.as_ref())?;
        spl::transfer_from_vault(leg.vault, parent_vault, &self.child, amount);
        Ok(())
    }
}
