//! What several tests need.

pub(crate) mod lite;
pub(crate) mod localnet;
pub(crate) mod market;
pub(crate) mod meddle;
pub(crate) mod model;
pub(crate) mod process;
pub(crate) mod relay;
pub(crate) mod serving;
pub(crate) mod slow_store;
pub(crate) mod small_disk;
#[path = "../../../engine/tests/it/tiny_llama.rs"]
pub(crate) mod tiny_llama;
pub(crate) mod watched;

use std::path::Path;

use provena_client::store::{Limits, Store};
use provena_node::blobs::{Blobs, Quotas};

/// Room for every test.
pub(crate) const ROOM: Quotas =
    Quotas { artifacts: 1 << 30, inputs: 1 << 28, uploads: 1 << 26, answers: 1 << 28, keep_free: 0 };

/// The URL of a folder as a store.
pub(crate) fn folder_url(path: &Path) -> String {
    format!("file://{}", path.display())
}

/// A store in a folder.
pub(crate) fn folder_store(path: &Path) -> Store {
    Store::open(&[folder_url(path)]).expect("the folder is usable")
}

/// A node's own store in `data`, beside an operator's in `other`.
pub(crate) fn own_store(data: &Path, other: &Path) -> Blobs {
    let opened = Blobs::open(&data.join("blobs"), ROOM, &[folder_url(other)], Limits::default());
    opened.expect("the folders are usable")
}

/// A port that nobody uses now.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("some port is free");
    listener.local_addr().expect("it is bound").port()
}
