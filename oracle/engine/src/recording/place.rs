//! Which of a plan's buffers share memory.
//!
//! A buffer lives from the first dispatch that binds it to the last. Inputs live from the beginning and outputs to the
//! end. Two buffers that never live at the same time may lie in the same memory, so that a plan of thirty layers needs
//! the memory of one.

use crate::kernels::{Lowered, Operand};
use crate::plan::{BufferId, Plan};

/// Where a plan's buffers and its scratch lie.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Places {
    /// Bytes of each piece of memory, and the name of the largest buffer in it.
    pub memory: Vec<(u64, String)>,
    /// For each buffer of the plan the memory that it lies in; `None` for state and for what nothing binds.
    pub buffers: Vec<Option<usize>>,
    /// For each scratch buffer the memory that it lies in.
    pub scratch: Vec<usize>,
}

/// First and last dispatch of each buffer's life.
fn lives(plan: &Plan, lowered: &Lowered) -> Vec<Option<(usize, usize)>> {
    let mut lives: Vec<Option<(usize, usize)>> = vec![None; plan.buffers.len()];
    let mut touch = |id: BufferId, at: usize| {
        let life = lives[id.0 as usize].get_or_insert((at, at));
        *life = (life.0.min(at), life.1.max(at));
    };
    for (at, dispatch) in lowered.dispatches.iter().enumerate() {
        for &(_, operand) in &dispatch.bindings {
            if let Operand::Buffer(id) = operand {
                touch(id, at);
            }
        }
    }
    plan.inputs.iter().for_each(|&id| touch(id, 0));
    // What is not written by any dispatch is no different from an input.
    plan.outputs.iter().for_each(|&id| touch(id, lowered.dispatches.len()));
    plan.state.iter().for_each(|&id| lives[id.0 as usize] = None);
    lives
}

/// Places every buffer. All ids must be the plan's.
pub(super) fn place(plan: &Plan, lowered: &Lowered) -> Places {
    let lives = lives(plan, lowered);
    let mut places = Places { buffers: vec![None; lives.len()], ..Places::default() };
    // Memory that nothing lives in at present.
    let mut free: Vec<usize> = Vec::new();
    for at in 0..=lowered.dispatches.len() {
        for (id, _) in lives.iter().enumerate().filter(|(_, life)| life.is_some_and(|(first, _)| first == at)) {
            let buffer = &plan.buffers[id];
            let bytes = buffer.byte_len() as u64;
            // The least that is large enough, or else the largest, which grows.
            let size = |&(_, place): &(usize, &usize)| places.memory[*place].0;
            let fitting =
                free.iter().enumerate().filter(|(_, place)| places.memory[**place].0 >= bytes).min_by_key(size);
            let chosen = fitting.or_else(|| free.iter().enumerate().max_by_key(size)).map(|(slot, _)| slot);
            let place = chosen.map_or_else(
                || {
                    places.memory.push((0, String::new()));
                    places.memory.len() - 1
                },
                |slot| free.swap_remove(slot),
            );
            if places.memory[place].0 < bytes {
                places.memory[place] = (bytes, buffer.name.clone());
            }
            places.buffers[id] = Some(place);
        }
        for (id, _) in lives.iter().enumerate().filter(|(_, life)| life.is_some_and(|(_, last)| last == at)) {
            free.extend(places.buffers[id]);
        }
    }
    for &bytes in &lowered.scratch {
        places.scratch.push(places.memory.len());
        places.memory.push((bytes, "scratch".into()));
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::Key;
    use crate::kernels::Dispatch;
    use crate::plan::Element;

    fn lowered(bindings: &[&[u32]]) -> Lowered {
        let dispatch = |ids: &&[u32]| Dispatch {
            key: Key::plain("test"),
            params: vec![],
            bindings: ids.iter().map(|&id| (id, Operand::Buffer(BufferId(id)))).collect(),
            grid: [1, 1, 1],
        };
        Lowered { dispatches: bindings.iter().map(dispatch).collect(), scratch: vec![12] }
    }

    #[test]
    fn a_chain_needs_two_pieces_beside_its_ends() {
        let mut plan = Plan::default();
        for (name, rows) in [("in", 1), ("a", 2), ("b", 3), ("c", 4), ("d", 1), ("out", 1), ("state", 9)] {
            plan.buffer(name, Element::I32, rows, 1);
        }
        plan.inputs = vec![BufferId(0)];
        plan.outputs = vec![BufferId(5)];
        plan.state = vec![BufferId(6)];
        let places = place(&plan, &lowered(&[&[0, 1], &[1, 2], &[2, 3, 6], &[3, 4], &[4, 5]]));
        let place = |id: usize| places.buffers[id];
        assert_eq!(place(6), None);
        // Neighbours in the chain are alive together.
        for id in 0..5 {
            assert_ne!(place(id), place(id + 1));
        }
        assert_eq!(places.memory.len(), 3, "{places:?}");
        assert_eq!(places.scratch, [2]);
        let fits = |(id, place): (usize, &Option<usize>)| {
            place.is_none_or(|place| places.memory[place].0 >= plan.buffers[id].byte_len() as u64)
        };
        assert!(places.buffers.iter().enumerate().all(fits));
    }

    #[test]
    fn what_is_read_at_the_end_shares_nothing() {
        let mut plan = Plan::default();
        for name in ["in", "a", "b", "c"] {
            plan.buffer(name, Element::I32, 1, 1);
        }
        plan.inputs = vec![BufferId(0)];
        plan.outputs = (0..4).map(BufferId).collect();
        let places = place(&plan, &lowered(&[&[0, 1], &[1, 2], &[2, 3]]));
        assert_eq!(places.buffers, [Some(0), Some(1), Some(2), Some(3)]);
    }
}
