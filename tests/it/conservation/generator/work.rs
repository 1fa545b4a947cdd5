//! Work on jobs: mostly what fits their stage.

use super::Generator;
use crate::conservation::{
    model::{Job, JobId, LONG, Model, Party, SOL, Stage, Step, WALLETS},
    operation::{Market, Operation, Outcome, Outside},
};

/// One job in so many has a long answer.
const LONG_IN: JobId = 5;

impl Generator {
    /// Something that is done with a job; `None` while there is none.
    pub(super) fn work(&mut self, model: &Model) -> Option<Operation> {
        let jobs: Vec<JobId> = model.jobs.keys().copied().collect();
        // Mostly the same job for a while.
        if !model.jobs.contains_key(&self.job) || self.once_in(12) {
            self.job = self.pick(&jobs)?;
        }
        let (id, now) = (self.job, model.slot);
        let job = &model.jobs[&id];
        if self.chance(6) {
            return Some(Operation::Market(self.anything(model, id, job)));
        }
        // What is closed must be older than its nonce, what is put aside a day.
        let wait = Operation::Outside(Outside::PassSlots(self.one_of([75, 151])));
        let payable = job.parties().into_iter().any(|party| job.payable(party, now).is_ok());
        if job.ended() && job.settled(now) && !payable && now <= job.key.slot + 150 && self.chance(60) {
            return Some(wait);
        }
        if job.awaited() && self.chance(8) {
            return Some(Operation::Outside(Outside::PassSlots(751)));
        }
        Some(Operation::Market(match job.stage {
            Stage::Open => self.on_open(model, id, job),
            Stage::Revealing { until } if now <= until && !self.once_in(10) => self.reveal(id, job),
            Stage::Revealing { .. } => self.finalize(id),
            Stage::Agreed { .. } if !job.settled(now) => self.on_unsettled(model, id, job),
            _ => self.on_settled(model, id, job),
        }))
    }

    fn on_open(&mut self, model: &Model, id: JobId, job: &Job) -> Market {
        let over = model.slot > job.open_until;
        let free = job.count(Step::Free) > 0;
        let late = (0..job.seats.len()).find(|seat| job.late(*seat, model.slot));
        let ripe = job.seats.iter().any(|seat| seat.node.is_some() && model.slot - seat.taken_at >= 150);
        match self.below(20) {
            2..8 if late.is_some() => self.expire(id, job, late),
            0..17 if over => self.finalize(id),
            0 => self.leave(model, id, job),
            1 => self.expire(id, job, late),
            2..8 if ripe && free => self.leave(model, id, job),
            4 if free && self.chance(40) => self.cancel(id, job),
            4..12 if free => self.take(model, id, job),
            _ if free && job.count(Step::Taken) == 0 && self.chance(85) => self.take(model, id, job),
            _ => self.commit_or_answer(id, job),
        }
    }

    fn on_settled(&mut self, model: &Model, id: JobId, job: &Job) -> Market {
        let payable = job.parties().into_iter().any(|party| job.payable(party, model.slot).is_ok());
        let old = model.slot >= job.ended_at + 216_000;
        match self.below(20) {
            0..8 if payable && old => self.park(model, id, job),
            0..15 if payable => self.collect(model, id, job),
            0..15 => self.close(id, job),
            15 => self.close_answer(model, id),
            16 => self.park(model, id, job),
            17 => self.close(id, job),
            _ => self.collect(model, id, job),
        }
    }

    fn on_unsettled(&mut self, model: &Model, id: JobId, job: &Job) -> Market {
        let awaited = job.awaited();
        match self.below(20) {
            0..5 if awaited => self.seal_answer(model, id, job),
            5..14 if awaited && id.is_multiple_of(LONG_IN) => self.prove_length(id, job),
            5..14 if awaited => self.put_answer(model, id, job),
            14..17 if awaited => Market::DefaultAnswer { job: id },
            0..5 => Market::Acknowledge { job: id, by: self.payer(job) },
            5..10 => Market::DemandAnswer { job: id, by: self.payer(job) },
            10 => self.put_answer(model, id, job),
            11 => self.close_answer(model, id),
            12..14 => self.collect(model, id, job),
            _ => Market::Acknowledge { job: id, by: self.payer(job) },
        }
    }

    fn anything(&mut self, model: &Model, id: JobId, job: &Job) -> Market {
        match self.below(17) {
            0 => self.take(model, id, job),
            1 => self.leave(model, id, job),
            2 => self.commit_or_answer(id, job),
            3 => self.reveal(id, job),
            4 => self.expire(id, job, None),
            5 => self.finalize(id),
            6 => self.cancel(id, job),
            7 => Market::Acknowledge { job: id, by: self.payer(job) },
            8 => Market::DemandAnswer { job: id, by: self.payer(job) },
            9 => self.put_answer(model, id, job),
            10 => self.seal_answer(model, id, job),
            11 => Market::DefaultAnswer { job: id },
            12 => self.park(model, id, job),
            13 => self.close(id, job),
            14 => self.close_answer(model, id),
            15 => self.prove_length(id, job),
            _ => self.collect(model, id, job),
        }
    }

    /// The job's payer, mostly.
    fn payer(&mut self, job: &Job) -> usize {
        if self.chance(92) { job.key.payer } else { self.person() }
    }

    fn cancel(&mut self, id: JobId, job: &Job) -> Market {
        Market::CancelJob { job: id, by: self.payer(job) }
    }

    fn finalize(&mut self, id: JobId) -> Market {
        Market::Finalize { job: id, one_too_many: self.once_in(30) }
    }

    fn take(&mut self, model: &Model, id: JobId, job: &Job) -> Market {
        let free = job.seats.iter().position(|seat| seat.step == Step::Free);
        let seat = free.filter(|_| self.chance(85)).unwrap_or_else(|| self.below(6));
        let able = |(wallet, node): (&usize, &crate::conservation::model::Node)| {
            let able = node.stake >= job.min_stake
                && node.stake - node.locked >= job.bond
                && job.seats.iter().all(|seat| seat.node != Some(*wallet));
            able.then_some(*wallet)
        };
        let able: Vec<usize> = model.nodes.iter().filter_map(able).collect();
        let by = self.pick(&able).filter(|_| self.chance(90)).unwrap_or_else(|| self.node_wallet());
        // Mostly the process that holds the node's lease, sometimes one that says none.
        let holder = model.nodes.get(&by).and_then(|node| node.lease).map_or(1, |(holder, _)| holder);
        let instance = if self.once_in(12) { self.one_of([0, 1, 2]) } else { holder };
        Market::TakeSeat { job: id, by, seat, instance, wrong_terms: self.once_in(30) }
    }

    /// A seat that stands at a step, mostly, and its node, mostly.
    fn seat_and_node(&mut self, job: &Job, step: Step) -> (usize, usize) {
        let fitting: Vec<usize> = (0..job.seats.len()).filter(|seat| job.seats[*seat].step == step).collect();
        let seat = self.pick(&fitting).filter(|_| self.chance(92)).unwrap_or_else(|| self.below(6));
        let holder = job.seats.get(seat).and_then(|seat| seat.node);
        let node = holder.filter(|_| self.chance(95)).unwrap_or_else(|| self.node_wallet());
        (seat, node)
    }

    fn leave(&mut self, model: &Model, id: JobId, job: &Job) -> Market {
        let ripe = job.seats.iter().position(|seat| seat.node.is_some() && model.slot - seat.taken_at >= 150);
        let step = self.one_of([Step::Taken, Step::Committed]);
        let (seat, by) = match ripe.and_then(|seat| job.seats[seat].node.map(|node| (seat, node))) {
            Some(found) => found,
            None => self.seat_and_node(job, step),
        };
        Market::LeaveSeat { job: id, by, seat }
    }

    fn expire(&mut self, id: JobId, job: &Job, late: Option<usize>) -> Market {
        let (seat, _) = self.seat_and_node(job, Step::Taken);
        let seat = late.filter(|_| self.chance(80)).unwrap_or(seat);
        Market::ExpireSeat { job: id, seat }
    }

    /// What a node comes to: mostly the same as all others.
    fn outcome(&mut self, id: JobId, job: &Job) -> Outcome {
        let usual = if id.is_multiple_of(LONG_IN) { LONG } else { 1 };
        let result = if self.chance(88) { usual } else { 2 };
        let all = job.most;
        let less = (all.0 / 2, all.1.div_ceil(2));
        let units = if self.chance(92) { less } else { all };
        if self.chance(2) { (result, (all.0 + 1, all.1)) } else { (result, units) }
    }

    fn commit_or_answer(&mut self, id: JobId, job: &Job) -> Market {
        let (seat, by) = self.seat_and_node(job, Step::Taken);
        let outcome = self.outcome(id, job);
        if (job.seats.len() > 1) == self.chance(97) {
            Market::Commit { job: id, by, seat, outcome }
        } else {
            Market::Answer { job: id, by, outcome }
        }
    }

    fn reveal(&mut self, id: JobId, job: &Job) -> Market {
        let (seat, by) = self.seat_and_node(job, Step::Committed);
        let mut outcome = job.seats.get(seat).map_or((1, (1, 1)), |seat| seat.outcome);
        if self.once_in(20) {
            outcome.0 = if outcome.0 == 2 { 1 } else { 2 };
        }
        Market::Reveal { job: id, by, seat, outcome }
    }

    fn collect(&mut self, model: &Model, id: JobId, job: &Job) -> Market {
        let parties = job.parties();
        let payable: Vec<Party> =
            parties.iter().copied().filter(|party| job.payable(*party, model.slot).is_ok()).collect();
        let party = self.pick(&payable).filter(|_| self.chance(85)).or_else(|| self.pick(&parties));
        let tokens = job.mint == SOL || self.chance(85);
        match party.expect("every job has parties") {
            Party::Seat(seat) => Market::CollectSeat { job: id, seat, tokens },
            Party::Royalty => {
                let shard = self.shard(model, job.asset, job.mint);
                Market::CollectRoyalty { job: id, shard, tokens }
            }
            Party::Protocol => {
                // Of the treasury's two inboxes sometimes only one is given.
                let sol = job.mint == SOL || !tokens || self.chance(70);
                let shard = if self.once_in(10) { 1 } else { 0 };
                Market::CollectProtocol { job: id, shard, sol, tokens }
            }
            Party::Payer => Market::CollectRefund { job: id, tokens },
        }
    }

    fn park(&mut self, model: &Model, id: JobId, job: &Job) -> Market {
        let payable = job.parties().into_iter().filter(|party| job.payable(*party, model.slot).is_ok());
        let owed = payable.filter_map(|party| match party {
            Party::Seat(seat) => Some(Some(seat)),
            Party::Payer => Some(None),
            _ => None,
        });
        let owed: Vec<Option<usize>> = owed.collect();
        let any = Some(self.below(job.seats.len() + 2)).filter(|_| !self.once_in(4));
        let seat = self.pick(&owed).filter(|_| !self.once_in(10)).unwrap_or(any);
        let tokens = job.mint != SOL && self.chance(70);
        Market::Park { job: id, by: self.person(), seat, tokens }
    }

    fn close(&mut self, id: JobId, job: &Job) -> Market {
        let by = if self.chance(80) { job.key.payer } else { self.below(WALLETS) };
        Market::CloseJob { job: id, by }
    }
}
