//! What follows a decision and needs no engine: pay and bond are awaited and taken, and a demanded answer is put on chain.
//!
//! All jobs that are decided and not paid wait here together, apart from those in progress: waiting for a payer holds none of
//! the places of work. What waits is what the crash log says, so that a restart goes on with it.

use std::sync::Arc;
use std::time::Duration;

use provena_client::chain::Backoff;
use provena_client::view::{JobView, View};
use provena_client::{batch, collect};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use tokio_util::sync::CancellationToken;

use super::Worker;
use super::by_key::TasksByKey;
use super::decide::{Action, next};
use super::submit::WorkError;
use crate::journal::{JobKey, JobRecord, JournalError, Step};

/// Demanded answers that are put on chain at the same time.
const ANSWERS_AT_ONCE: usize = 16;

/// A job whose seat can be collected now.
struct Due {
    key: JobKey,
    job: JobView,
    index: u8,
}

/// Collects for every decided job of the crash log.
pub struct Collector {
    worker: Arc<Worker>,
    poll: Duration,
    answering: TasksByKey<JobKey, Result<(), WorkError>>,
}

impl Collector {
    /// `poll` is the time between two looks.
    #[must_use]
    pub fn new(worker: Arc<Worker>, poll: Duration) -> Self {
        Self { worker, poll, answering: TasksByKey::new() }
    }

    /// Works until `closing`. What is unfinished then is taken up by the next start.
    ///
    /// # Errors
    /// [`JournalError`]: the node must not go on without its crash log.
    pub async fn run(mut self, closing: CancellationToken) -> Result<(), JournalError> {
        let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));
        while !closing.is_cancelled() {
            let pause = match self.round().await {
                Ok(_) => {
                    backoff.succeeded();
                    self.poll
                }
                Err(WorkError::Journal(error)) => return Err(error),
                Err(error) => {
                    self.worker.parts.metrics.step_failed();
                    tracing::warn!(%error, "collecting failed; looking again");
                    backoff.failed()
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = closing.cancelled() => {}
            }
        }
        Ok(())
    }

    /// Looks once at every job that awaits pay and does what can be done; says how many still wait.
    ///
    /// # Errors
    /// The first failure; what could be done before it is done.
    pub async fn round(&mut self) -> Result<usize, WorkError> {
        self.reap()?;
        let worker = Arc::clone(&self.worker);
        let awaiting = worker.journal().awaiting_pay();
        worker.parts.metrics.awaiting_pay(awaiting.len());
        let addresses: Vec<Pubkey> = awaiting.iter().map(|(key, _)| key.job).collect();
        let views = View::read_all(worker.parts.chain.as_ref(), &addresses).await?;
        let (mut due, mut waiting) = (Vec::new(), 0);
        let mut failure = None;
        for ((key, record), view) in awaiting.iter().zip(views) {
            match view {
                Ok(view) => match self.consider(key, record, view, &mut due).await {
                    Ok(over) => waiting += usize::from(!over),
                    Err(WorkError::Journal(error)) => return Err(error.into()),
                    Err(error) => failure = Some(error),
                },
                Err(error) => failure = Some(error.into()),
            }
        }
        worker.collect(due).await?;
        failure.map_or(Ok(waiting), Err)
    }

    /// Looks at one job; says whether nothing more is to be done for it.
    async fn consider(
        &mut self,
        key: &JobKey,
        record: &JobRecord,
        view: View,
        due: &mut Vec<Due>,
    ) -> Result<bool, WorkError> {
        // Another posting at the address says that this one is closed.
        let job = view.job.filter(|job| JobKey::of(&key.job, &job.job) == *key);
        let view = View { now: view.now, job };
        let worker = Arc::clone(&self.worker);
        if let Some(job) = &view.job {
            worker.hold(job);
            if let Some(computed) = record.computed {
                worker.pin_answer(&key.job, &computed.result_root);
            }
        }
        match (next(&worker.me, &view, record), view.job) {
            (Action::End(end), job) if worker.has_answer_back(key, record, job.as_ref(), view.now).await? => {
                worker.end(key, record, end).await?;
                worker.release(&key.job);
                return Ok(true);
            }
            (Action::PutAnswer, Some(job)) => self.put_answer(*key, job),
            (Action::Publish, Some(job)) => worker.publish(key, &job, record).await?,
            (Action::Collect(index), Some(job)) => due.push(Due { key: *key, job, index }),
            _ => {}
        }
        Ok(false)
    }

    /// Puts a demanded answer on chain beside everything else: its deadline waits for nothing.
    fn put_answer(&mut self, key: JobKey, job: JobView) {
        if self.answering.len() < ANSWERS_AT_ONCE {
            let worker = Arc::clone(&self.worker);
            self.answering.spawn(key, async move { worker.put_answer(&key, &job).await });
        }
    }

    fn reap(&mut self) -> Result<(), JournalError> {
        while let Some((key, done)) = self.answering.try_next() {
            match done {
                Ok(Ok(())) => {}
                Ok(Err(WorkError::Journal(error))) => return Err(error),
                Ok(Err(error)) => {
                    self.worker.parts.metrics.step_failed();
                    tracing::warn!(job = %key.job, %error, "the demanded answer is not on chain yet");
                }
                Err(error) => tracing::error!(job = %key.job, ?error, "putting an answer on chain died"),
            }
        }
        Ok(())
    }
}

impl Worker {
    /// Takes pay and bond of several seats, as many in one transaction as it holds.
    async fn collect(&self, due: Vec<Due>) -> Result<(), WorkError> {
        let mut groups: Vec<(Vec<JobKey>, Vec<Instruction>)> = Vec::new();
        for Due { key, job, index } in due {
            let collect = collect::own_seat(self.parts.chain.as_ref(), &self.me, &job, index).await?;
            if collect.is_empty() {
                // A token account that takes nothing; the bond is free already.
                continue;
            }
            match groups.last_mut() {
                Some((keys, together)) if self.fits(together, &collect) => {
                    keys.push(key);
                    together.extend(collect);
                }
                _ => groups.push((vec![key], collect)),
            }
        }
        for (keys, instructions) in groups {
            match self.send_for(&keys, Step::Collect, &instructions).await {
                Ok(()) => tracing::info!(jobs = keys.len(), "collected pay and bonds"),
                // Somebody may have collected one of them meanwhile: the next look leaves it out.
                Err(WorkError::Chain(error)) if error.rejection().is_some() && keys.len() > 1 => {
                    tracing::debug!(%error, jobs = keys.len(), "collecting together was refused");
                    self.collect_apart(&keys).await?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Collects one by one where that is not refused.
    async fn collect_apart(&self, keys: &[JobKey]) -> Result<(), WorkError> {
        for key in keys {
            let view = View::read(self.parts.chain.as_ref(), &key.job).await?;
            let record = self.parts.journal.job(key).unwrap_or_default();
            if let (Action::Collect(index), Some(job)) = (next(&self.me, &view, &record), &view.job) {
                let collect = collect::own_seat(self.parts.chain.as_ref(), &self.me, job, index).await?;
                if collect.is_empty() {
                    continue;
                }
                match self.send(key, Step::Collect, &collect).await {
                    Err(WorkError::Chain(error)) if error.rejection().is_some() => {
                        tracing::warn!(job = %key.job, %error, "pay or bond cannot be collected now");
                    }
                    sent => sent?,
                }
            }
        }
        Ok(())
    }

    fn fits(&self, before: &[Instruction], more: &[Instruction]) -> bool {
        batch::fits(&[before, more].concat(), &self.me)
    }
}
