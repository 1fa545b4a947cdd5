//! What several tests need.

pub(crate) mod lite;
pub(crate) mod localnet;
pub(crate) mod market;
pub(crate) mod meddle;
pub(crate) mod model;
pub(crate) mod relay;
pub(crate) mod small_disk;
#[path = "../../../engine/tests/it/tiny_llama.rs"]
pub(crate) mod tiny_llama;

use std::path::Path;

use provena_client::store::Store;

/// A store in a folder.
pub(crate) fn folder_store(path: &Path) -> Store {
    Store::open(&[format!("file://{}", path.display())]).expect("the folder is usable")
}

/// A port that nobody uses now.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("some port is free");
    listener.local_addr().expect("it is bound").port()
}
