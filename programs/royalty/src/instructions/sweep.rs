//! Moves what a child's pool owes to a parent asset's pool into the parent's books.

use anchor_lang::prelude::*;
use provena_common::account::State;

use crate::{
    error::RoyaltyError,
    events::Swept,
    purse::{Purse, book, pay_owed},
    state::{Books, Index, Position},
};

/// Accounts of `sweep`. Anybody may call it.
#[derive(Accounts)]
pub struct Sweep {
    /// The child's index.
    pub child_index: State<Index>,
    /// The child's books, which pay.
    #[account(mut)]
    pub child: State<Books>,
    /// The parent pool's position in the child's pool.
    #[account(mut, constraint = position.holder == parent.pool @ RoyaltyError::WrongHolder)]
    pub position: State<Position>,
    /// The parent's index.
    #[account(mut)]
    pub parent_index: State<Index>,
    /// The parent's books in the same mint, which receive.
    #[account(mut, constraint = parent.mint == child.mint @ RoyaltyError::WrongBooks)]
    pub parent: State<Books>,
    /// The child's vault; absent for SOL.
    #[account(mut)]
    pub child_vault: Option<UncheckedAccount>,
    /// The parent's vault; absent for SOL.
    #[account(mut)]
    pub parent_vault: Option<UncheckedAccount>,
    /// The payment mint; absent for SOL.
    pub mint: Option<UncheckedAccount>,
    /// The mint's token program; absent for SOL.
    pub token_program: Option<UncheckedAccount>,
}

impl Sweep {
    /// A sweep of nothing succeeds and changes nothing; more than the child holds is never paid.
    ///
    /// # Errors
    /// [`RoyaltyError::WrongPool`], [`RoyaltyError::WrongHolder`], [`RoyaltyError::WrongBooks`],
    /// [`RoyaltyError::WrongVault`], [`RoyaltyError::PoolNotSealed`] and those of [`Purse::open`].
    pub fn handle(&mut self) -> Result<()> {
        let mint = self.mint.as_ref();
        let purse = Purse::open(&self.child, self.child_vault.as_ref(), mint, self.token_program.as_ref())?;
        let to = match &purse {
            Purse::Lamports => *self.parent.view(),
            Purse::Tokens { token, .. } => {
                let vault = provena_common::token::needed(self.parent_vault.as_ref())?;
                Purse::tokens(&self.parent, *token, vault)?;
                *vault
            }
        };
        let payment = pay_owed(&mut self.position, &self.child_index, &mut self.child, &purse, &to)?;
        if payment.paid.is_zero() {
            return Ok(());
        }
        book(&mut self.parent_index, &mut self.parent, payment.arrived)?;
        emit!(Swept { child: *self.child.address(), parent: *self.parent.address(), amount: payment.paid.0 });
        Ok(())
    }
}
