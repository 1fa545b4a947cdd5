//! Seeing one job through, from the claim to the settlement, whatever happens in between.

use std::time::Duration;

use provena_arith::receipt::commitment;
use provena_client::{
    chain::{Backoff, ChainError, Changes, Watch, submitter, token},
    store::StoreError,
};
use provena_market::client;
use provena_market::state::{Job, Slot};
use provena_wire::ReceiptError;
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use tokio_util::sync::CancellationToken;

use super::decide::{Action, next};
use super::infer::InferError;
use super::{SLOT_TIME, Worker};
use crate::journal::{Computed, End, Entry, Event, JobRecord, JournalError, Step};
use crate::metrics::JobEvent;
use provena_client::view::View;

/// Nodes further back in the order wait this much longer before they settle, so that one of them pays the fee.
const SETTLE_TURN: Duration = Duration::from_millis(1_500);

/// The shortest time between two looks whether a result that is being computed still has a taker.
const TAKER_POLL: Duration = Duration::from_secs(1);

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
    Infer(InferError),
    /// The receipt is not this node's to sign.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    /// The receipt file cannot be written.
    #[error("the receipt {path} cannot be written ({reason})")]
    ReceiptFile {
        /// Which file.
        path: String,
        /// The system's words.
        reason: String,
    },
}

impl From<InferError> for WorkError {
    fn from(error: InferError) -> Self {
        match error {
            InferError::Journal(error) => Self::Journal(error),
            other => Self::Infer(other),
        }
    }
}

/// How work on a job ended for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing more is to be done.
    Ended(End),
    /// The node is closing; the next start goes on from here.
    Left,
    /// The job is not for this node, or not now.
    Declined(String),
}

impl Worker {
    /// Works on `address` until it has ended for this node, or until `closing` asks to leave it resumable.
    ///
    /// # Errors
    /// [`WorkError::Journal`] only; everything else is retried until the chain says that it is over.
    pub async fn drive(&self, address: &Pubkey, closing: &CancellationToken) -> Result<Outcome, WorkError> {
        let done = self.work(address, closing).await;
        self.pace.leave(address);
        done
    }

    async fn work(&self, address: &Pubkey, closing: &CancellationToken) -> Result<Outcome, WorkError> {
        let mut changes = self.parts.chain.watch(Watch::Account(*address));
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
        let record = self.parts.journal.job(address).unwrap_or_default();
        let action = next(&self.me, &view, &record);
        tracing::debug!(job = %address, ?action, now = view.now, "next");
        match (action, &view.job) {
            (Action::Claim(index), Some(job)) => return self.claim(address, job, index).await,
            (Action::Compute, Some(job)) => {
                tokio::select! {
                    computed = self.compute(address, job) => computed?,
                    () = self.too_late(address, &view) => {
                        tracing::warn!(job = %address, "no result in time; the work is given up");
                    }
                }
            }
            (Action::Commit(index), Some(_)) => self.commit(address, index, &record).await?,
            (Action::Reveal(index), Some(_)) => return self.reveal(address, index, &record).await,
            (Action::Publish, Some(job)) => self.publish(address, job, &view, &record).await?,
            (Action::Settle, Some(job)) => self.settle(address, job, &view, changes).await?,
            (Action::TimeoutClaim(index), Some(job)) => {
                if let Some(slot) = view.live().find(|slot| slot.index == index) {
                    self.send(address, Step::Timeout, &[client::timeout_claim(*address, job, slot)]).await?;
                    self.parts.metrics.job(JobEvent::TimedOut);
                    tracing::info!(job = %address, index, late = %slot.authority, "ended a late claim");
                }
            }
            (Action::TimeoutJob, Some(job)) => {
                let slots: Vec<Slot> = view.live().copied().collect();
                let mut instructions = self.token_accounts(job, &[]).await?;
                instructions.push(client::timeout_job(*address, job, &slots));
                self.send(address, Step::Timeout, &instructions).await?;
                self.parts.metrics.job(JobEvent::TimedOut);
            }
            (Action::Wait(until), _) => self.wait(until, view.now, changes, closing).await,
            (Action::End(end), _) => return self.end(address, &record, end).map(Some),
            // Every other action needs the job, and `next` gives none of them without it.
            (_, None) => {}
        }
        Ok(None)
    }

    async fn claim(&self, address: &Pubkey, job: &Job, index: u8) -> Result<Option<Outcome>, WorkError> {
        // Nothing is staked on a job whose input is missing or unusable, or whose answer would come too late.
        if let Err(error) = self.gather(address, job).await {
            return match WorkError::from(error) {
                WorkError::Journal(error) => Err(error.into()),
                error => Ok(Some(Outcome::Declined(error.to_string()))),
            };
        }
        self.note(address, Event::Claiming { index })?;
        match self.send(address, Step::Claim, &[client::claim_slot(self.me, *address, index)]).await {
            Ok(()) => {
                self.parts.metrics.job(JobEvent::Claimed);
                tracing::info!(job = %address, index, bond = job.bond, "claimed");
                Ok(None)
            }
            // The next look tells whether another node was faster (then this ends) or a slot is still free.
            Err(WorkError::Chain(ChainError::Rejected(refusal))) => {
                tracing::info!(job = %address, index, reason = %refusal, "the claim was refused");
                let view = View::read(self.parts.chain.as_ref(), address).await?;
                let still_free =
                    matches!(next(&self.me, &view, &JobRecord::default()), Action::Claim(other) if other == index);
                if still_free {
                    // It is refused for a reason of ours, such as too little free stake.
                    self.note(address, Event::Ended(End::Abandoned(refusal.to_string())))?;
                    return Ok(Some(Outcome::Declined(refusal.to_string())));
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn commit(&self, address: &Pubkey, index: u8, record: &JobRecord) -> Result<(), WorkError> {
        let Some(computed) = record.computed else { return Ok(()) };
        let hash = self.commitment(address, &computed);
        self.send(address, Step::Commit, &[client::commit(self.me, *address, index, hash)]).await?;
        self.parts.metrics.job(JobEvent::Committed);
        tracing::info!(job = %address, "committed");
        Ok(())
    }

    async fn reveal(&self, address: &Pubkey, index: u8, record: &JobRecord) -> Result<Option<Outcome>, WorkError> {
        let Some(Computed { result_root, units, salt }) = record.computed else { return Ok(None) };
        let reveal = client::reveal(self.me, *address, index, result_root, units, salt);
        self.send(address, Step::Reveal, &[reveal]).await?;
        self.parts.metrics.job(JobEvent::Revealed);
        tracing::info!(job = %address, result_root = hex::encode(result_root), "revealed");
        Ok(None)
    }

    fn commitment(&self, address: &Pubkey, computed: &Computed) -> [u8; 32] {
        commitment(
            &self.parts.cluster,
            provena_market::ID.as_array(),
            address.as_array(),
            self.me.as_array(),
            &computed.result_root,
            computed.units,
            &computed.salt,
        )
    }

    async fn settle(&self, address: &Pubkey, job: &Job, view: &View, changes: &mut Changes) -> Result<(), WorkError> {
        let turn = view.live().position(|slot| slot.authority == self.me).unwrap_or(0);
        if turn > 0 {
            let patience = SETTLE_TURN.saturating_mul(u32::try_from(turn).unwrap_or(u32::MAX));
            if changes.next(patience).await.is_some() {
                return Ok(());
            }
        }
        let slots: Vec<Slot> = view.live().copied().collect();
        let mut instructions = self.token_accounts(job, &slots).await?;
        instructions.push(client::settle(*address, job, &slots));
        self.send(address, Step::Settle, &instructions).await
    }

    async fn token_accounts(&self, job: &Job, slots: &[Slot]) -> Result<Vec<Instruction>, ChainError> {
        token::before_the_end(self.parts.chain.as_ref(), &self.me, job, slots).await
    }

    async fn wait(&self, until: u64, now: u64, changes: &mut Changes, closing: &CancellationToken) {
        let slots = u32::try_from(until.saturating_sub(now)).unwrap_or(u32::MAX).saturating_add(1);
        let patience = SLOT_TIME.saturating_mul(slots).min(self.parts.poll);
        tokio::select! {
            _ = changes.next(patience) => {}
            () = closing.cancelled() => {}
        }
    }

    /// Resolves when a result that is being computed is of no use any more: the deadline has passed, or the job ended.
    async fn too_late(&self, address: &Pubkey, view: &View) {
        let mut view = view.clone();
        loop {
            let deadline = view.slot_of(&self.me).map_or(view.now, |slot| slot.commit_deadline);
            let slots = u32::try_from(deadline.saturating_sub(view.now)).unwrap_or(u32::MAX).saturating_add(1);
            tokio::time::sleep(SLOT_TIME.saturating_mul(slots).min(self.parts.poll.max(TAKER_POLL))).await;
            // Without an answer from the chain the work goes on: it may be of use.
            if let Ok(now) = View::read(self.parts.chain.as_ref(), address).await {
                view = now;
                let record = self.parts.journal.job(address).unwrap_or_default();
                if next(&self.me, &view, &record) != Action::Compute {
                    return;
                }
            }
        }
    }

    fn end(&self, address: &Pubkey, record: &JobRecord, end: End) -> Result<Outcome, WorkError> {
        if record.receipt.is_some() {
            // A crash between signing and writing leaves the log's copy only.
            self.write_receipt(address)?;
        }
        if *record == JobRecord::default() {
            return Ok(match end {
                End::Abandoned(reason) => Outcome::Declined(reason),
                settled => Outcome::Ended(settled),
            });
        }
        if record.end.is_none() {
            self.note(address, Event::Ended(end.clone()))?;
            self.parts.metrics.job(match end {
                End::Settled => JobEvent::Settled,
                End::Abandoned(_) => JobEvent::Abandoned,
            });
            tracing::info!(job = %address, ?end, "ended");
        }
        Ok(Outcome::Ended(end))
    }

    /// Signs, journals, sends and confirms one transaction.
    async fn send(&self, address: &Pubkey, step: Step, instructions: &[Instruction]) -> Result<(), WorkError> {
        let chain = self.parts.chain.as_ref();
        let pending = submitter::prepare(chain, instructions, &[&self.parts.key], self.parts.budget).await?;
        let (signature, last_valid_block_height) = (pending.signature().to_string(), pending.last_valid_block_height);
        self.note(address, Event::Sending { step, signature, last_valid_block_height })?;
        submitter::submit(chain, &pending).await?;
        Ok(())
    }

    pub(super) fn note(&self, address: &Pubkey, event: Event) -> Result<(), JournalError> {
        self.parts.journal.append(&Entry { job: *address, event })
    }
}
