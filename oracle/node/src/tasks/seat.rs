//! What a node does with its seat: take it, show a result or bind itself to one, give it up, end the waiting.

use provena_arith::commitment::Commitment;
use provena_client::{
    chain::{ChainError, Changes},
    view::{JobView, View},
};
use provena_common::slot::Slot;
use provena_market::{client, fees::Work, state::Job};

use super::Worker;
use super::decide::{Action, next};
use super::submit::{Outcome, WorkError};
use crate::journal::{Computed, End, Event, JobKey, JobRecord, JournalError, Step};
use crate::metrics::JobEvent;

impl Worker {
    pub(super) async fn take(&self, key: &JobKey, job: &JobView, index: u8) -> Result<Option<Outcome>, WorkError> {
        // Nothing is staked on a job whose input is missing or unusable, or whose answer would come too late.
        let terms = match self.gather(&key.job, &job.job).await {
            Ok(terms) => terms,
            Err(error) => {
                return match WorkError::from(error) {
                    WorkError::Journal(error) => Err(error.into()),
                    error => Ok(Some(Outcome::Declined(error.to_string()))),
                };
            }
        };
        self.parts.readiness.saw_bond(job.job.bond);
        // The seat is taken for these terms and no others: a payer cannot exchange the job meanwhile.
        let take = client::take_seat(self.me, key.job, index, terms.hash);
        match self.note(key, Event::Taking { index, terms }) {
            Err(error @ JournalError::Full { .. }) => return Ok(Some(Outcome::Declined(error.to_string()))),
            noted => noted?,
        }
        match self.send(key, Step::Take, &[take]).await {
            Ok(()) => {
                self.parts.metrics.job(JobEvent::Taken);
                tracing::info!(job = %key.job, index, bond = job.job.bond, "took a seat");
                Ok(None)
            }
            // The next look tells whether another node was faster (then this ends) or a seat is still free.
            Err(WorkError::Chain(ChainError::Rejected(refusal))) => {
                tracing::info!(job = %key.job, index, reason = %refusal, "the seat was refused");
                let view = View::read(self.parts.chain.as_ref(), &key.job).await?;
                let record = self.parts.journal.job(key).unwrap_or_default();
                if next(&self.me, &view, &record) == Action::TakeSeat(index) {
                    // It is refused for a reason of ours, such as too little free stake.
                    self.note(key, Event::Ended(End::Abandoned(refusal.to_string())))?;
                    return Ok(Some(Outcome::Declined(refusal.to_string())));
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    pub(super) async fn commit(&self, key: &JobKey, job: &Job, index: u8, record: &JobRecord) -> Result<(), WorkError> {
        let Some(computed) = record.computed else { return Ok(()) };
        let hash = self.commitment(key, job, &computed);
        self.send(key, Step::Commit, &[client::commit(self.me, key.job, index, hash)]).await?;
        self.parts.metrics.job(JobEvent::Committed);
        tracing::info!(job = %key.job, "committed");
        Ok(())
    }

    pub(super) async fn answer(&self, key: &JobKey, record: &JobRecord) -> Result<(), WorkError> {
        let Some(Computed { result_root, units, .. }) = record.computed else { return Ok(()) };
        let work = Work::new(units.input, units.output);
        self.send(key, Step::Answer, &[client::answer(self.me, key.job, result_root, work)]).await?;
        self.parts.metrics.job(JobEvent::Revealed);
        tracing::info!(job = %key.job, result_root = hex::encode(result_root), "answered");
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
        self.note(key, Event::Leaving)?;
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
