//! Gives the payer what is his: the rest of the deposit, and the deposit of a demand that was not met. Anybody may call it.

use anchor_lang::prelude::*;
use provena_common::slot::Slot;

use crate::{
    error::MarketError,
    escrow::TokenAccounts,
    payout,
    state::{JobAccount, Party},
};

/// Accounts of `collect_refund`. The last four only for the deposit of a job paid in tokens.
#[derive(Accounts)]
pub struct CollectRefund {
    /// The job.
    #[account(mut)]
    pub job: JobAccount,
    /// The job's payer.
    #[account(mut, address = job.payer @ MarketError::NotPayer)]
    pub payer: UncheckedAccount,
    /// The job's escrow.
    #[account(mut)]
    pub escrow: Option<UncheckedAccount>,
    /// The payer's associated token account; any of his token accounts when he signs.
    #[account(mut)]
    pub payer_token: Option<UncheckedAccount>,
    /// The mint.
    pub mint: Option<UncheckedAccount>,
    /// The mint's token program.
    pub token_program: Option<UncheckedAccount>,
}

impl CollectRefund {
    /// # Errors
    /// `NotPayer`, `CannotReceive` when nothing could be paid, those of [`Job::payable`](crate::state::Job::payable) and,
    /// for tokens, `MissingTokenAccount`, `WrongTokenAccount` and those of the token program.
    pub fn handle(&mut self) -> Result<()> {
        let owed = self.job.payable(self.job.as_slice(), Party::Payer, Slot::now()?)?;
        let accounts = TokenAccounts {
            escrow: self.escrow.as_ref(),
            to: self.payer_token.as_ref(),
            mint: self.mint.as_ref(),
            token_program: self.token_program.as_ref(),
        };
        let paid = payout::pay_wallet(&self.job, &owed, self.payer.account(), &accounts)?;
        payout::note(&mut self.job, Party::Payer, paid)
    }
}
