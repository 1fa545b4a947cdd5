//! Gives the treasury its part of the fee and the rest of forfeited bonds, into its inboxes. Anybody may call it.

use anchor_lang::prelude::*;
use provena_common::{NATIVE_MINT, account::State, money, slot::Slot};

use crate::{
    error::MarketError,
    escrow::{Escrow, TokenAccounts},
    fees::Amount,
    payout,
    state::{JobAccount, Party, TreasuryInbox},
};

/// Accounts of `collect_protocol`. The last five only for the fee of a job paid in tokens.
#[derive(Accounts)]
pub struct CollectProtocol {
    /// The job.
    #[account(mut)]
    pub job: JobAccount,
    /// One of the treasury's inboxes for SOL; absent where only tokens are collected.
    #[account(mut)]
    pub inbox: Option<State<TreasuryInbox>>,
    /// One of the treasury's inboxes for the job's mint.
    pub token_inbox: Option<State<TreasuryInbox>>,
    /// The job's escrow.
    #[account(mut)]
    pub escrow: Option<UncheckedAccount>,
    /// The token account of `token_inbox`.
    #[account(mut)]
    pub vault: Option<UncheckedAccount>,
    /// The mint.
    pub mint: Option<UncheckedAccount>,
    /// The mint's token program.
    pub token_program: Option<UncheckedAccount>,
}

impl CollectProtocol {
    /// Collects what the given inboxes can take; the rest stays owed.
    ///
    /// # Errors
    /// `WrongInbox`, `CannotReceive` when nothing could be paid, those of [`Job::payable`](crate::state::Job::payable) and,
    /// for tokens, `MissingTokenAccount`, `WrongTokenAccount` and those of the token program.
    pub fn handle(&mut self) -> Result<()> {
        let owed = self.job.payable(self.job.as_slice(), Party::Protocol, Slot::now()?)?;
        let native = self.job.is_native();
        let tokens = !native && !owed.money.is_zero() && self.token_inbox.is_some();
        if tokens {
            self.pay_tokens(owed.money)?;
        }
        let amount = owed.in_lamports(native)?;
        let lamports = !amount.is_zero() && self.inbox.is_some();
        if lamports {
            self.pay_lamports(amount)?;
        }
        payout::note(&mut self.job, Party::Protocol, owed.paid(native, lamports, tokens))
    }

    fn pay_lamports(&self, amount: Amount) -> Result<()> {
        let inbox = self.inbox.as_ref().ok_or(MarketError::WrongInbox)?;
        require!(inbox.mint == NATIVE_MINT, MarketError::WrongInbox);
        money::move_lamports(self.job.view(), inbox.view(), amount)
    }

    fn pay_tokens(&self, amount: Amount) -> Result<()> {
        let inbox = self.token_inbox.as_ref().ok_or(MarketError::WrongInbox)?;
        require!(inbox.mint == self.job.mint, MarketError::WrongInbox);
        let accounts = TokenAccounts {
            escrow: self.escrow.as_ref(),
            to: self.vault.as_ref(),
            mint: self.mint.as_ref(),
            token_program: self.token_program.as_ref(),
        };
        Escrow::open(&self.job, &accounts)?.pay_to(&inbox.vault, amount)
    }
}
