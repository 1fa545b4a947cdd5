//! Runs models so that anybody can re-compute the answer bit for bit.
//!
//! Two arithmetic classes exist. `int-v1` is exact integer arithmetic, the same on every device, and the only class
//! that nodes sign. `f32` serves import and quality checks. `reference` is the authority for int-v1; `docs/INT_V1.md`
//! states it in words. This crate knows neither Solana nor tokio.

pub mod artifact;
pub mod backend;
pub mod chat_template;
pub mod cpu;
pub mod engine;
pub mod error;
pub mod float;
pub mod format;
pub mod generate;
pub mod gpu;
pub mod import;
mod json;
pub mod kernels;
pub mod layered;
pub mod models;
mod patience;
pub mod places;
pub mod plan;
pub mod recording;
pub mod reference;
pub mod tokenizer;
pub mod values;

pub use engine::{AdapterChoice, AdapterInfo, Engine, Model, PreparedRequest, SelfTestReport};
pub use error::Error;
pub use patience::unhurried;
