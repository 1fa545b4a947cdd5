//! What the node does with jobs: find them ([`watch`]), compute them ([`infer`]), see them through ([`submit`]).
//!
//! What to do next is decided in one place, [`decide`], from what the chain and the crash log say and nothing else.
//! A restart therefore needs no special path: it asks the same question again.

pub mod decide;
pub mod infer;
pub mod pace;
mod publish;
pub mod submit;
pub mod watch;
mod worker;

use std::time::Duration;

pub use worker::{Risk, Worker, WorkerParts};

/// A slot lasts about this long; waits are planned with it and end early when the job changes.
const SLOT_TIME: Duration = Duration::from_millis(400);
