//! How the chain begins, what may happen on it, and how everything is brought to its end.

use std::collections::BTreeMap;

use anchor_lang::prelude::Address;
use provena_market::{
    client::{self, OfferOf},
    pda,
    state::{Offer, OfferTerms},
};
use provena_tests::{
    World,
    market::{CLUSTER, open_books, terms},
    registry,
    tokens::{Extension, Money, TransferFee, set_frozen},
};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{
    chain::{Chain, Sold, Stake},
    model::{Job, Stage, Step},
    random::Random,
};

/// What every payer has of every token, and every node at stake.
const MONEY: u64 = 1_000_000_000_000_000;
const STAKE: u64 = 20_000_000_000;
const MIN_STAKE: u64 = 1_000_000_000;
/// No more jobs than this at a time.
const MOST_JOBS: usize = 8;

impl Chain {
    pub fn new(seed: u64) -> Self {
        let mut world = World::new();
        let money = [
            Money::Sol,
            Money::token(&mut world, "dollar"),
            Money::token_2022(
                &mut world,
                "costly dollar",
                &[Extension::TransferFee(TransferFee { bps: 100, most: u64::MAX })],
            ),
        ];
        provena_tests::royalty::configure(&mut world, &money);
        registry::configure(&mut world);
        let authority = world.wallet("market authority");
        let treasury = world.wallet("treasury").pubkey();
        let create = client::initialize_admin(authority.pubkey(), treasury, CLUSTER, 250, MIN_STAKE);
        world.accept(&[create], &[&authority]);
        let model = registry::model(&mut world, "model", &[]);
        let helper = world.wallet("helper");
        for money in money {
            open_books(&mut world, &model, money);
            let asset = model.mint.pubkey();
            let royalty = provena_royalty::client::open_inbox(&helper.pubkey(), &asset, money.currency(), 0);
            let currency = money.currency();
            let treasury = client::open_treasury_inbox(helper.pubkey(), currency, 0);
            world.accept(&[royalty, treasury], &[&helper]);
        }
        let payers: Vec<Keypair> = (0..3).map(|i| world.wallet(&format!("payer {i}"))).collect();
        let nodes: Vec<Keypair> = (0..6).map(|i| world.wallet(&format!("node {i}"))).collect();
        for node in &nodes {
            provena_tests::market::register(&mut world, node, STAKE);
        }
        for money in &money[1..] {
            payers.iter().for_each(|payer| money.give(&mut world, &payer.pubkey(), MONEY));
            nodes.iter().for_each(|node| money.give(&mut world, &node.pubkey(), 0));
            money.give(&mut world, &treasury, 0);
        }
        let fee_payer = world.wallet("payer of fees").pubkey();
        world.svm = world.svm.clone().with_sigverify(false);
        let stakes = vec![Stake { stake: STAKE, ..Stake::default() }; nodes.len()];
        let mut chain = Self {
            world,
            fee_payer,
            random: Random::new(seed),
            seed,
            model,
            money,
            offers: Vec::new(),
            payers,
            nodes,
            stakes,
            authority,
            helper,
            treasury,
            protocol_bps: 250,
            jobs: Vec::new(),
            focus: 0,
            answers: BTreeMap::new(),
            residuals: BTreeMap::new(),
            lamports: BTreeMap::new(),
            tokens: BTreeMap::new(),
            sent: 0,
            counts: BTreeMap::new(),
        };
        chain.track_everybody();
        for (id, (money, seats, quorum)) in
            [(0, 1, 1), (0, 3, 2), (1, 2, 2), (1, 5, 3), (2, 3, 2)].into_iter().enumerate()
        {
            let id = u64::try_from(id).expect("few");
            let terms = chain.random_terms(seats, quorum);
            chain.open_offer(id, money, terms);
        }
        chain
    }

    fn track_everybody(&mut self) {
        let wallets: Vec<Address> = self.payers.iter().chain(&self.nodes).map(Signer::pubkey).collect();
        let others = [self.helper.pubkey(), self.treasury, self.model.creator.pubkey()];
        for wallet in wallets.iter().chain(&others) {
            self.track(*wallet);
        }
        for node in 0..self.nodes.len() {
            self.track(self.node(node));
        }
        for money in 0..3 {
            self.track(self.treasury_inbox(money));
            self.track(self.royalty_inbox(money));
            if money > 0 {
                self.track_tokens(pda::treasury_vault(&self.treasury_inbox(money)).0);
                self.track_tokens(provena_royalty::pda::inbox_vault(&self.royalty_inbox(money)).0);
                for wallet in wallets.iter().copied().chain([self.treasury]).collect::<Vec<_>>() {
                    self.track_tokens(self.money[money].account_of(&wallet));
                }
            }
        }
    }

    pub fn treasury_inbox(&self, money: usize) -> Address {
        pda::treasury_inbox(&self.money[money].mint(), 0).0
    }

    pub fn royalty_inbox(&self, money: usize) -> Address {
        let books = provena_royalty::pda::books(&self.model.pool, &self.money[money].mint()).0;
        provena_royalty::pda::inbox(&books, 0).0
    }

    fn random_terms(&mut self, seats: u8, quorum: u8) -> OfferTerms {
        let prices = [0, 1, 7, 999_983, 1_000_003];
        let mut price = || self.random.pick(&prices);
        let (base_price, input_price, output_price) = (price(), price(), 1 + price());
        OfferTerms {
            base_price,
            input_price,
            output_price,
            bond_lamports: self.random.pick(&[1, 29_999, 60_001, 400_000_000]),
            royalty_bps: self.random.pick(&[0, 1, 2_000, 9_900, 10_000]),
            seats,
            quorum,
            max_input_units: 20,
            max_output_units: 20,
            ..terms()
        }
    }

    fn open_offer(&mut self, id: u64, money: usize, terms: OfferTerms) {
        let of = OfferOf { asset: self.model.mint.pubkey(), version: 1, mint: self.money[money].mint(), offer_id: id };
        let creator = self.model.creator.insecure_clone();
        let create = client::create_offer(creator.pubkey(), self.model.nft(), of, terms);
        let address = pda::offer(&of.asset, id).0;
        self.track(address);
        self.send("create_offer", &[create], &[&creator], true);
        let account = self.world.account(&address).expect("it was made");
        let rent = self.rent(account.data.len());
        self.move_lamports(creator.pubkey(), address, rent);
        let offer: Offer = client::decode(&account.data).expect("it is an offer");
        match self.offers.iter_mut().find(|sold| sold.id == id) {
            Some(sold) => (sold.offer, sold.open) = (offer, true),
            None => self.offers.push(Sold { id, money, open: true, offer }),
        }
        self.compare("create_offer");
    }

    /// The holder closes an offer, or makes one anew with other terms.
    fn change_offer(&mut self) {
        let index = self.random.index(self.offers.len());
        let (id, money, open) = (self.offers[index].id, self.offers[index].money, self.offers[index].open);
        let (seats, quorum) = (self.offers[index].offer.seats, self.offers[index].offer.quorum);
        let address = pda::offer(&self.model.mint.pubkey(), id).0;
        let close =
            client::close_offer(self.model.creator.pubkey(), self.model.nft(), address, &self.offers[index].offer);
        let creator = self.model.creator.insecure_clone();
        if self.send("close_offer", &[close], &[&creator], open) {
            let rent = self.lamports[&address];
            self.move_lamports(address, creator.pubkey(), rent);
            self.offers[index].open = false;
        }
        self.compare("close_offer");
        if !self.offers[index].open && self.random.chance(80) {
            let terms = self.random_terms(seats, quorum);
            self.open_offer(id, money, terms);
        }
    }

    /// One thing that somebody does.
    pub fn step(&mut self) {
        match self.random.below(100) {
            0..6 if self.jobs.len() < MOST_JOBS => self.post(),
            0..10 => self.pass(),
            10 => self.move_stake(),
            11 => self.toggle_token_account(),
            12 if self.random.chance(30) => self.change_offer(),
            12 => self.set_protocol_fee(),
            13 => self.sweep_treasury(),
            14 => self.collect_residual(),
            _ => self.act_on_a_job(),
        }
    }

    fn act_on_a_job(&mut self) {
        if self.jobs.is_empty() {
            return self.post();
        }
        // Mostly the same job for a while, and mostly what fits its stage.
        if self.random.chance(8) {
            self.focus = self.random.index(MOST_JOBS);
        }
        let job = self.focus % self.jobs.len();
        if self.random.chance(6) {
            return self.anything(job);
        }
        match self.jobs[job].stage {
            Stage::Open => self.act_on_an_open_job(job),
            Stage::Revealing { until } => match self.random.below(10) {
                0..9 if self.now() <= until => self.reveal(job),
                _ => self.finalize(job),
            },
            Stage::Agreed { .. } if !self.jobs[job].settled(self.now()) => self.act_on_an_unsettled_job(job),
            _ => self.act_on_a_settled_job(job),
        }
    }

    fn act_on_a_settled_job(&mut self, index: usize) {
        let (job, now) = (&self.jobs[index], self.now());
        let payable = job.parties().into_iter().any(|party| job.payable(party, now).is_some());
        let old = now >= job.ended_at + 216_000;
        let fresh = now <= job.nonce_slot + 150;
        let answered = self.answers.keys().any(|(address, _)| *address == job.address);
        match self.random.below(20) {
            0..8 if payable && old => self.park(index),
            0..15 if payable => self.collect(index),
            0..12 if !payable && fresh => self.pass(),
            0..15 if !payable => self.close(index),
            15 if answered => self.close_answer(index),
            16 => self.park(index),
            17 => self.close(index),
            18 => self.pass(),
            _ => self.collect(index),
        }
    }

    fn act_on_an_open_job(&mut self, job: usize) {
        let over = self.now() > self.jobs[job].open_until;
        let free = self.jobs[job].count(Step::Free) > 0;
        match self.random.below(20) {
            0..12 if over => self.finalize(job),
            0 => self.leave(job),
            1 => self.expire(job),
            2..8 if self.late_seat(job).is_some() => self.expire(job),
            4 if free && self.random.chance(40) => self.cancel(job),
            4..12 if free => self.take(job),
            _ => self.commit_or_answer(job),
        }
    }

    fn act_on_an_unsettled_job(&mut self, job: usize) {
        let awaited = self.jobs[job].awaited();
        match self.random.below(20) {
            0..4 if awaited => self.seal_answer(job),
            4..7 if awaited => self.put_answer(job),
            7..9 if awaited => self.default_answer(job),
            10..12 if awaited => self.pass(),
            0..4 => self.acknowledge(job),
            4..6 => self.demand(job),
            6 => self.put_answer(job),
            7..10 => self.pass(),
            10 => self.close_answer(job),
            11 => self.collect(job),
            _ => self.acknowledge(job),
        }
    }

    fn anything(&mut self, job: usize) {
        match self.random.below(16) {
            0 => self.take(job),
            1 => self.leave(job),
            2 => self.commit_or_answer(job),
            3 => self.reveal(job),
            4 => self.expire(job),
            5 => self.finalize(job),
            6 => self.cancel(job),
            7 => self.acknowledge(job),
            8 => self.demand(job),
            9 => self.put_answer(job),
            10 => self.seal_answer(job),
            11 => self.default_answer(job),
            12 => self.park(job),
            13 => self.close(job),
            14 => self.close_answer(job),
            _ => self.collect(job),
        }
    }

    fn pass(&mut self) {
        let slots = match self.random.below(100) {
            0..55 => self.random.pick(&[1, 2, 9, 20]),
            55..92 => self.random.pick(&[75, 140, 150, 151, 161]),
            92..97 => self.random.pick(&[751, 1_501]),
            _ => 216_001,
        };
        self.world.pass_slots(slots);
    }

    /// A token account is frozen or thawed: nobody's fault, and nobody else's loss.
    fn toggle_token_account(&mut self) {
        let money = 1 + self.random.index(2);
        let wallet = if self.random.chance(70) {
            self.nodes[self.random.index(6)].pubkey()
        } else {
            self.payers[self.random.index(3)].pubkey()
        };
        let frozen = self.takes_tokens(money, &wallet);
        set_frozen(&mut self.world, &self.money[money].account_of(&wallet), frozen);
    }

    fn set_protocol_fee(&mut self) {
        let bps = self.random.pick(&[0, 1, 250, 499, 500, 501]);
        let set = client::set_protocol_fee(self.authority.pubkey(), bps);
        let authority = self.authority.insecure_clone();
        if self.send("set_protocol_fee", &[set], &[&authority], bps <= 500) {
            self.protocol_bps = bps;
        }
    }

    fn move_stake(&mut self) {
        let node = self.random.index(self.nodes.len());
        let (authority, address) = (self.nodes[node].insecure_clone(), self.node(node));
        let amount = self.random.pick(&[1, 3_000_000_000, 19_000_000_001]);
        let stake = self.stakes[node];
        if self.random.chance(50) && stake.stake < 3 * STAKE {
            self.send("add_stake", &[client::add_stake(authority.pubkey(), amount)], &[&authority], true);
            self.stakes[node].stake += amount;
            self.move_lamports(authority.pubkey(), address, amount);
        } else {
            let left = stake.stake.checked_sub(amount);
            let free = stake.stake - stake.locked >= amount;
            let expected = free && left.is_some_and(|left| left == 0 || left >= MIN_STAKE);
            let withdraw = client::withdraw_stake(authority.pubkey(), amount);
            if self.send("withdraw_stake", &[withdraw], &[&authority], expected) {
                self.stakes[node].stake -= amount;
                self.move_lamports(address, authority.pubkey(), amount);
            }
        }
        self.compare("stake");
    }

    fn sweep_treasury(&mut self) {
        let money = self.random.index(3);
        let currency = self.money[money].currency();
        let sweep = client::sweep_treasury(self.treasury, currency, 0);
        let inbox = self.treasury_inbox(money);
        self.send("sweep_treasury", &[sweep], &[], true);
        let account = self.world.account(&inbox).expect("it stays");
        let surplus = self.lamports[&inbox] - self.rent(account.data.len());
        self.move_lamports(inbox, self.treasury, surplus);
        if money > 0 {
            let vault = pda::treasury_vault(&inbox).0;
            let amount = self.tokens[&vault];
            self.move_tokens(money, vault, self.money[money].account_of(&self.treasury), amount);
        }
        self.compare("sweep_treasury");
    }

    /// Brings every job to its end by calls of anybody, and looks once more at who has what.
    pub fn finish(&mut self) {
        for money in 1..3 {
            for wallet in self.payers.iter().chain(&self.nodes).map(Signer::pubkey).collect::<Vec<_>>() {
                set_frozen(&mut self.world, &self.money[money].account_of(&wallet), false);
            }
        }
        while let Some(job) = self.jobs.first().cloned() {
            self.end(&job);
        }
        for stake in &self.stakes {
            assert_eq!(stake.locked, 0, "a bond is still locked");
        }
    }

    fn end(&mut self, job: &Job) {
        let now = self.now();
        match job.stage {
            Stage::Open | Stage::Revealing { .. } => {
                let late = (0..job.seats.len()).find(|seat| job.late(*seat, now));
                match (job.stage, late) {
                    (Stage::Open, Some(seat)) if now <= job.open_until => self.expire_seat(0, seat),
                    _ => {
                        self.world.pass_slots(200);
                        self.finalize(0);
                    }
                }
            }
            Stage::Agreed { .. } if !job.settled(now) => {
                self.world.pass_slots(1_501);
                self.default_answer(0);
            }
            _ => {
                let next = job.parties().into_iter().find(|party| job.payable(*party, now).is_some());
                match next {
                    Some(party) => self.collect_for(0, party, true),
                    None => {
                        self.world.pass_slots(216_001);
                        self.close_by(0, None);
                    }
                }
            }
        }
    }
}
