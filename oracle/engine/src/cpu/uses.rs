//! When a plan's buffers are written and read, so that their memory can serve others afterwards.

use crate::plan::{BufferId, Plan};

/// For each operation the buffers that nothing needs after it. Inputs, state and outputs are never among them.
pub fn last_uses(plan: &Plan) -> Vec<Vec<BufferId>> {
    let mut last = vec![None; plan.buffers.len()];
    for (at, op) in plan.ops.iter().enumerate() {
        for id in op.buffers() {
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
