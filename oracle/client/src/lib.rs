//! The payer's and the owner's side: whatever reads and writes the chain without working for others.
//!
//! * [`chain`] reads accounts and submits transactions, behind traits, so that nothing else knows RPC.
//! * [`store`] holds artifacts, inputs and responses by their content root.
//! * [`Client`] posts a job, waits for its result, checks everything and makes sure that everybody is paid; [`view`] is one
//!   consistent look at a job, [`collect`] pays what was decided and [`receipt`] compares a node's statement with the chain.
//!   [`kept`] jobs survive ctrl-c and power cuts.
//! * [`mint`] makes an asset of a file, with its royalty pool; [`asset`] reads what is registered and does what an NFT's
//!   holder may; [`royalty`] reads pools, books, sweeps and claims.
//! * [`reach`] says which addresses of strangers are called.
//! * [`token`], [`amount`] and [`share`] are money and parts of it as people write them; [`keys`] are key files.
//!
//! Prompts are not counted in tokens here, for only their model can do that: see [`Client::with_units`].

pub mod amount;
pub mod asset;
pub mod batch;
pub mod chain;
mod client;
pub mod collect;
pub mod kept;
pub mod keys;
pub mod mint;
pub mod offer;
pub mod reach;
pub mod receipt;
pub mod royalty;
pub mod share;
pub mod store;
pub mod token;
pub mod transfer_fee;
pub mod view;

pub use client::{
    Asked, Bounds, Chosen, Client, ClientError, Closed, Cost, Delivered, Endpoint, Finished, Order, PostedJob, Quotes,
    Reply, Reserved, Stage,
};
