//! The runtime that a node runs in.

use tokio::runtime::{Builder, Runtime};

/// Threads for what blocks, which is short work with files. Each keeps memory of its own, so that as many
/// as there are jobs in progress would cost more than all the rest. The engine, the crash log and lookups of strangers' names have
/// threads of their own.
const BLOCKING: usize = 16;

/// A runtime with a thread for each processor.
///
/// # Errors
/// The system's, where it gives no threads.
pub fn new() -> std::io::Result<Runtime> {
    Builder::new_multi_thread().max_blocking_threads(BLOCKING).enable_all().build()
}
