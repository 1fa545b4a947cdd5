//! Which tokens of which sequences are computed next.
//!
//! Sequences join and leave at every step. A step has one row for each sequence that is generating and, beside these, a
//! bounded number of rows for prompts, so that a long prompt never holds the others up for long. When the cache is
//! full, the sequence that came last gives its pages back and is computed again later; the one that came first always
//! goes on, so each comes to its end. None of this can change an answer: a row's result depends on its own sequence
//! only, and its sums on no order.

use std::collections::VecDeque;

use provena_arith::sampling::{Params, random_word, temperature_scale, top_p};
use provena_wire::Sampling;

use super::kv_cache::{Chain, KvCache};
use crate::plan::ROW_FIELDS;

/// A sequence, by the order in which it came.
pub type SequenceId = u64;

/// How much a step may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Sequences that are computed together, at least 1.
    pub sequences: usize,
    /// Rows of a step that belong to prompts, at least 1.
    pub chunk: usize,
}

/// What one step computes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Token, position, slot and sequence (its place in `pages`) of each row.
    pub rows: Vec<[u32; ROW_FIELDS]>,
    /// The pages of each sequence.
    pub pages: Vec<Vec<u32>>,
    /// The rows whose next token is wanted.
    pub picks: Vec<u32>,
    /// How each of these tokens is chosen.
    pub params: Vec<Params>,
    /// Which sequence has how many rows, in their order.
    parts: Vec<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    id: SequenceId,
    rows: usize,
    picked: bool,
}

/// A sequence that is not complete.
#[derive(Debug)]
struct Sequence {
    id: SequenceId,
    /// The prompt, and what was generated.
    tokens: Vec<u32>,
    prompt: usize,
    sampling: Sampling,
    /// How many tokens' keys and values are in the cache.
    computed: usize,
    chain: Chain,
}

impl Sequence {
    fn missing(&self) -> usize {
        self.tokens.len() - self.computed
    }
}

/// The sequences of one model.
#[derive(Debug)]
pub struct Scheduler {
    cache: KvCache,
    limits: Limits,
    /// See [`temperature_scale`].
    unit: u64,
    waiting: VecDeque<Sequence>,
    /// In the order in which they came.
    running: Vec<Sequence>,
    next: SequenceId,
}

impl Scheduler {
    /// A scheduler without sequences; `unit` is the model's amount of one logit step.
    pub fn new(cache: KvCache, limits: Limits, unit: u64) -> Self {
        Self { cache, limits, unit, waiting: VecDeque::new(), running: Vec::new(), next: 0 }
    }

    /// The cache's accounts.
    pub fn cache(&self) -> &KvCache {
        &self.cache
    }

    /// Whether nothing is to be computed.
    pub fn is_idle(&self) -> bool {
        self.running.is_empty() && self.waiting.is_empty()
    }

    /// Adds a sequence, whose prompt has at least one token. The caller sees to it that the sequence is finished before
    /// it has more tokens than the cache's room and one.
    pub fn add(&mut self, prompt: Vec<u32>, sampling: Sampling) -> SequenceId {
        let id = self.next;
        self.next += 1;
        let sequence =
            Sequence { id, prompt: prompt.len(), tokens: prompt, sampling, computed: 0, chain: Chain::default() };
        self.waiting.push_back(sequence);
        id
    }

    /// Takes a sequence out, whether it is complete or no longer wanted, and gives its pages back at once.
    pub fn finish(&mut self, id: SequenceId) {
        self.waiting.retain(|sequence| sequence.id != id);
        if let Some(at) = self.running.iter().position(|sequence| sequence.id == id) {
            let sequence = self.running.remove(at);
            self.cache.release(sequence.chain);
        }
    }

    /// Takes every sequence out that took part in a step which failed, and forgets what the cache holds. Gives them.
    pub fn fail(&mut self) -> Vec<SequenceId> {
        let failed = std::mem::take(&mut self.running);
        let ids = failed.iter().map(|sequence| sequence.id).collect();
        for sequence in failed {
            self.cache.release(sequence.chain);
        }
        self.cache.forget();
        ids
    }

    /// What is to be computed next; `None` when there is nothing. It must be followed by [`Scheduler::complete`] or by
    /// [`Scheduler::fail`] before the next step.
    pub fn schedule(&mut self) -> Option<Batch> {
        for sequence in &mut self.running {
            adopt(&mut self.cache, sequence);
        }
        self.admit();
        let mut grants = self.grants();
        let mut batch = Batch::default();
        let mut at = 0;
        while at < self.running.len() {
            let rows = grants[at];
            if rows > 0 && !self.make_room(at, self.running[at].computed + rows) {
                // This one came last and gave way.
                break;
            }
            // Those that gave way came later than this one.
            grants.truncate(self.running.len());
            if rows > 0 {
                self.put(&mut batch, at, rows);
            }
            at += 1;
        }
        (!batch.rows.is_empty()).then_some(batch)
    }

    /// Takes note of a step's tokens, one per pick. Gives each with its sequence; one that was finished meanwhile is
    /// left out.
    pub fn complete(&mut self, batch: &Batch, tokens: &[u32]) -> Vec<(SequenceId, u32)> {
        let mut picked = tokens.iter();
        let mut drawn = Vec::with_capacity(tokens.len());
        for part in &batch.parts {
            let token = if part.picked { picked.next() } else { None };
            let Some(sequence) = self.running.iter_mut().find(|sequence| sequence.id == part.id) else { continue };
            sequence.computed += part.rows;
            self.cache.written(&mut sequence.chain, &sequence.tokens[..sequence.computed]);
            if let Some(&token) = token {
                sequence.tokens.push(token);
                drawn.push((part.id, token));
            }
        }
        drawn
    }

    /// Lets sequences in, in the order in which they came, as long as the cache has room for what they hold already.
    fn admit(&mut self) {
        while self.running.len() < self.limits.sequences
            && let Some(mut sequence) = self.waiting.pop_front()
        {
            adopt(&mut self.cache, &mut sequence);
            let pages = (sequence.tokens.len() + 1).div_ceil(super::kv_cache::PAGE);
            let fits = self.cache.available() + sequence.chain.pages().len() >= pages;
            if fits || self.running.is_empty() {
                let place = self.running.partition_point(|other| other.id < sequence.id);
                self.running.insert(place, sequence);
            } else {
                self.wait(sequence);
                break;
            }
        }
    }

    /// Gives a sequence's pages back and puts it in its place among those that wait.
    fn wait(&mut self, mut sequence: Sequence) {
        self.cache.release(std::mem::take(&mut sequence.chain));
        sequence.computed = 0;
        let place = self.waiting.partition_point(|other| other.id < sequence.id);
        self.waiting.insert(place, sequence);
    }

    /// Rows of each running sequence: one for each that generates, and the chunk in fair shares for prompts.
    fn grants(&self) -> Vec<usize> {
        let mut grants = vec![1; self.running.len()];
        let mut prompts: Vec<usize> = (0..grants.len()).filter(|at| self.running[*at].missing() > 1).collect();
        // Those that need least first: what they leave of their shares goes to the others.
        prompts.sort_by_key(|at| self.running[*at].missing());
        let mut left = self.limits.chunk.max(1);
        for (done, at) in prompts.iter().enumerate() {
            // The one that came first gets at least one row, so the shares may be empty for others only.
            let share = left.div_ceil(prompts.len() - done);
            grants[*at] = self.running[*at].missing().min(share);
            left -= grants[*at];
        }
        if let Some(first) = prompts.iter().min().filter(|first| grants[**first] == 0) {
            grants[*first] = 1;
        }
        grants
    }

    /// Makes room for `tokens` tokens of the running sequence `at`, at the cost of those that came later. Gives false
    /// when it had to give way itself.
    fn make_room(&mut self, at: usize, tokens: usize) -> bool {
        while !self.cache.grow(&mut self.running[at].chain, tokens) {
            let Some(last) = self.running.pop() else { return false };
            self.wait(last);
            if self.running.len() == at {
                return false;
            }
        }
        true
    }

    fn put(&self, batch: &mut Batch, at: usize, rows: usize) {
        let sequence = &self.running[at];
        let place = batch.pages.len() as u32;
        for position in sequence.computed..sequence.computed + rows {
            batch.rows.push([sequence.tokens[position], position as u32, sequence.chain.slot(position), place]);
        }
        let picked = rows == sequence.missing();
        if picked {
            batch.picks.push(batch.rows.len() as u32 - 1);
            batch.params.push(params(&sequence.sampling, self.unit, sequence.tokens.len() - sequence.prompt));
        }
        batch.pages.push(sequence.chain.pages().to_vec());
        batch.parts.push(Part { id: sequence.id, rows, picked });
    }
}

/// Takes over what the cache holds of a sequence that still computes its prompt.
fn adopt(cache: &mut KvCache, sequence: &mut Sequence) {
    sequence.computed = sequence.computed.max(cache.adopt(&mut sequence.chain, &sequence.tokens));
}

/// How the token number `step` of an answer is chosen.
fn params(sampling: &Sampling, unit: u64, step: usize) -> Params {
    if sampling.temperature_milli == 0 {
        return Params::GREEDY;
    }
    Params {
        scale: temperature_scale(unit, sampling.temperature_milli),
        top_k: sampling.top_k,
        top_p: top_p(sampling.top_p_milli),
        random: random_word(sampling.seed, step as u32),
    }
}
