//! Refunds a job that can no longer be settled. Anybody may call it.

use anchor_lang::prelude::*;

use crate::committee::{self, Member, Outcome};
use crate::error::MarketError;
use crate::escrow::Escrow;
use crate::events::JobRefunded;
use crate::fees::Amount;
use crate::state::{Job, JobState, SlotState};

/// Accounts of `timeout_job`. The last three only for a job paid in tokens. After them, for every live slot: the slot,
/// the node and the node's authority, all writable.
#[derive(Accounts)]
pub struct TimeoutJob {
    /// The job.
    #[account(mut)]
    pub job: Account<Job>,
    /// Receives the refund and forfeited bonds.
    #[account(unsafe(dup), address = job.payer @ MarketError::Unauthorized)]
    pub payer: UncheckedAccount,
    /// The job's token account.
    #[account(mut)]
    pub escrow: Option<UncheckedAccount>,
    /// A token account of the payer.
    #[account(mut)]
    pub payer_token: Option<UncheckedAccount>,
    /// The token program.
    pub token_program: Option<Program<Token>>,
}

impl TimeoutJob {
    /// Errors: `DeadlineNotReached` for an open job before its expiry, `QuorumReached`, `WrongState`, `MissingSlots`,
    /// `WrongSlot`, `WrongNode`, `MissingTokenAccount`, `WrongTokenAccount`.
    pub fn handle(&mut self, rest: &[AccountView]) -> Result<()> {
        let now = Clock::get()?.slot;
        let members = committee::read(&self.job, rest, false)?;
        match self.job.state()? {
            JobState::Open => {
                require!(now > self.job.expires_at, MarketError::DeadlineNotReached);
            }
            JobState::TimedOut => {}
            JobState::Final => {
                let agreed = committee::quorum(&members, self.job.quorum);
                require!(agreed.is_none(), MarketError::QuorumReached);
            }
            _ => return Err(MarketError::WrongState.into()),
        }
        let refund = Amount(self.job.deposit);
        let escrow = Escrow::open(&self.job, &self.escrow, &self.token_program)?;
        // The payment comes first: where it is a call into the token program, it must find the lamports balanced.
        escrow.pay(self.payer.account(), self.payer_token.as_ref().map(AnchorAccount::account), refund)?;
        for member in &members {
            member.end(outcome(member, now), self.job.account(), self.payer.account())?;
        }
        self.job.end(JobState::Refunded, refund);
        self.job.invariant()?;
        emit!(JobRefunded { job: *self.job.address(), refund: refund.0, state: self.job.state, padding: [0; 7] });
        Ok(())
    }
}

/// A node that is late itself does not get away because the job ended first.
fn outcome(member: &Member<'_>, now: u64) -> Outcome {
    if member.state == SlotState::Claimed && now > member.commit_deadline {
        Outcome::Forfeited
    } else {
        Outcome::Released
    }
}
