//! Bytes and statements that were damaged on the way.

mod bytes;
#[cfg(target_os = "linux")]
mod memory;
mod receipt;
mod units;
