//! What is about to be paid for, and what it costs at most: everything is decided, nothing is sent.

use provena_common::token::TOKEN_PROGRAM;
use provena_market::{
    client::{self as market, Request as Posting},
    fees::Work,
    pda,
    state::{Admin, Job, Offer, Seat},
};
use provena_wire::{Request, Units};
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use super::{Client, ClientError};
use crate::chain::accounts::{ProgramAccount, fetch};
use crate::chain::{ChainError, SIGNATURE_FEE, limits};
use crate::store::{Bytes, Root};
use crate::transfer_fee;

/// The most compute units of any transaction.
const MOST_UNITS: u64 = 1_400_000;
/// Transactions after the posting of a job of one seat: one acknowledges and has everybody paid, one closes the job.
const AFTER_ONE_SEAT: u64 = 2;
/// As [`AFTER_ONE_SEAT`], where five nodes may have to be paid.
const AFTER_SEVERAL_SEATS: u64 = 4;
/// Bytes of an escrow's token account, and the most where the newer token program adds its own.
const TOKEN_ACCOUNT: usize = 165;
const EXTENDED_TOKEN_ACCOUNT: usize = 200;

/// A job as it will be posted; only its nonce is missing.
#[derive(Debug, Clone)]
pub struct Order {
    /// The offer's address.
    pub offer: Pubkey,
    /// The offer as it is now; the job is refused when it is another by then.
    pub terms: Offer,
    /// The request's bytes.
    pub input: Bytes,
    /// Their content root.
    pub input_root: Root,
    /// The most units that are paid for.
    pub units: Units,
    /// What it costs.
    pub cost: Cost,
    /// The highest protocol fee that is agreed to, in basis points.
    pub max_protocol_bps: u16,
}

/// The most that a job costs its payer when all goes its usual way. What is not used of the deposit comes back, and so does
/// the rent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Base units of the offer's mint that leave the wallet.
    pub deposit: u64,
    /// Lamports for the network: posting, acknowledging, having everybody paid, closing.
    pub network: u64,
    /// Lamports that are lent until the job is closed.
    pub rent: u64,
}

impl Order {
    /// The work, as the market counts it.
    #[must_use]
    pub fn work(&self) -> Work {
        Work::new(self.units.input, self.units.output)
    }

    pub(super) fn posting(&self, nonce: (u64, u16)) -> Posting {
        let (nonce_slot, nonce_index) = nonce;
        let Self { input_root, cost, max_protocol_bps, .. } = self;
        Posting {
            nonce_slot,
            nonce_index,
            input_root: *input_root,
            most: self.work(),
            deposit: cost.deposit,
            max_protocol_bps: *max_protocol_bps,
        }
    }
}

impl Client {
    /// Decides what is paid for a request on an offer, and checks it against the offer's limits.
    ///
    /// # Errors
    /// [`ClientError::Empty`], [`ClientError::TooManyUnits`], or a failure to read.
    pub async fn order(&self, offer_address: &Pubkey, request: &Request) -> Result<Order, ClientError> {
        let terms = self.offer(offer_address).await?;
        let units = self.units_for(request)?;
        let most = Units::new(terms.max_input_units, terms.max_output_units);
        if !units.within(most) {
            return Err(ClientError::TooManyUnits { asked: units, most });
        }
        let Ok(price) = market::price(&terms, Work::new(units.input, units.output)) else {
            return Err(ClientError::TooManyUnits { asked: units, most });
        };
        let deposit = self.to_send(&terms, price).await?;
        let max_protocol_bps = match self.max_protocol_bps {
            Some(most) => most,
            None => fetch::<Admin, _>(self.chain.as_ref(), &pda::admin().0).await?.protocol_fee_bps,
        };
        let rent = self.rent_of(&terms).await?;
        let input = Bytes::from(request.to_bytes());
        let cost = Cost { deposit, network: 0, rent };
        let input_root = request.input_root();
        let mut order = Order { offer: *offer_address, terms, input, input_root, units, cost, max_protocol_bps };
        order.cost.network = self.network_fees(&order);
        Ok(order)
    }

    /// Lamports for the transactions of a job.
    fn network_fees(&self, order: &Order) -> u64 {
        let post = market::post_job(self.payer.pubkey(), order.offer, &order.terms, order.posting((0, 0)), None);
        let price = self.chain.budget().micro_lamports_per_unit;
        let fee = |units: u64| SIGNATURE_FEE.saturating_add(units.saturating_mul(price).div_ceil(1_000_000));
        let posting = fee(limits::compute_limit(&[post], 1 + u32::from(price > 0)).into());
        let after = if order.terms.seats > 1 { AFTER_SEVERAL_SEATS } else { AFTER_ONE_SEAT };
        posting.saturating_add(after.saturating_mul(fee(MOST_UNITS)))
    }

    /// Lamports that a job's accounts borrow.
    async fn rent_of(&self, terms: &Offer) -> Result<u64, ChainError> {
        let seats = usize::from(terms.seats);
        let job = self.chain.rent_exempt(Job::item_offset::<Seat>(seats, 0)).await?;
        if terms.is_native() {
            return Ok(job);
        }
        let len = if terms.token_program == TOKEN_PROGRAM { TOKEN_ACCOUNT } else { EXTENDED_TOKEN_ACCOUNT };
        Ok(job.saturating_add(self.chain.rent_exempt(len).await?))
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
