//! When a plan's buffers are written and read, so that their memory can serve others afterwards.

use crate::plan::{BufferId, LinearOutput, Op, Plan};

/// For each operation the buffers that nothing needs after it. Inputs, state and outputs are never among them.
pub fn last_uses(plan: &Plan) -> Vec<Vec<BufferId>> {
    let mut last = vec![None; plan.buffers.len()];
    for (at, op) in plan.ops.iter().enumerate() {
        for id in buffers(op).into_iter().flatten() {
            last[id.0 as usize] = Some(at);
        }
    }
    for id in plan.inputs.iter().chain(&plan.state).chain(&plan.outputs) {
        last[id.0 as usize] = None;
    }
    let mut free = vec![Vec::new(); plan.ops.len()];
    for (id, at) in last.into_iter().enumerate() {
        if let Some(at) = at {
            free[at].push(BufferId(id as u32));
        }
    }
    free
}

/// The buffers that an operation reads or writes.
fn buffers(op: &Op) -> [Option<BufferId>; 4] {
    match *op {
        Op::Embed { ids, out, .. } => [Some(ids), Some(out), None, None],
        Op::Norm { x, residual, out, quantised, .. } => [Some(x), residual, Some(out), quantised.map(|q| q.out)],
        Op::Linear { x, output, .. } => [Some(x), Some(written(output)), None, None],
        Op::Attention { qkv, out, .. } => [Some(qkv), Some(out), None, None],
        Op::SumRows { x, out }
        | Op::Unit { x, out }
        | Op::Argmax { x, out }
        | Op::Gate { x, out, .. }
        | Op::Patches { x, out, .. }
        | Op::MaxPool { x, out, .. }
        | Op::Flatten { x, out } => [Some(x), Some(out), None, None],
        Op::Lookup { rows, out, .. } => [Some(rows), Some(out), None, None],
        Op::RmsNorm { x, residual, sum, out, .. } => [Some(x), residual, sum, Some(out)],
        Op::RotateStore { qkv, rows, queries, .. } => [Some(qkv), Some(rows), Some(queries), None],
        Op::CachedAttention { queries, rows, pages, out, .. } => [Some(queries), Some(rows), Some(pages), Some(out)],
        Op::Gather { x, picks, out } => [Some(x), Some(picks), Some(out), None],
        Op::Sample { logits, params, out, .. } => [Some(logits), Some(params), Some(out), None],
    }
}

/// The buffer that a matrix product writes.
pub fn written(output: LinearOutput) -> BufferId {
    match output {
        LinearOutput::Raw { out }
        | LinearOutput::Int8 { out, .. }
        | LinearOutput::Int16 { out, .. }
        | LinearOutput::Wide { out, .. }
        | LinearOutput::Table { out, .. } => out,
    }
}
