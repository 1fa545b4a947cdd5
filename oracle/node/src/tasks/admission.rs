//! Whether a job is taken: the one place that says no, and why.
//!
//! What can be judged from the job's own account is judged first, then what its offer says, then what the node holds
//! already; only then is anything fetched or prepared. A bond is staked on nothing that was not admitted here, and
//! whoever asks for a quote gets the same judgement before he pays.

mod ask;
mod attempts;
mod ledger;
mod limits;
mod refusal;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use provena_client::{
    chain::accounts::fetch_optional,
    store::{Bytes, Root},
    view::JobView,
};
use provena_market::{
    fees::Work,
    state::{Job, Offer, SeatState},
};
use provena_wire::{MAX_REQUEST_LEN, Quote, Units};
use solana_pubkey::Pubkey;

use super::Worker;
use super::infer::Reason;
use super::ready::Ready;
use crate::blobs::{Pin, Reservation};
use crate::compute::{Asked, Effort, Prepared};
use crate::journal::{JobKey, Terms};
use crate::readiness::{FEW_JOBS, Reason as Obstacle, Standing, WALLET_RENT};

use ask::Ask;
pub use ask::declines;
pub use attempts::{Attempt, Attempts};
pub use ledger::{Held, Ledger, Staked};
pub use limits::Limits;
pub use refusal::Refusal;

/// The longest that a store may take to hand out an input, which is small.
const INPUT_PATIENCE: Duration = Duration::from_secs(10);

/// How long what was read of the node's money holds.
const MONEY_HOLDS: Duration = Duration::from_secs(1);

/// The longest that a quote waits for its turn to be prepared.
const QUOTE_PATIENCE: Duration = Duration::from_secs(6);

/// Who asks for a quote, and on which offer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asking {
    /// Where he asks from; nothing where that is not known.
    pub address: Option<IpAddr>,
    /// The wallet that would pay, as he says.
    pub payer: Pubkey,
    /// The offer's address.
    pub offer: Pubkey,
}

/// A job that may be taken.
pub(super) struct Admitted {
    /// What the seat is taken for.
    pub terms: Terms,
    /// The most work that the answer can be.
    pub effort: Effort,
}

/// What the store keeps for a job for as long as the node works on it.
#[derive(Default)]
pub(super) struct Kept {
    /// Room for the answer, until it is there.
    pub room: Option<Reservation>,
    /// The request as it was prepared before the claim, until the answer is computed.
    pub request: Option<Ready>,
    /// The answer, until its payer has it or the time in which he can demand it is over.
    pub answer: Option<Pin>,
    /// What it is computed from.
    pins: Vec<Pin>,
}

/// The least work that a request can be: all that is given, and of an answer its first token.
fn least(asked: Units) -> Work {
    Work::new(asked.input, asked.output.min(1))
}

impl Worker {
    /// Judges a job by its own account alone. For a look at many.
    ///
    /// # Errors
    /// A [`Refusal`].
    pub(super) fn weigh(&self, job: &JobView) -> Result<(), Refusal> {
        let ask = Ask::of_job(&job.job, job.seats.len()).ok_or(Refusal::OfferChanged)?;
        ask.weigh(&self.parts.limits)
    }

    /// Judges a job, and makes it a promise: fetches and checks everything that it needs, before a bond is staked on it,
    /// and notes what it will hold of the node. [`Worker::release`] takes that back.
    ///
    /// # Errors
    /// A [`Refusal`]; nothing is held then.
    pub(super) async fn admit(&self, job: &JobView) -> Result<Admitted, Refusal> {
        let admitted = self.judge(job).await;
        if let Err(refusal) = &admitted {
            self.release(&job.address);
            self.parts.metrics.refused(refusal.name());
        }
        admitted
    }

    async fn judge(&self, job: &JobView) -> Result<Admitted, Refusal> {
        self.ready()?;
        let ask = Ask::of_job(&job.job, job.seats.len()).ok_or(Refusal::OfferChanged)?;
        ask.weigh(&self.parts.limits)?;
        let terms = self.terms(&job.job).await?;
        self.is_served(terms.engine_class, &terms.asset)?;
        let (_, mut staked) = self.standing().await?;
        Self::has_stake(staked.stake, job.job.min_stake)?;
        self.ledger.has_room(held(job), &self.parts.limits, staked)?;
        let request = self.input(&job.job.input_root).await?;
        self.load(&terms, Reason::Job).await?;
        let place = Arc::clone(&self.preparing).acquire_owned().await.map_err(|_| Refusal::Busy)?;
        let prepared = self.prepare(terms.content_root, &job.job.input_root, request, place).await?;
        let Asked { units, effort } = prepared.asked;
        let paid = Units::new(job.job.max_input, job.job.max_output);
        if !units.within(paid) {
            return Err(Refusal::Units { asked: units, paid });
        }
        ask.pays(&self.parts.limits, least(units))?;
        // Not before: whatever a stranger's server does, the job holds nothing of the node meanwhile.
        if staked.read.elapsed() >= MONEY_HOLDS {
            (_, staked) = self.standing().await?;
        }
        self.ledger.admit(job.address, held(job), &self.parts.limits, staked)?;
        if waits(job, &self.me) {
            self.alone.sit(job.address, held(job).parties())?;
        }
        self.promise(&job.address, &job.job, &terms.content_root, &prepared).await?;
        // Last, because it may push out what others wait for.
        self.reserve(job, &terms, units)?;
        self.keep_ready(&JobKey::of(&job.address, &job.job), terms.content_root, prepared);
        Ok(Admitted { terms, effort })
    }

    /// Whether this node would take `request` for an offer, and the most units that the answer can need.
    ///
    /// # Errors
    /// A [`Refusal`], the same that a job would meet.
    pub async fn quote(&self, offer: &Offer, request: Bytes) -> Result<Quote, Refusal> {
        self.quote_for(Asking::default(), offer, request).await
    }

    /// As [`Worker::quote`], for somebody: networks share the time that quotes may take, and payers and offers the node.
    ///
    /// # Errors
    /// As for [`Worker::quote`].
    pub async fn quote_for(&self, asking: Asking, offer: &Offer, request: Bytes) -> Result<Quote, Refusal> {
        self.ready()?;
        self.is_served(offer.engine_class, &offer.asset)?;
        let (Standing { market, .. }, staked) = self.standing().await?;
        let protocol = market.protocol_fee().ok();
        let ask = protocol.and_then(|protocol| Ask::of_offer(offer, protocol)).ok_or(Refusal::OfferChanged)?;
        ask.weigh(&self.parts.limits)?;
        Self::has_stake(staked.stake, market.min_stake)?;
        let held =
            Held { payer: asking.payer, offer: asking.offer, bond: offer.bond_lamports, several: offer.seats > 1 };
        self.ledger.has_room(held, &self.parts.limits, staked)?;
        let input = provena_arith::merkle::content_root(&request).unwrap_or_default();
        let terms = Terms::of_offer(offer);
        self.load(&terms, Reason::Quote).await?;
        let turn = tokio::time::timeout(QUOTE_PATIENCE, self.quoting.turn(asking.address)).await;
        let turn = turn.ok().flatten().ok_or(Refusal::Busy)?;
        let Asked { units, .. } = self.prepare(terms.content_root, &input, request, turn).await?.asked;
        let most = Units::new(offer.max_input_units, offer.max_output_units);
        if !units.within(most) {
            return Err(Refusal::OfferUnits { asked: units, most });
        }
        ask.pays(&self.parts.limits, least(units))?;
        Ok(Quote { units_in: units.input, units_out: units.output })
    }

    /// A job holds nothing of the node any more.
    pub(super) fn release(&self, job: &Pubkey) {
        self.pace.leave(job);
        self.ledger.leave(job);
        self.alone.leave(job);
        self.keeps().remove(job);
    }

    /// Keeps an answer in the store for as long as the job is not paid.
    pub(super) fn pin_answer(&self, job: &Pubkey, root: &Root) {
        let mut keeps = self.keeps();
        let kept = keeps.entry(*job).or_default();
        if kept.answer.is_none() {
            kept.answer = Some(self.parts.store.pin(root));
        }
    }

    /// Keeps in the store what jobs that were begun before the start need, before anything new can push it out.
    pub(super) fn keep_again(&self) {
        let journal = &self.parts.journal;
        for (key, record) in journal.in_progress() {
            let model = record.taking.as_ref().map(|(_, terms)| terms.content_root);
            let pins = [Some(key.input_root), model].into_iter().flatten().map(|root| self.parts.store.pin(&root));
            self.keeps().entry(key.job).or_default().pins.extend(pins);
        }
        for (key, record) in journal.in_progress().into_iter().chain(journal.awaiting_pay()) {
            if let Some(computed) = record.computed {
                self.pin_answer(&key.job, &computed.result_root);
            }
        }
    }

    /// What a job in which the chain shows this node holds, whether it was admitted or not.
    pub(super) fn hold(&self, job: &JobView) {
        let decided = job.state().is_ok_and(provena_market::state::JobState::is_ended);
        self.ledger.seated(job.address, held(job), decided);
        if job.seats.len() > 1 {
            self.alone.saw(job.address, held(job).parties(), waits(job, &self.me));
        }
    }

    /// Whether the node can work at all. Through a server that lags, for instance, deadlines are seen too late.
    fn ready(&self) -> Result<(), Refusal> {
        self.parts.readiness.obstacle().map_or(Ok(()), |reason| Err(Refusal::NotReady(reason)))
    }

    /// Holds what the job needs in the store, and room for its answer, before a bond depends on either.
    fn reserve(&self, job: &JobView, terms: &Terms, asked: Units) -> Result<(), Refusal> {
        let store = &self.parts.store;
        let room = store.reserve(job.job.payer.as_array(), answer_bytes(asked))?;
        let pins = [&job.job.input_root, &terms.content_root].map(|root| store.pin(root)).into();
        self.keeps().insert(job.address, Kept { room: Some(room), pins, ..Kept::default() });
        Ok(())
    }

    fn is_served(&self, engine_class: u8, asset: &Pubkey) -> Result<(), Refusal> {
        if engine_class != provena_arith::receipt::ENGINE_CLASS_INT_V1 {
            return Err(Refusal::EngineClass(engine_class));
        }
        if self.serves(asset) { Ok(()) } else { Err(Refusal::NotServed(*asset)) }
    }

    /// The market lets nobody take a seat whose whole stake is less than its least.
    fn has_stake(stake: u64, least: u64) -> Result<(), Refusal> {
        if stake < least { Err(Refusal::LeastStake { stake, least }) } else { Ok(()) }
    }

    /// How the node stands now, and its stake, if its wallet can pay for one more job and no other process holds its lease.
    async fn standing(&self) -> Result<(Standing, Staked), Refusal> {
        let read = Instant::now();
        let standing = Standing::read(self.parts.chain.as_ref(), &self.me).await?.ok_or(Refusal::NotRegistered)?;
        self.parts.readiness.saw_money(standing.money, read);
        if self.parts.readiness.saw_lease(&standing.node) {
            return Err(Refusal::NotReady(Obstacle::AnotherInstance));
        }
        let balance = standing.money.balance;
        let least = WALLET_RENT.saturating_add(self.parts.limits.least_pay(2, 0).saturating_mul(FEW_JOBS));
        if balance < least {
            return Err(Refusal::Wallet { balance, least });
        }
        let staked = Staked { stake: standing.money.stake, locked: standing.money.locked, read };
        Ok((standing, staked))
    }

    /// Fetches a request.
    async fn input(&self, root: &Root) -> Result<Bytes, Refusal> {
        let _place = self.fetching.acquire().await;
        let fetched = tokio::time::timeout(INPUT_PATIENCE, self.parts.store.get_within(root, MAX_REQUEST_LEN as u64));
        fetched
            .await
            .unwrap_or(Err(provena_client::store::StoreError::Failed {
                url: "the store".to_owned(),
                reason: format!("the input did not come within {} s", INPUT_PATIENCE.as_secs()),
            }))
            .map_err(Refusal::Store)
    }

    /// Promises a job's answer if it can be there in time.
    async fn promise(&self, address: &Pubkey, job: &Job, model: &Root, prepared: &Prepared) -> Result<(), Refusal> {
        loop {
            if !self.pace.knows(model) {
                self.warm_up(*model, prepared).await;
            }
            match self.pace.admit(*address, model, &prepared.asked.effort, job.commit_window) {
                Ok(()) => return Ok(()),
                Err(_) if self.pace.forget_old(model) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// What a job is to be computed with: the terms of its offer, which its own terms hash names.
    ///
    /// # Errors
    /// [`Refusal::OfferChanged`] when the offer is closed or another, [`Refusal::Chain`].
    pub(super) async fn terms(&self, job: &Job) -> Result<Terms, Refusal> {
        if let Some(terms) = self.known_terms(job) {
            return Ok(terms);
        }
        // An offer's address may come back with other terms.
        let offer = fetch_optional::<Offer, _>(self.parts.chain.as_ref(), &job.offer).await?;
        let offer = offer.ok_or(Refusal::OfferChanged)?;
        let terms = Terms::of(job, &offer, &self.parts.cluster).ok_or(Refusal::OfferChanged)?;
        self.remember_offer(job.offer, offer);
        Ok(terms)
    }
}

/// More bytes than an answer of so many units has: a vector for what is given, some letters for each token.
fn answer_bytes(asked: Units) -> u64 {
    const BASE: u64 = 4 << 10;
    const IN: u64 = 16 << 10;
    const OUT: u64 = 256;
    // Tokens of a prompt bring no vectors, and a long prompt is no long answer.
    let input = if asked.output > 0 { 0 } else { u64::from(asked.input) * IN };
    BASE + input + u64::from(asked.output) * OUT
}

/// Whether a job waits for another node when this one has a seat: for how long, whoever sits there already may decide.
fn waits(job: &JobView, me: &Pubkey) -> bool {
    let free = job.seats.iter().filter(|seat| seat.is(SeatState::Free)).count();
    free > usize::from(job.seat_of(me).is_none())
}

fn held(job: &JobView) -> Held {
    Held { payer: job.job.payer, offer: job.job.offer, bond: job.job.bond, several: job.seats.len() > 1 }
}
