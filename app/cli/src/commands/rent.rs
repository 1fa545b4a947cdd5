//! What a job borrows from its payer, and when it comes back.

use anyhow::Result;
use provena_client::{
    amount::Currency,
    chain::{Chain, accounts::ProgramAccount},
    view::JobView,
};
use provena_market::{
    constants::NONCE_AGE,
    pda,
    state::{Job, Seat},
};
use serde::Serialize;

/// Seconds of a slot, about, in tenths.
const TENTHS_PER_SLOT: u64 = 4;

/// Rent of a job's accounts: lent while they exist, and paid back when they are closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Rent {
    /// How much.
    pub lamports: u64,
    /// First slot in which the job can be closed.
    pub back_from_slot: u64,
}

impl Rent {
    /// Of a job that exists.
    ///
    /// # Errors
    /// The chain does not answer.
    pub(crate) async fn of(chain: &dyn Chain, job: &JobView) -> Result<Self> {
        let mut lamports = chain.rent_exempt(Job::item_offset::<Seat>(job.seats.len(), 0)).await?;
        if !job.job.is_native() {
            let escrow = chain.account(&pda::escrow(&job.address).0).await?;
            lamports += escrow.map_or(0, |escrow| escrow.lamports);
        }
        Ok(Self { lamports, back_from_slot: back_from(job) })
    }

    /// How much is lent, and how it comes back; `ended` says whether the job is over.
    pub(crate) fn words(&self, now: u64, ended: bool) -> String {
        let amount = Currency::sol().show(self.lamports);
        if !ended {
            return format!("{amount}; it comes back once the job is over and closed");
        }
        match seconds(self.back_from_slot.saturating_sub(now)) {
            0 => format!("{amount}; the next `provena infer` takes it back, or `provena job close`"),
            wait => format!(
                "{amount}; in about {wait} s (slot {}) the next `provena infer` takes it back, or `provena job close`",
                self.back_from_slot
            ),
        }
    }
}

/// First slot in which a job can be closed.
pub(crate) fn back_from(job: &JobView) -> u64 {
    job.job.nonce_slot.saturating_add(NONCE_AGE).saturating_add(1)
}

/// About how many seconds so many slots take, rounded up.
pub(crate) fn seconds(slots: u64) -> u64 {
    slots.saturating_mul(TENTHS_PER_SLOT).div_ceil(10)
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn a_loan_says_when_it_comes_back() {
        let rent = Rent { lamports: 4_600_000, back_from_slot: 1_151 };
        assert!(rent.words(1_000, true).starts_with("0.0046 SOL; in about 61 s (slot 1151) the next `provena infer`"));
        assert!(rent.words(2_000, true).starts_with("0.0046 SOL; the next `provena infer` takes it back"));
        assert!(!rent.words(2_000, false).contains("job close"), "it would be refused");
    }
}
