//! Fixtures for tests of the programs: the three programs and Token Metadata in the SVM, deterministic wallets, exact
//! refusals, and compute units.

#![allow(missing_docs, reason = "fields and variants of fixtures say by their names what they are")]

pub mod calls;
pub mod compute_units;
pub mod events;
pub mod fuzz;
pub mod idl;
pub mod market;
pub mod programs;
pub mod random;
pub mod recording;
pub mod registry;
pub mod relay;
pub mod royalty;
pub mod tokens;
pub mod transactions;
pub mod trial;
pub mod world;

pub use calls::Calls;
pub use compute_units::Cost;
pub use world::{ExpectedError, World};
