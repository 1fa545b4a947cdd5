//! Demanding an answer that nobody hands out.

use std::mem::offset_of;
use std::time::{Duration, Instant};

use provena_arith::merkle::content_root;
use provena_common::slot::Slot;
use provena_market::{
    client as market,
    constants::{ANSWER_WINDOW, SETTLE_AFTER},
    pda,
    state::{Answer, JobState, Who, job::flag},
};
use provena_wire::Response;
use solana_account::Account;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use tokio::time::timeout;

use super::{Client, ClientError, Patience, Stage};
use crate::chain::accounts::{ProgramAccount, decode_with_items};
use crate::chain::{ChainError, Confirmed, send_within};
use crate::view::{JobView, View};

/// The time between two looks at a demanded answer.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How long nodes are asked at each: one that sends drop by drop must not hide that the answer is on the chain.
const ASK_WITHIN: Duration = Duration::from_secs(5);

impl Client {
    /// Demands that the agreed answer be put on chain within 750 slots, or nodes lose pay and bond. It costs a deposit of
    /// 60,000 lamports, which whoever brings the answer gets; where nobody does it comes back.
    ///
    /// # Errors
    /// A refusal (`AlreadyDemanded`, `AlreadyAcknowledged`, `WindowOver` later than 1,500 slots after the decision), or a
    /// failure to read.
    pub async fn demand_answer(&self, address: &Pubkey) -> Result<Confirmed, ClientError> {
        let view = View::read(self.chain.as_ref(), address).await?;
        self.demand(view.job.as_ref().ok_or(ClientError::Closed(*address))?, view.now).await
    }

    /// Demands it, and offers more as the time for that runs out.
    async fn demand(&self, job: &JobView, now: Slot) -> Result<Confirmed, ClientError> {
        let left = job.job.decided_at.saturating_add(SETTLE_AFTER).saturating_sub(now.0);
        let budget = self.chain.budget().near(left, SETTLE_AFTER);
        let demand = market::demand_answer(self.payer.pubkey(), job.address);
        Ok(send_within(self.chain.as_ref(), &[demand], &[&self.payer], budget).await?)
    }

    /// Demands the answer, unless that was done before or `patience` is over, and waits for it as long as that lasts.
    pub(super) async fn demanded_answer(
        &self,
        address: &Pubkey,
        patience: Patience,
        progress: &mut (dyn FnMut(Stage) + Send),
    ) -> Result<Response, ClientError> {
        let begun = Instant::now();
        loop {
            let view = self.view_within(address, patience).await?;
            let job = view.job.as_ref().ok_or(ClientError::Closed(*address))?;
            if job.state()? != JobState::Agreed {
                return Err(self.ended(job).await);
            }
            let demanded = job.job.demanded_at != 0;
            if job.job.has(flag::ANSWERED) {
                return self.answer_on_chain(job).await?.ok_or(ClientError::Withheld(*address));
            }
            // Meanwhile a node may hand it out after all, which spares everybody the rest.
            let left = patience.left().clamp(LOOK_EVERY, ASK_WITHIN);
            if demanded && let Ok(Ok(answer)) = timeout(left, self.response(job)).await {
                return Ok(answer);
            }
            if patience.is_over() && !job.job.is_answer_late(view.now) {
                return Err(ClientError::NotHandedOut { job: *address, waited: begun.elapsed(), demanded });
            }
            if !demanded {
                match self.demand(job, view.now).await {
                    Ok(sent) => progress(Stage::Demanded(sent.signature)),
                    // It is too late for that, or another process of the payer was faster.
                    Err(ClientError::Chain(ChainError::Rejected(refusal))) => {
                        tracing::debug!(%refusal, job = %address, "the answer cannot be demanded");
                        let job = self.job(address).await?.ok_or(ClientError::Closed(*address))?;
                        if job.job.demanded_at == 0 {
                            return Err(ClientError::Withheld(*address));
                        }
                    }
                    Err(error) => return Err(error),
                }
            } else if let Some((next, signature)) = self.crank_view(&view, Who::Payer).await? {
                progress(Stage::Cranked(next, signature));
                continue;
            }
            tracing::trace!(job = %address, within = ANSWER_WINDOW, "waiting for the demanded answer");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// The answer as it was put on chain; `None` when it is not there (any more), or too long for it.
    ///
    /// # Errors
    /// [`ClientError::NoResult`] before the decision, [`ClientError::Response`] when the agreed bytes are no response, or a
    /// failure to read.
    pub async fn answer_on_chain(&self, job: &JobView) -> Result<Option<Response>, ClientError> {
        let root = job.winner().ok_or(ClientError::NoResult)?.value;
        let right = |bytes: &[u8]| content_root(bytes) == Ok(root);
        let likely: Vec<Pubkey> = job.agreeing().map(|node| pda::answer(&job.address, &node).0).collect();
        let found = self.chain.accounts(&likely).await?;
        let found = likely.into_iter().zip(found).filter_map(|(address, account)| Some((address, account?)));
        if let Some(bytes) = found.filter_map(answer_bytes).find(|bytes| right(bytes)) {
            return Ok(Some(Response::from_bytes(&bytes)?));
        }
        // Anybody may have put it there.
        let filter = Answer::filter_of_any_length().and(Answer::offset(offset_of!(Answer, job)), job.address.as_ref());
        let listed = self.chain.program_accounts(&provena_market::ID, &filter).await?;
        let bytes = listed.into_iter().filter_map(answer_bytes).find(|bytes| right(bytes));
        Ok(bytes.map(|bytes| Response::from_bytes(&bytes)).transpose()?)
    }
}

fn answer_bytes((address, account): (Pubkey, Account)) -> Option<Vec<u8>> {
    decode_with_items::<Answer, u8>(&address, &account).ok().map(|(_, bytes)| bytes)
}
