//! Finding work: jobs on the chain that this node may take, and those it has already begun.

use std::collections::{HashMap, HashSet};
use std::mem::offset_of;
use std::sync::Arc;
use std::time::{Duration, Instant};

use provena_client::chain::accounts::{ProgramAccount, decode, list};
use provena_client::chain::{Backoff, ChainError, Watch};
use provena_market::state::{Job, JobState, Slot};
use solana_pubkey::Pubkey;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Worker;
use super::decide::free_slot;
use super::submit::{Outcome, WorkError};
use crate::journal::JournalError;

/// How often to look while no subscription is up.
const POLL_ALONE: Duration = Duration::from_secs(1);

/// How often to notice finished work and a request to close.
const TICK: Duration = Duration::from_millis(200);

/// A job that was declined is looked at again after this long, then after twice as long, and so on.
const DECLINED_FIRST: Duration = Duration::from_secs(2);
const DECLINED_MOST: Duration = Duration::from_secs(120);

/// Finds jobs and sees them through, at most `max_jobs` new ones at a time.
pub struct Watcher {
    worker: Arc<Worker>,
    max_jobs: usize,
    poll: Duration,
    running: JoinSet<(Pubkey, Result<Outcome, WorkError>)>,
    active: HashSet<Pubkey>,
    declined: HashMap<Pubkey, (Instant, Backoff)>,
}

impl Watcher {
    /// `poll` is the time between two full looks while a subscription is up.
    #[must_use]
    pub fn new(worker: Arc<Worker>, max_jobs: usize, poll: Duration) -> Self {
        Self { worker, max_jobs, poll, running: JoinSet::new(), active: HashSet::new(), declined: HashMap::new() }
    }

    /// Works until `closing`, then leaves what is in flight resumable and returns.
    ///
    /// # Errors
    /// [`JournalError`]: the node must not go on without its crash log.
    pub async fn run(mut self, closing: CancellationToken) -> Result<(), JournalError> {
        let chain = Arc::clone(&self.worker.parts.chain);
        let mut changes = chain.watch(Watch::Program(provena_market::ID, Job::filter()));
        let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));
        let mut next_look = Instant::now();
        while !closing.is_cancelled() {
            if Instant::now() >= next_look {
                let pause = match self.look(&closing).await {
                    Ok(()) => {
                        backoff.succeeded();
                        if chain.health().subscribed { self.poll } else { POLL_ALONE.min(self.poll) }
                    }
                    Err(_) => backoff.failed(),
                };
                next_look = Instant::now() + pause;
            }
            let hint = tokio::select! {
                hint = changes.next(TICK) => hint,
                () = closing.cancelled() => None,
            };
            if let Some(change) = hint
                && let Ok(job) = decode::<Job>(&change.address, &change.account)
            {
                let now = chain.health().slot;
                self.consider(change.address, &job, now, &closing);
            }
            if self.collect()? {
                next_look = Instant::now();
            }
        }
        while let Some(done) = self.running.join_next().await {
            self.finish(done)?;
        }
        Ok(())
    }

    /// Looks at everything: what was begun, slots that are ours on the chain, and open jobs.
    async fn look(&mut self, closing: &CancellationToken) -> Result<(), ChainError> {
        for (job, _) in self.worker.journal().unfinished() {
            self.begin(job, closing);
        }
        let worker = Arc::clone(&self.worker);
        let chain = worker.parts.chain.as_ref();
        let me = worker.authority();
        let mine = Slot::filter_field(offset_of!(Slot, authority), me.as_ref());
        for (_, slot) in list::<Slot, _>(chain, &mine).await? {
            self.begin(slot.job, closing);
        }
        let now = chain.slot().await?;
        let open = Job::filter_field(offset_of!(Job, state), &[JobState::Open as u8]);
        let open = list::<Job, _>(chain, &open).await?;
        self.declined.retain(|declined, _| open.iter().any(|(address, _)| address == declined));
        for (address, job) in open {
            self.consider(address, &job, now, closing);
        }
        Ok(())
    }

    /// Takes up an open job if it is one for us and there is room.
    fn consider(&mut self, address: Pubkey, job: &Job, now: u64, closing: &CancellationToken) {
        let free = free_slot(&self.worker.authority(), job, now).is_some();
        // Through a server that lags, deadlines are seen too late: nothing new is staked until it has caught up.
        let lagging = self.worker.parts.chain.health().lagging;
        let postponed = self.declined.get(&address).is_some_and(|(until, _)| Instant::now() < *until);
        if free && !lagging && !postponed && self.worker.serves(&job.asset) && self.active.len() < self.max_jobs {
            self.begin(address, closing);
        }
    }

    fn begin(&mut self, job: Pubkey, closing: &CancellationToken) {
        if !self.active.insert(job) {
            return;
        }
        self.worker.parts.metrics.in_flight(self.active.len());
        let (worker, closing) = (Arc::clone(&self.worker), closing.clone());
        self.running.spawn(async move { (job, worker.drive(&job, &closing).await) });
    }

    /// Collects finished work without waiting; says whether there was any.
    fn collect(&mut self) -> Result<bool, JournalError> {
        let mut any = false;
        while let Some(done) = self.running.try_join_next() {
            any = true;
            self.finish(done)?;
        }
        Ok(any)
    }

    fn finish(
        &mut self,
        done: Result<(Pubkey, Result<Outcome, WorkError>), tokio::task::JoinError>,
    ) -> Result<(), JournalError> {
        let (job, result) = match done {
            Ok(done) => done,
            Err(error) => {
                // Which job it was is unknown; forgetting all lets the next look take up what is unfinished, and
                // `begin` starts nothing that still runs under another name because the chain refuses doubles.
                tracing::error!(?error, "work on a job died");
                if self.running.is_empty() {
                    self.active.clear();
                }
                return Ok(());
            }
        };
        self.active.remove(&job);
        self.worker.parts.metrics.in_flight(self.active.len());
        match result {
            Ok(Outcome::Declined(reason)) => {
                let (until, backoff) = self
                    .declined
                    .entry(job)
                    .or_insert_with(|| (Instant::now(), Backoff::new(DECLINED_FIRST, DECLINED_MOST)));
                *until = Instant::now() + backoff.failed();
                tracing::info!(job = %job, reason, "declined for now");
            }
            Ok(Outcome::Ended(_) | Outcome::Left) => {
                self.declined.remove(&job);
            }
            Err(WorkError::Journal(error)) => return Err(error),
            Err(error) => tracing::error!(job = %job, ?error, "work on a job stopped"),
        }
        Ok(())
    }
}
