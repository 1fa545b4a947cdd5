//! Acknowledging answers, demanding them, and bringing them on chain.

use provena_market::{client, pda};
use provena_tests::market::answer_bytes;
use solana_signer::Signer;

use super::{
    chain::{Chain, Posted, answer_len},
    model::{Job, Stage},
};

const DEMAND: u64 = 60_000;

impl Chain {
    /// The job's payer, mostly.
    fn somebody_paying(&mut self, job: &Job) -> usize {
        if self.random.chance(92) { job.payer } else { self.random.index(self.payers.len()) }
    }

    pub fn acknowledge(&mut self, index: usize) {
        let job = self.jobs[index].clone();
        let by = self.somebody_paying(&job);
        let key = self.payers[by].insecure_clone();
        let agreed = matches!(job.stage, Stage::Agreed { .. });
        let expected = by == job.payer && agreed && !job.acknowledged && !job.awaited();
        let acknowledge = client::acknowledge(key.pubkey(), job.address);
        if self.send("acknowledge", &[acknowledge], &[&key], expected) {
            self.jobs[index].acknowledged = true;
            self.compare("acknowledge");
        }
    }

    pub fn demand(&mut self, index: usize) {
        let job = self.jobs[index].clone();
        let by = self.somebody_paying(&job);
        let (key, now) = (self.payers[by].insecure_clone(), self.now());
        let agreed = matches!(job.stage, Stage::Agreed { .. });
        let expected =
            by == job.payer && agreed && !job.acknowledged && job.demanded_at.is_none() && now <= job.ended_at + 1_500;
        let demand = client::demand_answer(key.pubkey(), job.address);
        if self.send("demand_answer", &[demand], &[&key], expected) {
            self.jobs[index].demanded_at = Some(now);
            self.move_lamports(key.pubkey(), job.address, DEMAND);
            self.compare("demand_answer");
        }
    }

    /// Some node puts an answer on chain, mostly the agreed one, in as many parts as it has.
    pub fn put_answer(&mut self, index: usize) {
        let job = self.jobs[index].clone();
        let agreeing = job.agreeing();
        let holder = if agreeing.is_empty() { None } else { job.seats[self.random.pick(&agreeing)].node };
        let node = holder.filter(|_| self.random.chance(80)).unwrap_or_else(|| self.random.index(self.nodes.len()));
        let right = holder.map_or(1, |_| job.seats[agreeing[0]].result.0);
        let result = if self.random.chance(85) { right } else { right ^ 3 };
        let key = self.nodes[node].insecure_clone();
        let address = pda::answer(&job.address, &key.pubkey()).0;
        self.track(address);
        for part in client::put_answer(key.pubkey(), job.address, &answer_bytes(result)).0 {
            if !self.send("put_answer", &[part], &[&key], job.awaited()) {
                return;
            }
            let made = !self.answers.contains_key(&(job.address, node));
            let rent = self.rent(answer_len());
            let posted = self.answers.entry((job.address, node)).or_insert(Posted { result, sealed_at: None, rent });
            posted.result = result;
            if made {
                self.move_lamports(key.pubkey(), address, rent);
            }
            self.compare("put_answer");
        }
    }

    pub fn seal_answer(&mut self, index: usize) {
        let job = self.jobs[index].clone();
        let posters: Vec<usize> =
            self.answers.keys().filter(|(address, _)| *address == job.address).map(|(_, node)| *node).collect();
        let node = if posters.is_empty() { self.random.index(self.nodes.len()) } else { self.random.pick(&posters) };
        let (key, now) = (self.nodes[node].insecure_clone(), self.now());
        let posted = self.answers.get(&(job.address, node)).copied();
        let expected = job.awaited()
            && job.demanded_at.is_some_and(|slot| now <= slot + 750)
            && posted.is_some_and(|posted| posted.result == job.seats[job.agreeing()[0]].result.0);
        let (_, seal) = client::put_answer(key.pubkey(), job.address, &[]);
        if self.send("seal_answer", &[seal], &[&key], expected) {
            self.jobs[index].answered = true;
            self.answers.get_mut(&(job.address, node)).expect("it exists").sealed_at = Some(now);
            self.move_lamports(job.address, key.pubkey(), DEMAND);
            self.compare("seal_answer");
        }
    }

    pub fn default_answer(&mut self, index: usize) {
        let job = self.jobs[index].clone();
        let now = self.now();
        let expected = job.awaited() && job.demanded_at.is_some_and(|slot| now > slot + 750);
        let default = client::default_answer(&self.record(&job.address));
        if self.send("default_answer", &[default], &[], expected) {
            let Stage::Agreed { winner } = job.stage else { panic!("only an agreed job has a demand") };
            self.lose_bonds(&job, &job.agreeing());
            self.jobs[index].stage = Stage::Defaulted { winner };
            self.jobs[index].ended_at = now;
            self.compare("default_answer");
        }
    }

    pub fn close_answer(&mut self, index: usize) {
        let job = self.jobs[index].clone();
        let posters: Vec<usize> =
            self.answers.keys().filter(|(address, _)| *address == job.address).map(|(_, node)| *node).collect();
        let node = if posters.is_empty() { self.random.index(self.nodes.len()) } else { self.random.pick(&posters) };
        let key = self.nodes[node].insecure_clone();
        let signs = self.random.chance(50);
        let posted = self.answers.get(&(job.address, node)).copied();
        let now = self.now();
        let expected = posted.is_some_and(|posted| match posted.sealed_at {
            Some(slot) => now > slot + 1_500,
            None => signs,
        });
        let mut close = client::close_answer(key.pubkey(), job.address);
        close.accounts[0].is_signer = signs;
        let signers = if signs { vec![&key] } else { Vec::new() };
        if self.send("close_answer", &[close], &signers, expected) {
            self.forget_answer(job.address, node);
            self.compare("close_answer");
        }
    }

    /// Returns the rent of an answer that is closed.
    pub fn forget_answer(&mut self, job: anchor_lang::prelude::Address, node: usize) {
        let posted = self.answers.remove(&(job, node)).expect("it existed");
        let authority = self.nodes[node].pubkey();
        self.move_lamports(pda::answer(&job, &authority).0, authority, posted.rent);
    }
}
