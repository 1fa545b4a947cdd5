//! Scenarios of the programs in the SVM, one module per program.

mod compute_units;
mod conservation;
mod fresh_attacks;
mod fuzz_checks;
mod fuzz_corpus;
mod market;
mod registry;
mod royalty;
mod substitutions;
