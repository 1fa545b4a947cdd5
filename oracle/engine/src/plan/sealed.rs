//! Plans that cannot change any more, with what would otherwise be found out at every execution.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    ops::Deref,
    sync::Arc,
};

use super::{BufferId, Plan};

/// A plan that is executed again and again. Cloning is cheap and shares it.
///
/// Two are equal when their plans are, however they came about. That is found out without a look at the plans where
/// they are the same one, or have different hashes.
#[derive(Clone, Debug)]
pub struct SealedPlan(Arc<Sealed>);

#[derive(Debug)]
struct Sealed {
    plan: Plan,
    hash: u64,
    last_uses: Vec<Vec<BufferId>>,
}

impl SealedPlan {
    /// For each operation the buffers that nothing needs after it, so that their memory can serve others. Inputs, state
    /// and outputs are never among them.
    pub fn last_uses(&self) -> &[Vec<BufferId>] {
        &self.0.last_uses
    }
}

impl From<Plan> for SealedPlan {
    fn from(plan: Plan) -> Self {
        let mut hasher = DefaultHasher::new();
        plan.hash(&mut hasher);
        let (hash, last_uses) = (hasher.finish(), last_uses(&plan));
        Self(Arc::new(Sealed { plan, hash, last_uses }))
    }
}

impl Deref for SealedPlan {
    type Target = Plan;

    fn deref(&self) -> &Plan {
        &self.0.plan
    }
}

impl Hash for SealedPlan {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.hash);
    }
}

impl PartialEq for SealedPlan {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.hash == other.0.hash && self.0.plan == other.0.plan
    }
}

impl Eq for SealedPlan {}

/// See [`SealedPlan::last_uses`]. Buffers that the plan does not have are left to whoever executes it.
fn last_uses(plan: &Plan) -> Vec<Vec<BufferId>> {
    let mut last = vec![None; plan.buffers.len()];
    let mut set = |id: BufferId, at| {
        if let Some(last) = last.get_mut(id.0 as usize) {
            *last = at;
        }
    };
    for (at, op) in plan.ops.iter().enumerate() {
        op.buffers().for_each(|id| set(id, Some(at)));
    }
    plan.inputs.iter().chain(&plan.state).chain(&plan.outputs).for_each(|id| set(*id, None));
    let mut free = vec![Vec::new(); plan.ops.len()];
    for (id, at) in last.into_iter().enumerate() {
        if let Some(at) = at {
            free[at].push(BufferId(id as u32));
        }
    }
    free
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Element, Op};

    /// Sums of sums: x -> a -> b -> c, of which c is read.
    fn plan(rows: usize) -> Plan {
        let mut plan = Plan::default();
        let x = plan.buffer("x", Element::I32, rows, 3);
        plan.inputs = vec![x];
        let mut from = x;
        for name in ["a", "b", "c"] {
            let out = plan.buffer(name, Element::I32, 1, 3);
            plan.push(Op::SumRows { x: from, out });
            from = out;
        }
        plan.outputs = vec![from];
        plan
    }

    #[test]
    fn buffers_are_given_up_after_the_last_operation_that_names_them() {
        let sealed = SealedPlan::from(plan(4));
        assert_eq!(sealed.last_uses(), [vec![], vec![BufferId(1)], vec![BufferId(2)]]);
    }

    #[test]
    fn a_plan_that_names_buffers_it_lacks_is_sealed_and_refused_later() {
        let mut bad = plan(4);
        bad.push(Op::SumRows { x: BufferId(9), out: BufferId(3) });
        bad.outputs.push(BufferId(77));
        assert_eq!(SealedPlan::from(bad).last_uses().len(), 4);
    }

    #[test]
    fn plans_are_told_apart_by_what_they_are() {
        let (one, same, other) = (SealedPlan::from(plan(4)), SealedPlan::from(plan(4)), SealedPlan::from(plan(5)));
        assert_eq!(one, one.clone());
        assert_eq!(one, same);
        assert_ne!(one, other);
        // The same plan with one more output is another one.
        let mut watched = (*one).clone();
        watched.outputs.push(BufferId(1));
        assert_ne!(one, SealedPlan::from(watched));
        let known = std::collections::HashMap::from([(one, 1), (other, 2)]);
        assert_eq!((known.len(), known[&same]), (2, 1));
    }
}
