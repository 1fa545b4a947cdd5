//! The node's integration tests: real programs in the SVM, real sockets, real files, the embedded chain.

mod api;
mod config;
mod decide;
mod journal;
mod localnet;
mod receipt;
mod recovery;
mod rpc;
mod service;
mod store;
mod submitter;
mod support;
mod words;
