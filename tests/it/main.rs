//! Scenarios of the programs in the SVM, one module per program.

#[cfg(feature = "market")]
mod compute_units;
#[cfg(feature = "market")]
mod market;
#[cfg(feature = "registry")]
mod registry;
mod royalty;
