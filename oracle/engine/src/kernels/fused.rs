//! Neighbouring operations as one kernel, where nobody else wants to see what they hand each other: a normalisation, the
//! matrix product of its bytes, and what reads that product.
//!
//! Over few rows a kernel's start costs more than its work, and what is kept in registers or shared memory need be
//! neither written nor read.

mod normed;
mod pairs;

pub use normed::{Chain, End};

use super::Lowering;
use super::rms_norm::Norm;
use crate::plan::{BufferId, LinearOutput, Op, Plan};
use pairs::Stream;

/// For each buffer how often the operations name it.
pub(super) fn mentions(plan: &Plan) -> Vec<usize> {
    let mut counts = vec![0; plan.buffers.len()];
    for id in plan.ops.iter().flat_map(Op::buffers) {
        if let Some(count) = counts.get_mut(id.0 as usize) {
            *count += 1;
        }
    }
    counts
}

impl Lowering<'_> {
    /// Lowers the first of `ops` and those after it as one kernel and gives how many that are; none where it cannot be done
    /// or does not pay.
    pub(super) fn fused(&mut self, ops: &[Op]) -> Result<usize, String> {
        let Some(norm) = ops.first().and_then(Norm::of) else { return self.product_and_next(None, ops) };
        match &ops[1..] {
            after @ [Op::Linear { x, .. }, ..] if *x == norm.out && self.is_passed_on(norm.out) => {
                let taken = self.product_and_next(Some(&norm), after)?;
                Ok(if taken > 0 { taken + 1 } else { 0 })
            }
            _ => Ok(0),
        }
    }

    /// The same for a product, which may have a normalisation in front of it.
    fn product_and_next(&mut self, norm: Option<&Norm>, ops: &[Op]) -> Result<usize, String> {
        let [Op::Linear { x, weight, bias, output }, after @ ..] = ops else { return Ok(0) };
        let (x, weight, bias) = (*x, *weight, *bias);
        if let (&LinearOutput::Int16 { scale, out }, Some(next)) = (output, after.first())
            && self.is_passed_on(out)
        {
            let stream = Stream { x, weight, bias, scale, out };
            let lowered = match *next {
                Op::Gate { x, table, out_scale, out } if x == stream.out => {
                    Some(self.linear_gate(norm, stream, table, out_scale, out)?)
                }
                Op::RotateStore { qkv, rows, table, cache, queries } if qkv == stream.out => {
                    Some(self.linear_rotate_store(norm, stream, rows, table, cache, queries)?)
                }
                _ => None,
            };
            if let Some(lowered) = lowered {
                return Ok(if lowered { 2 } else { 0 });
            }
        }
        match norm {
            Some(norm) => self.normed_linear(norm, weight, bias, *output).map(usize::from),
            None => Ok(0),
        }
    }

    /// Whether a buffer is nothing but what one operation hands to another.
    fn is_passed_on(&self, id: BufferId) -> bool {
        let plan = self.plan;
        let kept = plan.inputs.iter().chain(&plan.state).chain(&plan.outputs).any(|&kept| kept == id);
        self.mentions.get(id.0 as usize) == Some(&2) && !kept
    }
}
