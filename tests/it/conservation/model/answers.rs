//! Answers that are brought on chain because the payer demanded them, and what happens when nobody does.

use provena_market::error::MarketError;

use super::{
    super::{operation::Market, rents::rent},
    Answer, AnswerOnChain, JobId, Model, Refusal, Stage, demand,
};

const DEMAND: u64 = 60_000;
/// Bytes of every answer that fits on chain.
pub(crate) const ANSWER_LEN: u64 = 2_000;
/// An answer that is longer than what fits on chain, and its length.
pub(crate) const LONG: u8 = 3;
pub(crate) const LONG_LEN: u64 = 10_000;

/// Rent of an account with an answer.
pub(crate) fn answer_rent() -> u64 {
    rent(8 + 144 + 4 + ANSWER_LEN)
}

impl Model {
    pub(super) fn settle_job(&mut self, instruction: &Market) -> Answer {
        match *instruction {
            Market::PutAnswer { job, by, result, part } => self.put_answer(job, by, result, part),
            Market::SealAnswer { job, by } => self.seal_answer(job, by),
            Market::ProveLength { job, by, len } => {
                self.check_answered(job)?;
                demand(len > 8_192, MarketError::AnswerLength)?;
                demand(self.agreed(job)? == LONG && len == LONG_LEN, MarketError::WrongAnswer)?;
                self.note_answered(job, by)
            }
            Market::DefaultAnswer { job } => self.default_answer(job),
            Market::CloseAnswer { job, poster, signed } => self.close_answer(job, poster, signed),
            _ => self.pay_out(instruction),
        }
    }

    /// The answer that the quorum agreed on.
    fn agreed(&mut self, job: JobId) -> Answer<u8> {
        let job = self.job_mut(job)?;
        Ok(job.agreeing().first().map_or(0, |seat| job.seats[*seat].outcome.0))
    }

    fn put_answer(&mut self, job: JobId, by: usize, result: u8, part: usize) -> Answer {
        let found = self.job_mut(job)?;
        demand(found.awaited(), MarketError::NotDemanded)?;
        let key = found.key;
        let mut rent = 0;
        let answer = self.answers.entry((job, by)).or_insert_with(|| {
            rent = answer_rent();
            AnswerOnChain { key, parts: [None; 3], sealed_at: None }
        });
        answer.parts[part] = Some(result);
        self.spend(by, rent);
        Ok(())
    }

    /// Whether an answer that is brought now is in time.
    fn check_answered(&mut self, job: JobId) -> Answer {
        let now = self.slot;
        let job = self.job_mut(job)?;
        demand(matches!(job.stage, Stage::Agreed { .. }), MarketError::WrongState)?;
        demand(job.awaited(), MarketError::NotDemanded)?;
        demand(job.demanded_at.is_some_and(|slot| now <= slot + 750), MarketError::DeadlinePassed)
    }

    fn note_answered(&mut self, job: JobId, by: usize) -> Answer {
        let job = self.job_mut(job)?;
        job.answered = true;
        job.lamports -= DEMAND;
        self.refund(by, DEMAND);
        Ok(())
    }

    fn seal_answer(&mut self, job: JobId, by: usize) -> Answer {
        let parts = self.answers.get(&(job, by)).ok_or(Refusal::Missing)?.parts;
        self.check_answered(job)?;
        let agreed = self.agreed(job)?;
        demand(parts == [Some(agreed); 3], MarketError::WrongAnswer)?;
        self.answers.get_mut(&(job, by)).expect("found above").sealed_at = Some(self.slot);
        self.note_answered(job, by)
    }

    fn default_answer(&mut self, id: JobId) -> Answer {
        let now = self.slot;
        let job = self.job_mut(id)?;
        let Stage::Agreed { winner } = job.stage else { return Err(MarketError::WrongState.into()) };
        demand(job.awaited(), MarketError::NotDemanded)?;
        demand(job.demanded_at.is_some_and(|slot| now > slot + 750), MarketError::TooEarly)?;
        let agreeing = job.agreeing();
        (job.stage, job.ended_at) = (Stage::Defaulted { winner }, now);
        self.lose_bonds(id, &agreeing);
        Ok(())
    }

    fn close_answer(&mut self, job: JobId, poster: usize, signed: bool) -> Answer {
        let found = self.answers.get(&(job, poster)).ok_or(Refusal::Missing)?;
        let gone = !self.jobs.contains_key(&job);
        let allowed = match found.sealed_at {
            Some(slot) => gone || self.slot > slot + 1_500,
            None => gone || signed,
        };
        demand(allowed, MarketError::AnswerInUse)?;
        self.answers.remove(&(job, poster));
        self.refund(poster, answer_rent());
        Ok(())
    }
}
