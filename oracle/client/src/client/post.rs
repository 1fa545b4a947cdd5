//! Posting jobs.

use std::sync::atomic::Ordering;

use provena_market::{
    client::{self as market, Request as Posting},
    fees::Work,
    pda,
    state::{Admin, Offer},
};
use provena_wire::{Request, Units};
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use super::{Client, ClientError, PostedJob};
use crate::chain::{ChainError, accounts::fetch};
use crate::transfer_fee;

impl Client {
    /// Uploads a request and posts a job for it. Its nonce is the present slot and a number that this client has not given
    /// before, so that a lost answer can never make a repeated call fail on the first one's job.
    ///
    /// # Errors
    /// Any [`ClientError`]; [`ClientError::MaybePosted`] names the job to look for before paying again.
    pub async fn post_job(&self, offer_address: &Pubkey, request: &Request) -> Result<PostedJob, ClientError> {
        let slot = self.chain.slot().await?;
        self.post_job_with_nonce(offer_address, request, (slot, self.nonces.fetch_add(1, Ordering::Relaxed))).await
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
        let offer = self.offer(offer_address).await?;
        let units = self.units_for(request)?;
        let most = Units::new(offer.max_input_units, offer.max_output_units);
        if !units.within(most) {
            return Err(ClientError::TooManyUnits { asked: units, most });
        }
        let work = Work::new(units.input, units.output);
        let Ok(price) = market::price(&offer, work) else {
            return Err(ClientError::TooManyUnits { asked: units, most });
        };
        let deposit = self.to_send(&offer, price).await?;
        let max_protocol_bps = match self.max_protocol_bps {
            Some(most) => most,
            None => fetch::<Admin, _>(self.chain.as_ref(), &pda::admin().0).await?.protocol_fee_bps,
        };
        // The input is readable before anybody can take a seat.
        let input_root = self.store.put(request.to_bytes()).await?;
        let payer = self.payer.pubkey();
        let (nonce_slot, nonce_index) = nonce;
        let job = pda::job(&payer, nonce_slot, nonce_index).0;
        let posting = Posting { nonce_slot, nonce_index, input_root, most: work, deposit, max_protocol_bps };
        let post = market::post_job(payer, *offer_address, &offer, posting, None);
        let posted = self.send(&[post]).await.map_err(|error| match error {
            ClientError::Chain(ChainError::Unknown { signature, .. }) => ClientError::MaybePosted { job, signature },
            other => other,
        })?;
        Ok(PostedJob { job, nonce, input_root, units, deposit, posted })
    }

    /// The base units of the offer's mint that must be sent so that `net` arrive.
    async fn to_send(&self, offer: &Offer, net: u64) -> Result<u64, ChainError> {
        if offer.is_native() {
            return Ok(net);
        }
        let missing = ChainError::Missing { what: "mint", address: offer.mint };
        let mint = self.chain.account(&offer.mint).await?.ok_or(missing)?;
        transfer_fee::gross(&mint.data, net).ok_or_else(|| ChainError::Malformed {
            what: "mint",
            address: offer.mint,
            reason: "no amount is enough for its transfer fee".to_owned(),
        })
    }

    /// The most units that a request is paid for.
    fn units_for(&self, request: &Request) -> Result<Units, ClientError> {
        let least = request.units();
        let empty = least.input == 0 || request.as_generate().is_some_and(|asked| asked.max_tokens == 0);
        if empty || self.units.is_some_and(Units::is_zero) {
            return Err(ClientError::Empty);
        }
        let Units { input, output } = self.units.unwrap_or(least);
        Ok(Units::new(input.saturating_add(self.spare.input), output.saturating_add(self.spare.output)))
    }
}
