//! Money is conserved to the last unit, whatever happens in whatever order: random sequences of all the program's instructions
//! over several pools that hold each other, three kinds of money, windows, vesting, delegates and inboxes, against an exact
//! model that knows who must have received what.
//!
//! The seeds are printed, and a failure prints the operations before it. `PROVENA_SOAK=instructions` asks for that many
//! instructions in place of the usual number, from seeds that no run has used before; `PROVENA_SEED=seed` repeats one.

use std::{
    collections::BTreeMap,
    env,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    time::{SystemTime, UNIX_EPOCH},
};

use self::{
    chain::Chain,
    generator::Random,
    model::{Holder, MINTS, Model},
    operation::Operation,
};

mod chain;
mod generator;
mod model;
mod operation;

/// Instructions of the usual run, and of one sequence.
const USUAL: usize = 20_000;
const SEQUENCE: usize = 1_000;
/// Everything is compared after so many operations; what an operation answers, always.
const CHECK_EVERY: usize = 5;
/// Operations that a failure prints.
const HISTORY: usize = 25;

/// Kinds of instructions: all of the program's but `initialize_admin`, which happens once, and `verify_creator`, which moves
/// nothing.
const INSTRUCTIONS: usize = 22;

/// How many instructions of each kind were accepted, and how many were refused with which error.
type Tally = BTreeMap<String, BTreeMap<String, usize>>;

const ACCEPTED: &str = "accepted";

struct Sequence {
    chain: Chain,
    model: Model,
    random: Random,
    history: Vec<(Operation, String)>,
    instructions: usize,
}

impl Sequence {
    fn new(seed: u64) -> Self {
        let (chain, model) = Chain::new();
        Self { chain, model, random: Random(seed), history: Vec::new(), instructions: 0 }
    }

    fn run(&mut self, tally: &mut Tally) {
        self.chain.check(&self.model);
        for count in 1.. {
            let operation = self.random.operation(&self.model);
            self.step(operation, tally);
            if count % CHECK_EVERY == 0 {
                self.chain.check(&self.model);
            }
            if self.instructions == SEQUENCE {
                break;
            }
        }
        self.chain.check(&self.model);
        self.empty(tally);
    }

    fn step(&mut self, operation: Operation, tally: &mut Tally) {
        let before = self.model.clone();
        let answer = self.model.apply(&operation);
        if answer.is_err() {
            self.model = before.clone();
        }
        self.history.push((operation.clone(), format!("{answer:?}")));
        self.chain.run(&operation, &before, answer);
        if operation.is_instruction() {
            self.instructions += 1;
            let name = format!("{operation:?}");
            let name = name.split([' ', '(']).next().unwrap_or_default().to_owned();
            let outcome = answer.map_or_else(|refusal| format!("{refusal:?}"), |()| ACCEPTED.to_owned());
            *tally.entry(name).or_default().entry(outcome).or_default() += 1;
        }
    }

    /// In the end everything is released, swept and claimed, round after round.
    fn empty(&mut self, tally: &mut Tally) {
        for _ in 0..3 {
            self.step(Operation::PassSlots(1_000), tally);
            self.claim_all(tally);
            self.chain.check(&self.model);
        }
    }

    fn claim_all(&mut self, tally: &mut Tally) {
        let mut claims = Vec::new();
        for (number, pool) in self.model.pools.iter().enumerate() {
            let Some(pool) = pool else { continue };
            for (holder, mint) in pool.positions.keys().flat_map(|holder| (0..MINTS).map(move |mint| (*holder, mint))) {
                claims.push(match holder {
                    Holder::Wallet(wallet) => Operation::Claim { pool: number, holder, mint, to: Some(wallet) },
                    Holder::Pool(parent) => Operation::Sweep { child: number, parent, mint },
                });
            }
        }
        for claim in claims {
            self.step(claim, tally);
        }
    }
}

fn seeds() -> Vec<u64> {
    let number = |name| env::var(name).ok().map(|text: String| text.parse::<u64>().expect("a number"));
    if let Some(seed) = number("PROVENA_SEED") {
        return vec![seed];
    }
    let soak = number("PROVENA_SOAK").map(|instructions| usize::try_from(instructions).expect("a number"));
    let count = soak.unwrap_or(USUAL).div_ceil(SEQUENCE);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let first = if soak.is_some() { now << 20 } else { 0 };
    (first..).take(count).collect()
}

#[test]
fn any_sequence_of_instructions_conserves_every_unit() {
    let seeds = seeds();
    println!("seeds {} to {}", seeds[0], seeds[seeds.len() - 1]);
    let mut tally = Tally::new();
    for seed in &seeds {
        let mut sequence = Sequence::new(*seed);
        let outcome = catch_unwind(AssertUnwindSafe(|| sequence.run(&mut tally)));
        if let Err(failure) = outcome {
            println!("seed {seed} failed after {} instructions; the last operations:", sequence.instructions);
            for (operation, answer) in sequence.history.iter().rev().take(HISTORY).rev() {
                println!("  {operation:?} -> {answer}");
            }
            resume_unwind(failure);
        }
    }
    for (name, outcomes) in &tally {
        let outcomes: Vec<_> = outcomes.iter().map(|(outcome, count)| format!("{outcome} {count}")).collect();
        println!("{name}: {}", outcomes.join(", "));
    }
    if seeds.len() >= USUAL / SEQUENCE {
        assert_eq!(tally.len(), INSTRUCTIONS);
        let both = |outcomes: &BTreeMap<String, usize>| outcomes.contains_key(ACCEPTED) && outcomes.len() > 1;
        let one_sided = tally.iter().find(|(_, outcomes)| !both(outcomes));
        assert_eq!(one_sided, None, "an instruction was never accepted or never refused");
    }
    let sent: usize = tally.values().flat_map(BTreeMap::values).sum();
    assert!(sent >= seeds.len() * SEQUENCE);
    println!("{sent} instructions in all");
}
