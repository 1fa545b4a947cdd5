//! One sequence of operations, played on a chain and told to the model.

use std::{
    cell::RefCell,
    panic::{self, AssertUnwindSafe, catch_unwind},
    sync::Once,
};

use super::{
    chain::Chain,
    generator::Generator,
    model::Model,
    operation::{Operation, Outside},
    tally::Tally,
};

/// Everything is compared after so many operations; what an operation answers, always.
const CHECK_EVERY: usize = 5;

/// A sequence that failed.
pub(crate) struct Failure {
    pub seed: u64,
    /// What happened, the failing operation last, if it was one.
    pub operations: Vec<Operation>,
    pub panicked: Panicked,
}

/// How the test failed. A shorter sequence must do so at the same place and, but for amounts, with the same words.
#[derive(Clone, Default)]
pub(crate) struct Panicked {
    pub place: String,
    pub message: String,
}

impl Panicked {
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.place == other.place && self.message.lines().next() == other.message.lines().next()
    }
}

/// The chain, its model, and what happened to both.
struct Sequence {
    chain: Chain,
    model: Model,
    check_every: usize,
    operations: Vec<Operation>,
    sent: usize,
}

impl Sequence {
    fn new(check_every: usize) -> Self {
        let (chain, model) = Chain::new();
        Self { chain, model, check_every, operations: Vec::new(), sent: 0 }
    }

    fn step(&mut self, operation: Operation, tally: &mut Tally) {
        self.operations.push(operation);
        let operation = &self.operations[self.operations.len() - 1];
        if let Operation::Outside(event) = operation {
            let holder = if let Outside::GiveNft { asset, .. } = event { self.model.nft_holder(*asset) } else { None };
            if self.model.apply(operation).is_ok() {
                self.chain.happen(event, &self.model, holder);
            }
        } else {
            let built = self.chain.build(operation, &self.model);
            let answer = self.model.apply(operation);
            match built {
                Some(built) => {
                    self.chain.run(&built, answer);
                    tally.count(operation, &answer);
                    self.sent += 1;
                }
                None => assert!(answer.is_err(), "the instruction cannot be built, but the model accepts it"),
            }
        }
        if self.operations.len().is_multiple_of(self.check_every) {
            self.chain.check(&self.model);
        }
    }

    fn run(&mut self, generator: &mut Generator, instructions: usize, tally: &mut Tally) {
        while self.sent < instructions {
            let operation = generator.operation(&self.model);
            self.step(operation, tally);
        }
        self.chain.check_all(&self.model);
        while let Some(operation) = generator.ending(&self.model) {
            self.step(operation, tally);
        }
        self.chain.check_all(&self.model);
        tally.count_flows(&self.model.flows);
        assert!(self.model.jobs.is_empty(), "a job has not ended");
        assert!(self.model.nodes.values().all(|node| node.locked == 0), "a bond is still locked");
    }
}

/// Plays so many instructions from a seed, and then what brings everything to its end.
pub(crate) fn play(seed: u64, instructions: usize, tally: &mut Tally) -> Result<(), Failure> {
    let mut sequence = Sequence::new(CHECK_EVERY);
    let mut generator = Generator::new(seed);
    match caught(|| sequence.run(&mut generator, instructions, tally)) {
        Ok(()) => Ok(()),
        Err(panicked) => Err(Failure { seed, operations: sequence.operations, panicked }),
    }
}

/// Plays operations once more, comparing everything after each; if that fails, returns how many were played, and how.
pub(crate) fn replay(operations: &[Operation], with_logs: bool) -> Result<(), (usize, Panicked)> {
    let mut sequence = Sequence::new(1);
    if with_logs {
        sequence.chain.keep_logs();
    }
    let mut tally = Tally::default();
    let outcome = caught(|| operations.iter().for_each(|operation| sequence.step(operation.clone(), &mut tally)));
    outcome.map_err(|panicked| (sequence.operations.len(), panicked))
}

thread_local! {
    /// Where this thread panicked and what it said, while panics are caught.
    static CAUGHT: RefCell<Option<Panicked>> = const { RefCell::new(None) };
    static CATCHING: RefCell<bool> = const { RefCell::new(false) };
}

/// Does something and returns where and how it panicked, if it did, without a word.
fn caught(act: impl FnOnce()) -> Result<(), Panicked> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panicked| {
            if !CATCHING.with_borrow(|catching| *catching) {
                return usual(panicked);
            }
            let place = panicked.location().map_or_else(String::new, ToString::to_string);
            let message = panicked.payload_as_str().unwrap_or_default().to_owned();
            CAUGHT.set(Some(Panicked { place, message }));
        }));
    });
    CATCHING.set(true);
    let outcome = catch_unwind(AssertUnwindSafe(act));
    CATCHING.set(false);
    outcome.map_err(|_| CAUGHT.take().unwrap_or_default())
}
