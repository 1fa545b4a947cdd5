//! Returns the rent of an answer that was put on chain.

use anchor_lang::prelude::*;
use provena_common::{account, slot::Slot};

use crate::{ID, constants::SETTLE_AFTER, error::MarketError, state::AnswerAccount};

/// Accounts of `close_answer`. Anybody may call it, except for an answer that is not sealed.
#[derive(Accounts)]
pub struct CloseAnswer {
    /// Who put it there; gets the rent. Signs for an answer that is not sealed while its job exists.
    #[account(mut, address = answer.poster @ MarketError::WrongPoster)]
    pub poster: UncheckedAccount,
    /// The job, or where it was.
    #[account(address = answer.job @ MarketError::WrongPoster)]
    pub job: UncheckedAccount,
    /// The answer.
    #[account(mut)]
    pub answer: AnswerAccount,
}

impl CloseAnswer {
    /// A sealed answer stays for 1,500 slots while its job exists, so that the payer can read it.
    ///
    /// # Errors
    /// `WrongPoster`, `AnswerInUse`.
    pub fn handle(&mut self) -> Result<()> {
        let gone = !self.job.account().owned_by(&ID);
        let allowed = match self.answer.sealed_at {
            0 => gone || self.poster.account().is_signer(),
            sealed_at => gone || Slot::now()?.since(Slot(sealed_at)) > SETTLE_AFTER,
        };
        require!(allowed, MarketError::AnswerInUse);
        account::close(self.answer.view(), self.poster.account()).map(|_| ())
    }
}
