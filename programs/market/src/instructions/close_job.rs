//! Returns the rent of a job that has ended.

use anchor_lang::prelude::*;

use crate::error::MarketError;
use crate::escrow::Escrow;
use crate::state::Job;

/// Accounts of `close_job`. The last three only for a job paid in tokens.
#[derive(Accounts)]
pub struct CloseJob {
    /// The payer at any time; anybody else once the job has expired.
    pub caller: Signer,
    /// Receives the rent, and whatever the job holds for a payer who could not take it before.
    #[account(unsafe(dup), address = job.payer @ MarketError::Unauthorized)]
    pub payer: UncheckedAccount,
    /// The job.
    #[account(mut)]
    pub job: Account<Job>,
    /// The job's token account; closed here.
    #[account(mut)]
    pub escrow: Option<UncheckedAccount>,
    /// A token account of the payer, for what is left in the escrow.
    #[account(mut)]
    pub payer_token: Option<UncheckedAccount>,
    /// The token program.
    pub token_program: Option<Program<Token>>,
}

impl CloseJob {
    /// Errors: `WrongState` before the job has ended, `DeadlineNotReached` for anybody but the payer before expiry,
    /// `MissingTokenAccount`, `WrongTokenAccount`.
    pub fn handle(&mut self) -> Result<()> {
        require!(self.job.state()?.is_terminal(), MarketError::WrongState);
        if *self.caller.address() != self.job.payer {
            require!(Clock::get()?.slot > self.job.expires_at, MarketError::DeadlineNotReached);
        }
        let payer = *self.payer.account();
        let escrow = Escrow::open(&self.job, &self.escrow, &self.token_program)?;
        escrow.close(&payer, self.payer_token.as_ref().map(AnchorAccount::account))?;
        self.job.close(payer)
    }
}
