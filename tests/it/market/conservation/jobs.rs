//! Posting, seats and results.

use anchor_lang::prelude::Address;
use provena_arith::commitment::Commitment;
use provena_common::slot::Slot;
use provena_market::{
    ID,
    client::{self, JobRecord, Request},
    fees::Work,
    pda,
};
use provena_tests::market::{CLUSTER, result_root, salt, seat as number};
use solana_instruction::AccountMeta;
use solana_signer::Signer;

use super::{
    chain::{Chain, arrives},
    model::{FREE, Job, Prices, Stage, Step, Units},
};

impl Chain {
    /// A payer posts a job, mostly a sound one.
    pub fn post(&mut self) {
        let (offer, payer) = (self.random.index(self.offers.len()), self.random.index(self.payers.len()));
        let sold = &self.offers[offer];
        let (offered, money, open, address) =
            (sold.offer, sold.money, sold.open, pda::offer(&self.model.mint.pubkey(), sold.id).0);
        let most: Units = (self.random.below(21), self.random.below(21));
        let most = if self.random.chance(3) { (21, most.1) } else { most };
        let price = offered.base_price + offered.input_price * most.0 + offered.output_price * most.1;
        // What a mint takes comes on top.
        let enough = (0..).map(|extra| price + extra + price / 99).find(|sum| arrives(money, *sum) >= price);
        let mut deposit = enough.expect("some sum is enough") + if self.random.chance(20) { 12_345 } else { 0 };
        if self.random.chance(3) {
            deposit = price.saturating_sub(1);
        }
        let now = self.now();
        let age = if self.random.chance(90) { 0 } else { self.random.below(170) };
        let nonce_slot = now.saturating_sub(age);
        let nonce_index = u16::try_from(self.random.below(40)).expect("few");
        let stale_fee = self.random.chance(3);
        let max_protocol_bps = if stale_fee { self.protocol_bps.saturating_sub(1) } else { self.protocol_bps };
        let stale_terms = self.random.chance(3);
        let mut seen = offered;
        if stale_terms {
            seen.terms_hash[0] ^= 1;
        }
        let request =
            Request { nonce_slot, nonce_index, input_root: [8; 32], most: work(most), deposit, max_protocol_bps };
        let payer_key = self.payers[payer].insecure_clone();
        let job_address = pda::job(&payer_key.pubkey(), nonce_slot, nonce_index).0;
        let arrived = arrives(money, deposit);
        let expected = open
            && !stale_terms
            && max_protocol_bps >= self.protocol_bps
            && now - nonce_slot <= 150
            && most != (0, 0)
            && most.0 <= 20
            && arrived >= price
            && self.world.account(&job_address).is_none()
            && (money == 0 || deposit == 0 || self.takes_tokens(money, &payer_key.pubkey()));
        self.track(job_address);
        let escrow = pda::escrow(&job_address).0;
        if money > 0 {
            self.track_tokens(escrow);
        }
        let post = client::post_job(payer_key.pubkey(), address, &seen, request, None);
        if !self.send("post_job", &[post], &[&payer_key], expected) {
            return;
        }
        let rent = self.rent(8 + 400 + 8 + 88 * usize::from(offered.seats));
        let escrow_rent = if money == 0 { 0 } else { self.token_account_rent(money) };
        let job = Job {
            address: job_address,
            payer,
            money,
            terms_hash: self.record(&job_address).job.terms_hash,
            posted_at: now,
            nonce_slot,
            open_until: now + u64::from(offered.open_window),
            commit_window: u64::from(offered.commit_window),
            reveal_window: u64::from(offered.reveal_window),
            quorum: usize::from(offered.quorum),
            prices: Prices {
                base: offered.base_price,
                input: offered.input_price,
                output: offered.output_price,
                royalty_bps: u64::from(offered.royalty_bps),
                protocol_bps: u64::from(self.protocol_bps),
                least_royalty: offered.least_royalty,
            },
            most,
            deposit: arrived,
            bond: offered.bond_lamports,
            min_stake: 1_000_000_000,
            seats: vec![FREE; usize::from(offered.seats)],
            stage: Stage::Open,
            ended_at: 0,
            acknowledged: false,
            demanded_at: None,
            answered: false,
            lost: 0,
            collected: Default::default(),
            rent,
            escrow_rent,
        };
        self.move_lamports(payer_key.pubkey(), job_address, rent);
        if money == 0 {
            self.move_lamports(payer_key.pubkey(), job_address, deposit);
        } else {
            self.move_lamports(payer_key.pubkey(), escrow, escrow_rent);
            self.move_tokens(money, self.money[money].account_of(&payer_key.pubkey()), escrow, deposit);
        }
        self.jobs.push(job);
        self.compare("post_job");
    }

    /// The job as it lies on the chain.
    pub fn record(&self, job: &Address) -> JobRecord {
        let account = self.world.account(job).expect("the job exists");
        JobRecord::decode(*job, &account.data).expect("it is a job")
    }

    pub fn cancel(&mut self, index: usize) {
        let job = self.jobs[index].clone();
        let by = if self.random.chance(80) { job.payer } else { self.random.index(self.payers.len()) };
        let key = self.payers[by].insecure_clone();
        let expected = by == job.payer
            && job.stage == Stage::Open
            && self.now() <= job.open_until
            && job.count(Step::Free) == job.seats.len();
        let cancel = client::cancel_job(key.pubkey(), job.address);
        if self.send("cancel_job", &[cancel], &[&key], expected) {
            self.jobs[index].stage = Stage::Cancelled;
            self.jobs[index].ended_at = self.now();
            self.compare("cancel_job");
        }
    }

    pub fn take(&mut self, index: usize) {
        let job = self.jobs[index].clone();
        let free = job.seats.iter().position(|seat| seat.step == Step::Free);
        let seat = free.filter(|_| self.random.chance(85)).unwrap_or_else(|| self.random.index(6));
        let able = |node: &usize| {
            let stake = &self.stakes[*node];
            stake.stake >= job.min_stake
                && stake.stake - stake.locked >= job.bond
                && job.seats.iter().all(|seat| seat.node != Some(*node))
        };
        let able: Vec<usize> = (0..self.nodes.len()).filter(able).collect();
        let node = if !able.is_empty() && self.random.chance(90) {
            self.random.pick(&able)
        } else {
            self.random.index(self.nodes.len())
        };
        let mut terms_hash = job.terms_hash;
        let wrong_terms = self.random.chance(3);
        if wrong_terms {
            terms_hash[0] ^= 1;
        }
        let (now, stake) = (self.now(), self.stakes[node]);
        let expected = job.stage == Stage::Open
            && now <= job.open_until
            && !wrong_terms
            && seat < job.seats.len()
            && job.seats[seat].step == Step::Free
            && job.seats.iter().all(|seat| seat.node != Some(node))
            && stake.stake >= job.min_stake
            && stake.stake - stake.locked >= job.bond;
        let key = self.nodes[node].insecure_clone();
        let take = client::take_seat(key.pubkey(), job.address, number(seat), terms_hash);
        if self.send("take_seat", &[take], &[&key], expected) {
            self.stakes[node].locked += job.bond;
            self.jobs[index].seats[seat] = super::model::Seat {
                node: Some(node),
                step: Step::Taken,
                taken_at: now,
                deadline: now + job.commit_window,
                result: (0, (0, 0)),
            };
            self.compare("take_seat");
        }
    }

    /// A seat that stands at a step, mostly, and its node, mostly.
    fn seat_and_node(&mut self, job: &Job, step: Step) -> (usize, usize) {
        let fitting: Vec<usize> = (0..job.seats.len()).filter(|seat| job.seats[*seat].step == step).collect();
        let seat = if !fitting.is_empty() && self.random.chance(92) {
            self.random.pick(&fitting)
        } else {
            self.random.index(6)
        };
        let holder = job.seats.get(seat).and_then(|seat| seat.node);
        let node = holder.filter(|_| self.random.chance(95)).unwrap_or_else(|| self.random.index(self.nodes.len()));
        (seat, node)
    }

    pub fn leave(&mut self, index: usize) {
        let job = self.jobs[index].clone();
        let now = self.now();
        let step = self.random.pick(&[Step::Taken, Step::Committed]);
        let ripe = job.seats.iter().position(|seat| seat.node.is_some() && now - seat.taken_at >= 150);
        let (seat, node) = match ripe {
            Some(seat) => (seat, job.seats[seat].node.expect("it is held")),
            None => self.seat_and_node(&job, step),
        };
        let expected = job.stage == Stage::Open
            && now <= job.open_until
            && job.seats.get(seat).is_some_and(|held| {
                held.node == Some(node)
                    && (held.step == Step::Committed || held.step == Step::Taken && now <= held.deadline)
                    && now - held.taken_at >= 150
            })
            && job.count(Step::Free) > 0;
        let key = self.nodes[node].insecure_clone();
        let leave = client::leave_seat(key.pubkey(), job.address, number(seat));
        if self.send("leave_seat", &[leave], &[&key], expected) {
            self.stakes[node].locked -= job.bond;
            self.jobs[index].seats[seat] = FREE;
            self.compare("leave_seat");
        }
    }

    /// What a node comes to: mostly the same as all others.
    fn result(&mut self, job: &Job) -> (u8, Units) {
        let result = if self.random.chance(85) { 1 } else { 2 };
        let all = job.most;
        let less = (all.0 / 2, all.1.div_ceil(2));
        let units = if self.random.chance(90) { less } else { all };
        if self.random.chance(2) { (result, (all.0 + 1, all.1)) } else { (result, units) }
    }

    pub fn commit_or_answer(&mut self, index: usize) {
        let several = self.jobs[index].seats.len() > 1;
        if several == self.random.chance(97) { self.commit(index) } else { self.answer(index) }
    }

    fn commit(&mut self, index: usize) {
        let job = self.jobs[index].clone();
        let (seat, node) = self.seat_and_node(&job, Step::Taken);
        let now = self.now();
        let result = self.result(&job);
        let expected = job.stage == Stage::Open
            && job.seats.len() > 1
            && job
                .seats
                .get(seat)
                .is_some_and(|held| held.node == Some(node) && held.step == Step::Taken && now <= held.deadline);
        let key = self.nodes[node].insecure_clone();
        let commitment = commitment(&job, &key.pubkey(), node, result);
        let commit = client::commit(key.pubkey(), job.address, number(seat), commitment);
        if self.send("commit", &[commit], &[&key], expected) {
            let job = &mut self.jobs[index];
            job.seats[seat].step = Step::Committed;
            job.seats[seat].result = result;
            if job.count(Step::Committed) == job.seats.len() {
                job.stage = Stage::Revealing { until: now + job.reveal_window };
            }
            self.compare("commit");
        }
    }

    fn answer(&mut self, index: usize) {
        let job = self.jobs[index].clone();
        let (_, node) = self.seat_and_node(&job, Step::Taken);
        let (now, result) = (self.now(), self.result(&job));
        let expected = job.stage == Stage::Open
            && job.seats.len() == 1
            && job.seats[0].node == Some(node)
            && job.seats[0].step == Step::Taken
            && now <= job.seats[0].deadline
            && fits(&job, result.1);
        let key = self.nodes[node].insecure_clone();
        let answer = client::answer(key.pubkey(), job.address, result_root(result.0), work(result.1));
        if self.send("answer", &[answer], &[&key], expected) {
            let job = &mut self.jobs[index];
            job.seats[0].step = Step::Revealed;
            job.seats[0].result = result;
            job.decide(now);
            self.compare("answer");
        }
    }

    pub fn reveal(&mut self, index: usize) {
        let job = self.jobs[index].clone();
        let (seat, node) = self.seat_and_node(&job, Step::Committed);
        let now = self.now();
        let mut result = job.seats.get(seat).map_or((1, (1, 1)), |seat| seat.result);
        let wrong = self.random.chance(5);
        if wrong {
            result.0 ^= 3;
        }
        let expected = matches!(job.stage, Stage::Revealing { until } if now <= until)
            && !wrong
            && job.seats.get(seat).is_some_and(|held| held.node == Some(node) && held.step == Step::Committed)
            && fits(&job, result.1);
        let key = self.nodes[node].insecure_clone();
        let reveal =
            client::reveal(key.pubkey(), job.address, number(seat), result_root(result.0), work(result.1), salt(node));
        if self.send("reveal", &[reveal], &[&key], expected) {
            let job = &mut self.jobs[index];
            job.seats[seat].step = Step::Revealed;
            if job.count(Step::Committed) == 0 {
                job.decide(now);
            }
            self.compare("reveal");
        }
    }

    pub fn expire(&mut self, index: usize) {
        let job = self.jobs[index].clone();
        let (seat, _) = self.seat_and_node(&job, Step::Taken);
        let late = self.late_seat(index).filter(|_| self.random.chance(80));
        self.expire_seat(index, late.unwrap_or(seat));
    }

    /// A seat of a job that is late now.
    pub fn late_seat(&self, index: usize) -> Option<usize> {
        let job = &self.jobs[index];
        (0..job.seats.len()).find(|seat| job.late(*seat, self.now()))
    }

    pub fn expire_seat(&mut self, index: usize, seat: usize) {
        let job = self.jobs[index].clone();
        let now = self.now();
        let expected = job.stage == Stage::Open && seat < job.seats.len() && job.late(seat, now);
        let expire = client::expire_seat(&self.record(&job.address), number(seat));
        if self.send("expire_seat", &[expire], &[], expected) {
            self.lose_bonds(&job, &[seat]);
            let job = &mut self.jobs[index];
            job.lost += 1;
            if now <= job.open_until {
                job.seats[seat] = FREE;
            } else {
                job.seats[seat].step = Step::Missed;
            }
            self.compare("expire_seat");
        }
    }

    /// Takes the bonds of seats from their nodes.
    pub fn lose_bonds(&mut self, job: &Job, seats: &[usize]) {
        for seat in seats {
            let node = job.seats[*seat].node.expect("it is held");
            let stake = &mut self.stakes[node];
            stake.stake -= job.bond;
            stake.locked -= job.bond;
            stake.forfeited += 1;
            self.move_lamports(self.node(node), job.address, job.bond);
        }
    }

    pub fn finalize(&mut self, index: usize) {
        let job = self.jobs[index].clone();
        let now = self.now();
        let late: Vec<usize> = (0..job.seats.len()).filter(|seat| job.late(*seat, now)).collect();
        let waiting = job.count(Step::Taken) - if job.stage == Stage::Open { late.len() } else { 0 };
        let committed = job.count(Step::Committed);
        let due = match job.stage {
            Stage::Open => now > job.open_until && !(waiting > 0 && waiting + committed >= job.quorum),
            Stage::Revealing { until } => now > until,
            _ => false,
        };
        let mut finalize = client::finalize(&self.record(&job.address), Slot(now));
        let mut complete = true;
        if self.random.chance(3) {
            // A node too many.
            finalize.accounts.push(AccountMeta::new(self.node(0), false));
            complete = false;
        }
        if self.send("finalize", &[finalize], &[], due && complete) {
            self.lose_bonds(&job, &late);
            let job = &mut self.jobs[index];
            late.iter().for_each(|seat| job.seats[*seat].step = Step::Missed);
            job.lost += u64::try_from(late.len()).expect("few");
            match job.stage {
                Stage::Open if committed >= job.quorum => {
                    job.stage = Stage::Revealing { until: now + job.reveal_window };
                }
                Stage::Open => (job.stage, job.ended_at) = (Stage::Failed, now),
                _ => job.decide(now),
            }
            self.compare("finalize");
        }
    }
}

/// Whether units are some and not more than the job asks for.
fn fits(job: &Job, units: Units) -> bool {
    units != (0, 0) && units.0 <= job.most.0 && units.1 <= job.most.1
}

fn work(units: Units) -> Work {
    Work::new(u32::try_from(units.0).expect("few"), u32::try_from(units.1).expect("few"))
}

fn commitment(job: &Job, authority: &Address, node: usize, result: (u8, Units)) -> [u8; 32] {
    let work = work(result.1);
    Commitment {
        cluster: &CLUSTER,
        program: ID.as_array(),
        job: job.address.as_array(),
        terms_hash: &job.terms_hash,
        posted_slot: job.posted_at,
        node: authority.as_array(),
        result_root: &result_root(result.0),
        units_in: work.input.0,
        units_out: work.output.0,
    }
    .hash(&salt(node))
}
