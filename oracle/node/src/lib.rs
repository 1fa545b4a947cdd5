//! The oracle node as a library: what connects the chain, the artifact stores and the engine.
//!
//! * [`chain`] reads accounts and submits transactions, behind traits, so that nothing else knows RPC.
//! * [`store`] holds artifacts, inputs and responses by their content root.
//! * [`node`] is the service; [`client`] is the other side of the counter: whoever pays for a job.
//! * [`receipt`] is the signed statement that both sides keep.

mod api;
pub mod chain;
pub mod client;
pub mod compute;
pub mod config;
pub mod journal;
pub mod metrics;
pub mod node;
pub mod receipt;
pub mod store;
pub mod tasks;
