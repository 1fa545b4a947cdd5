//! An answer that is put on chain because a payer demanded it.

use anchor_lang::prelude::*;
use provena_common::account::State;

use super::STATE_VERSION;
use crate::error::MarketError;

/// An answer, at [`pda::answer`](crate::pda::answer), followed in its account by its bytes.
///
/// Each signer has one of its own for a job: nobody can stand in the way of whoever brings the right answer by putting
/// something else at its place.
#[account]
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The job.
    pub job: Address,
    /// Put it here, paid the rent and gets it back.
    pub poster: Address,
    /// Slot in which it was found to be the agreed answer; 0 before.
    pub sealed_at: u64,
    /// Of the account's address.
    pub bump: u8,
    /// [`STATE_VERSION`].
    pub version: u8,
    /// Zero.
    pub padding: [u8; 6],
    /// Zero.
    pub tail: [u8; 64],
}

const _: () = assert!(size_of::<Answer>() == 144);

provena_common::layout!(Answer, STATE_VERSION);

/// The account: header and bytes.
pub type AnswerAccount = State<Answer, u8>;

impl Answer {
    /// Checks that it is the answer to `job` that `poster` puts here.
    ///
    /// # Errors
    /// `WrongPoster`.
    pub fn check(&self, job: &Address, poster: &Address) -> Result<()> {
        require!(self.job == *job && self.poster == *poster, MarketError::WrongPoster);
        Ok(())
    }
}
