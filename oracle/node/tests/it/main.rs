//! The node's integration tests: real programs in the SVM, real sockets, real files, the embedded chain.

mod api;
mod attacks;
mod config;
mod decide;
mod journal;
mod kept;
mod localnet;
mod payer;
mod recovery;
mod service;
mod submitter;
mod support;
mod watch;
mod words;
