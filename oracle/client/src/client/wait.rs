//! Waiting for a decision, and moving a job on where nobody else does.

use std::time::{Duration, Instant};

use provena_market::client as market;
use provena_market::state::{JobState, Next, Who};
use solana_pubkey::Pubkey;
use solana_signature::Signature;

use super::{Client, ClientError, Patience, Stage};
use crate::chain::{Backoff, ChainError, Watch};
use crate::view::{JobView, View};

/// How long others have to do what anybody may before we pay that transaction's fee.
const CRANK_AFTER: Duration = Duration::from_secs(3);

/// Longest wait between two looks at a job.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Longest wait between two looks while the chain does not answer.
const MOST_BETWEEN: Duration = Duration::from_secs(5);

impl Client {
    /// Waits until a quorum agreed, moving the job on where nobody else does.
    ///
    /// # Errors
    /// [`ClientError::Ended`] when it failed or was cancelled (what can be collected then is), [`ClientError::StillRunning`]
    /// after `patience`, [`ClientError::Silent`] when the chain does not answer until then.
    pub async fn wait(
        &self,
        address: &Pubkey,
        patience: Duration,
        progress: &mut (dyn FnMut(Stage) + Send),
    ) -> Result<JobView, ClientError> {
        self.decision(address, Patience::new(patience), progress).await
    }

    /// As [`Client::wait`], for a patience that may have begun before.
    pub(super) async fn decision(
        &self,
        address: &Pubkey,
        patience: Patience,
        progress: &mut (dyn FnMut(Stage) + Send),
    ) -> Result<JobView, ClientError> {
        let mut changes = self.chain.watch(Watch::Account(*address));
        let mut last_state = None;
        let mut due: Option<(Next, Instant)> = None;
        loop {
            let view = self.view_within(address, patience).await?;
            let job = view.job.as_ref().ok_or(ClientError::Closed(*address))?;
            let state = job.state()?;
            if last_state.replace(state) != Some(state) {
                progress(Stage::State(state));
            }
            match state {
                JobState::Agreed => return view.job.ok_or(ClientError::Closed(*address)),
                JobState::Failed | JobState::Cancelled | JobState::Defaulted => return Err(self.ended(job).await),
                JobState::Open | JobState::Revealing => {}
            }
            if patience.is_over() {
                return Err(ClientError::StillRunning { job: *address, state, waited: patience.waited() });
            }
            let next = view.next(Who::Payer)?;
            let since = due.filter(|(known, _)| *known == next).map_or_else(Instant::now, |(_, since)| since);
            due = Some((next, since));
            if since.elapsed() >= CRANK_AFTER {
                match self.crank_view(&view, Who::Payer).await {
                    Ok(Some((next, signature))) => {
                        progress(Stage::Cranked(next, signature));
                        continue;
                    }
                    // It is tried again, or somebody else does it.
                    Err(ClientError::Chain(error)) if error.is_transient() => {
                        tracing::debug!(%error, job = %address, "the job could not be moved on");
                    }
                    Ok(None) => {}
                    Err(error) => return Err(error),
                }
            }
            changes.next(LOOK_EVERY).await;
        }
    }

    /// A look at a job, repeated while the chain does not answer, until `patience` is over.
    pub(super) async fn view_within(&self, address: &Pubkey, patience: Patience) -> Result<View, ClientError> {
        let mut backoff = Backoff::new(LOOK_EVERY, MOST_BETWEEN);
        loop {
            // A server that takes the question and says nothing is as silent as one that is not there.
            let left = patience.left().max(LOOK_EVERY);
            let read = tokio::time::timeout(left, View::read(self.chain.as_ref(), address)).await;
            let reason = match read {
                Ok(Err(error)) if error.is_transient() => error.to_string(),
                Ok(read) => return Ok(read?),
                Err(_) => "it does not answer in time".to_owned(),
            };
            if patience.is_over() {
                return Err(ClientError::Silent { job: *address, waited: patience.waited(), reason });
            }
            tracing::debug!(reason, job = %address, "the chain does not answer; asking again");
            tokio::time::sleep(backoff.failed().min(patience.left())).await;
        }
    }

    /// Why there is no answer, after collecting what can be collected.
    pub(super) async fn ended(&self, job: &JobView) -> ClientError {
        let address = job.address;
        self.in_folder(&address, |jobs| jobs.note(&address, |record| record.refunded = true));
        if let Err(error) = self.collect(&address).await {
            tracing::warn!(job = %address, %error, "the refund could not be collected yet");
        }
        match job.state() {
            Ok(state) => ClientError::Ended { job: address, state, refund: job.split().unwrap_or_default().refund.0 },
            Err(error) => error.into(),
        }
    }

    /// Moves a job on if anybody may: ends late seats or the waiting, or has somebody paid. `None` when there is nothing to
    /// do.
    ///
    /// # Errors
    /// A failure to read or a refusal.
    pub async fn crank(&self, address: &Pubkey) -> Result<Option<(Next, Signature)>, ClientError> {
        let view = View::read(self.chain.as_ref(), address).await?;
        if let next @ Next::Collect(_) = view.next(Who::Anybody)? {
            let sent = self.collect(address).await?;
            return Ok(sent.first().map(|confirmed| (next, confirmed.signature)));
        }
        self.crank_view(&view, Who::Anybody).await
    }

    pub(super) async fn crank_view(&self, view: &View, who: Who<'_>) -> Result<Option<(Next, Signature)>, ClientError> {
        let Some(job) = &view.job else { return Ok(None) };
        let next = view.next(who)?;
        let instruction = match next {
            Next::ExpireSeat(index) => market::expire_seat(job, index),
            Next::Finalize => market::finalize(job, view.now),
            Next::DefaultAnswer => market::default_answer(job),
            _ => return Ok(None),
        };
        match self.send(&[instruction]).await {
            Ok(confirmed) => Ok(Some((next, confirmed.signature))),
            // Somebody else was faster: the next look shows it.
            Err(ClientError::Chain(ChainError::Rejected(refusal))) => {
                tracing::debug!(%refusal, job = %job.address, "the job was moved on by somebody else");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}
