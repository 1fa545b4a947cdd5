//! The one object that `provena demo --json` prints.

use provena_arith::receipt::ENGINE_CLASS_INT_V1;
use provena_client::{mint::Minted, token};
use serde::Serialize;
use solana_pubkey::Pubkey;

use super::{
    Answered,
    ledger::{Holding, Split},
    subject::Subject,
    worker::Worker,
};

/// Amounts are base units of `mint`, read from balances on the chain.
#[derive(Serialize)]
pub(super) struct Outcome {
    model: String,
    asset: String,
    job: String,
    adapter: String,
    backend: String,
    class: &'static str,
    result_root: String,
    result_matches_reference: bool,
    receipt_verified: bool,
    mint: String,
    units_in: u32,
    units_out: u32,
    deposit: u64,
    node_fee: u64,
    protocol_fee: u64,
    royalty: u64,
    refund: u64,
    holders: Vec<HolderOutcome>,
    /// Whether the parts add up to the deposit, and the claims and what the pools still hold to the royalty.
    pub conserved: bool,
}

#[derive(Serialize)]
struct HolderOutcome {
    name: &'static str,
    address: String,
    owed: u64,
    claimed: u64,
}

impl Outcome {
    /// Puts the figures together; `left` is what the pools still hold.
    #[expect(clippy::too_many_arguments, reason = "one caller; each is a part of the demo")]
    pub(super) fn new(
        subject: &Subject,
        model: &Minted,
        answered: &Answered,
        worker: &Worker,
        split: &Split,
        holdings: &[Holding],
        left: u64,
        mint: &Pubkey,
    ) -> Self {
        let winner = answered.finished.job.winner().copied();
        let claimed: Option<u64> = holdings.iter().try_fold(left, |sum, holding| sum.checked_add(holding.claimed));
        let paid_as_owed = holdings.iter().all(|holding| holding.owed == holding.claimed);
        let holder = |holding: &Holding| HolderOutcome {
            name: holding.name,
            address: holding.address.to_string(),
            owed: holding.owed,
            claimed: holding.claimed,
        };
        Self {
            model: subject.model_title.to_owned(),
            asset: model.mint.to_string(),
            job: answered.posted.job.to_string(),
            adapter: worker.adapter.name.clone(),
            backend: worker.adapter.backend.clone(),
            class: if answered.engine_class == ENGINE_CLASS_INT_V1 { "int-v1" } else { "unknown" },
            result_root: hex::encode(winner.map_or([0; 32], |seat| seat.value)),
            result_matches_reference: answered.matches,
            receipt_verified: answered.receipt_verified,
            mint: token::name(mint),
            units_in: winner.map_or(0, |seat| seat.units_in),
            units_out: winner.map_or(0, |seat| seat.units_out),
            deposit: split.deposit,
            node_fee: split.node_fee,
            protocol_fee: split.protocol_fee,
            royalty: split.royalty,
            refund: split.refund,
            holders: holdings.iter().map(holder).collect(),
            conserved: split.adds_up() && paid_as_owed && claimed == Some(split.royalty),
        }
    }

    /// Whether everything that the demo shows is so.
    pub(super) fn holds(&self) -> bool {
        self.conserved && self.receipt_verified && self.result_matches_reference
    }
}
