//! Returns the rent of a job that has ended and is paid out.

use anchor_lang::prelude::*;
use provena_common::{account, slot::Slot};

use crate::{
    error::MarketError,
    escrow::{Escrow, TokenAccounts},
    state::JobAccount,
};

/// Accounts of `close_job`. The last four only for a job paid in tokens.
#[derive(Accounts)]
pub struct CloseJob {
    /// The payer, or a day later anybody.
    pub caller: Signer,
    /// Receives the rent, and whatever strangers sent to the job.
    #[account(unsafe(dup), address = job.payer @ MarketError::NotPayer)]
    pub payer: UncheckedAccount,
    /// The job; closed here.
    #[account(mut)]
    pub job: JobAccount,
    /// The job's escrow; closed here.
    #[account(mut)]
    pub escrow: Option<UncheckedAccount>,
    /// The payer's associated token account, for tokens that strangers sent to the escrow; any of his token accounts when he
    /// signs.
    #[account(mut)]
    pub payer_token: Option<UncheckedAccount>,
    /// The mint.
    pub mint: Option<UncheckedAccount>,
    /// The mint's token program.
    pub token_program: Option<UncheckedAccount>,
}

impl CloseJob {
    /// # Errors
    /// `NotPayer`, those of [`Job::check_close`](crate::state::Job::check_close); for tokens `MissingTokenAccount`,
    /// `WrongMint`, `WrongTokenProgram`, `WrongTokenAccount` and those of the token program.
    pub fn handle(&mut self) -> Result<()> {
        let by_payer = *self.caller.address() == self.job.payer;
        self.job.check_close(self.job.as_slice(), by_payer, Slot::now()?)?;
        let payer = self.payer.account();
        if !self.job.is_native() {
            let accounts = TokenAccounts {
                escrow: self.escrow.as_ref(),
                to: self.payer_token.as_ref(),
                mint: self.mint.as_ref(),
                token_program: self.token_program.as_ref(),
            };
            let escrow = Escrow::open(&self.job, &accounts)?;
            let left = escrow.amount()?;
            if !left.is_zero() {
                escrow.pay_wallet(payer, left)?;
            }
            escrow.close(payer)?;
        }
        account::close(self.job.view(), payer).map(|_| ())
    }
}
