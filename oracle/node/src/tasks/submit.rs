//! Seeing one job through, from taking a seat to the decision, whatever happens in between.

use std::time::Duration;

use provena_client::{
    chain::{Backoff, ChainError, Changes, Watch, submitter},
    store::StoreError,
    view::{JobView, View},
};
use provena_common::slot::Slot;
use provena_market::state::{JobState, SeatState};
use provena_wire::ReceiptError;
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use tokio_util::sync::CancellationToken;

use super::admission::Refusal;
use super::decide::{Action, next};
use super::infer::InferError;
use super::{SLOT_TIME, Worker};
use crate::journal::{End, Entry, Event, JobKey, JobRecord, JournalError, Step};
use crate::metrics::JobEvent;

/// Nodes further back in the order of seats wait this much longer before they do what anybody may, so that one of them
/// pays the fee.
const TURN: Duration = Duration::from_millis(1_500);

/// The shortest time between two looks whether a result that is being computed still has a taker.
const TAKER_POLL: Duration = Duration::from_secs(1);

/// The time between two looks at a job in which others have to act.
const OTHERS: Duration = Duration::from_secs(5);

/// Why work on a job stopped before its end.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// The crash log cannot be written; nothing may be done without it.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The chain cannot be reached, or refuses.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A blob cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The job cannot be computed here.
    #[error(transparent)]
    Refused(Refusal),
    /// The receipt is not this node's to sign.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
}

impl From<InferError> for WorkError {
    fn from(error: InferError) -> Self {
        match error {
            InferError::Journal(error) => Self::Journal(error),
            InferError::Refused(refusal) => refusal.into(),
        }
    }
}

impl From<Refusal> for WorkError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Chain(error) => Self::Chain(error),
            Refusal::Store(error) => Self::Store(error),
            other => Self::Refused(other),
        }
    }
}

/// How work on a job ended for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing more is to be done.
    Ended(End),
    /// The job is decided and this node has published what it must; the [collector](super::Collector) waits for the rest.
    AwaitsPay,
    /// The node is closing; the next start goes on from here.
    Left,
    /// The job is not for this node, or not now.
    Declined(String),
}

impl Worker {
    /// Works on the job at `address` until it is decided or has ended for this node, or until `closing` asks to leave it
    /// resumable.
    ///
    /// # Errors
    /// [`WorkError::Journal`] only; everything else is retried until the chain says that it is over.
    pub async fn drive(&self, address: &Pubkey, closing: &CancellationToken) -> Result<Outcome, WorkError> {
        let done = self.work(address, closing).await;
        match done {
            // It still holds its bond, and its answer.
            Ok(Outcome::AwaitsPay) => {
                self.feed.leave(address);
                self.pace.leave(address);
                self.keeps().entry(*address).and_modify(|kept| (kept.room, kept.request) = (None, None));
            }
            _ => self.forget(address),
        }
        done
    }

    /// Nobody works on a job any more, and what that held is free.
    pub(super) fn forget(&self, address: &Pubkey) {
        self.feed.leave(address);
        self.release(address);
    }

    async fn work(&self, address: &Pubkey, closing: &CancellationToken) -> Result<Outcome, WorkError> {
        let mut changes = self.feed.listen(address).unwrap_or_else(|| self.parts.chain.watch(Watch::Account(*address)));
        let mut backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(10));
        loop {
            if closing.is_cancelled() {
                return Ok(Outcome::Left);
            }
            match self.step(address, &mut changes, closing).await {
                Ok(None) => backoff.succeeded(),
                Ok(Some(outcome)) => return Ok(outcome),
                Err(WorkError::Journal(error)) => return Err(WorkError::Journal(error)),
                Err(error) => {
                    let delay = backoff.failed();
                    self.parts.metrics.step_failed();
                    tracing::warn!(job = %address, %error, ?delay, "a step failed; looking again");
                    tokio::select! {
                        () = tokio::time::sleep(delay) => {}
                        () = closing.cancelled() => return Ok(Outcome::Left),
                    }
                }
            }
        }
    }

    /// Looks, decides and does one thing. `None` asks for another look.
    async fn step(
        &self,
        address: &Pubkey,
        changes: &mut Changes,
        closing: &CancellationToken,
    ) -> Result<Option<Outcome>, WorkError> {
        let view = View::read(self.parts.chain.as_ref(), address).await?;
        let key = view.job.as_ref().map(|job| JobKey::of(address, &job.job));
        let ended = self.end_other_postings(address, key, view.now).await?;
        let (Some(key), Some(job)) = (key, &view.job) else {
            let gone = || Outcome::Declined("the job is closed".to_owned());
            return Ok(Some(ended.unwrap_or_else(gone)));
        };
        let record = self.record(&key, job).await?;
        let action = next(&self.me, &view, &record);
        tracing::debug!(job = %address, ?action, now = view.now.0, "next");
        let decided = job.state().is_ok_and(JobState::is_ended);
        if decided && matches!(action, Action::Collect(_) | Action::PutAnswer | Action::Wait(_)) {
            let agreed = job.state()? == JobState::Agreed && job.agrees(&self.me);
            self.note(&key, Event::Decided { agreed }).await?;
            self.hold(job);
            tracing::info!(job = %address, agreed, "decided");
            return Ok(Some(Outcome::AwaitsPay));
        }
        match action {
            Action::TakeSeat(index) => return self.take(&key, job, index).await,
            Action::Compute => {
                tokio::select! {
                    computed = self.compute(&key, &job.job) => computed?,
                    () = self.too_late(&key, &view) => {
                        tracing::warn!(job = %address, "no result in time; the work is given up");
                    }
                }
            }
            Action::Commit(index) => self.commit(&key, &job.job, index, &record).await?,
            Action::Answer => self.answer(&key).await?,
            Action::Reveal(index) => self.reveal(&key, index, &record).await?,
            Action::LeaveSeat(index) => self.leave(&key, index).await?,
            Action::ExpireSeat(index) => self.expire(&key, job, index, changes).await?,
            Action::Finalize => self.finalize(&key, job, view.now, changes).await?,
            Action::Publish => self.publish(&key, job, &record).await?,
            Action::Wait(until) => self.wait(until, view.now, changes, closing).await,
            Action::End(end) => return self.end(&key, &record, end).await.map(Some),
            // These were handed over above.
            Action::Collect(_) | Action::PutAnswer => {}
        }
        Ok(None)
    }

    /// What the log says of this posting; a seat in which the chain shows this node is noted.
    async fn record(&self, key: &JobKey, job: &JobView) -> Result<JobRecord, JournalError> {
        let mut record = self.parts.journal.job(key).unwrap_or_default();
        if job.seat_of(&self.me).is_some() {
            self.hold(job);
            if !record.seated {
                self.note(key, Event::Seated).await?;
                record.seated = true;
            }
        }
        Ok(record)
    }

    /// Ends what was begun for earlier postings at the address: they are closed, whatever lives there now.
    async fn end_other_postings(
        &self,
        address: &Pubkey,
        current: Option<JobKey>,
        now: Slot,
    ) -> Result<Option<Outcome>, WorkError> {
        let closed = View { now, job: None };
        let mut outcome = None;
        for (key, record) in self.parts.journal.at(address) {
            if Some(key) != current
                && let Action::End(end) = next(&self.me, &closed, &record)
            {
                outcome = Some(self.end(&key, &record, end).await?);
            }
        }
        Ok(outcome)
    }

    /// Does what anybody may do, unless a node whose turn is earlier has done it meanwhile.
    pub(super) async fn in_turn(
        &self,
        key: &JobKey,
        job: &JobView,
        changes: &mut Changes,
        step: Step,
        instruction: Instruction,
    ) -> Result<bool, WorkError> {
        let waiting = |state| matches!(state, Ok(SeatState::Taken | SeatState::Committed | SeatState::Revealed));
        let turn = job.seats.iter().filter(|seat| waiting(seat.state())).position(|seat| seat.node == self.me);
        let turn = u32::try_from(turn.unwrap_or(0)).unwrap_or(u32::MAX);
        if turn > 0 && changes.next(TURN.saturating_mul(turn)).await.is_some() {
            return Ok(false);
        }
        self.send(key, step, &[instruction]).await?;
        Ok(true)
    }

    async fn wait(&self, until: Slot, now: Slot, changes: &mut Changes, closing: &CancellationToken) {
        // What is for others to do has no slot of ours: a change tells, and a look now and then finds what no change told.
        let ours = if until <= now { OTHERS } else { slots(until.since(now)) };
        let patience = ours.min(self.parts.poll);
        tokio::select! {
            _ = changes.next(patience) => {}
            () = closing.cancelled() => {}
        }
    }

    /// Resolves when a result that is being computed is of no use any more: the deadline has passed, or the job ended.
    async fn too_late(&self, key: &JobKey, view: &View) {
        let mut view = view.clone();
        loop {
            let seat = view.job.as_ref().and_then(|job| job.seat_of(&self.me));
            let left = seat.map_or(0, |(_, seat)| Slot(seat.deadline).since(view.now));
            tokio::time::sleep(slots(left).min(self.parts.poll.max(TAKER_POLL))).await;
            // Without an answer from the chain the work goes on: it may be of use.
            if let Ok(now) = View::read(self.parts.chain.as_ref(), &key.job).await {
                view = now;
                let record = self.parts.journal.job(key).unwrap_or_default();
                if next(&self.me, &view, &record) != Action::Compute {
                    return;
                }
            }
        }
    }

    pub(super) async fn end(&self, key: &JobKey, record: &JobRecord, end: End) -> Result<Outcome, WorkError> {
        if *record == JobRecord::default() {
            return Ok(match end {
                End::Abandoned(reason) => Outcome::Declined(reason),
                settled @ End::Settled => Outcome::Ended(settled),
            });
        }
        if record.end.is_none() {
            self.note(key, Event::Ended(end.clone())).await?;
            self.parts.metrics.job(match end {
                End::Settled => JobEvent::Settled,
                End::Abandoned(_) => JobEvent::Abandoned,
            });
            tracing::info!(job = %key.job, ?end, "ended");
        }
        Ok(Outcome::Ended(end))
    }

    /// Signs, journals, sends and confirms one transaction.
    pub(super) async fn send(&self, key: &JobKey, step: Step, instructions: &[Instruction]) -> Result<(), WorkError> {
        self.send_for(&[*key], step, instructions).await
    }

    /// As [`Worker::send`], for several jobs at once.
    pub(super) async fn send_for(
        &self,
        keys: &[JobKey],
        step: Step,
        instructions: &[Instruction],
    ) -> Result<(), WorkError> {
        let chain = self.parts.chain.as_ref();
        let budget = self.budget(keys, step).await;
        let pending = submitter::prepare(chain, instructions, &[&self.parts.key], budget).await?;
        let (signature, last_valid_block_height) = (pending.signature().to_string(), pending.last_valid_block_height);
        let sending = |key: &JobKey| Entry {
            key: *key,
            event: Event::Sending { step, signature: signature.clone(), last_valid_block_height },
        };
        self.note_all(keys.iter().map(sending).collect()).await?;
        submitter::submit(chain, &pending).await?;
        Ok(())
    }

    /// Writes an entry into the crash log; when this returns it is on disk.
    pub(super) async fn note(&self, key: &JobKey, event: Event) -> Result<(), JournalError> {
        self.note_all(vec![Entry { key: *key, event }]).await
    }

    /// As [`Worker::note`], for several together.
    async fn note_all(&self, entries: Vec<Entry>) -> Result<(), JournalError> {
        let seat = entries.iter().any(|entry| matches!(entry.event, Event::Taking { .. }));
        match self.parts.journal.write(entries).await {
            // What follows a claim can be made again and comes out the same, see there.
            Err(error @ JournalError::Full { .. }) if !seat => {
                tracing::error!(%error, "going on without writing it down");
                Ok(())
            }
            appended => appended,
        }
    }
}

/// About as long as so many slots take, and one more.
fn slots(count: u64) -> Duration {
    SLOT_TIME.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX).saturating_add(1))
}
