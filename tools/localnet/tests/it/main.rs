//! The embedded chain as its users meet it: a process, two ports, one line on standard output.

mod lifecycle;
mod programs;
mod rpc;
mod state;
mod subscriptions;
mod support;
