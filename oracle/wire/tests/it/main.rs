//! Bytes and statements that were damaged on the way.

mod bytes;
mod receipt;
mod units;
