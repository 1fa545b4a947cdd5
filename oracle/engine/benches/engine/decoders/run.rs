//! Sequences on a backend, without scheduler and tokenizer.

use std::error::Error;

use provena_engine::backend::{Backend, State};
use provena_engine::models::llama::{Llama, PAGE, Shape};
use provena_engine::plan::SealedPlan;
use provena_engine::values::Values;

/// Sequences on a backend, each in pages of its own.
pub(super) struct Run<'a> {
    llama: &'a Llama,
    backend: &'a Backend,
    sequences: usize,
    pages: usize,
    state: State,
    logits: bool,
}

impl<'a> Run<'a> {
    /// So many sequences with room for so many tokens each; `logits` says whether logits are read, too.
    pub(super) fn new(
        llama: &'a Llama,
        backend: &'a Backend,
        sequences: usize,
        tokens: usize,
        logits: bool,
    ) -> Result<Self, Box<dyn Error>> {
        let pages = tokens.div_ceil(PAGE);
        let state = backend.state(&llama.state((1 + sequences * pages) * PAGE))?;
        Ok(Self { llama, backend, sequences, pages, state, logits })
    }

    /// The plan for so many rows, of which so many are picked.
    pub(super) fn plan(&self, rows: usize, picks: usize) -> SealedPlan {
        let slots = (1 + self.sequences * self.pages) * PAGE;
        let (sequences, pages, logits) = (self.sequences, self.pages, self.logits);
        self.llama.plan(Shape { rows, sequences, pages, picks, slots, logits }).into()
    }

    /// The outputs for these rows and picks, greedily.
    pub(super) fn execute(
        &mut self,
        plan: &SealedPlan,
        rows: Vec<u32>,
        picks: Vec<u32>,
    ) -> Result<Vec<Values>, Box<dyn Error>> {
        let greedy = [0, 0, 1 << 16, 0].repeat(picks.len());
        let pages = (1..=(self.sequences * self.pages) as u32).collect();
        let inputs = [rows, pages, picks, greedy].map(Values::U32);
        Ok(self.backend.execute(plan, &inputs, &mut self.state)?)
    }

    /// The row of a token.
    pub(super) fn row(&self, token: u32, position: usize, sequence: usize) -> [u32; 4] {
        let slot = (1 + sequence * self.pages) * PAGE + position;
        [token, position as u32, slot as u32, sequence as u32]
    }

    /// The prompt's token at a position.
    pub(super) fn token(&self, position: usize) -> u32 {
        (position as u32 * 37 + 5) % self.llama.recipe().vocabulary
    }

    /// The first sequence's prompt; gives the outputs for its last token.
    pub(super) fn prefill(&mut self, plan: &SealedPlan, tokens: usize) -> Result<Vec<Values>, Box<dyn Error>> {
        let rows = (0..tokens).flat_map(|i| self.row(self.token(i), i, 0)).collect();
        self.execute(plan, rows, vec![tokens as u32 - 1])
    }

    /// The next token of every sequence.
    pub(super) fn step(
        &mut self,
        plan: &SealedPlan,
        tokens: &[u32],
        position: usize,
    ) -> Result<Vec<Values>, Box<dyn Error>> {
        let rows = tokens.iter().enumerate().flat_map(|(i, token)| self.row(*token, position, i)).collect();
        self.execute(plan, rows, (0..tokens.len() as u32).collect())
    }
}
