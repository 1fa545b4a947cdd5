//! After the answer: acknowledge it, have everybody paid, take the rent back.

use std::time::{Duration, Instant};

use provena_market::client as market;
use provena_market::state::{JobState, Who, job::flag};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use super::{Client, ClientError};
use crate::batch;
use crate::chain::{ChainError, Confirmed};
use crate::collect::{self, Collection};
use crate::view::{JobView, View};
use provena_common::slot::Slot;
use provena_market::state::Next;

/// How long nodes are asked for answers that nobody fetched before the jobs are closed, for all of them together.
const FETCHING: Duration = Duration::from_secs(10);

/// What became of a job that was over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// Which job.
    pub job: Pubkey,
    /// Whether its rent is back; otherwise somebody could not be paid yet, or its answer is not here.
    pub closed: bool,
    /// Whether it stays open because its answer was never fetched and no node hands it out now: what closes it for good is
    /// [`Client::close_anyway`].
    pub unfetched: bool,
    /// What was sent for it; transactions are shared by several jobs.
    pub sent: Vec<Confirmed>,
}

impl Client {
    /// Says that the answer is here, and has everybody paid who can be: nodes and their bonds wait no longer.
    ///
    /// Returns the transactions; none when there was nothing left to do.
    ///
    /// # Errors
    /// A refusal, or a failure to read.
    pub async fn acknowledge(&self, address: &Pubkey) -> Result<Vec<Confirmed>, ClientError> {
        let view = View::read(self.chain.as_ref(), address).await?;
        let Some(mut job) = view.job else { return Err(ClientError::Closed(*address)) };
        let mut groups = Vec::new();
        let settled = job.job.is_settled(view.now).is_ok_and(|settled| settled);
        if job.state()? == JobState::Agreed && !settled && !job.job.has(flag::ACKNOWLEDGED) {
            // While a demanded answer is awaited this is refused, and pay follows the answer.
            if job.0.job.acknowledge().is_err() {
                return Ok(Vec::new());
            }
            groups.push(vec![market::acknowledge(self.payer.pubkey(), *address)]);
        }
        let collections = collect::all(self.chain.as_ref(), &self.payer.pubkey(), &job, view.now).await?;
        groups.extend(collections.into_iter().map(|collection| collection.instructions));
        self.send_groups(groups).await
    }

    /// Has everybody paid who can be, whoever the job's payer is.
    ///
    /// # Errors
    /// A refusal, or a failure to read.
    pub async fn collect(&self, address: &Pubkey) -> Result<Vec<Confirmed>, ClientError> {
        let view = View::read(self.chain.as_ref(), address).await?;
        let Some(job) = view.job else { return Err(ClientError::Closed(*address)) };
        let collections = collect::all(self.chain.as_ref(), &self.payer.pubkey(), &job, view.now).await?;
        self.send_groups(collections.into_iter().map(|collection| collection.instructions).collect()).await
    }

    /// Takes a job back that no node works on, with its deposit. Its rent follows once it can be closed.
    ///
    /// # Errors
    /// A refusal (`JobInUse` once a node holds a seat), or a failure to read.
    pub async fn cancel(&self, address: &Pubkey) -> Result<Confirmed, ClientError> {
        let view = View::read(self.chain.as_ref(), address).await?;
        let Some(mut job) = view.job else { return Err(ClientError::Closed(*address)) };
        let mut instructions = vec![market::cancel_job(self.payer.pubkey(), *address)];
        let JobView(record) = &mut job;
        // Where this is refused, the chain says it in its own words.
        if record.job.cancel(&record.seats, view.now).is_ok() {
            let refund = collect::all(self.chain.as_ref(), &self.payer.pubkey(), &job, view.now).await?;
            instructions.extend(refund.into_iter().flat_map(|collection| collection.instructions));
        }
        let sent = self.send(&instructions).await?;
        self.in_folder(address, |jobs| jobs.note(address, |record| record.refunded = true));
        Ok(sent)
    }

    /// Has everybody paid and takes the job's rent back, which is possible from 151 slots after its nonce's. An agreed answer
    /// that is not here is fetched first, and its receipts.
    ///
    /// # Errors
    /// [`ClientError::Unfetched`] when that fails and the answer was never acknowledged; a refusal (`WrongState` before the
    /// end, `NotPaidOut` while somebody could not be paid, `TooEarly`), or a failure to read.
    pub async fn close(&self, address: &Pubkey) -> Result<Confirmed, ClientError> {
        if let Some(job) = self.job(address).await?
            && !self.is_safe_to_close(&job, Instant::now()).await
        {
            return Err(ClientError::Unfetched(*address));
        }
        self.close_anyway(address).await
    }

    /// As [`Client::close`], also where the answer that was paid for is lost by it.
    ///
    /// # Errors
    /// A refusal, or a failure to read.
    pub async fn close_anyway(&self, address: &Pubkey) -> Result<Confirmed, ClientError> {
        let view = View::read(self.chain.as_ref(), address).await?;
        let Some(job) = view.job else { return Err(ClientError::Closed(*address)) };
        let (mut groups, closed) = self.closing(&job, view.now).await?;
        if !closed {
            // Where this is refused, the chain says it in its own words.
            groups.push(collect::close(self.chain.as_ref(), &self.payer.pubkey(), &job).await?);
        }
        let sent = self.send_groups_strictly(&groups).await?;
        self.note_closed(address, is_refunded(&job));
        sent.last().copied().ok_or(ClientError::Closed(*address))
    }

    /// Closes every job of this payer that is over, and has everybody paid who waits for it. No answer is lost by it: one
    /// that was never fetched is fetched before, and when no node hands it out the job stays open.
    ///
    /// # Errors
    /// A failure to read. Refusals are logged, and looked at again another time.
    pub async fn close_finished(&self) -> Result<Vec<Closed>, ClientError> {
        let now = Slot(self.chain.slot().await?);
        let begun = Instant::now();
        let (mut jobs, mut groups, mut refunded) = (Vec::new(), Vec::new(), Vec::new());
        for job in self.jobs().await? {
            if !job.state()?.is_ended() {
                continue;
            }
            let (mut work, mut closed) = self.closing(&job, now).await?;
            let unfetched = closed && !self.is_safe_to_close(&job, begun).await;
            if unfetched {
                closed = false;
                // The closing is the last.
                work.pop();
            }
            if is_refunded(&job) {
                refunded.push(job.address);
            }
            if !work.is_empty() || unfetched {
                jobs.push(Closed { job: job.address, closed, unfetched, sent: Vec::new() });
                groups.extend(work);
            }
        }
        let sent = self.send_groups(groups).await?;
        // What was refused was left out.
        let closed: Vec<Pubkey> = jobs.iter().filter(|one| one.closed).map(|one| one.job).collect();
        let views = View::read_all(self.chain.as_ref(), &closed).await?;
        let gone = |view: &Result<View, ChainError>| view.as_ref().is_ok_and(|view| view.job.is_none());
        let gone: Vec<Pubkey> = closed.iter().zip(&views).filter(|(_, view)| gone(view)).map(|(job, _)| *job).collect();
        for one in &mut jobs {
            one.closed = gone.contains(&one.job);
            one.sent.clone_from(&sent);
            if one.closed {
                self.note_closed(&one.job, refunded.contains(&one.job));
            }
        }
        Ok(jobs)
    }

    /// Notes in the folder that a job is closed, and whether it ended without an answer.
    fn note_closed(&self, address: &Pubkey, refunded: bool) {
        self.in_folder(address, |jobs| {
            jobs.note(address, |record| record.refunded = refunded)?;
            jobs.close(address)
        });
    }

    /// Whether closing a job loses nothing: what was agreed is on this machine, by now at the latest, or its payer said that
    /// it had it. Nodes are asked only for a while after `begun`.
    async fn is_safe_to_close(&self, job: &JobView, begun: Instant) -> bool {
        if job.state().ok() != Some(JobState::Agreed) {
            return true;
        }
        let left = FETCHING.saturating_sub(begun.elapsed());
        let here = self.has_answer(job).await || {
            let fetched = tokio::time::timeout(left, self.fetch_and_keep(job)).await;
            fetched.unwrap_or_else(|_| Err("the nodes do not answer in time".to_owned())).is_ok()
        };
        here || job.job.has(flag::ACKNOWLEDGED)
    }

    /// Fetches the answer and the receipts of an agreed job, and keeps them.
    async fn fetch_and_keep(&self, job: &JobView) -> Result<(), String> {
        let response = match self.response(job).await {
            Ok(response) => response,
            Err(error) => {
                let there = self.answer_on_chain(job).await.map_err(|error| error.to_string())?;
                let response = there.ok_or_else(|| error.to_string())?;
                let root = response.result_root();
                let stored = self.store.put_as_local(&root, response.to_bytes()).await;
                stored.or_else(|error| self.jobs.as_ref().map(drop).ok_or(error)).map_err(|error| error.to_string())?;
                response
            }
        };
        self.keep(job, Some(&response), &[]).await?;
        let (receipts, _) = self.receipts(job).await;
        self.keep(job, None, &receipts).await
    }

    /// What is left to do for a job that has ended, and whether it is closed then.
    async fn closing(&self, job: &JobView, now: Slot) -> Result<(Vec<Vec<Instruction>>, bool), ClientError> {
        let payer = self.payer.pubkey();
        let collections = collect::all(self.chain.as_ref(), &payer, job, now).await?;
        let after = collect::after(job, &collections);
        let mut groups: Vec<_> = collections.into_iter().map(|Collection { instructions, .. }| instructions).collect();
        let closed = after.next(Who::Payer, now)? == Next::Close;
        if closed {
            groups.push(collect::close(self.chain.as_ref(), &payer, job).await?);
        }
        Ok((groups, closed))
    }

    /// Sends groups in order, as many in one transaction as it holds. Where a transaction is refused its groups are sent one
    /// by one, and what is refused alone is left out: somebody else was faster, or somebody cannot be paid.
    async fn send_groups(&self, groups: Vec<Vec<Instruction>>) -> Result<Vec<Confirmed>, ClientError> {
        let mut sent = Vec::new();
        for together in self.packed(&groups) {
            match self.send(&together.concat()).await {
                Err(ClientError::Chain(ChainError::Rejected(refusal))) if together.len() > 1 => {
                    tracing::debug!(%refusal, "a transaction was refused; sending its parts one by one");
                    for group in together {
                        match self.send(group).await {
                            Ok(confirmed) => sent.push(confirmed),
                            Err(ClientError::Chain(ChainError::Rejected(refusal))) => {
                                tracing::debug!(%refusal, "left out");
                            }
                            Err(error) => return Err(error),
                        }
                    }
                }
                other => sent.push(other?),
            }
        }
        Ok(sent)
    }

    /// As [`Client::send_groups`], but the first refusal ends it.
    async fn send_groups_strictly(&self, groups: &[Vec<Instruction>]) -> Result<Vec<Confirmed>, ClientError> {
        let mut sent = Vec::new();
        for together in self.packed(groups) {
            sent.push(self.send(&together.concat()).await?);
        }
        Ok(sent)
    }

    /// Groups as many together as one transaction holds.
    fn packed<'a>(&self, groups: &'a [Vec<Instruction>]) -> Vec<&'a [Vec<Instruction>]> {
        let payer = self.payer.pubkey();
        let (mut packed, mut rest) = (Vec::new(), groups);
        while !rest.is_empty() {
            let fits = |count: usize| batch::fits(&rest[..count].concat(), &payer);
            let count = (1..=rest.len()).take_while(|count| fits(*count)).last().unwrap_or(1);
            let (together, behind) = rest.split_at(count);
            packed.push(together);
            rest = behind;
        }
        packed
    }
}

/// Whether a job ended without an answer.
fn is_refunded(job: &JobView) -> bool {
    job.state().is_ok_and(|state| state.is_ended() && state != JobState::Agreed)
}
