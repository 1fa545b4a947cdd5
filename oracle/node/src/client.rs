//! The other side of the counter: post a job, wait for its result, check everything, make sure that it is settled.

mod endpoint;
mod error;

use std::sync::Arc;
use std::time::{Duration, Instant};

use provena_engine::io::{Request, Response};
use provena_market::client as market;
use provena_market::state::{Job, JobState, Node, Offer, Slot};
use provena_market::view::{self, Next};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_signer::Signer;

use crate::chain::accounts::{ProgramAccount, fetch, fetch_optional, list};
use crate::chain::{Budget, Chain, ChainError, Confirmed, SharedChain, Watch, send_and_confirm};
use crate::receipt::SignedReceipt;
use crate::store::{Root, Store};
use crate::tasks::view::View;

pub use endpoint::Endpoint;
pub use error::ClientError;

/// How long the node's own settlement is waited for before we pay that transaction's fee.
const SETTLE_AFTER: Duration = Duration::from_secs(3);

/// Longest wait between two looks at a job.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A payer with its stores.
#[derive(Clone)]
pub struct Client {
    chain: SharedChain,
    store: Store,
    payer: Arc<Keypair>,
    budget: Budget,
    spare_units: u32,
}

/// A job that is on the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostedJob {
    /// Its address.
    pub job: Pubkey,
    /// What distinguishes it from the payer's other jobs on the offer.
    pub nonce: u64,
    /// Content root of the request.
    pub input_root: Root,
    /// Units paid for.
    pub units: u32,
    /// Base units of the offer's mint in escrow.
    pub deposit: u64,
    /// The transaction.
    pub posted: Confirmed,
}

/// What [`Client::wait`] reports on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The job's state changed.
    State(JobState),
    /// We paid a transaction to move the job on: a settlement or a timeout.
    Cranked(Next, Signature),
}

/// A job that was settled.
#[derive(Clone)]
pub struct Finished {
    /// The job as it ended: result root, units, and who got what.
    pub job: Job,
    /// The answer, whose content root is the job's result root.
    pub response: Response,
    /// The receipts that could be fetched, each checked against its signature and the chain.
    pub receipts: Vec<SignedReceipt>,
    /// Where a receipt could not be had, and why.
    pub missing_receipts: Vec<(Pubkey, String)>,
}

impl Client {
    /// A client that pays with `payer` and reads and writes blobs in `store`.
    #[must_use]
    pub fn new(chain: SharedChain, store: Store, payer: Arc<Keypair>) -> Self {
        Self { chain, store, payer, budget: Budget::default(), spare_units: 0 }
    }

    /// Sets compute limit and price of every transaction.
    #[must_use]
    pub fn with_budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// Pays for `spare` units more than each request has; what is not used comes back with the settlement.
    #[must_use]
    pub fn with_spare_units(mut self, spare: u32) -> Self {
        self.spare_units = spare;
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
    pub async fn job(&self, address: &Pubkey) -> Result<Option<Job>, ChainError> {
        fetch_optional(self.chain.as_ref(), address).await
    }

    /// A node's account.
    ///
    /// # Errors
    /// [`ChainError::Missing`] when the authority has none.
    pub async fn node(&self, authority: &Pubkey) -> Result<Node, ChainError> {
        fetch(self.chain.as_ref(), &provena_market::pda::node(authority).0).await
    }

    /// A job's live slots.
    ///
    /// # Errors
    /// A failure to read.
    pub async fn slots(&self, job: &Pubkey) -> Result<Vec<Slot>, ChainError> {
        Ok(View::read(self.chain.as_ref(), job).await?.live().copied().collect())
    }

    /// Uploads a request and posts a job for it. The nonce is drawn at random, so that a lost answer can never make a
    /// repeated call fail on the first one's job.
    ///
    /// # Errors
    /// Any [`ClientError`]; [`ChainError::Unknown`] inside it means that the job may exist: look for it before paying
    /// again.
    pub async fn post_job(&self, offer_address: &Pubkey, request: &Request) -> Result<PostedJob, ClientError> {
        let nonce = u64::from_le_bytes(Keypair::new().secret_bytes()[..8].try_into().unwrap_or_default());
        self.post_job_with_nonce(offer_address, request, nonce).await
    }

    /// As [`Client::post_job`] with a nonce of the caller's choice.
    ///
    /// # Errors
    /// As for [`Client::post_job`].
    pub async fn post_job_with_nonce(
        &self,
        offer_address: &Pubkey,
        request: &Request,
        nonce: u64,
    ) -> Result<PostedJob, ClientError> {
        let offer = self.offer(offer_address).await?;
        if request.units() == 0 {
            return Err(ClientError::Empty);
        }
        let units = request.units().saturating_add(self.spare_units);
        if units > offer.max_units {
            return Err(ClientError::TooManyUnits { asked: units, most: offer.max_units });
        }
        let deposit = offer
            .price_per_unit
            .checked_mul(u64::from(units))
            .ok_or(ClientError::TooManyUnits { asked: units, most: offer.max_units })?;
        // The input is readable before anybody can claim the job.
        let input_root = self.store.put(request.to_bytes()).await?;
        let payer = self.payer.pubkey();
        let job = provena_market::pda::job(offer_address, &payer, nonce).0;
        let posted = self.send(market::post_job(payer, *offer_address, &offer, nonce, input_root, units, None)).await?;
        Ok(PostedJob { job, nonce, input_root, units, deposit, posted })
    }

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
        let instruction = match next {
            Next::Settle => market::settle(*address, job, &slots),
            Next::TimeoutJob => market::timeout_job(*address, job, &slots),
            Next::TimeoutClaim => match slots.iter().find(|slot| view::is_late(job, slot, look.now)) {
                Some(late) => market::timeout_claim(*address, job, late),
                None => return Ok(None),
            },
            Next::Claim | Next::Commit | Next::Reveal | Next::Close => return Ok(None),
        };
        match self.send(instruction).await {
            Ok(confirmed) => Ok(Some((next, confirmed.signature))),
            // Somebody else was faster: the next look shows it.
            Err(ClientError::Chain(ChainError::Rejected(refusal))) => {
                tracing::debug!(%refusal, job = %address, "the job was moved on by somebody else");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The answer to a settled job, from the stores or from the nodes themselves, checked against the chain.
    ///
    /// # Errors
    /// [`ClientError::NoResult`] before the settlement, or a store's.
    pub async fn response(&self, job: &Job) -> Result<Response, ClientError> {
        if job.result_root == [0; 32] {
            return Err(ClientError::NoResult);
        }
        let bytes = match self.store.get(&job.result_root).await {
            Ok(bytes) => bytes,
            Err(error) => self.from_nodes(job).await.ok_or(error)?,
        };
        Ok(Response::from_bytes(&bytes)?)
    }

    async fn from_nodes(&self, job: &Job) -> Option<crate::store::Bytes> {
        for endpoint in self.endpoints(job).await {
            match endpoint.blob(&job.result_root).await {
                Ok(bytes) => return Some(bytes),
                Err(error) => tracing::debug!(?error, "a node did not send the response"),
            }
        }
        None
    }

    /// Fetches every node's receipt for a settled job and checks each against its signature and the job.
    ///
    /// Returns the sound ones, and for the others which node and why.
    pub async fn receipts(&self, address: &Pubkey, job: &Job) -> (Vec<SignedReceipt>, Vec<(Pubkey, String)>) {
        let (mut sound, mut missing) = (Vec::new(), Vec::new());
        for endpoint in self.endpoints(job).await {
            let checked = endpoint.receipt(address).await.and_then(|receipt| {
                receipt.verify().map_err(|error| error.to_string())?;
                receipt.check_against(address, job, None).map_err(|error| error.to_string())?;
                Ok(receipt)
            });
            match checked {
                Ok(receipt) if receipt.node == endpoint.authority.to_string() => sound.push(receipt),
                Ok(_) => missing.push((endpoint.authority, "it sent another node's receipt".to_owned())),
                Err(reason) => missing.push((endpoint.authority, reason)),
            }
        }
        (sound, missing)
    }

    async fn endpoints(&self, job: &Job) -> Vec<Endpoint> {
        let mut endpoints = Vec::new();
        for authority in job.nodes.iter().filter(|authority| **authority != Pubkey::default()) {
            if let Ok(node) = self.node(authority).await
                && let Some(endpoint) = Endpoint::new(*authority, node.endpoint())
            {
                endpoints.push(endpoint);
            }
        }
        endpoints
    }

    /// Posts a job, waits for its settlement, and fetches and checks the answer and its receipts.
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
        let posted = self.post_job(offer, request).await?;
        progress(Stage::State(JobState::Open));
        let finished = self.finish(&posted.job, patience, progress).await?;
        Ok((posted, finished))
    }

    /// The part of [`Client::infer`] after the job is posted.
    ///
    /// # Errors
    /// As for [`Client::infer`].
    pub async fn finish(
        &self,
        address: &Pubkey,
        patience: Duration,
        progress: &mut (dyn FnMut(Stage) + Send),
    ) -> Result<Finished, ClientError> {
        let job = self.wait(address, patience, progress).await?;
        let response = self.response(&job).await?;
        let (receipts, missing_receipts) = self.receipts(address, &job).await;
        Ok(Finished { job, response, receipts, missing_receipts })
    }

    /// Takes a job back that no node holds.
    ///
    /// # Errors
    /// A refusal (`JobInUse` once a node holds a slot), or a failure to read.
    pub async fn cancel(&self, address: &Pubkey) -> Result<Confirmed, ClientError> {
        let job: Job = fetch(self.chain.as_ref(), address).await?;
        self.send(market::cancel(*address, &job)).await
    }

    /// Takes back the rent of a job that has ended.
    ///
    /// # Errors
    /// A refusal (`WrongState` before the end), or a failure to read.
    pub async fn close(&self, address: &Pubkey) -> Result<Confirmed, ClientError> {
        let job: Job = fetch(self.chain.as_ref(), address).await?;
        self.send(market::close_job(self.payer.pubkey(), *address, &job)).await
    }

    async fn send(&self, instruction: Instruction) -> Result<Confirmed, ClientError> {
        Ok(send_and_confirm(self.chain.as_ref(), &[instruction], &[&self.payer], self.budget).await?)
    }
}
