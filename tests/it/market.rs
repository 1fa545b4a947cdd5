//! The market program, in the SVM with the real royalty and registry programs and the real token programs.

mod attacks;
pub(crate) mod compute_units;
mod config;
mod demands;
mod jobs;
mod nodes;
mod offers;
mod residuals;
mod seats;
mod settlements;
mod treasury;
