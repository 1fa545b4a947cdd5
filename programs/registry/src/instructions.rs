//! One file per instruction; what registrations share is in [`crate::registration`].

pub use crate::registration::*;

pub mod register_dataset;
pub mod register_model;
