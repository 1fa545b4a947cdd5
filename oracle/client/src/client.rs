//! Paying for an answer: post a job, wait for its result, check everything, make sure that it is settled.

mod answer;
mod endpoint;
mod error;
mod post;
pub mod units;
mod wait;

use std::sync::Arc;
use std::time::Duration;

use provena_market::state::{Job, JobState, Node, Offer, Slot};
use provena_market::view::Next;
use provena_wire::{Request, Response, SignedReceipt};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_signer::Signer;

use crate::chain::accounts::{ProgramAccount, fetch, fetch_optional, list};
use crate::chain::{Budget, Chain, ChainError, Confirmed, SharedChain, send_and_confirm};
use crate::store::{Root, Store};
use crate::view::View;

pub use endpoint::Endpoint;
pub use error::ClientError;

/// A payer with its stores: posts a job, waits for its result, checks everything, makes sure that it is settled.
#[derive(Clone)]
pub struct Client {
    chain: SharedChain,
    store: Store,
    payer: Arc<Keypair>,
    budget: Budget,
    spare_units: u32,
    units: Option<u32>,
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
        Self { chain, store, payer, budget: Budget::default(), spare_units: 0, units: None }
    }

    /// Sets compute limit and price of every transaction.
    #[must_use]
    pub fn with_budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// Pays for `spare` units more than each request can need; what is not used comes back with the settlement.
    #[must_use]
    pub fn with_spare_units(mut self, spare: u32) -> Self {
        self.spare_units = spare;
        self
    }

    /// Pays for exactly so many units, whatever the request is; `None` for the most that it can need.
    #[must_use]
    pub fn with_units(mut self, units: Option<u32>) -> Self {
        self.units = units;
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

    async fn send(&self, instructions: &[Instruction]) -> Result<Confirmed, ClientError> {
        Ok(send_and_confirm(self.chain.as_ref(), instructions, &[&self.payer], self.budget).await?)
    }
}
