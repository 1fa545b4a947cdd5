//! The oracle node as a library: what works for others, between the chain, the artifact stores and the engine.
//!
//! * [`node`] is the service and [`tasks`] are what it does for each job; [`journal`] is its crash log.
//! * [`blobs`] is its own store: what it needs and hands out.
//! * [`compute`] runs models.
//! * `provena_client` is the other side of the counter, whoever pays for a job, and holds what both sides need: the
//!   chain behind traits, the stores, the look at a job.

mod api;
pub mod blobs;
pub mod compute;
pub mod config;
pub mod disk;
pub mod instance;
pub mod journal;
pub mod memory;
pub mod metrics;
pub mod node;
pub mod readiness;
pub mod runtime;
pub mod tasks;
