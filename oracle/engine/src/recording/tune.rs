//! Measures which tile is quickest for the matrix products of a plan, before the plan is recorded.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::{GpuModel, GpuState, Recorded};
use crate::gpu::{Error, Switch};
use crate::kernels::{self, Choices, Shape, Tile};
use crate::plan::{Buffer, Element, LinearOutput, Op, Plan};
use crate::values::Values;

/// Products of fewer multiplications take the usual tile: starting them costs more than they do.
const WORTHWHILE: usize = 1 << 18;
/// How long one measurement should take, so that starting it does not count.
const SAMPLE: Duration = Duration::from_millis(4);
/// A tile must be quicker than the usual one by this factor, so that noise does not decide.
const MARGIN: f64 = 0.95;

impl GpuModel {
    /// The tiles for the plan's matrix products: those measured earlier, and now as many as there is time for.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`] if a tile gives other sums than the usual one, and the device's errors.
    pub(super) fn choose(&self, plan: &Plan) -> Result<Choices, Error> {
        let caps = self.gpu.caps();
        if let Some(choices) = &self.choices {
            return Ok(choices.clone());
        }
        if !caps.uses(Switch::Autotune) {
            return Ok(Choices::default());
        }
        let mut chosen = self.gpu.autotune().chosen();
        let mut tiles = HashMap::new();
        let mut changed = false;
        for op in &plan.ops {
            let Op::Linear { x, weight, bias, .. } = *op else { continue };
            // A plan that contradicts itself is refused when it is lowered.
            let Some(x) = plan.buffers.get(x.0 as usize) else { continue };
            let (Some(shape), true) = (Shape::of(x, &self.artifact, weight), x.rows > 0) else { continue };
            if shape.work() < WORTHWHILE || tiles.contains_key(&shape) {
                continue;
            }
            let candidates = Tile::candidates(caps, &self.tuning, x.rows, shape.planes);
            let known = chosen.tiles.get(&shape).filter(|tile| candidates.contains(tile)).copied();
            let tile = match known {
                Some(tile) => tile,
                None if chosen.left.is_zero() => continue,
                None => {
                    let start = Instant::now();
                    let mut product = Plan::default();
                    let x = product.buffer(x.name.clone(), x.element, x.rows, x.cols);
                    let out = product.buffer("sums", Element::I32, product.get(x).rows, shape.outputs as usize);
                    product.push(Op::Linear { x, weight, bias, output: LinearOutput::Raw { out } });
                    product.inputs = vec![x];
                    product.outputs = vec![out];
                    let (tile, complete) = self.quickest(&product, shape, &candidates, chosen.left)?;
                    chosen.left = chosen.left.saturating_sub(start.elapsed());
                    if complete {
                        chosen.tiles.insert(shape, tile);
                        changed = true;
                    }
                    tile
                }
            };
            tiles.insert(shape, tile);
        }
        if changed {
            self.gpu.autotune().save(&chosen);
        }
        Ok(Choices { tiles, chains: HashMap::new() })
    }

    /// The quickest of `candidates` for the one product of `plan`, and whether there was time for all.
    fn quickest(&self, plan: &Plan, shape: Shape, candidates: &[Tile], left: Duration) -> Result<(Tile, bool), Error> {
        let start = Instant::now();
        let input = [noise(plan.get(plan.inputs[0]))];
        let mut state = GpuState::new(&self.gpu, &[])?;
        let mut best: Option<(Tile, f64, Vec<Values>)> = None;
        for &tile in candidates {
            if best.is_some() && start.elapsed() >= left {
                return Ok((best.map_or(tile, |(tile, ..)| tile), false));
            }
            let choice = Choices { tiles: HashMap::from([(shape, tile)]), ..Choices::default() };
            let lowered = kernels::lower_with(plan, &self.artifact, self.tuning, &choice)?;
            let recorded = Recorded::new(&self.gpu, &self.tensors, plan, &lowered)?;
            let sums = recorded.run(plan, &input, &mut state)?;
            let steps = 0..recorded.labels().len();
            let once = recorded.time_with(&state, steps.clone(), 1)?;
            let repeats = (SAMPLE.as_nanos() / once.as_nanos().max(1)).clamp(1, 64) as usize;
            let mut seconds = f64::MAX;
            for _ in 0..3 {
                let run = recorded.time_with(&state, steps.clone(), repeats)?;
                seconds = seconds.min(run.as_secs_f64() / repeats as f64);
            }
            best = Some(match best {
                None => (tile, seconds * MARGIN, sums),
                Some((_, _, right)) if right != sums => return Err(self.mismatch(&recorded, &right, &sums)),
                Some(best) if best.1 <= seconds => best,
                Some((.., right)) => (tile, seconds, right),
            });
        }
        Ok((best.map_or(candidates[0], |(tile, ..)| tile), true))
    }

    fn mismatch(&self, recorded: &Recorded, right: &[Values], wrong: &[Values]) -> Error {
        let (right, wrong) = (right[0].as_i32(), wrong[0].as_i32());
        let at = right.iter().zip(wrong).position(|(right, wrong)| right != wrong).unwrap_or(0);
        Error::Mismatch {
            op: recorded.labels().join(", "),
            adapter: self.gpu.caps().name.clone(),
            buffer: "sums".into(),
            at,
            expected: right[at].into(),
            found: wrong[at].into(),
        }
    }
}

/// Bytes of every kind.
fn noise(buffer: &Buffer) -> Values {
    let mut word = 0x9e37_79b9u32;
    let mut next = || {
        word = word.wrapping_mul(0x0019_660d).wrapping_add(0x3c6e_f35f);
        (word >> 24) as i8
    };
    Values::I8((0..buffer.len()).map(|_| next()).collect())
}
