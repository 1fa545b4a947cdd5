//! Moves everything in one of the treasury's inboxes to the treasury.

use anchor_lang::prelude::*;
use provena_common::{
    account::State,
    money,
    token::{self, Token, needed},
};
use provena_royalty::purse::above_rent;

use crate::{
    error::MarketError,
    state::{Admin, TreasuryInbox},
    treasury,
};

/// Accounts of `sweep_treasury`. Anybody may call it.
#[derive(Accounts)]
pub struct SweepTreasury {
    /// The market's settings.
    pub admin: State<Admin>,
    /// The inbox.
    #[account(mut)]
    pub inbox: State<TreasuryInbox>,
    /// The treasury's wallet.
    #[account(mut, address = admin.treasury @ MarketError::WrongTreasury)]
    pub treasury: UncheckedAccount,
    /// The inbox's token account; absent for SOL.
    #[account(mut)]
    pub vault: Option<UncheckedAccount>,
    /// The treasury's associated token account; absent for SOL.
    #[account(mut)]
    pub treasury_token: Option<UncheckedAccount>,
    /// The mint; absent for SOL.
    pub mint: Option<UncheckedAccount>,
    /// The mint's token program; absent for SOL.
    pub token_program: Option<UncheckedAccount>,
}

impl SweepTreasury {
    /// Succeeds where there is nothing. Lamports in an inbox for tokens go along.
    ///
    /// # Errors
    /// `WrongTreasury`; for tokens `MissingTokenAccount`, `WrongMint`, `WrongTokenProgram`, `WrongTokenAccount`.
    pub fn handle(&mut self) -> Result<()> {
        // Before the lamports move: the runtime compares sums at each call of another program.
        if !self.inbox.is_native() {
            self.sweep_tokens()?;
        }
        let inbox = self.inbox.account();
        money::move_lamports(inbox, self.treasury.account(), above_rent(inbox, self.inbox.rent)?)
    }

    fn sweep_tokens(&self) -> Result<()> {
        let token = Token::of(self.mint.as_ref(), self.token_program.as_ref(), &self.inbox.mint)?;
        let vault = treasury::checked_vault(&self.inbox, self.vault.as_ref())?;
        let to = needed(self.treasury_token.as_ref())?;
        treasury::check_token_account(to, self.treasury.address(), &token)?;
        let amount = token::read(vault)?.amount;
        treasury::signed(&self.inbox, |seeds| token.transfer(vault, to, self.inbox.account(), amount, seeds))?;
        Ok(())
    }
}
