//! After the answer: acknowledge it, have everybody paid, take the rent back.

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

/// What became of a job that was over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// Which job.
    pub job: Pubkey,
    /// Whether its rent is back; otherwise somebody could not be paid yet.
    pub closed: bool,
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
        self.send(&instructions).await
    }

    /// Has everybody paid and takes the job's rent back, which is possible from 151 slots after its posting.
    ///
    /// # Errors
    /// A refusal (`WrongState` before the end, `NotPaidOut` while somebody could not be paid, `TooEarly`), or a failure to
    /// read.
    pub async fn close(&self, address: &Pubkey) -> Result<Confirmed, ClientError> {
        let view = View::read(self.chain.as_ref(), address).await?;
        let Some(job) = view.job else { return Err(ClientError::Closed(*address)) };
        let (mut groups, closed) = self.closing(&job, view.now).await?;
        if !closed {
            // Where this is refused, the chain says it in its own words.
            groups.push(collect::close(self.chain.as_ref(), &self.payer.pubkey(), &job).await?);
        }
        let sent = self.send_groups_strictly(&groups).await?;
        sent.last().copied().ok_or(ClientError::Closed(*address))
    }

    /// Closes every job of this payer that is over, and has everybody paid who waits for it.
    ///
    /// # Errors
    /// A failure to read. Refusals are logged, and looked at again another time.
    pub async fn close_finished(&self) -> Result<Vec<Closed>, ClientError> {
        let now = Slot(self.chain.slot().await?);
        let (mut jobs, mut groups) = (Vec::new(), Vec::new());
        for job in self.jobs().await? {
            if !job.state()?.is_ended() {
                continue;
            }
            let (work, closed) = self.closing(&job, now).await?;
            if !work.is_empty() {
                jobs.push((job.address, closed, work.len()));
                groups.extend(work);
            }
        }
        let sent = self.send_groups(groups).await?;
        Ok(jobs.into_iter().map(|(job, closed, _)| Closed { job, closed, sent: sent.clone() }).collect())
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
