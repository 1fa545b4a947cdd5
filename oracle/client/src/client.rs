//! Paying for an answer: post a job, wait for its decision, fetch and check the answer, acknowledge it, have everybody paid,
//! close the job. Each step needs nothing but the job's address, so that whatever breaks off can be taken up again.

mod answer;
mod close;
mod deliver;
mod demand;
mod endpoint;
mod error;
mod keep;
mod order;
mod patience;
mod post;
mod quotes;
mod receipts;
mod wait;

use std::sync::Arc;
use std::sync::atomic::AtomicU16;
use std::time::Duration;

use provena_market::state::{JobState, Next, Node, Offer};
use provena_wire::{Request, Response, SignedReceipt, Units};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_signer::Signer;

use crate::chain::accounts::{ProgramAccount, fetch, list};
use crate::chain::{Chain, ChainError, Confirmed, SharedChain, send_and_confirm};
use crate::kept::JobsFolder;
use crate::store::{Root, Store};
use crate::view::{JobView, View};

pub use close::Closed;
pub use deliver::Delivered;
pub use endpoint::{Endpoint, Reply};
pub use error::ClientError;
pub use order::{Cost, Order};
pub use post::Reserved;
pub use quotes::{Asked, Bounds, Chosen, Quotes};

use patience::Patience;

/// How long the nodes have to hand the answer out once it is agreed, before it is demanded on chain.
const ANSWER_PATIENCE: Duration = Duration::from_secs(30);

/// A payer with its stores: posts a job, waits for its result, checks everything, makes sure that everybody is paid.
#[derive(Clone)]
pub struct Client {
    chain: SharedChain,
    store: Store,
    payer: Arc<Keypair>,
    jobs: Option<JobsFolder>,
    spare: Units,
    units: Option<Units>,
    max_protocol_bps: Option<u16>,
    answer_patience: Duration,
    /// Indices of nonces; two clones never give the same.
    nonces: Arc<AtomicU16>,
}

/// A job that is on the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostedJob {
    /// Its address.
    pub job: Pubkey,
    /// What distinguishes it from all jobs of the payer, for ever: a slot and an index.
    pub nonce: (u64, u16),
    /// Content root of the request.
    pub input_root: Root,
    /// Units paid for.
    pub units: Units,
    /// Base units of the offer's mint that left the payer's account.
    pub deposit: u64,
    /// The transaction.
    pub posted: Confirmed,
}

/// What happens on the way to an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The job's state changed.
    State(JobState),
    /// We paid a transaction to move the job on.
    Cranked(Next, Signature),
    /// The answer is agreed and no node hands it out; after so much more time it is demanded on chain.
    NotHandedOut(Duration),
    /// The nodes did not hand the answer out: it was demanded on chain.
    Demanded(Signature),
    /// The answer was acknowledged, and who could be paid is paid.
    Paid(Signature),
}

/// A job whose answer is here.
#[derive(Clone)]
pub struct Finished {
    /// The job as it was decided: result root, units, who agreed, who gets what.
    pub job: JobView,
    /// The answer, whose content root is the job's result root.
    pub response: Response,
    /// The receipts that could be fetched, each checked against its signature and the chain.
    pub receipts: Vec<SignedReceipt>,
    /// Where a receipt could not be had, and why.
    pub missing_receipts: Vec<(Pubkey, String)>,
    /// The transaction by which the answer was demanded on chain meanwhile; none where that was not needed, or done before.
    pub demanded: Option<Signature>,
    /// Why answer and receipts could not be kept on this machine; whoever gets this shows the answer all the same.
    pub unkept: Option<String>,
    /// The transactions that acknowledged the answer and had everybody paid; none when that was done before, or failed. Pay
    /// then waits until 1,500 slots after the decision, and [`Client::close_finished`] sees to it.
    pub paid: Vec<Signature>,
}

impl Client {
    /// A client that pays with `payer` and reads and writes blobs in `store`.
    #[must_use]
    pub fn new(chain: SharedChain, store: Store, payer: Arc<Keypair>) -> Self {
        // Where another process of the same payer begins is unlikely to be near.
        let [first, second, ..] = *Keypair::new().secret_bytes();
        Self {
            chain,
            store,
            payer,
            jobs: None,
            spare: Units::ZERO,
            units: None,
            max_protocol_bps: None,
            answer_patience: ANSWER_PATIENCE,
            nonces: Arc::new(AtomicU16::new(u16::from_le_bytes([first, second]))),
        }
    }

    /// Keeps every job in `jobs` before its deposit is sent, and its answer and receipts once they are there.
    #[must_use]
    pub fn with_jobs(mut self, jobs: JobsFolder) -> Self {
        self.jobs = Some(jobs);
        self
    }

    /// Pays for `spare` units more than each request can need; what is not used comes back.
    #[must_use]
    pub fn with_spare_units(mut self, spare: Units) -> Self {
        self.spare = spare;
        self
    }

    /// Pays for exactly so many units, whatever the request is; `None` for the most that it can need.
    #[must_use]
    pub fn with_units(mut self, units: Option<Units>) -> Self {
        self.units = units;
        self
    }

    /// The highest protocol fee to agree to, in basis points; `None` for the one that the market has when a job is posted.
    #[must_use]
    pub fn with_max_protocol_bps(mut self, most: Option<u16>) -> Self {
        self.max_protocol_bps = most;
        self
    }

    /// How long the nodes have to hand an agreed answer out before it is demanded on chain.
    #[must_use]
    pub fn with_answer_patience(mut self, patience: Duration) -> Self {
        self.answer_patience = patience;
        self
    }

    /// The chain.
    #[must_use]
    pub fn chain(&self) -> &dyn Chain {
        self.chain.as_ref()
    }

    /// The payer's address.
    #[must_use]
    pub fn payer(&self) -> Pubkey {
        self.payer.pubkey()
    }

    /// An offer.
    ///
    /// # Errors
    /// [`ChainError::Missing`], or a failure to read.
    pub async fn offer(&self, address: &Pubkey) -> Result<Offer, ChainError> {
        fetch(self.chain.as_ref(), address).await
    }

    /// Every active offer, or those for one asset.
    ///
    /// # Errors
    /// A failure to read.
    pub async fn offers(&self, asset: Option<&Pubkey>) -> Result<Vec<(Pubkey, Offer)>, ChainError> {
        let mut filter = Offer::filter_field(std::mem::offset_of!(Offer, active), &[1]);
        if let Some(asset) = asset {
            filter.bytes.push((Offer::offset(std::mem::offset_of!(Offer, asset)), asset.to_bytes().to_vec()));
        }
        list(self.chain.as_ref(), &filter).await
    }

    /// A job; `None` once it is closed.
    ///
    /// # Errors
    /// A failure to read.
    pub async fn job(&self, address: &Pubkey) -> Result<Option<JobView>, ChainError> {
        Ok(View::read(self.chain.as_ref(), address).await?.job)
    }

    /// Every job of this payer that is on the chain.
    ///
    /// # Errors
    /// A failure to read.
    pub async fn jobs(&self) -> Result<Vec<JobView>, ChainError> {
        let field = std::mem::offset_of!(provena_market::state::Job, payer);
        let filter = JobView::filter(field, self.payer.pubkey().as_ref());
        Ok(JobView::list(self.chain.as_ref(), &filter).await?.into_iter().map(|(_, job)| job).collect())
    }

    /// A node's account.
    ///
    /// # Errors
    /// [`ChainError::Missing`] when the authority has none.
    pub async fn node(&self, authority: &Pubkey) -> Result<Node, ChainError> {
        fetch(self.chain.as_ref(), &provena_market::pda::node(authority).0).await
    }

    /// Posts a job, waits for its decision, fetches and checks the answer and its receipts, acknowledges it and has
    /// everybody paid. Earlier jobs of this payer that are over are closed first.
    ///
    /// # Errors
    /// Any [`ClientError`]. After the job is posted every error names it, so that nothing paid for is lost from sight.
    pub async fn infer(
        &self,
        offer: &Pubkey,
        request: &Request,
        patience: Duration,
        progress: &mut (dyn FnMut(Stage) + Send),
    ) -> Result<(PostedJob, Finished), ClientError> {
        if let Err(error) = self.close_finished().await {
            tracing::warn!(%error, "jobs that are over could not be closed; their rent comes back another time");
        }
        let posted = self.post_job(offer, request).await?;
        progress(Stage::State(JobState::Open));
        let finished = self.finish(&posted.job, patience, progress).await?;
        Ok((posted, finished))
    }

    /// The part of [`Client::infer`] after the job is posted. It can be called again and again for the same job. Decision
    /// and answer together are waited for as long as `patience` lasts.
    ///
    /// # Errors
    /// As for [`Client::infer`]; [`ClientError::Silent`] when the chain does not answer for `patience`.
    pub async fn finish(
        &self,
        address: &Pubkey,
        patience: Duration,
        progress: &mut (dyn FnMut(Stage) + Send),
    ) -> Result<Finished, ClientError> {
        let patience = Patience::new(patience);
        let mut job = self.decision(address, patience, progress).await?;
        let mut demanded = None;
        let mut telling = |stage| {
            if let Stage::Demanded(signature) = stage {
                demanded = Some(signature);
            }
            progress(stage);
        };
        let response = self.agreed_answer(&job, patience, &mut telling).await?;
        // Who is paid, and when, is another thing after a demand.
        if (demanded.is_some() || job.job.is_answer_awaited())
            && let Ok(Some(now)) = self.job(address).await
            && now.state().ok() == Some(JobState::Agreed)
        {
            job = now;
        }
        // At once, so that nothing that follows can lose it.
        let unkept = self.keep(&job, Some(&response), &[]).await.err();
        let (receipts, missing_receipts) = self.await_receipts(&job).await;
        let unkept = unkept.or(self.keep(&job, None, &receipts).await.err());
        // The answer is here: a failure to pay others must not lose it.
        let paid = match self.acknowledge(address).await {
            Ok(paid) => paid.into_iter().map(|confirmed| confirmed.signature).collect(),
            Err(error) => {
                tracing::warn!(job = %address, %error, "the answer could not be acknowledged; pay waits ten minutes");
                Vec::new()
            }
        };
        paid.iter().for_each(|signature| progress(Stage::Paid(*signature)));
        Ok(Finished { job, response, receipts, missing_receipts, demanded, unkept, paid })
    }

    async fn send(&self, instructions: &[Instruction]) -> Result<Confirmed, ClientError> {
        Ok(send_and_confirm(self.chain.as_ref(), instructions, &[&self.payer]).await?)
    }
}
