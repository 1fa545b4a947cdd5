//! Whose turn it is to have a model fetched from elsewhere, which may take long.
//!
//! Whoever waits for the same model waits for the same fetch, and has no turn of his own: one model, however many jobs name it,
//! takes one turn.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use provena_client::store::Root;

/// The models that are being fetched.
#[derive(Debug)]
pub(super) struct ModelTurns {
    most: usize,
    /// How many wait for each.
    held: Mutex<HashMap<Root, usize>>,
}

/// A turn, or a part of one. It is over when the last part is dropped.
#[derive(Debug)]
pub(super) struct ModelTurn {
    turns: Arc<ModelTurns>,
    model: Root,
}

impl ModelTurns {
    /// At most so many models at the same time.
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, held: Mutex::default() })
    }

    /// A turn for a model; `None` where all are taken by others.
    pub(super) fn take(self: &Arc<Self>, model: &Root) -> Option<ModelTurn> {
        let mut held = self.held();
        if !held.contains_key(model) && held.len() >= self.most {
            return None;
        }
        *held.entry(*model).or_default() += 1;
        Some(ModelTurn { turns: Arc::clone(self), model: *model })
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Root, usize>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ModelTurn {
    fn drop(&mut self) {
        let mut held = self.turns.held();
        if let Some(count) = held.get_mut(&self.model) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.model);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_model_takes_one_turn_however_many_wait_for_it() {
        let turns = ModelTurns::new(2);
        let mut of_one: Vec<_> = (0..10).map(|_| turns.take(&[1; 32]).unwrap()).collect();
        let other = turns.take(&[2; 32]).unwrap();
        assert!(turns.take(&[3; 32]).is_none() && turns.take(&[2; 32]).is_some());
        let last = of_one.pop();
        drop(of_one);
        assert!(turns.take(&[3; 32]).is_none(), "somebody waits for it still");
        drop(last);
        assert!(turns.take(&[3; 32]).is_some());
        drop(other);
        assert!(turns.held().is_empty());
    }
}
