//! The node's integration tests: real programs in the SVM, real sockets, real files, the embedded chain.

mod api;
mod config;
mod decide;
mod journal;
mod localnet;
mod recovery;
mod service;
mod submitter;
mod support;
mod words;
