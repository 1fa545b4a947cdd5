//! What a job asks of a node, and whether its terms alone are acceptable.

use provena_common::amount::Bps;
use provena_market::{
    fees::{Prices, Work, node_part, split},
    state::{Job, Offer},
};
use solana_pubkey::Pubkey;

use super::{Limits, Refusal};

/// What a job asks of a node, as far as its terms say.
pub(super) struct Ask<'a> {
    bond: u64,
    seats: usize,
    /// Slots to take seats, to commit and to reveal.
    windows: [u64; 3],
    mint: &'a Pubkey,
    prices: Prices,
    most: Work,
}

impl<'a> Ask<'a> {
    /// Of a job that was posted: its account has a copy of what its offer said.
    pub(super) fn of_job(job: &'a Job, seats: usize) -> Option<Self> {
        let open = job.open_until.saturating_sub(job.posted_at);
        Some(Self {
            bond: job.bond,
            seats,
            windows: [open, job.commit_window.into(), job.reveal_window.into()],
            mint: &job.mint,
            prices: job.prices().ok()?,
            most: job.most(),
        })
    }

    /// Of any job that could be posted on an offer.
    pub(super) fn of_offer(offer: &'a Offer, protocol: Bps) -> Option<Self> {
        Some(Self {
            bond: offer.bond_lamports,
            seats: offer.seats.into(),
            windows: [offer.open_window, offer.commit_window, offer.reveal_window].map(u64::from),
            mint: &offer.mint,
            prices: offer.prices(protocol).ok()?,
            most: Work::new(offer.max_input_units, offer.max_output_units),
        })
    }

    /// Judges what the terms alone say.
    pub(super) fn weigh(&self, limits: &Limits) -> Result<(), Refusal> {
        let Self { bond, windows: [open, commit, reveal], .. } = *self;
        let (window, windows) = (commit.min(reveal), open.saturating_add(commit).saturating_add(reveal));
        if bond > limits.max_bond {
            return Err(Refusal::Bond { bond, most: limits.max_bond });
        }
        if window < u64::from(limits.min_window) {
            return Err(Refusal::ShortWindow { window, least: limits.min_window });
        }
        // For so long co-nodes of the payer's own can hold the bond.
        if windows > limits.max_windows {
            return Err(Refusal::LongWindows { windows, most: limits.max_windows });
        }
        self.pays(limits, self.most)
    }

    /// Whether `work` pays this node what it must.
    pub(super) fn pays(&self, limits: &Limits, work: Work) -> Result<(), Refusal> {
        let fee = self.prices.fee(work).unwrap_or_default();
        let nodes = split(&self.prices, fee, work).unwrap_or_default().nodes;
        // Every node of the job may agree.
        let part = node_part(nodes, self.seats as u64, false).unwrap_or_default();
        let pay = limits.worth(self.mint, part.0).ok_or(Refusal::NoRate(*self.mint))?;
        let least = limits.least_pay(self.seats, self.bond);
        if pay < least {
            return Err(Refusal::Pay { work, pay, least });
        }
        Ok(())
    }
}

/// Why a node with these limits would decline jobs of so much work on an offer, as far as the offer's terms alone say; `None` when
/// they do not keep it from them. For whoever makes an offer.
#[must_use]
pub fn declines(offer: &Offer, protocol_bps: u16, limits: &Limits, work: Work) -> Option<Refusal> {
    let ask = Ask::of_offer(offer, Bps::new(protocol_bps).ok()?)?;
    ask.weigh(limits).and_then(|()| ask.pays(limits, work)).err()
}
