//! The client's integration tests: real sockets, real files.

mod quote;
mod receipt;
mod rpc;
mod sizes;
mod store;
mod support;
