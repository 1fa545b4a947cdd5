//! Posting, seats and results.

use provena_market::{
    error::MarketError,
    state::{Job as JobState, Seat as SeatState},
};

use super::{
    super::{
        operation::{Market, Outcome, Posting, Program},
        rents::rent_of,
    },
    Answer, EXISTS, FREE, FROZEN, Job, JobId, JobKey, Model, Refusal, SOL, Seat, Stage, Step, Units, arrives, demand,
    jobs::Prices,
    market::check_floor,
    vault_rent,
};

const POST: u32 = 1;
const DEMAND: u64 = 60_000;

/// Rent of a job with so many seats, in a mint.
pub(super) fn job_rent(seats: usize, mint: usize) -> u64 {
    rent_of::<JobState, SeatState>(seats) + vault_rent(mint)
}

impl Model {
    pub(super) fn apply_to_job(&mut self, instruction: &Market) -> Answer {
        match *instruction {
            Market::PostJob(ref posting) => self.post(posting),
            Market::CancelJob { job, by } => self.cancel(job, by),
            Market::TakeSeat { job, by, seat, instance, wrong_terms } => {
                self.take_seat(job, by, seat, instance, wrong_terms)
            }
            Market::LeaveSeat { job, by, seat } => self.leave_seat(job, by, seat),
            Market::Commit { job, by, seat, outcome } => self.commit(job, by, seat, outcome),
            Market::Reveal { job, by, seat, outcome } => self.reveal(job, by, seat, outcome),
            Market::Answer { job, by, outcome } => self.answer(job, by, outcome),
            Market::ExpireSeat { job, seat } => self.expire_seat(job, seat),
            Market::Finalize { job, one_too_many } => self.finalize(job, one_too_many),
            Market::Acknowledge { job, by } => {
                let job = self.paid_by(job, by)?;
                demand(matches!(job.stage, Stage::Agreed { .. }), MarketError::WrongState)?;
                demand(!job.acknowledged, MarketError::AlreadyAcknowledged)?;
                demand(!job.awaited(), MarketError::AnswerDemanded)?;
                job.acknowledged = true;
                Ok(())
            }
            Market::DemandAnswer { job, by } => {
                let now = self.slot;
                let job = self.paid_by(job, by)?;
                demand(matches!(job.stage, Stage::Agreed { .. }), MarketError::WrongState)?;
                demand(!job.acknowledged, MarketError::AlreadyAcknowledged)?;
                demand(job.demanded_at.is_none(), MarketError::AlreadyDemanded)?;
                demand(now <= job.ended_at + 1_500, MarketError::WindowOver)?;
                job.demanded_at = Some(now);
                job.lamports += DEMAND;
                self.spend(by, DEMAND);
                Ok(())
            }
            _ => self.settle_job(instruction),
        }
    }

    pub(super) fn job_mut(&mut self, job: JobId) -> Answer<&mut Job> {
        self.jobs.get_mut(&job).ok_or(Refusal::Missing)
    }

    fn paid_by(&mut self, job: JobId, by: usize) -> Answer<&mut Job> {
        let job = self.job_mut(job)?;
        demand(job.key.payer == by, MarketError::NotPayer)?;
        Ok(job)
    }

    fn post(&mut self, posting: &Posting) -> Answer {
        let (by, now) = (posting.by, self.slot);
        let offer = self.offers.get(&(posting.asset, posting.offer)).ok_or(Refusal::Missing)?.clone();
        let (mint, terms) = (offer.mint, offer.terms);
        let asset = self.assets[posting.asset].as_ref().ok_or(Refusal::Missing)?;
        let key = JobKey { payer: by, slot: now.saturating_sub(posting.age), index: posting.index };
        self.controls[&Program::Market].check_running(POST)?;
        demand(!posting.wrong_terms, MarketError::WrongTerms)?;
        demand(asset.uses & 1 != 0, MarketError::UseNotAllowed)?;
        check_floor(&terms, asset.floor_bps, asset.floor(mint))?;
        demand(offer.least_royalty >= asset.floor(mint), MarketError::FloorRaised)?;
        demand(self.protocol_bps <= posting.max_protocol_bps, MarketError::FeeAboveLimit)?;
        let (most_in, most_out) = (u64::from(terms.max_input_units), u64::from(terms.max_output_units));
        demand(posting.most.0 <= most_in && posting.most.1 <= most_out, MarketError::TooManyUnits)?;
        demand(self.jobs.values().all(|job| job.key != key), EXISTS)?;
        demand(posting.deposit == 0 || !self.is_frozen(by, mint), FROZEN)?;
        demand(now - key.slot <= 150, MarketError::WrongNonce)?;
        demand(posting.most != (0, 0), MarketError::ZeroUnits)?;
        let price = terms.base_price + terms.input_price * posting.most.0 + terms.output_price * posting.most.1;
        let arrived = arrives(mint, posting.deposit);
        demand(arrived >= price, MarketError::DepositTooSmall)?;
        let job = Job {
            key,
            asset: posting.asset,
            mint,
            open_until: now + u64::from(terms.open_window),
            commit_window: u64::from(terms.commit_window),
            reveal_window: u64::from(terms.reveal_window),
            quorum: usize::from(terms.quorum),
            prices: Prices {
                base: terms.base_price,
                input: terms.input_price,
                output: terms.output_price,
                royalty_bps: u64::from(terms.royalty_bps),
                protocol_bps: u64::from(self.protocol_bps),
                least_royalty: offer.least_royalty,
            },
            most: posting.most,
            deposit: arrived,
            bond: terms.bond_lamports,
            min_stake: self.min_stake,
            seats: vec![FREE; usize::from(terms.seats)],
            stage: Stage::Open,
            ended_at: 0,
            acknowledged: false,
            demanded_at: None,
            answered: false,
            lost: 0,
            collected: Default::default(),
            lamports: if mint == SOL { arrived } else { 0 },
            tokens: if mint == SOL { 0 } else { arrived },
            gifts: (0, 0),
        };
        self.spend(by, job_rent(job.seats.len(), mint));
        self.take_from(by, mint, posting.deposit);
        self.jobs.insert(posting.job, job);
        Ok(())
    }

    fn cancel(&mut self, job: JobId, by: usize) -> Answer {
        let now = self.slot;
        let job = self.paid_by(job, by)?;
        demand(job.stage == Stage::Open, MarketError::WrongState)?;
        demand(now <= job.open_until, MarketError::WindowOver)?;
        demand(job.count(Step::Free) == job.seats.len(), MarketError::JobInUse)?;
        (job.stage, job.ended_at) = (Stage::Cancelled, now);
        Ok(())
    }

    fn take_seat(&mut self, job: JobId, by: usize, seat: usize, instance: u64, wrong_terms: bool) -> Answer {
        let now = self.slot;
        let mut node = *self.nodes.get(&by).ok_or(Refusal::Missing)?;
        let job = self.job_mut(job)?;
        demand(job.stage == Stage::Open, MarketError::WrongState)?;
        demand(now <= job.open_until, MarketError::WindowOver)?;
        demand(!wrong_terms, MarketError::WrongTerms)?;
        demand(job.seats.iter().all(|seat| seat.node != Some(by)), MarketError::DuplicateNode)?;
        let held = job.seats.get(seat).ok_or(MarketError::SeatOutOfRange)?;
        demand(held.step == Step::Free, MarketError::SeatTaken)?;
        demand(node.stake >= job.min_stake, MarketError::StakeTooLow)?;
        demand(node.stake - node.locked >= job.bond, MarketError::StakeLocked)?;
        let leased = node.lease.is_some_and(|(holder, at)| holder != instance && now < at + 150);
        demand(!leased, MarketError::AnotherInstance)?;
        if instance != 0 {
            node.lease = Some((instance, now));
        }
        let deadline = now + job.commit_window;
        job.seats[seat] = Seat { node: Some(by), step: Step::Taken, taken_at: now, deadline, outcome: (0, (0, 0)) };
        node.locked += job.bond;
        self.nodes.insert(by, node);
        Ok(())
    }

    fn leave_seat(&mut self, job: JobId, by: usize, seat: usize) -> Answer {
        let now = self.slot;
        let mut node = *self.nodes.get(&by).ok_or(Refusal::Missing)?;
        let job = self.job_mut(job)?;
        demand(job.stage == Stage::Open, MarketError::WrongState)?;
        let held = job.held_by(seat, by)?;
        demand(now <= job.open_until, MarketError::WindowOver)?;
        demand(!job.late(seat, now), MarketError::DeadlinePassed)?;
        demand(job.count(Step::Free) > 0, MarketError::NobodyMissing)?;
        demand(now - held.taken_at >= 150, MarketError::TooEarly)?;
        job.seats[seat] = FREE;
        node.locked -= job.bond;
        self.nodes.insert(by, node);
        Ok(())
    }

    fn commit(&mut self, job: JobId, by: usize, seat: usize, outcome: Outcome) -> Answer {
        let now = self.slot;
        let job = self.job_mut(job)?;
        demand(job.stage == Stage::Open, MarketError::WrongState)?;
        demand(job.seats.len() > 1, MarketError::SingleSeat)?;
        let held = job.held_by(seat, by)?;
        demand(held.step == Step::Taken, MarketError::AlreadyCommitted)?;
        demand(now <= held.deadline, MarketError::DeadlinePassed)?;
        job.seats[seat] = Seat { step: Step::Committed, outcome, ..held };
        if job.count(Step::Committed) == job.seats.len() {
            job.stage = Stage::Revealing { until: now + job.reveal_window };
        }
        Ok(())
    }

    fn reveal(&mut self, job: JobId, by: usize, seat: usize, outcome: Outcome) -> Answer {
        let now = self.slot;
        let job = self.job_mut(job)?;
        let Stage::Revealing { until } = job.stage else { return Err(MarketError::WrongState.into()) };
        let held = job.held_by(seat, by)?;
        demand(held.step != Step::Revealed, MarketError::AlreadyRevealed)?;
        demand(held.step == Step::Committed, MarketError::NotCommitted)?;
        demand(now <= until, MarketError::DeadlinePassed)?;
        check_units(job, outcome.1)?;
        demand(held.outcome == outcome, MarketError::WrongPreimage)?;
        job.seats[seat].step = Step::Revealed;
        if job.count(Step::Committed) == 0 {
            job.decide(now);
        }
        Ok(())
    }

    fn answer(&mut self, job: JobId, by: usize, outcome: Outcome) -> Answer {
        let now = self.slot;
        let job = self.job_mut(job)?;
        demand(job.stage == Stage::Open, MarketError::WrongState)?;
        demand(job.seats.len() == 1, MarketError::ManySeats)?;
        let held = job.held_by(0, by)?;
        demand(now <= held.deadline, MarketError::DeadlinePassed)?;
        check_units(job, outcome.1)?;
        job.seats[0] = Seat { step: Step::Revealed, outcome, ..held };
        job.decide(now);
        Ok(())
    }

    fn expire_seat(&mut self, id: JobId, seat: usize) -> Answer {
        let now = self.slot;
        let job = self.jobs.get(&id).ok_or(Refusal::Missing)?;
        let node = job.seats.get(seat).and_then(|seat| seat.node).filter(|node| self.nodes.contains_key(node));
        demand(node.is_some(), Refusal::Missing)?;
        demand(job.stage == Stage::Open, MarketError::WrongState)?;
        demand(job.late(seat, now), MarketError::NotLate)?;
        self.lose_bonds(id, &[seat]);
        let job = self.job_mut(id)?;
        job.lost += 1;
        if now <= job.open_until {
            job.seats[seat] = FREE;
        } else {
            job.seats[seat].step = Step::Missed;
        }
        Ok(())
    }

    /// Takes the bonds of seats from their nodes.
    pub(super) fn lose_bonds(&mut self, id: JobId, seats: &[usize]) {
        let job = self.jobs.get_mut(&id).expect("it exists");
        for seat in seats {
            let node = self.nodes.get_mut(&job.seats[*seat].node.expect("it is held")).expect("its bond is locked");
            node.stake -= job.bond;
            node.locked -= job.bond;
            node.forfeited += 1;
            job.lamports += job.bond;
        }
    }

    fn finalize(&mut self, id: JobId, one_too_many: bool) -> Answer {
        let now = self.slot;
        let job = self.jobs.get(&id).ok_or(Refusal::Missing)?;
        let late: Vec<usize> = (0..job.seats.len()).filter(|seat| job.late(*seat, now)).collect();
        let committed = job.count(Step::Committed);
        let due = match job.stage {
            Stage::Open => {
                let waiting = job.count(Step::Taken) - late.len();
                now > job.open_until && !(waiting > 0 && waiting + committed >= job.quorum)
            }
            Stage::Revealing { until } => now > until,
            _ => return Err(MarketError::WrongState.into()),
        };
        demand(due, MarketError::TooEarly)?;
        demand(!one_too_many, MarketError::MissingNodes)?;
        self.lose_bonds(id, &late);
        let job = self.job_mut(id)?;
        late.iter().for_each(|seat| job.seats[*seat].step = Step::Missed);
        job.lost += u64::try_from(late.len()).expect("few");
        match job.stage {
            Stage::Open if committed >= job.quorum => {
                job.stage = Stage::Revealing { until: now + job.reveal_window };
            }
            Stage::Open => (job.stage, job.ended_at) = (Stage::Failed, now),
            _ => job.decide(now),
        }
        Ok(())
    }
}

impl Job {
    /// A seat that this wallet holds, whether in time or not.
    fn held_by(&self, seat: usize, by: usize) -> Answer<Seat> {
        let held = *self.seats.get(seat).ok_or(MarketError::SeatOutOfRange)?;
        demand(held.node == Some(by), MarketError::WrongNode)?;
        Ok(held)
    }
}

fn check_units(job: &Job, units: Units) -> Answer {
    demand(units != (0, 0), MarketError::ZeroUnits)?;
    demand(units.0 <= job.most.0 && units.1 <= job.most.1, MarketError::TooManyUnits)
}
