//! The plans of a model that were asked for lately.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use super::Prepared;
use crate::plan::SealedPlan;

/// Plans that are kept. A text has a few hundred lengths at most, but batches of images may have any size.
const MOST: usize = 64;

/// A model's plans by input size, each built once as long as there are not too many.
#[derive(Default)]
pub struct Plans(Mutex<HashMap<usize, SealedPlan>>);

impl Plans {
    /// The model's plan for one input size, see [`Prepared::plan`]. The model must be the same each time.
    pub fn get(&self, model: &Prepared, size: usize) -> SealedPlan {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST && !known.contains_key(&size) {
            known.clear();
        }
        known.entry(size).or_insert_with(|| model.plan(size).into()).clone()
    }
}
