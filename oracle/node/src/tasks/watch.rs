//! Finding work: jobs on the chain that this node may take, and those it has already begun.

use std::collections::{HashMap, HashSet};
use std::mem::offset_of;
use std::sync::Arc;
use std::time::{Duration, Instant};

use provena_client::chain::accounts::ProgramAccount;
use provena_client::chain::{Backoff, ChainError, Watch};
use provena_client::view::JobView;
use provena_common::slot::Slot;
use provena_market::constants::MAX_SEATS;
use provena_market::state::{Job, JobState, Next, Party, Who};
use solana_pubkey::Pubkey;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Worker;
use super::submit::{Outcome, WorkError};
use crate::journal::{End, JobKey, JournalError};

/// How often to look while no subscription is up.
const POLL_ALONE: Duration = Duration::from_secs(1);

/// How often to ask the chain which seats are this node's. The crash log knows them; this finds what a lost one does not.
const SEATS_EVERY: Duration = Duration::from_secs(60);

/// How often to notice finished work and a request to close.
const TICK: Duration = Duration::from_millis(200);

/// A job that was declined is looked at again after this long, then after twice as long, and so on.
const DECLINED_FIRST: Duration = Duration::from_secs(2);
const DECLINED_MOST: Duration = Duration::from_secs(120);

/// Jobs that are looked at at the same time without holding a place, because they are being judged.
const JUDGED: usize = 64;

/// Finds jobs and sees them through.
pub struct Watcher {
    worker: Arc<Worker>,
    poll: Duration,
    running: JoinSet<(Pubkey, Result<Outcome, WorkError>)>,
    active: HashSet<Pubkey>,
    declined: HashMap<Pubkey, (Instant, Backoff)>,
    /// When to ask for this node's seats again.
    next_seats: Instant,
}

impl Watcher {
    /// `poll` is the time between two full looks while a subscription is up.
    #[must_use]
    pub fn new(worker: Arc<Worker>, poll: Duration) -> Self {
        Self {
            worker,
            poll,
            running: JoinSet::new(),
            active: HashSet::new(),
            declined: HashMap::new(),
            next_seats: Instant::now(),
        }
    }

    /// Works until `closing`, then leaves what is in flight resumable and returns.
    ///
    /// # Errors
    /// [`JournalError`]: the node must not go on without its crash log.
    pub async fn run(mut self, closing: CancellationToken) -> Result<(), JournalError> {
        let chain = Arc::clone(&self.worker.parts.chain);
        let mut changes = chain.watch(Watch::Program(provena_market::ID, Job::filter_of_any_length()));
        let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));
        let mut next_look = Instant::now();
        self.worker.feed.fed(true);
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
            if let Some(change) = &hint {
                self.worker.feed.tell(change);
            }
            if let Some(change) = hint
                && let Ok(job) = JobView::decode(&change.address, &change.account)
            {
                let now = Slot(chain.health().slot);
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

    /// Looks at everything: what was begun, seats that are ours on the chain, and open jobs.
    async fn look(&mut self, closing: &CancellationToken) -> Result<(), ChainError> {
        for (key, _) in self.worker.journal().in_progress() {
            self.begin(key.job, closing);
        }
        let worker = Arc::clone(&self.worker);
        let chain = worker.parts.chain.as_ref();
        if Instant::now() >= self.next_seats {
            self.look_for_seats(closing).await?;
            self.next_seats = Instant::now() + SEATS_EVERY;
        }
        let now = Slot(chain.slot().await?);
        let open = JobView::filter(offset_of!(Job, state), &[JobState::Open as u8]);
        let open = JobView::list(chain, &open).await?;
        self.declined.retain(|declined, _| open.iter().any(|(address, _)| address == declined));
        for (address, job) in open {
            self.consider(address, &job, now, closing);
        }
        Ok(())
    }

    /// Takes up every job in which the chain shows this node and something is left to do or to get, unless the crash log
    /// knows it.
    async fn look_for_seats(&mut self, closing: &CancellationToken) -> Result<(), ChainError> {
        let worker = Arc::clone(&self.worker);
        let me = worker.authority();
        for index in 0..MAX_SEATS {
            let mine = JobView::filter_seat(index, &me);
            for (address, job) in JobView::list(worker.parts.chain.as_ref(), &mine).await? {
                let unknown = worker.journal().job(&JobKey::of(&address, &job.job)).is_none();
                let party = job.seat_of(&me).map(|(index, _)| Party::Seat(index));
                // Before the end nothing can be said of what is owed, and there is something to do.
                let owed =
                    party.is_some_and(|party| job.job.owed(&job.seats, party).map_or(true, |owed| !owed.is_nothing()));
                if unknown && owed {
                    self.report_strange_seat(&address);
                    self.begin(address, closing);
                }
            }
        }
        Ok(())
    }

    /// Says what it means that the chain shows this node in a seat that its crash log never asked for.
    fn report_strange_seat(&self, job: &Pubkey) {
        if self.active.contains(job) {
            return;
        }
        if self.worker.journal().was_empty() {
            tracing::warn!(%job, "the crash log does not know this seat: it was lost, and the job is taken up from the chain");
            return;
        }
        self.worker.parts.readiness.saw_strange_seat();
        tracing::error!(
            %job,
            "the crash log never asked for this seat: another process used this node's key, or the log is an old copy"
        );
    }

    /// Takes up an open job if it is one for us and there is room.
    fn consider(&mut self, address: Pubkey, job: &JobView, now: Slot, closing: &CancellationToken) {
        let me = self.worker.authority();
        let free = job.next(Who::Node(&me), now).is_ok_and(|next| next == Next::TakeSeat);
        let postponed = self.declined.get(&address).is_some_and(|(until, _)| Instant::now() < *until);
        let for_us = free && !self.worker.knows_as_foreign(&job.job);
        if !for_us || postponed || self.active.len() >= self.worker.parts.limits.max_jobs.saturating_add(JUDGED) {
            return;
        }
        // E.g. through a server that lags, deadlines are seen too late: nothing new is staked until it has caught up.
        if let Some(reason) = self.worker.parts.readiness.obstacle() {
            self.worker.parts.metrics.refused(reason.name());
            tracing::debug!(job = %address, reason = reason.name(), "not taken");
            return;
        }
        // What its account says alone is judged here, so that bad terms cost nothing more.
        match self.worker.weigh(job) {
            Ok(()) => self.begin(address, closing),
            Err(refusal) => {
                if self.postpone(address) {
                    tracing::info!(job = %address, reason = %refusal, name = refusal.name(), "left alone");
                    self.worker.parts.metrics.refused(refusal.name());
                }
            }
        }
    }

    /// Looks at a job again later; says whether this is the first time.
    fn postpone(&mut self, job: Pubkey) -> bool {
        let fresh = !self.declined.contains_key(&job);
        let (until, backoff) =
            self.declined.entry(job).or_insert_with(|| (Instant::now(), Backoff::new(DECLINED_FIRST, DECLINED_MOST)));
        *until = Instant::now() + backoff.failed();
        fresh
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
            // One that was given up may have a seat left, and is no better at once.
            Ok(Outcome::Declined(reason) | Outcome::Ended(End::Abandoned(reason))) => {
                self.postpone(job);
                tracing::info!(job = %job, reason, "declined for now");
            }
            Ok(Outcome::Ended(End::Settled) | Outcome::AwaitsPay | Outcome::Left) => {
                self.declined.remove(&job);
            }
            Err(WorkError::Journal(error)) => return Err(error),
            Err(error) => tracing::error!(job = %job, ?error, "work on a job stopped"),
        }
        Ok(())
    }
}
