//! Builds Solana programs with stock Rust: no platform-tools, no patched compiler.
//!
//! [`build`] is the whole of it; the binary `cargo-build-sbf` puts the official tool's arguments in front.
//! How it works, and why, is told in this crate's README.

mod arch;
mod artifact;
mod build;
pub mod cli;
mod files;
mod keypair;
pub mod linker;
mod lower;
mod official;
mod packages;
mod target;
mod toolchain;

pub use arch::Arch;
pub use build::{BuildOptions, Built, build};
pub use toolchain::Toolchain;
