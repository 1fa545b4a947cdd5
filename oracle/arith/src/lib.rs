//! The arithmetic that the chain and the engine must agree on.
//!
//! Programs, the engine, the node and the CLI all call this crate, and none of them rewrites what is in it.
//! It is `no_std`, has no floats and allocates only where a proof is built, so it compiles for the chain as it is.
#![no_std]
#![deny(clippy::float_arithmetic)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod commitment;
pub mod domain;
pub mod fixed;
pub mod hash;
#[cfg(test)]
mod known;
pub mod merkle;
pub mod receipt;
pub mod sampling;
