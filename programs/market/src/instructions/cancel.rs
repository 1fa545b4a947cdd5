//! The payer takes a job back that no node holds.

use anchor_lang::prelude::*;

use crate::error::MarketError;
use crate::escrow::Escrow;
use crate::events::JobRefunded;
use crate::fees::Amount;
use crate::state::{Job, JobState};

/// Accounts of `cancel`. The last three only for a job paid in tokens.
#[derive(Accounts)]
pub struct Cancel {
    /// The payer.
    #[account(mut, address = job.payer @ MarketError::Unauthorized)]
    pub payer: Signer,
    /// The job.
    #[account(mut)]
    pub job: Account<Job>,
    /// The job's token account.
    #[account(mut)]
    pub escrow: Option<UncheckedAccount>,
    /// A token account of the payer.
    #[account(mut)]
    pub payer_token: Option<UncheckedAccount>,
    /// The token program.
    pub token_program: Option<Program<Token>>,
}

impl Cancel {
    /// Errors: `Unauthorized`, `WrongState`, `JobInUse` while a node holds a slot, `MissingTokenAccount`,
    /// `WrongTokenAccount`.
    pub fn handle(&mut self) -> Result<()> {
        let state = self.job.state()?;
        require!(!state.is_terminal(), MarketError::WrongState);
        require!(self.job.live == 0 && state == JobState::Open, MarketError::JobInUse);
        let refund = Amount(self.job.deposit);
        let escrow = Escrow::open(&self.job, &self.escrow, &self.token_program)?;
        escrow.pay(self.payer.account(), self.payer_token.as_ref().map(AnchorAccount::account), refund)?;
        self.job.end(JobState::Cancelled, refund);
        self.job.invariant()?;
        emit!(JobRefunded { job: *self.job.address(), refund: refund.0, state: self.job.state, padding: [0; 7] });
        Ok(())
    }
}
