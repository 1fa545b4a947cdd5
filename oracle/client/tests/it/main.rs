//! The client's integration tests: real sockets, real files.

mod receipt;
mod rpc;
mod store;
mod support;
