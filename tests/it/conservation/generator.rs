//! Random operations: most of them possible, some not.

use std::collections::VecDeque;

use provena_tests::random::Random;

use super::{
    model::{JobId, MINTS, Model, PEOPLE, POOLS, SOL, WALLETS},
    operation::{Act, Market, Operation, Outside, Program, Royalty},
};

mod answers;
mod drafts;
mod ending;
mod market;
mod random;
mod registry;
mod royalty;
mod scene;
mod work;

/// What most of a sequence's instructions are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Focus {
    Everything,
    /// Pools that are made, abandoned and hold each other, mostly before there are any NFTs.
    Royalty,
    /// Jobs of a few models.
    Market,
    /// Assets, their versions, licences and lineage.
    Registry,
}

/// Draws operations from a seed.
pub(crate) struct Generator {
    random: Random,
    focus: Focus,
    /// What happens first.
    scene: VecDeque<Operation>,
    /// What the next job that is posted is called, and the one with which things happen for a while.
    next_job: JobId,
    job: JobId,
    /// What the next content to be claimed is called.
    next_content: u32,
    /// How often everything was swept and claimed in the end.
    rounds: usize,
}

impl Generator {
    /// Of eight seeds in a row three have a focus.
    pub(crate) fn new(seed: u64) -> Self {
        let focus = match seed % 8 {
            1 => Focus::Royalty,
            3 => Focus::Market,
            5 => Focus::Registry,
            _ => Focus::Everything,
        };
        let mut generator = Self {
            random: Random(seed),
            focus,
            scene: VecDeque::new(),
            next_job: 0,
            job: 0,
            next_content: 0,
            rounds: 0,
        };
        // The others begin with nothing, and their lineage is as random as all else.
        if matches!(focus, Focus::Everything | Focus::Market) {
            generator.scene = generator.first_scene().into();
        }
        generator
    }

    /// The next thing to happen.
    pub(crate) fn operation(&mut self, model: &Model) -> Operation {
        if let Some(operation) = self.scene.pop_front() {
            return operation;
        }
        if let Some(operation) = self.repair(model) {
            return operation;
        }
        let [royalty, registry, outside] = match self.focus {
            Focus::Everything => [38, 50, 57],
            Focus::Royalty => [84, 88, 97],
            Focus::Market => [8, 11, 16],
            Focus::Registry => [20, 60, 66],
        };
        match self.below(100) {
            percent if percent < royalty => self.royalty(model),
            percent if percent < registry => self.registry(model),
            percent if percent < outside => self.outside(model),
            99 => self.authority(model),
            _ => self.market(model),
        }
    }

    /// Nothing stays paused, forbidden, frozen or without an inbox for long.
    fn repair(&mut self, model: &Model) -> Option<Operation> {
        if !self.once_in(12) {
            return None;
        }
        for (program, control) in &model.controls {
            let act = |by, act| Some(Operation::Authority { program: *program, by, act });
            if control.paused != 0 {
                return act(control.authority, Act::SetPause(0));
            }
            if let Some((proposed, from)) = control.pending
                && model.slot >= from
            {
                return act(proposed, Act::AcceptAuthority);
            }
        }
        if let Some(mint) = (0..MINTS).find(|mint| !model.allowed[*mint]) {
            let by = model.controls[&Program::Royalty].authority;
            return Some(Operation::Royalty(Royalty::AllowMint { by, mint }));
        }
        if !self.once_in(3) {
            return None;
        }
        let frozen: Vec<_> = model.frozen.iter().copied().collect();
        if let Some((wallet, mint)) = self.pick(&frozen) {
            return Some(Operation::Outside(Outside::Freeze { wallet, mint, frozen: false }));
        }
        let payer = self.person();
        if let Some(mint) = (0..MINTS).find(|mint| !model.inboxes.contains_key(&(*mint, 0))) {
            return Some(Operation::Market(Market::OpenTreasuryInbox { by: payer, mint, shard: 0 }));
        }
        let (pool, mint) =
            model.offers.iter().map(|((asset, _), offer)| (*asset, offer.mint)).find(|(pool, mint)| {
                let books = model.pools[*pool].as_ref().and_then(|pool| pool.books[*mint].as_ref());
                books.is_some_and(|books| books.inboxes.is_empty())
            })?;
        Some(Operation::Royalty(Royalty::OpenInbox { pool, payer, mint }))
    }

    fn outside(&mut self, model: &Model) -> Operation {
        let pool = self.pool(model);
        let mint = self.mint(model, pool);
        let jobs: Vec<JobId> = model.jobs.keys().copied().collect();
        Operation::Outside(match self.below(20) {
            0 if !jobs.is_empty() => {
                let job = self.pick(&jobs).unwrap_or(0);
                Outside::PayJob { job, tokens: self.once_in(2), amount: 1 + self.next() % 1_000 }
            }
            0..11 => Outside::PassSlots(self.slots(model)),
            11..13 => Outside::Donate { pool, mint, amount: self.amount() % (1 << 45) },
            13..15 => {
                let shard = self.shard(model, pool, mint);
                Outside::PayInbox { pool, mint, shard, amount: self.amount() % (1 << 45) }
            }
            15..17 => Outside::PayResale { pool, mint: self.below(MINTS), amount: self.amount() % (1 << 45) },
            17..19 => Outside::GiveNft { asset: pool, to: self.person() },
            _ => Outside::Freeze { wallet: self.below(WALLETS), mint: SOL + 1 + self.below(MINTS - 1), frozen: true },
        })
    }

    /// Jobs have windows of 150 slots and more, pools windows of 32 and more, and some things wait for a day.
    fn slots(&mut self, model: &Model) -> u64 {
        let proposed = model.controls.values().any(|control| control.pending.is_some());
        if proposed && self.once_in(15) {
            return 432_000;
        }
        match self.below(100) {
            0..65 => self.one_of([1, 2, 9, 20]),
            65..90 => self.one_of([75, 140, 150, 151, 161]),
            90..94 => self.one_of([751, 1_501]),
            94..96 => 1 + self.next() % 20_000,
            _ => 216_001,
        }
    }

    fn authority(&mut self, model: &Model) -> Operation {
        let program = self.one_of(Program::ALL);
        let control = &model.controls[&program];
        let by = if self.once_in(3) { self.person() } else { control.authority };
        let proposed = control.pending.map(|(proposed, _)| proposed);
        let (by, act) = match self.below(9) {
            0..4 if proposed.is_some() => (by, Act::CancelAuthority),
            0..2 => (by, Act::ProposeAuthority(self.person())),
            2..5 => (proposed.unwrap_or(by), Act::AcceptAuthority),
            5 => (by, Act::CancelAuthority),
            _ => (by, Act::SetPause(self.one_of([0, 1, 2, 3, 4, 7, 8]))),
        };
        Operation::Authority { program, by, act }
    }

    /// From dust to more than anybody has.
    fn amount(&mut self) -> u64 {
        match self.below(20) {
            0 => 0,
            1 => 1 << 58,
            2..6 => 1 + self.next() % 4,
            6..12 => 1 + self.next() % 1_000,
            12..18 => self.next() % 5_000_000_000,
            _ => self.next() % (1 << 45),
        }
    }

    fn person(&mut self) -> usize {
        self.below(PEOPLE)
    }

    /// Most often a pool that exists.
    fn pool(&mut self, model: &Model) -> usize {
        let known: Vec<_> = (0..POOLS).filter(|pool| model.pools[*pool].is_some()).collect();
        match self.pick(&known) {
            Some(pool) if !self.once_in(30) => pool,
            _ => self.below(POOLS),
        }
    }

    /// Most often a mint that the pool has books for.
    fn mint(&mut self, model: &Model, pool: usize) -> usize {
        let known: Vec<_> = model.pools[pool].iter().flat_map(|pool| pool.mints.clone()).collect();
        match self.pick(&known) {
            Some(mint) if !self.once_in(20) => mint,
            _ => self.below(MINTS),
        }
    }

    /// An inbox that is open, or sometimes the next one.
    fn shard(&mut self, model: &Model, pool: usize, mint: usize) -> usize {
        let books = model.pools[pool].as_ref().and_then(|pool| pool.books[mint].as_ref());
        let open = books.map_or(0, |books| books.inboxes.len());
        let one_more = self.once_in(20) || open == 0;
        self.below(open + usize::from(one_more))
    }
}
