//! A job, for people and for programs.

use anyhow::Result;
use provena_client::{
    amount::Currency,
    chain::{Chain, accounts},
    token,
    view::{JobView, View},
};
use provena_common::slot::Slot;
use provena_market::{
    constants::ANSWER_WINDOW,
    state::{JobState, Offer, Seat, SeatState, Who},
};
use serde::Serialize;
use solana_pubkey::Pubkey;

use super::{next, stage};
use crate::{
    commands::{
        infer::answer::Paid,
        rent::{Rent, seconds},
    },
    context::Context,
    output::{Report, style::Style, table::facts, text::short_each},
};

/// How far a job is.
#[derive(Serialize)]
pub(super) struct JobReport {
    job: String,
    state: &'static str,
    next: String,
    offer: String,
    asset: Option<String>,
    payer: String,
    #[serde(flatten)]
    paid: Paid,
    units_in: Option<u32>,
    units_out: Option<u32>,
    seats: Vec<SeatReport>,
    result_root: Option<String>,
    rent: Rent,
    posted_slot: u64,
    signatures: Vec<String>,
    /// Lamports that this command's transactions cost the wallet.
    network_fees: Option<u64>,
    #[serde(skip)]
    stage: &'static str,
    #[serde(skip)]
    ended: bool,
    /// Whether its answer waits to be fetched or to come on the chain, and nobody is paid before.
    #[serde(skip)]
    waits: bool,
    #[serde(skip)]
    now: u64,
}

#[derive(Serialize)]
struct SeatReport {
    node: Option<String>,
    state: &'static str,
    /// Lamports of stake that the node lost here.
    lost_bond: u64,
}

/// What a seat's node forfeited: it was late, or kept the agreed answer back when that was demanded.
fn lost_bond(job: &JobView, seat: &Seat) -> u64 {
    let late = seat.state().is_ok_and(|state| state == SeatState::Missed);
    let kept_back = job.state().ok() == Some(JobState::Defaulted) && job.job.agrees(&job.seats, seat);
    if late || kept_back { job.job.bond } else { 0 }
}

impl JobReport {
    /// Puts together what the chain knows of a job.
    ///
    /// # Errors
    /// The chain does not answer.
    pub(super) async fn new(
        chain: &dyn Chain,
        job: &JobView,
        signatures: &[String],
        context: &Context<'_>,
    ) -> Result<Self> {
        let now = View::read(chain, &job.address).await.map(|view| view.now)?;
        let currency = token::currency(chain, &job.job.mint).await?;
        let offer = chain.account(&job.job.offer).await?;
        let offer = offer.and_then(|account| accounts::decode::<Offer>(&job.job.offer, &account).ok());
        let seat = |seat: &Seat| SeatReport {
            node: (seat.node != Pubkey::default()).then(|| seat.node.to_string()),
            state: seat_state(seat.state()),
            lost_bond: lost_bond(job, seat),
        };
        let winner = job.winner().copied();
        Ok(Self {
            job: job.address.to_string(),
            state: state(job),
            next: next_words(job, now, context)?,
            offer: job.job.offer.to_string(),
            asset: offer.map(|offer| offer.asset.to_string()),
            payer: job.job.payer.to_string(),
            paid: Paid::new(job, currency),
            units_in: winner.map(|seat| seat.units_in),
            units_out: winner.map(|seat| seat.units_out),
            seats: job.seats.iter().map(seat).collect(),
            result_root: winner.map(|seat| hex::encode(seat.value)),
            rent: Rent::of(chain, job).await?,
            posted_slot: job.job.posted_at,
            signatures: signatures.to_vec(),
            network_fees: None,
            stage: stage::words(job),
            ended: job.state()?.is_ended(),
            waits: job.state()?.is_ended() && !job.job.is_settled(now)?,
            now: now.0,
        })
    }
}

impl JobReport {
    /// Adds what this command's transactions cost.
    pub(super) fn costing(mut self, network_fees: Option<u64>) -> Self {
        self.network_fees = network_fees;
        self
    }
}

/// What comes next for a job's payer, in words.
pub(super) fn next_words(job: &JobView, now: Slot, context: &Context<'_>) -> Result<String> {
    if job.job.is_answer_awaited() && !job.job.is_answer_late(now) {
        let until = job.job.demanded_at.saturating_add(ANSWER_WINDOW);
        let wait = seconds(until.saturating_sub(now.0));
        let answer = context.command(&format!("job answer {}", job.address));
        return Ok(format!(
            "its answer was demanded on the chain and comes there by slot {until} (about {wait} s), or all of the deposit \
             comes back; wait for it:\n{answer}"
        ));
    }
    let mut tried = job.0.clone();
    let cancellable = tried.job.cancel(&tried.seats, now).is_ok();
    let command = |verb: &str| context.command(&format!("job {verb} {}", job.address));
    let state = job.state()?;
    let over = state.is_ended() && job.job.is_paid_out(&job.seats).unwrap_or(false);
    let waiting = next::words(job.next(Who::Payer, now)?, now, cancellable, over, &command);
    Ok(match state {
        // A deposit that nobody is owed any more is back.
        JobState::Failed | JobState::Cancelled | JobState::Defaulted if over => {
            format!("the deposit is back; {waiting}")
        }
        _ => waiting,
    })
}

/// A job's state as programs read it.
pub(super) fn state(job: &JobView) -> &'static str {
    match job.state() {
        Ok(JobState::Open) => "open",
        Ok(JobState::Revealing) => "revealing",
        Ok(JobState::Agreed) => "agreed",
        Ok(JobState::Failed) => "failed",
        Ok(JobState::Cancelled) => "cancelled",
        Ok(JobState::Defaulted) => "defaulted",
        Err(_) => "unknown",
    }
}

fn seat_state<E>(state: Result<SeatState, E>) -> &'static str {
    match state {
        Ok(SeatState::Free) => "free",
        Ok(SeatState::Taken) => "computing",
        Ok(SeatState::Committed) => "committed",
        Ok(SeatState::Revealed) => "answered",
        Ok(SeatState::Missed) => "missed its deadline",
        Err(_) => "unknown",
    }
}

impl Report for JobReport {
    fn text(&self, style: Style) -> String {
        let mut rows = vec![
            ("job", self.job.clone()),
            ("state", style.strong(self.stage)),
            ("next", self.next.clone()),
            ("offer", self.offer.clone()),
        ];
        rows.extend(self.asset.clone().map(|asset| ("model", asset)));
        rows.push(("payer", self.payer.clone()));
        for seat in &self.seats {
            let node = seat.node.as_ref().map_or_else(String::new, |node| format!(": {node}"));
            rows.push(("seat", format!("{}{node}", seat.state)));
            if seat.lost_bond > 0 {
                rows.push(("lost by it", format!("its bond of {}", Currency::sol().show(seat.lost_bond))));
            }
        }
        rows.extend(self.result_root.clone().map(|root| ("result root", root)));
        let over = self.ended && !self.waits;
        if over {
            rows.extend(self.paid.rows());
        } else {
            rows.push(("deposit", self.paid.deposit()));
        }
        if let (Some(input), Some(output)) = (self.units_in, self.units_out) {
            rows.push(("units", format!("{input} in, {output} out")));
        }
        rows.push(("lent, as rent", self.rent.words(self.now, over)));
        rows.extend(self.network_fees.map(|fees| ("network fees", Currency::sol().show(fees))));
        if !self.signatures.is_empty() {
            rows.push(("transactions", short_each(&self.signatures)));
        }
        facts(&rows, style)
    }
}
