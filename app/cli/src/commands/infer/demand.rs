//! What programs are told of an answer that was demanded on the chain.

use provena_client::view::JobView;
use provena_market::{
    constants::{ANSWER_WINDOW, DEMAND_DEPOSIT},
    state::job::flag,
};
use serde::Serialize;
use solana_signature::Signature;

/// What demanding an answer cost, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Demand {
    /// The transaction that demanded it, which cost the network's fee; nothing where an earlier command did.
    pub signature: Option<String>,
    /// Lamports that were deposited.
    pub deposit: u64,
    /// Whether the answer stands on the chain, and the deposit went to whoever put it there.
    pub met: bool,
    /// Slots from the demand on within which that happens; else the deposit comes back with the job's own.
    pub within_slots: u64,
}

impl Demand {
    /// By a transaction of this command, which nobody has met yet.
    pub(crate) fn made(signature: Signature) -> Self {
        Self { signature: Some(signature.to_string()), ..Self::known(false) }
    }

    /// As a job's account tells; `None` where its answer was never demanded.
    pub(crate) fn of(job: &JobView, made: Option<Signature>) -> Option<Self> {
        let demand = Self { signature: made.map(|made| made.to_string()), ..Self::known(job.job.has(flag::ANSWERED)) };
        (made.is_some() || job.job.demanded_at != 0).then_some(demand)
    }

    fn known(met: bool) -> Self {
        Self { signature: None, deposit: DEMAND_DEPOSIT.0, met, within_slots: ANSWER_WINDOW }
    }
}
