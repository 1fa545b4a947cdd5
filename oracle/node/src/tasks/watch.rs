//! Finding work: jobs on the chain that this node may take, and those it has already begun.

use std::collections::{HashMap, HashSet};
use std::mem::offset_of;
use std::sync::Arc;
use std::time::{Duration, Instant};

use provena_client::chain::accounts::ProgramAccount;
use provena_client::chain::{Backoff, ChainError, Watch};
use provena_client::view::{JobView, View};
use provena_common::slot::Slot;
use provena_market::constants::MAX_SEATS;
use provena_market::state::{Job, JobState, Next, Party, SeatState, Who};
use solana_pubkey::Pubkey;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use super::Worker;
use super::admission::Refusal;
use super::by_key::TasksByKey;
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
    running: TasksByKey<Pubkey, Result<Outcome, WorkError>>,
    declined: HashMap<Pubkey, Postponed>,
    /// Jobs that were passed over because as many were looked at as may be, so that each is named once.
    passed_over: HashSet<Pubkey>,
    /// When to ask for this node's seats again.
    next_seats: Instant,
}

/// When a job that was declined is looked at again.
struct Postponed {
    until: Instant,
    /// Sooner where another node has a seat: that may be what was missing.
    joined: Instant,
    backoff: Backoff,
}

impl Watcher {
    /// `poll` is the time between two full looks while a subscription is up.
    #[must_use]
    pub fn new(worker: Arc<Worker>, poll: Duration) -> Self {
        let (declined, passed_over) = (HashMap::new(), HashSet::new());
        Self { worker, poll, running: TasksByKey::new(), declined, passed_over, next_seats: Instant::now() }
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
        while let Some((job, done)) = self.running.next().await {
            self.finish(job, done)?;
        }
        Ok(())
    }

    /// Looks at everything: what was begun, seats that are ours on the chain, and open jobs.
    async fn look(&mut self, closing: &CancellationToken) -> Result<(), ChainError> {
        let worker = Arc::clone(&self.worker);
        let chain = worker.parts.chain.as_ref();
        self.go_on(closing).await?;
        if Instant::now() >= self.next_seats {
            self.look_for_seats(closing).await?;
            self.next_seats = Instant::now() + SEATS_EVERY;
        }
        let now = Slot(chain.slot().await?);
        let open = JobView::filter(offset_of!(Job, state), &[JobState::Open as u8]);
        let open = JobView::list(chain, &open).await?;
        let addresses: HashSet<Pubkey> = open.iter().map(|(address, _)| *address).collect();
        self.declined.retain(|declined, _| addresses.contains(declined));
        self.passed_over.retain(|passed_over| addresses.contains(passed_over));
        for (address, job) in open {
            self.consider(address, &job, now, closing);
        }
        Ok(())
    }

    /// Goes on with what was begun. A job in which there is a deadline of ours waits for nothing. One that was begun and has no
    /// seat yet waits like any other that was declined, unless the chain shows that its seat was taken after all.
    async fn go_on(&mut self, closing: &CancellationToken) -> Result<(), ChainError> {
        let mut postponed = Vec::new();
        for (key, record) in self.worker.journal().in_progress() {
            if !record.seated && self.is_postponed(&key.job, false) {
                postponed.push(key.job);
            } else {
                self.begin(key.job, closing);
            }
        }
        let me = self.worker.authority();
        let views = View::read_all(self.worker.parts.chain.as_ref(), &postponed).await?;
        for (job, view) in postponed.into_iter().zip(views) {
            let waits = view.is_ok_and(|view| view.job.is_some_and(|job| job.seat_of(&me).is_none()));
            if !waits {
                self.begin(job, closing);
            }
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
        if self.running.contains(job) {
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
        let for_us = free && !self.worker.knows_as_foreign(&job.job);
        let joined = job.seats.iter().any(|seat| !seat.is(SeatState::Free));
        if !for_us || self.is_postponed(&address, joined) || self.running.contains(&address) {
            return;
        }
        let most = self.worker.parts.limits.max_jobs.saturating_add(JUDGED);
        if self.running.len() >= most {
            self.pass_over(address, most);
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

    /// Leaves a job alone until there is room to look at it, and says so once.
    fn pass_over(&mut self, job: Pubkey, most: usize) {
        if self.passed_over.insert(job) {
            let refusal = Refusal::Crowded(most);
            tracing::info!(%job, reason = %refusal, name = refusal.name(), "left alone");
            self.worker.parts.metrics.refused(refusal.name());
        }
    }

    /// Looks at a job again later; says whether this is the first time.
    fn postpone(&mut self, job: Pubkey) -> bool {
        let fresh = !self.declined.contains_key(&job);
        let now = Instant::now();
        let postponed = self.declined.entry(job).or_insert_with(|| {
            let backoff = Backoff::new(DECLINED_FIRST, DECLINED_MOST);
            Postponed { until: now, joined: now, backoff }
        });
        postponed.until = now + postponed.backoff.failed();
        postponed.joined = now + DECLINED_FIRST;
        fresh
    }

    fn is_postponed(&self, job: &Pubkey, joined: bool) -> bool {
        let until = |postponed: &Postponed| if joined { postponed.joined } else { postponed.until };
        self.declined.get(job).is_some_and(|postponed| Instant::now() < until(postponed))
    }

    fn begin(&mut self, job: Pubkey, closing: &CancellationToken) {
        let (worker, closing) = (Arc::clone(&self.worker), closing.clone());
        if self.running.spawn(job, async move { worker.drive(&job, &closing).await }) {
            // Should it be passed over again, that is news.
            self.passed_over.remove(&job);
            self.worker.parts.metrics.in_flight(self.running.len());
        }
    }

    /// Collects finished work without waiting; says whether there was any that ended by itself.
    fn collect(&mut self) -> Result<bool, JournalError> {
        let mut any = false;
        while let Some((job, done)) = self.running.try_next() {
            // What died is looked at again at its time, or it would die again at once.
            any |= done.is_ok();
            self.finish(job, done)?;
        }
        Ok(any)
    }

    fn finish(&mut self, job: Pubkey, done: Result<Result<Outcome, WorkError>, JoinError>) -> Result<(), JournalError> {
        self.worker.parts.metrics.in_flight(self.running.len());
        let result = match done {
            Ok(result) => result,
            Err(error) => {
                // It is taken up again from what the crash log and the chain say, as after a restart.
                tracing::error!(%job, ?error, "work on a job died");
                self.worker.forget(&job);
                self.postpone(job);
                return Ok(());
            }
        };
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
            Err(error) => {
                self.postpone(job);
                tracing::error!(job = %job, ?error, "work on a job stopped");
            }
        }
        Ok(())
    }
}
