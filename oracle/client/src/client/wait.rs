//! Waiting for a job, and moving it on where nobody else does.

use std::time::{Duration, Instant};

use provena_market::client as market;
use provena_market::state::{Job, JobState, Slot};
use provena_market::view::{self, Next};
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_signer::Signer;

use super::{Client, ClientError, Stage};
use crate::chain::accounts::fetch;
use crate::chain::{ChainError, Confirmed, Watch, token};
use crate::view::View;

/// How long the node's own settlement is waited for before we pay that transaction's fee.
const SETTLE_AFTER: Duration = Duration::from_secs(3);

/// Longest wait between two looks at a job.
const LOOK_EVERY: Duration = Duration::from_millis(500);

impl Client {
    /// Waits until a job is settled, moving it on where nobody else does.
    ///
    /// # Errors
    /// [`ClientError::Ended`] when it was cancelled or refunded, [`ClientError::StillRunning`] after `patience`.
    pub async fn wait(
        &self,
        address: &Pubkey,
        patience: Duration,
        progress: &mut (dyn FnMut(Stage) + Send),
    ) -> Result<Job, ClientError> {
        let mut changes = self.chain.watch(Watch::Account(*address));
        let begun = Instant::now();
        let mut last_state = None;
        let mut state_since = Instant::now();
        loop {
            let look = View::read(self.chain.as_ref(), address).await?;
            let job = look.job.ok_or(ClientError::Closed(*address))?;
            let state = job.state().map_err(|_| ClientError::UnknownState(*address))?;
            if last_state.replace(state) != Some(state) {
                state_since = Instant::now();
                progress(Stage::State(state));
            }
            match state {
                JobState::Settled => return Ok(job),
                JobState::Cancelled | JobState::Refunded => {
                    return Err(ClientError::Ended { job: *address, state, refund: job.refunded });
                }
                _ => {}
            }
            if begun.elapsed() >= patience {
                return Err(ClientError::StillRunning { job: *address, state, waited: begun.elapsed() });
            }
            if state_since.elapsed() >= SETTLE_AFTER
                && let Some((next, signature)) = self.crank_view(address, &look).await?
            {
                progress(Stage::Cranked(next, signature));
                continue;
            }
            changes.next(LOOK_EVERY).await;
        }
    }

    /// Moves a job on if anybody may: settles it, or ends late claims or the job. `None` when there is nothing to do.
    ///
    /// # Errors
    /// A failure to read or a refusal.
    pub async fn crank(&self, address: &Pubkey) -> Result<Option<(Next, Signature)>, ClientError> {
        let look = View::read(self.chain.as_ref(), address).await?;
        self.crank_view(address, &look).await
    }

    async fn crank_view(&self, address: &Pubkey, look: &View) -> Result<Option<(Next, Signature)>, ClientError> {
        let Some(job) = &look.job else { return Ok(None) };
        let slots: Vec<Slot> = look.live().copied().collect();
        let next = view::next(job, &slots, look.now).map_err(|_| ClientError::UnknownState(*address))?;
        let mut instructions = Vec::new();
        let last = match next {
            Next::Settle => {
                instructions = token::before_the_end(self.chain(), &self.payer(), job, &slots).await?;
                market::settle(*address, job, &slots)
            }
            Next::TimeoutJob => {
                instructions = token::before_the_end(self.chain(), &self.payer(), job, &[]).await?;
                market::timeout_job(*address, job, &slots)
            }
            Next::TimeoutClaim => match slots.iter().find(|slot| view::is_late(job, slot, look.now)) {
                Some(late) => market::timeout_claim(*address, job, late),
                None => return Ok(None),
            },
            Next::Claim | Next::Commit | Next::Reveal | Next::Close => return Ok(None),
        };
        instructions.push(last);
        match self.send(&instructions).await {
            Ok(confirmed) => Ok(Some((next, confirmed.signature))),
            // Somebody else was faster: the next look shows it.
            Err(ClientError::Chain(ChainError::Rejected(refusal))) => {
                tracing::debug!(%refusal, job = %address, "the job was moved on by somebody else");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Takes a job back that no node holds.
    ///
    /// # Errors
    /// A refusal (`JobInUse` once a node holds a slot), or a failure to read.
    pub async fn cancel(&self, address: &Pubkey) -> Result<Confirmed, ClientError> {
        let job: Job = fetch(self.chain.as_ref(), address).await?;
        self.send(&[market::cancel(*address, &job)]).await
    }

    /// Takes back the rent of a job that has ended.
    ///
    /// # Errors
    /// A refusal (`WrongState` before the end), or a failure to read.
    pub async fn close(&self, address: &Pubkey) -> Result<Confirmed, ClientError> {
        let job: Job = fetch(self.chain.as_ref(), address).await?;
        self.send(&[market::close_job(self.payer.pubkey(), *address, &job)]).await
    }
}
