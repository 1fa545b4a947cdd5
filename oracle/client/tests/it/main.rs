//! The client's integration tests: real sockets, real files.

mod receipt;
mod rpc;
mod sizes;
mod store;
mod support;
