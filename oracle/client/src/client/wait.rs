//! Waiting for a decision, and moving a job on where nobody else does.

use std::time::{Duration, Instant};

use provena_market::client as market;
use provena_market::state::{JobState, Next, Who};
use solana_pubkey::Pubkey;
use solana_signature::Signature;

use super::{Client, ClientError, Stage};
use crate::chain::{ChainError, Watch};
use crate::view::{JobView, View};

/// How long others have to do what anybody may before we pay that transaction's fee.
const CRANK_AFTER: Duration = Duration::from_secs(3);

/// Longest wait between two looks at a job.
const LOOK_EVERY: Duration = Duration::from_millis(500);

impl Client {
    /// Waits until a quorum agreed, moving the job on where nobody else does.
    ///
    /// # Errors
    /// [`ClientError::Ended`] when it failed or was cancelled (what can be collected then is), [`ClientError::StillRunning`]
    /// after `patience`.
    pub async fn wait(
        &self,
        address: &Pubkey,
        patience: Duration,
        progress: &mut (dyn FnMut(Stage) + Send),
    ) -> Result<JobView, ClientError> {
        let mut changes = self.chain.watch(Watch::Account(*address));
        let begun = Instant::now();
        let mut last_state = None;
        let mut due: Option<(Next, Instant)> = None;
        loop {
            let view = View::read(self.chain.as_ref(), address).await?;
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
            if begun.elapsed() >= patience {
                return Err(ClientError::StillRunning { job: *address, state, waited: begun.elapsed() });
            }
            let next = view.next(Who::Payer)?;
            let since = due.filter(|(known, _)| *known == next).map_or_else(Instant::now, |(_, since)| since);
            due = Some((next, since));
            if since.elapsed() >= CRANK_AFTER
                && let Some((next, signature)) = self.crank_view(&view, Who::Payer).await?
            {
                progress(Stage::Cranked(next, signature));
                continue;
            }
            changes.next(LOOK_EVERY).await;
        }
    }

    /// Why there is no answer, after collecting what can be collected.
    pub(super) async fn ended(&self, job: &JobView) -> ClientError {
        let address = job.address;
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
