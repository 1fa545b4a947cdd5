//! What a node does with its seat: take it, show a result or bind itself to one, give it up, end the waiting.

use provena_arith::commitment::Commitment;
use provena_client::{
    chain::{ChainError, Changes},
    store::Root,
    view::{JobView, View},
};
use provena_common::slot::Slot;
use provena_market::{client, error::MarketError, fees::Work, state::Job};
use solana_instruction::Instruction;

use super::Worker;
use super::admission::Admitted;
use super::decide::{Action, next};
use super::submit::{Outcome, WorkError};
use crate::compute::Effort;
use crate::journal::{Computed, End, Event, JobKey, JobRecord, JournalError, Step};
use crate::metrics::JobEvent;
use crate::readiness::Reason as Obstacle;

impl Worker {
    pub(super) async fn take(&self, key: &JobKey, job: &JobView, index: u8) -> Result<Option<Outcome>, WorkError> {
        // Nothing is staked on a job whose input is missing or unusable, or whose answer would come too late.
        let Admitted { terms, effort } = match self.admit(job).await {
            Ok(admitted) => admitted,
            Err(refusal) => return Ok(Some(Outcome::Declined(refusal.to_string()))),
        };
        self.parts.readiness.saw_bond(job.job.bond);
        // The seat is taken for these terms and no others: a payer cannot exchange the job meanwhile.
        let instance = self.parts.journal.instance();
        let mut instructions = vec![client::take_seat(self.me, key.job, index, terms.hash, instance)];
        let at_once = job.seats.len() == 1 && self.answers_at_once(&terms.content_root, &effort);
        match self.note(key, Event::Taking { index, terms }).await {
            Err(error @ JournalError::Full { .. }) => return Ok(Some(Outcome::Declined(error.to_string()))),
            noted => noted?,
        }
        if at_once {
            self.compute(key, &job.job).await?;
            instructions.extend(self.answer_of(key));
        }
        match self.send(key, Step::Take, &instructions).await {
            Ok(()) => {
                self.parts.metrics.job(JobEvent::Taken);
                if at_once {
                    self.parts.metrics.job(JobEvent::Revealed);
                }
                tracing::info!(job = %key.job, index, bond = job.job.bond, answered = at_once, "took a seat");
                Ok(None)
            }
            // The next look tells whether another node was faster (then this ends) or a seat is still free.
            Err(WorkError::Chain(ChainError::Rejected(refusal))) if !refusal.is_unknown_blockhash() => {
                tracing::info!(job = %key.job, index, reason = %refusal, "the seat was refused");
                if at_once {
                    self.wasted.note();
                }
                if refusal.is(&provena_market::ID, MarketError::AnotherInstance.code()) {
                    // It took one since this node's account was read; the next look sees its lease.
                    self.parts.metrics.refused(Obstacle::AnotherInstance.name());
                }
                let view = View::read(self.parts.chain.as_ref(), &key.job).await?;
                let record = self.parts.journal.job(key).unwrap_or_default();
                if next(&self.me, &view, &record) == Action::TakeSeat(index) {
                    // It is refused for a reason of ours, such as too little free stake.
                    self.note(key, Event::Ended(End::Abandoned(refusal.to_string()))).await?;
                    return Ok(Some(Outcome::Declined(refusal.to_string())));
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether a job of one seat is computed before the seat is taken, so that one transaction does both. Until then
    /// somebody else may take it, or its payer cancel it, and the work is lost: so only what is quick is, and nothing is
    /// for a while after that has happened often.
    fn answers_at_once(&self, model: &Root, effort: &Effort) -> bool {
        let most = self.parts.limits.at_once.as_secs_f64();
        let quick = || self.pace.seconds(model, effort).is_some_and(|seconds| seconds <= most);
        most > 0.0 && quick() && !self.wasted.is_often()
    }

    /// The instruction that publishes the result of a job of one seat, once it is known.
    fn answer_of(&self, key: &JobKey) -> Option<Instruction> {
        let Computed { result_root, units, .. } = self.parts.journal.job(key)?.computed?;
        Some(client::answer(self.me, key.job, result_root, Work::new(units.input, units.output)))
    }

    pub(super) async fn commit(&self, key: &JobKey, job: &Job, index: u8, record: &JobRecord) -> Result<(), WorkError> {
        let Some(computed) = record.computed else { return Ok(()) };
        let hash = self.commitment(key, job, &computed);
        self.send(key, Step::Commit, &[client::commit(self.me, key.job, index, hash)]).await?;
        self.parts.metrics.job(JobEvent::Committed);
        tracing::info!(job = %key.job, "committed");
        Ok(())
    }

    pub(super) async fn answer(&self, key: &JobKey) -> Result<(), WorkError> {
        let Some(answer) = self.answer_of(key) else { return Ok(()) };
        self.send(key, Step::Answer, &[answer]).await?;
        self.parts.metrics.job(JobEvent::Revealed);
        tracing::info!(job = %key.job, "answered");
        Ok(())
    }

    pub(super) async fn reveal(&self, key: &JobKey, index: u8, record: &JobRecord) -> Result<(), WorkError> {
        let Some(Computed { result_root, units, salt }) = record.computed else { return Ok(()) };
        let work = Work::new(units.input, units.output);
        let reveal = client::reveal(self.me, key.job, index, result_root, work, salt);
        self.send(key, Step::Reveal, &[reveal]).await?;
        self.parts.metrics.job(JobEvent::Revealed);
        tracing::info!(job = %key.job, result_root = hex::encode(result_root), "revealed");
        Ok(())
    }

    /// What binds this node to a result: it names this posting of the job alone.
    #[must_use]
    pub fn commitment(&self, key: &JobKey, job: &Job, computed: &Computed) -> [u8; 32] {
        Commitment {
            cluster: &self.parts.cluster,
            program: provena_market::ID.as_array(),
            job: key.job.as_array(),
            terms_hash: &job.terms_hash,
            posted_slot: key.posted_at,
            node: self.me.as_array(),
            result_root: &computed.result_root,
            units_in: computed.units.input,
            units_out: computed.units.output,
        }
        .hash(&computed.salt)
    }

    pub(super) async fn leave(&self, key: &JobKey, index: u8) -> Result<(), WorkError> {
        self.note(key, Event::Leaving).await?;
        self.send(key, Step::Leave, &[client::leave_seat(self.me, key.job, index)]).await?;
        self.parts.metrics.job(JobEvent::Left);
        tracing::info!(job = %key.job, index, "left a seat: nobody takes the others");
        Ok(())
    }

    pub(super) async fn expire(
        &self,
        key: &JobKey,
        job: &JobView,
        index: u8,
        changes: &mut Changes,
    ) -> Result<(), WorkError> {
        let Some(seat) = job.seats.get(usize::from(index)) else { return Ok(()) };
        let expire = client::expire_seat(job, index);
        if self.in_turn(key, job, changes, Step::Expire, expire).await? {
            self.parts.metrics.job(JobEvent::TimedOut);
            tracing::info!(job = %key.job, index, late = %seat.node, "ended a late seat");
        }
        Ok(())
    }

    pub(super) async fn finalize(
        &self,
        key: &JobKey,
        job: &JobView,
        now: Slot,
        changes: &mut Changes,
    ) -> Result<(), WorkError> {
        let finalize = client::finalize(job, now);
        if self.in_turn(key, job, changes, Step::Finalize, finalize).await? {
            self.parts.metrics.job(JobEvent::TimedOut);
            tracing::info!(job = %key.job, "ended the waiting");
        }
        Ok(())
    }
}
