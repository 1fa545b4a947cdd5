//! Posting jobs.

use std::sync::atomic::Ordering;

use provena_market::{client as market, pda};
use provena_wire::Request;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use super::{Client, ClientError, Order, PostedJob};
use crate::chain::ChainError;
use crate::kept::KeptJob;

/// A nonce's slot is so many slots before the present one, of the 150 that are allowed: a job can be closed once its nonce is
/// 151 slots old, so that the rent comes back the sooner, and there is still time to post it.
const NONCE_BEHIND: u64 = 75;

/// A job's address before it is posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reserved {
    /// The address that it will have.
    pub job: Pubkey,
    /// What makes it this address.
    pub nonce: (u64, u16),
}

impl Client {
    /// Stores a request and posts a job for it. Its nonce is a slot and a number that this client has not given before, so
    /// that a lost answer can never make a repeated call fail on the first one's job.
    ///
    /// # Errors
    /// Any [`ClientError`]; [`ClientError::MaybePosted`] names the job to look for before paying again.
    pub async fn post_job(&self, offer_address: &Pubkey, request: &Request) -> Result<PostedJob, ClientError> {
        let order = self.order(offer_address, request).await?;
        self.store_input(&order).await?;
        let reserved = self.reserve(&order).await?;
        self.pay(&order, &reserved).await
    }

    /// As [`Client::post_job`] with a nonce of the caller's choice: one of the last 150 slots, and an index.
    ///
    /// # Errors
    /// As for [`Client::post_job`].
    pub async fn post_job_with_nonce(
        &self,
        offer_address: &Pubkey,
        request: &Request,
        nonce: (u64, u16),
    ) -> Result<PostedJob, ClientError> {
        let order = self.order(offer_address, request).await?;
        self.store_input(&order).await?;
        let reserved = self.reserve_nonce(&order, nonce).await?;
        self.pay(&order, &reserved).await
    }

    /// Stores the request where this client's stores are: it is readable before anybody can take a seat.
    ///
    /// # Errors
    /// [`ClientError::Store`].
    pub async fn store_input(&self, order: &Order) -> Result<(), ClientError> {
        Ok(self.store.put(order.input.clone()).await.map(drop)?)
    }

    /// Gives a job its address, and keeps both where the client has a folder for that ([`Client::with_jobs`]). Nothing is
    /// sent.
    ///
    /// # Errors
    /// [`ClientError::Kept`] when the job could not be found again after a power cut, or a failure to read.
    pub async fn reserve(&self, order: &Order) -> Result<Reserved, ClientError> {
        let slot = self.chain.slot().await?.saturating_sub(NONCE_BEHIND);
        self.reserve_nonce(order, (slot, self.nonces.fetch_add(1, Ordering::Relaxed))).await
    }

    async fn reserve_nonce(&self, order: &Order, nonce: (u64, u16)) -> Result<Reserved, ClientError> {
        let payer = self.payer.pubkey();
        let (nonce_slot, nonce_index) = nonce;
        let job = pda::job(&payer, nonce_slot, nonce_index).0;
        if let Some(jobs) = &self.jobs {
            let record = KeptJob {
                job,
                cluster: Pubkey::from(self.chain.cluster().await?),
                wallet: payer,
                offer: order.offer,
                mint: order.terms.mint,
                deposit: order.cost.deposit,
                units_in: order.units.input,
                units_out: order.units.output,
                input_root: order.input_root,
                nonce_slot,
                nonce_index,
                posted: None,
                result_root: None,
                fee: None,
                closed: false,
                refunded: false,
                receipts: Vec::new(),
            };
            jobs.begin(&record, &order.input)?;
        }
        Ok(Reserved { job, nonce })
    }

    /// Pays the deposit, which posts the job.
    ///
    /// # Errors
    /// [`ClientError::MaybePosted`] when nobody can say whether it was paid; after any other error it was not, and the job
    /// is forgotten.
    pub async fn pay(&self, order: &Order, reserved: &Reserved) -> Result<PostedJob, ClientError> {
        let Reserved { job, nonce } = *reserved;
        let post = market::post_job(self.payer.pubkey(), order.offer, &order.terms, order.posting(nonce), None);
        let posted = match self.send(&[post]).await {
            Ok(posted) => posted,
            Err(ClientError::Chain(ChainError::Unknown { signature, .. })) => {
                return Err(ClientError::MaybePosted { job, signature });
            }
            Err(error) => {
                self.in_folder(&job, |jobs| jobs.forget(&job));
                return Err(error);
            }
        };
        let signature = posted.signature.to_string();
        self.in_folder(&job, |jobs| jobs.note(&job, |record| record.posted = Some(signature)));
        let Order { input_root, units, cost, .. } = order;
        Ok(PostedJob { job, nonce, input_root: *input_root, units: *units, deposit: cost.deposit, posted })
    }
}
