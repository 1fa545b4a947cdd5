//! The node's integration tests: real programs in the SVM, real sockets, real files, the embedded chain.

mod admission;
mod api;
mod attacks;
mod config;
mod decide;
mod hostile_http;
mod journal;
mod kept;
mod lease;
mod left_alone;
mod load;
mod localnet;
mod models;
mod one_key_one_chain;
mod payer;
mod prepared;
mod quotes;
mod recovery;
mod service;
mod store;
mod strangers;
mod submitter;
mod support;
mod uploads;
mod watch;
mod words;
