//! Measures how the matrix products of a plan are quickest, before the plan is recorded: with which tile, and whether with
//! the normalisation before them in their kernel.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::{GpuModel, Recorded};
use crate::gpu::autotune::Chosen;
use crate::gpu::{Error, Switch};
use crate::kernels::self_test::{first_difference, written};
use crate::kernels::{self, Chain, Choices, Shape, Tile};
use crate::plan::{Buffer, BufferId, Element, LinearOutput, Op, Plan};
use crate::values::Values;

/// Products of fewer multiplications take what is usual: starting them costs more than they do.
const WORTHWHILE: usize = 1 << 18;
/// How long one measurement should take, so that starting it does not count.
const SAMPLE: Duration = Duration::from_millis(4);
/// What takes longer than the quickest by this factor in its first run is not measured further.
const HOPELESS: f64 = 4.0;
/// Something must be quicker than what is usual by this factor, so that noise does not decide.
const MARGIN: f64 = 0.95;

impl GpuModel {
    /// The choices for the plan's matrix products: those measured earlier, and now as many as there is time for.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`] if a choice gives other outputs than the usual one, and the device's errors.
    pub(super) fn choose(&self, plan: &Plan) -> Result<Choices, Error> {
        if let Some(choices) = &self.choices {
            return Ok(choices.clone());
        }
        if !self.gpu.caps().uses(Switch::Autotune) {
            return Ok(Choices::default());
        }
        let mut chosen = self.gpu.autotune().chosen();
        let mut choices = Choices::default();
        let mut changed = false;
        for op in &plan.ops {
            changed |= self.choose_tile(plan, op, &mut chosen, &mut choices)?;
        }
        for index in 0..plan.ops.len() {
            changed |= self.choose_chain(plan, index, &mut chosen, &mut choices)?;
        }
        if changed {
            self.gpu.autotune().save(&chosen);
        }
        Ok(choices)
    }

    /// Chooses the tile of a product, alone; gives whether something new is to be kept.
    fn choose_tile(&self, plan: &Plan, op: &Op, chosen: &mut Chosen, choices: &mut Choices) -> Result<bool, Error> {
        let Op::Linear { x, weight, bias, .. } = *op else { return Ok(false) };
        // A plan that contradicts itself is refused when it is lowered.
        let Some(x) = plan.buffers.get(x.0 as usize) else { return Ok(false) };
        let (Some(shape), true) = (Shape::of(x, &self.artifact, weight), x.rows > 0) else { return Ok(false) };
        if shape.work() < WORTHWHILE || choices.tiles.contains_key(&shape) {
            return Ok(false);
        }
        let candidates = Tile::candidates(self.gpu.caps(), &self.tuning, x.rows, shape.planes);
        if let Some(&tile) = chosen.quickest.tiles.get(&shape).filter(|tile| candidates.contains(tile)) {
            choices.tiles.insert(shape, tile);
        }
        if chosen.left.is_zero() || choices.tiles.contains_key(&shape) {
            return Ok(false);
        }
        let mut product = Plan::default();
        let x = product.buffer(x.name.clone(), x.element, x.rows, x.cols);
        let out = product.buffer("sums", Element::I32, product.get(x).rows, shape.outputs as usize);
        product.push(Op::Linear { x, weight, bias, output: LinearOutput::Raw { out } });
        product.inputs = vec![x];
        product.outputs = vec![out];
        let choice = |tile| Choices { tiles: HashMap::from([(shape, tile)]), ..Choices::default() };
        let candidates: Vec<_> = candidates.into_iter().map(|tile| (tile, choice(tile))).collect();
        let (tile, complete) = self.quickest(&product, &candidates, chosen)?;
        choices.tiles.insert(shape, tile);
        if complete {
            chosen.quickest.tiles.insert(shape, tile);
        }
        Ok(complete)
    }

    /// Chooses whether a normalisation, a product and what reads it are one kernel, and with which tile.
    fn choose_chain(
        &self,
        plan: &Plan,
        index: usize,
        chosen: &mut Chosen,
        choices: &mut Choices,
    ) -> Result<bool, Error> {
        let Some((chain, len)) = Chain::at(plan, &self.artifact, index) else { return Ok(false) };
        let rows = chain.shape.rows as usize;
        let few = (1..=self.tuning.fused_rows).contains(&rows);
        if !few || chain.shape.work() < WORTHWHILE || choices.chains.contains_key(&chain) {
            return Ok(false);
        }
        let tiles = Tile::normed_candidates(self.gpu.caps(), &self.tuning, rows, chain.shape.planes);
        let mut candidates: Vec<Option<Tile>> = tiles.into_iter().map(Some).collect();
        let usual = if rows <= self.tuning.normed_rows { candidates.len().min(1) } else { 0 };
        candidates.insert(usual, None);
        if let Some(&tile) = chosen.quickest.chains.get(&chain).filter(|tile| candidates.contains(tile)) {
            choices.chains.insert(chain, tile);
        }
        if chosen.left.is_zero() || choices.chains.contains_key(&chain) {
            return Ok(false);
        }
        let alone = alone(plan, &plan.ops[index..index + len]);
        let choice = |tile| Choices { tiles: choices.tiles.clone(), chains: HashMap::from([(chain, tile)]) };
        let candidates: Vec<_> = candidates.into_iter().map(|tile| (tile, choice(tile))).collect();
        let (tile, complete) = self.quickest(&alone, &candidates, chosen)?;
        choices.chains.insert(chain, tile);
        if complete {
            chosen.quickest.chains.insert(chain, tile);
        }
        Ok(complete)
    }

    /// The quickest of `candidates` for all of `plan`, and whether there was time for each. The first is the usual one.
    fn quickest<T: Copy>(
        &self,
        plan: &Plan,
        candidates: &[(T, Choices)],
        chosen: &mut Chosen,
    ) -> Result<(T, bool), Error> {
        let start = Instant::now();
        let inputs: Vec<Values> = plan.inputs.iter().map(|&id| noise(plan.get(id))).collect();
        let state: Vec<Buffer> = plan.state.iter().map(|&id| plan.get(id).clone()).collect();
        let mut known = Vec::new();
        let mut best: Option<(T, f64, Vec<Values>)> = None;
        let mut complete = true;
        for (candidate, choices) in candidates {
            if best.is_some() && start.elapsed() >= chosen.left {
                complete = false;
                break;
            }
            // What a device has no room for is lowered as something else that was measured.
            let lowered = kernels::lower_with(plan, &self.artifact, self.tuning, choices)?;
            if known.contains(&lowered) {
                continue;
            }
            let recorded = Recorded::new(&self.gpu, &self.tensors, plan, &lowered)?;
            known.push(lowered);
            let mut state = self.state(&state)?;
            let outputs = recorded.run(plan, &inputs, &mut state)?;
            let steps = 0..recorded.labels().len();
            let once = recorded.time_with(&state, steps.clone(), 1)?;
            let repeats = (SAMPLE.as_nanos() / once.as_nanos().max(1)).clamp(1, 64) as usize;
            let mut seconds = once.as_secs_f64();
            let behind = best.as_ref().is_some_and(|(_, quickest, _)| seconds > HOPELESS * quickest);
            for _ in 0..if behind { 0 } else { 3 } {
                let run = recorded.time_with(&state, steps.clone(), repeats)?;
                seconds = seconds.min(run.as_secs_f64() / repeats as f64);
            }
            best = Some(match best {
                None => (*candidate, seconds * MARGIN, outputs),
                Some((_, _, right)) if right != outputs => return Err(self.mismatch(plan, &recorded, &right, &outputs)),
                Some(best) if best.1 <= seconds => best,
                Some((.., right)) => (*candidate, seconds, right),
            });
        }
        chosen.left = chosen.left.saturating_sub(start.elapsed());
        Ok((best.map_or(candidates[0].0, |(candidate, ..)| candidate), complete))
    }

    fn mismatch(&self, plan: &Plan, recorded: &Recorded, right: &[Values], wrong: &[Values]) -> Error {
        let outputs = plan.outputs.iter().zip(right.iter().zip(wrong));
        let mut differences = outputs.filter_map(|(&id, (right, wrong))| Some((id, first_difference(right, wrong)?)));
        let (buffer, (at, expected, found)) = differences
            .next()
            .map_or_else(|| (String::new(), (0, 0, 0)), |(id, difference)| (plan.get(id).name.clone(), difference));
        let adapter = self.gpu.caps().name.clone();
        Error::Mismatch { op: recorded.labels().join(", "), adapter, buffer, at, expected, found }
    }
}

/// Some of a plan's operations as a plan, with as little state as its rows need.
fn alone(plan: &Plan, ops: &[Op]) -> Plan {
    let mut part = Plan { ops: ops.to_vec(), buffers: plan.buffers.clone(), ..Plan::default() };
    let (mut given, mut rows) = (Vec::new(), 0);
    for op in ops {
        let outputs = written(op);
        let reads: Vec<BufferId> = op.buffers().filter(|id| !outputs.contains(id)).collect();
        let new = |id: &&BufferId| !given.contains(*id) && !plan.state.contains(*id);
        part.inputs.extend(reads.iter().filter(new));
        // What one operation hands to another is no output.
        part.outputs.retain(|id| !reads.contains(id));
        part.outputs.extend(&outputs);
        part.state.extend(outputs.iter().filter(|id| plan.state.contains(id)));
        rows = outputs.iter().map(|id| plan.get(*id).rows).min().unwrap_or(rows);
        given.extend(reads);
        given.extend(outputs);
    }
    for id in part.state.clone() {
        part.buffers[id.0 as usize].rows = rows;
    }
    part
}

/// Values of every kind; for words the fields of a decoder's rows, each at a position and in a slot of its own.
fn noise(buffer: &Buffer) -> Values {
    let mut word = 0x9e37_79b9u32;
    let mut next = || {
        word = word.wrapping_mul(0x0019_660d).wrapping_add(0x3c6e_f35f);
        word.cast_signed()
    };
    match buffer.element {
        Element::I8 | Element::Split => Values::I8((0..buffer.len()).map(|_| (next() >> 24) as i8).collect()),
        Element::I32 => Values::I32((0..buffer.len()).map(|_| next() >> 6).collect()),
        Element::U32 => {
            let row = |at: usize| if matches!(at % buffer.cols, 1 | 2) { (at / buffer.cols) as u32 } else { 0 };
            Values::U32((0..buffer.len()).map(row).collect())
        }
    }
}
