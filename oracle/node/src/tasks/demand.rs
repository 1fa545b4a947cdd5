//! Putting a demanded answer on chain before its deadline.

use provena_arith::merkle;
use provena_client::chain::accounts::decode_with_items;
use provena_client::view::JobView;
use provena_common::slot::Slot;
use provena_market::client::{self, ANSWER_PART};
use provena_market::constants::{MAX_ANSWER, SETTLE_AFTER};
use provena_market::{pda, state::Answer};

use super::Worker;
use super::submit::WorkError;
use crate::journal::{JobKey, JobRecord, Step};
use crate::metrics::JobEvent;

impl Worker {
    /// Puts the answer on chain piece by piece, leaving out what is there, and seals it. An answer that is too long for
    /// that is shown to be so.
    pub(super) async fn put_answer(&self, key: &JobKey, job: &JobView) -> Result<(), WorkError> {
        let Some(computed) = self.parts.journal.job(key).and_then(|record| record.computed) else { return Ok(()) };
        let response = self.response(key, &job.job, &computed).await?;
        if response.len() > MAX_ANSWER {
            let tree = merkle::tree_root(&response).unwrap_or_default();
            let proof = client::prove_length(self.me, key.job, response.len() as u64, tree);
            self.send(key, Step::PutAnswer, &[proof]).await?;
            tracing::info!(job = %key.job, bytes = response.len(), "showed that the demanded answer is too long");
            return Ok(());
        }
        let there = self.own_answer(key).await?.map(|(_, bytes)| bytes).unwrap_or_default();
        let (parts, seal) = client::put_answer(self.me, key.job, &response);
        // What is there already was put there before a crash.
        let is_missing = |offset: usize, bytes: &[u8]| there.get(offset..offset + bytes.len()) != Some(bytes);
        let pieces = (0..).step_by(ANSWER_PART).zip(response.chunks(ANSWER_PART)).zip(parts);
        let mut missing: Vec<_> =
            pieces.filter(|((offset, bytes), _)| is_missing(*offset, bytes)).map(|(_, part)| part).collect();
        // Whoever seals gets the deposit: the last part goes with the seal, or somebody could copy the parts and be faster.
        let last = missing.pop();
        for part in missing {
            self.send(key, Step::PutAnswer, &[part]).await?;
        }
        let together: Vec<_> = last.into_iter().chain([seal]).collect();
        self.send(key, Step::PutAnswer, &together).await?;
        self.parts.metrics.job(JobEvent::Answered);
        tracing::info!(job = %key.job, bytes = response.len(), "the demanded answer is on chain");
        Ok(())
    }

    /// What this node has put on chain for a job.
    async fn own_answer(&self, key: &JobKey) -> Result<Option<(Answer, Vec<u8>)>, WorkError> {
        let address = pda::answer(&key.job, &self.me).0;
        let account = self.parts.chain.account(&address).await?;
        let account = account.filter(|account| account.owner == provena_market::ID);
        Ok(account.map(|account| decode_with_items(&address, &account)).transpose()?)
    }

    /// Takes the rent of an answer back that this node put on chain, as soon as that is allowed; says whether there is none
    /// left.
    pub(super) async fn has_answer_back(
        &self,
        key: &JobKey,
        record: &JobRecord,
        job: Option<&JobView>,
        now: Slot,
    ) -> Result<bool, WorkError> {
        if !record.answering {
            return Ok(true);
        }
        let Some((answer, _)) = self.own_answer(key).await? else { return Ok(true) };
        // The payer has time to read a sealed one.
        if job.is_some() && answer.sealed_at != 0 && now.since(Slot(answer.sealed_at)) <= SETTLE_AFTER {
            return Ok(false);
        }
        self.send(key, Step::PutAnswer, &[client::close_answer(self.me, key.job)]).await?;
        Ok(true)
    }
}
