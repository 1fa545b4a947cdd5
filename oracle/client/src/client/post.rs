//! Posting jobs.

use provena_market::client as market;
use provena_wire::Request;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use super::{Client, ClientError, PostedJob, units};
use crate::chain::ChainError;

impl Client {
    /// Uploads a request and posts a job for it. The nonce is drawn at random, so that a lost answer can never make a
    /// repeated call fail on the first one's job.
    ///
    /// # Errors
    /// Any [`ClientError`]; [`ClientError::MaybePosted`] names the job to look for before paying again.
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
        if request.units() == 0 || self.units == Some(0) {
            return Err(ClientError::Empty);
        }
        let units = self.units.unwrap_or_else(|| units::most(request)).saturating_add(self.spare_units);
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
        let post = market::post_job(payer, *offer_address, &offer, nonce, input_root, units, None);
        let posted = self.send(&[post]).await.map_err(|error| match error {
            ClientError::Chain(ChainError::Unknown { signature, .. }) => ClientError::MaybePosted { job, signature },
            other => other,
        })?;
        Ok(PostedJob { job, nonce, input_root, units, deposit, posted })
    }
}
