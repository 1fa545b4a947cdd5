//! Puts a part of a demanded answer on chain.

use anchor_lang::prelude::*;
use provena_common::account::NewAccount;

use crate::{
    ID,
    constants::{ANSWER_SEED, MAX_ANSWER},
    error::MarketError,
    fees::Amount,
    state::{Answer, AnswerAccount, JobAccount, STATE_VERSION, job},
};

/// Accounts of `put_answer`.
#[derive(Accounts)]
pub struct PutAnswer {
    /// Whoever has the answer; pays the rent and gets it back from `close_answer`.
    #[account(mut)]
    pub poster: Signer,
    /// The job.
    pub job: JobAccount,
    /// The poster's answer to it, at `pda::answer`; created by the first part.
    #[account(mut)]
    pub answer: UncheckedAccount,
    /// Creates the account.
    pub system_program: Program<System>,
}

impl PutAnswer {
    /// Writes `bytes` at `offset` of an answer of `len` bytes, which the first call fixes. Parts may come in any order and
    /// more than once; what counts is what `seal_answer` finds.
    ///
    /// # Errors
    /// `NotDemanded` unless an answer is awaited, `AnswerLength` for a length of none or of more than 8,192 bytes, another
    /// length than before or a part beyond its end, `WrongPda`, `WrongPoster`.
    pub fn handle(&mut self, offset: u32, bytes: &[u8], len: u32) -> Result<()> {
        require!(self.job.is_answer_awaited(), MarketError::NotDemanded);
        let [offset, len] = [offset, len].map(usize::try_from);
        let (Ok(offset), Ok(len)) = (offset, len) else { return Err(MarketError::AnswerLength.into()) };
        require!((1..=MAX_ANSWER).contains(&len), MarketError::AnswerLength);
        let view = *self.answer.account();
        let mut answer = if view.owned_by(&ID) {
            // SAFETY: the account is written by this instruction and is none of its other accounts, which are not writable
            // or of another kind.
            unsafe { AnswerAccount::load_mut(view)? }
        } else {
            self.create(len)?
        };
        answer.check(self.job.address(), self.poster.address())?;
        require!(answer.len() == len, MarketError::AnswerLength);
        let end = offset.checked_add(bytes.len()).ok_or(MarketError::AnswerLength)?;
        answer.as_mut_slice().get_mut(offset..end).ok_or(MarketError::AnswerLength)?.copy_from_slice(bytes);
        Ok(())
    }

    fn create(&self, len: usize) -> Result<AnswerAccount> {
        let (job, poster) = (self.job.address(), self.poster.address());
        let bump = NewAccount {
            payer: self.poster.account(),
            account: self.answer.account(),
            program: &ID,
            owner: &ID,
            seeds: &[ANSWER_SEED, job.as_ref(), poster.as_ref()],
            len: AnswerAccount::space(len),
            extra: Amount::ZERO,
        }
        .create()?;
        let mut answer: AnswerAccount = job::begin(self.answer.account(), len)?;
        let header: &mut Answer = &mut answer;
        header.job = *job;
        header.poster = *poster;
        header.bump = bump;
        header.version = STATE_VERSION;
        Ok(answer)
    }
}
