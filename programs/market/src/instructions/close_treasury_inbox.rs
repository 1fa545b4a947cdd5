//! Whoever paid for one of the treasury's inboxes closes it, empty, and gets the rent back.

use anchor_lang::prelude::*;
use provena_common::{
    account::{self, State},
    token::{self, Token},
};
use provena_royalty::purse::above_rent;

use crate::{error::MarketError, state::TreasuryInbox, treasury};

/// Accounts of `close_treasury_inbox`.
#[derive(Accounts)]
pub struct CloseTreasuryInbox {
    /// Paid the rent; receives it.
    #[account(mut, address = inbox.rent_payer @ MarketError::NotRentPayer)]
    pub rent_payer: Signer,
    /// The inbox, closed here.
    #[account(mut)]
    pub inbox: State<TreasuryInbox>,
    /// The inbox's token account, closed too; absent for SOL.
    #[account(mut)]
    pub vault: Option<UncheckedAccount>,
    /// The mint; absent for SOL.
    pub mint: Option<UncheckedAccount>,
    /// The mint's token program; absent for SOL.
    pub token_program: Option<UncheckedAccount>,
}

impl CloseTreasuryInbox {
    /// Call `sweep_treasury` before, in the same transaction.
    ///
    /// # Errors
    /// `NotRentPayer`; `NotEmpty` while the inbox holds money; for tokens `MissingTokenAccount`, `WrongMint`,
    /// `WrongTokenProgram`, `WrongTokenAccount`.
    pub fn handle(&mut self) -> Result<()> {
        require!(above_rent(self.inbox.account(), self.inbox.rent)?.is_zero(), MarketError::NotEmpty);
        if !self.inbox.is_native() {
            self.close_vault()?;
        }
        account::close(self.inbox.account(), self.rent_payer.account())?;
        Ok(())
    }

    fn close_vault(&self) -> Result<()> {
        let token = Token::of(self.mint.as_ref(), self.token_program.as_ref(), &self.inbox.mint)?;
        let vault = treasury::checked_vault(&self.inbox, self.vault.as_ref())?;
        require!(token::read(vault)?.amount.is_zero(), MarketError::NotEmpty);
        treasury::signed(&self.inbox, |seeds| {
            token.close(vault, self.rent_payer.account(), self.inbox.account(), seeds)
        })
    }
}
