//! What the node does with jobs: find them ([`watch`]), judge them ([`admission`]), compute them ([`infer`]), see them through to the decision
//! ([`submit`]), and take what it earned ([`collect`]).
//!
//! What to do next is decided in one place, [`decide`], from what the chain and the crash log say and nothing else.
//! A restart therefore needs no special path: it asks the same question again.

pub mod admission;
mod alone;
mod by_key;
pub mod collect;
pub mod deadline;
pub mod decide;
mod demand;
mod feed;
pub mod infer;
mod model_turns;
pub mod pace;
mod publish;
mod ready;
mod seat;
pub mod submit;
mod turns;
mod wasted;
pub mod watch;
mod worker;

use std::time::Duration;

pub use admission::Limits;
pub use collect::Collector;
pub use worker::{Worker, WorkerParts};

/// A slot lasts about this long; waits are planned with it and end early when the job changes.
const SLOT_TIME: Duration = Duration::from_millis(400);
