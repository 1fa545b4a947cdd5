//! What several tests need.

pub mod lite;
pub mod localnet;
pub mod market;
pub mod meddle;
pub mod model;
#[path = "../../../engine/tests/it/tiny_llama.rs"]
pub mod tiny_llama;

use std::path::Path;

use provena_client::store::Store;

/// A store in a folder.
pub fn folder_store(path: &Path) -> Store {
    Store::open(&[format!("file://{}", path.display())]).expect("the folder is usable")
}

/// A port that nobody uses now.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("some port is free");
    listener.local_addr().expect("it is bound").port()
}
