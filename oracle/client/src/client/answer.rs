//! Fetching an agreed answer, and checking it.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use provena_arith::merkle::content_root;
use provena_wire::Response;
use solana_pubkey::Pubkey;

use super::{Client, ClientError, Patience, Stage};
use crate::chain::history::PastInstruction;
use crate::receipt::statements;
use crate::store::{Bytes, Root};
use crate::view::JobView;

/// The time between two questions to nodes.
const ASK_EVERY: Duration = Duration::from_millis(250);

/// How long an agreed answer may be on its way before it is told that no node hands it out: nodes publish once they see that
/// a quorum agreed.
const ON_ITS_WAY: Duration = Duration::from_secs(3);

/// The longest that a node may take to send an answer, however much work it was: it can be demanded for some minutes only.
const MOST_ON_ITS_WAY: Duration = Duration::from_secs(120);

impl Client {
    /// The answer to a job on which a quorum agreed, from what is kept, from the stores or from the nodes themselves, checked
    /// against the chain.
    ///
    /// # Errors
    /// [`ClientError::NoResult`] before the decision, or a store's.
    pub async fn response(&self, job: &JobView) -> Result<Response, ClientError> {
        let root = job.winner().ok_or(ClientError::NoResult)?.value;
        let agreeing: Vec<Pubkey> = job.agreeing().collect();
        self.response_named(&job.address, &root, &agreeing).await
    }

    /// As [`Client::response`], for a job that is closed: its transactions, or a receipt of it, say which answer it was.
    /// `None` when they do not.
    ///
    /// # Errors
    /// A store's: the answer is not here, and no node hands it out any more.
    pub async fn response_of_closed(
        &self,
        job: &Pubkey,
        known: Option<Root>,
        past: &[PastInstruction],
    ) -> Result<Option<Response>, ClientError> {
        let stated = statements(job, past);
        let times = |root: &Root| stated.iter().filter(|one| one.result_root == *root).count();
        // The account that said on what the quorum agreed is gone; most nodes stated it.
        let likeliest = stated.iter().map(|one| one.result_root).max_by_key(times);
        let Some(root) = known.or(likeliest) else { return Ok(None) };
        let nodes: Vec<Pubkey> = stated.iter().filter(|one| one.result_root == root).map(|one| one.node).collect();
        self.response_named(job, &root, &nodes).await.map(Some)
    }

    async fn response_named(&self, job: &Pubkey, root: &Root, nodes: &[Pubkey]) -> Result<Response, ClientError> {
        if let Some(kept) = self.kept_answer(job, root) {
            return Ok(Response::from_bytes(&kept)?);
        }
        let bytes = match self.store.get(root).await {
            Ok(bytes) => bytes,
            Err(error) => {
                let bytes = self.ask_nodes(nodes, root).await.ok_or(error)?;
                if let Err(error) = self.store.put_as_local(root, bytes.clone()).await {
                    tracing::warn!(%job, %error, "the answer could not be kept in the store");
                }
                bytes
            }
        };
        Ok(Response::from_bytes(&bytes)?)
    }

    /// The answer that lies beside a kept job, if it is the agreed one.
    fn kept_answer(&self, job: &Pubkey, root: &Root) -> Option<Vec<u8>> {
        let kept = self.jobs.as_ref()?.answer(job).ok().flatten()?;
        (content_root(&kept) == Ok(*root)).then_some(kept)
    }

    /// Whether the answer to a decided job lies on this machine.
    pub async fn has_answer(&self, job: &JobView) -> bool {
        let Some(seat) = job.winner() else { return false };
        self.kept_answer(&job.address, &seat.value).is_some() || self.store.get_local(&seat.value).await.is_ok()
    }

    /// As [`Client::response`], for a job that was decided just now: nodes publish an answer once they see that a quorum
    /// agreed with it. Where none hands it out, it is demanded on chain.
    ///
    /// # Errors
    /// [`ClientError::NoResult`] before the decision; [`ClientError::Response`] when the agreed bytes are no response;
    /// [`ClientError::NotHandedOut`] when it is not here after `patience`; [`ClientError::Ended`] when a demanded answer does
    /// not come; [`ClientError::Withheld`]; [`ClientError::Silent`] when the chain does not answer for `patience`;
    /// [`ClientError::Chain`].
    pub async fn await_answer(
        &self,
        job: &JobView,
        patience: Duration,
        progress: &mut (dyn FnMut(Stage) + Send),
    ) -> Result<Response, ClientError> {
        self.agreed_answer(job, Patience::new(patience), progress).await
    }

    /// As [`Client::await_answer`], for a patience of which the decision may have taken a part. Where that was all of it, the
    /// answer is still asked for once.
    pub(super) async fn agreed_answer(
        &self,
        job: &JobView,
        patience: Patience,
        progress: &mut (dyn FnMut(Stage) + Send),
    ) -> Result<Response, ClientError> {
        let begun = Instant::now();
        // A node that takes the question and says nothing keeps nobody longer than his patience.
        let mut asking = pin!(self.ask_for_a_while(job, begun));
        let asked = match tokio::time::timeout(ON_ITS_WAY.min(patience.left().max(ASK_EVERY)), &mut asking).await {
            Ok(asked) => Some(asked),
            Err(_) if patience.is_over() => None,
            Err(_) => {
                progress(Stage::NotHandedOut(self.answer_patience.saturating_sub(begun.elapsed())));
                tokio::time::timeout(patience.left().max(ASK_EVERY), asking).await.ok()
            }
        };
        match asked {
            Some(Some(answer)) => answer,
            Some(None) => self.demanded_answer(&job.address, patience, progress).await,
            None => {
                let demanded = job.job.demanded_at != 0;
                Err(ClientError::NotHandedOut { job: job.address, waited: begun.elapsed(), demanded })
            }
        }
    }

    /// Asks for an agreed answer until it is here; `None` once the nodes have had their time.
    async fn ask_for_a_while(&self, job: &JobView, begun: Instant) -> Option<Result<Response, ClientError>> {
        let most = self.answer_patience.saturating_add(sending(job));
        loop {
            // One that sends drop by drop must not outlast the time in which the answer can be demanded.
            let left = most.saturating_sub(begun.elapsed()).max(ASK_EVERY);
            let Ok(answer) = tokio::time::timeout(left, self.response(job)).await else {
                tracing::info!(job = %job.address, "no node hands the whole answer out in time; demanding it");
                return None;
            };
            match answer {
                Err(ClientError::Store(error)) => {
                    if begun.elapsed() >= self.answer_patience {
                        tracing::info!(job = %job.address, %error, "no node hands the answer out; demanding it");
                        return None;
                    }
                }
                answer => return Some(answer),
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    async fn ask_nodes(&self, nodes: &[Pubkey], root: &Root) -> Option<Bytes> {
        let endpoints = self.endpoints(nodes).await;
        // All at once: who is silent or slow does not stand before the others.
        let mut asked: FuturesUnordered<_> = endpoints.iter().map(|endpoint| endpoint.blob(root)).collect();
        while let Some(answer) = asked.next().await {
            match answer {
                Ok(bytes) => return Some(bytes),
                Err(error) => tracing::debug!(?error, "a node did not send the response"),
            }
        }
        None
    }
}

/// How long the answer of a job may be on its way, for whoever has a slow line.
fn sending(job: &JobView) -> Duration {
    let units = job.job.max_input.saturating_add(job.job.max_output);
    MOST_ON_ITS_WAY.min(Duration::from_millis(16).saturating_mul(units))
}
