//! The market program, in the SVM with the real royalty and registry programs and the real SPL Token program.

pub mod compute_units;
mod config;
mod conservation;
mod jobs;
mod nodes;
mod offers;
mod scene;
mod settlement;
mod timeouts;
mod work;
