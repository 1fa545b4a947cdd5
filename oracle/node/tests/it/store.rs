//! The node's own store: quotas, room, a disk that fails, artifacts from elsewhere.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use futures_util::StreamExt as _;
use provena_arith::merkle::content_root;
use provena_client::chain::send_and_confirm;
use provena_client::reach::Reach;
use provena_client::store::{Limits, Store};
use provena_market::client;
use provena_node::blobs::{Blobs, Class, NoRoom, Peers, Quotas};
use provena_tests::market::{CLUSTER, STAKE};
use provena_tests::world::keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use crate::support::market::Scene;
use crate::support::serving::{Served, names};
use crate::support::{ROOM, folder_store, folder_url, model};

const MOST: u64 = 16 << 20;

fn open(folder: &Path, quotas: Quotas) -> Blobs {
    Blobs::open(folder, quotas, &[], Limits::default()).unwrap()
}

/// An operator's remote store: a folder behind HTTP.
async fn remote(folder: &Path) -> String {
    let folder = folder.to_owned();
    let read = move |axum::extract::Path(root): axum::extract::Path<String>| {
        let file = folder.join("blobs").join(root);
        async move { std::fs::read(file).map_err(|_| axum::http::StatusCode::NOT_FOUND) }
    };
    serve(Router::new().route("/v1/blobs/{root}", get(read))).await
}

/// A server of somebody else's.
async fn serve(routes: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    url
}

/// N1: a node whose disk took nothing more lost its bonds, because an answer of 54 bytes could not be stored.
#[tokio::test]
async fn n1_an_answer_outlives_a_disk_that_takes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), ROOM);
    let private = store.private();
    let before = private.put(b"before".to_vec()).await.unwrap();
    assert!(store.reserve(&PAYERS[0], 1_000).is_ok());
    // Nothing can be written any more.
    let drafts = folder.path().join("drafts");
    std::fs::remove_dir(&drafts).unwrap();
    std::fs::write(&drafts, "in the way").unwrap();
    let root = private.put(b"an answer".to_vec()).await.unwrap();
    assert_eq!(private.get(&root).await.unwrap(), b"an answer".as_slice());
    assert_eq!(private.get(&before).await.unwrap(), b"before".as_slice());
    // It says so, and no bond is staked on it until it works again.
    let state = store.state();
    assert!(state.failure.is_some() && !state.is_writable() && state.unwritten == 9, "{state:?}");
    assert!(matches!(store.reserve(&PAYERS[0], 1_000), Err(NoRoom::Failing(_))));
    store.put_as(&root, b"an answer".to_vec()).await.unwrap();
    assert_eq!(names(&folder.path().join("answers")), Vec::<String>::new());
    store.flush().await;
    assert!(store.state().failure.is_some());

    // The disk comes back: what waited is written, and jobs are taken again.
    std::fs::remove_file(&drafts).unwrap();
    std::fs::create_dir(&drafts).unwrap();
    store.flush().await;
    assert_eq!(names(&folder.path().join("answers")), [hex::encode(root)]);
    let state = store.state();
    assert!(state.failure.is_none() && state.unwritten == 0, "{state:?}");
    assert!(store.reserve(&PAYERS[0], 1_000).is_ok());
    drop((private, store));
    let store = open(folder.path(), ROOM);
    assert_eq!(store.private().get(&root).await.unwrap(), b"an answer".as_slice());
}

#[tokio::test]
async fn a_disk_that_failed_is_tried_although_nothing_waits_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), ROOM);
    let drafts = folder.path().join("drafts");
    std::fs::remove_dir(&drafts).unwrap();
    let root = store.private().put(b"an answer".to_vec()).await.unwrap();
    std::fs::create_dir(&drafts).unwrap();
    // Once it has been written nothing waits, and a failure after that is not the last word either.
    store.flush().await;
    assert!(store.state().failure.is_none() && store.private().get(&root).await.is_ok());
    assert_eq!(names(&drafts), Vec::<String>::new());
}

const PAYERS: [[u8; 32]; 3] = [[1; 32], [2; 32], [3; 32]];

#[tokio::test]
async fn n1_room_is_reserved_before_a_bond_depends_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), Quotas { answers: 128 << 10, ..ROOM });
    let held = store.reserve(&PAYERS[0], 60_000).unwrap();
    assert_eq!(held.bytes(), 61_440);
    let _other = store.reserve(&PAYERS[1], 60_000).unwrap();
    assert!(matches!(store.reserve(&PAYERS[2], 10_000), Err(NoRoom::Quota { class: Class::Sealed, .. })));
    drop(held);
    assert!(store.reserve(&PAYERS[2], 60_000).is_ok());
    // A disk that has not enough beside what stays free: nothing is promised, and nothing is evicted in vain.
    let root = store.private().put(b"an answer".to_vec()).await.unwrap();
    drop(store);
    let store = open(folder.path(), Quotas { keep_free: 1 << 62, ..ROOM });
    assert!(matches!(store.reserve(&PAYERS[0], 1), Err(NoRoom::Disk { .. })));
    assert_eq!(store.private().get(&root).await.unwrap(), b"an answer".as_slice());
    assert!(!store.state().is_writable());
}

/// A job for which much may have to be answered had all the room there is, and nobody else's was taken.
#[tokio::test]
async fn one_payer_reserves_half_of_the_room_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), Quotas { answers: 128 << 10, ..ROOM });
    let error = store.reserve(&PAYERS[0], 70_000).unwrap_err();
    assert!(matches!(error, NoRoom::Payer { needed: 73_728, .. }), "{error}");
    assert!(error.to_string().contains("answers_bytes"), "{error}");
    let held = store.reserve(&PAYERS[0], 40_000).unwrap();
    assert!(matches!(store.reserve(&PAYERS[0], 40_000), Err(NoRoom::Payer { .. })));
    let _other = store.reserve(&PAYERS[1], 60_000).unwrap();
    // What the store itself has no room for is not held against the payer.
    assert!(matches!(store.reserve(&PAYERS[2], 60_000), Err(NoRoom::Quota { .. })));
    drop(held);
    assert!(store.reserve(&PAYERS[0], 60_000).is_ok());
    assert!(store.reserve(&PAYERS[2], 60_000).is_ok());
}

#[tokio::test]
async fn what_a_job_in_progress_needs_is_not_evicted() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let operator = folder_store(other.path());
    let url = remote(other.path()).await;
    let quotas = Quotas { inputs: 64 << 10, ..ROOM };
    let store = Blobs::open(folder.path(), quotas, &[format!("{url}/v1")], Limits::default()).unwrap();
    let needed = operator.put(b"needed".to_vec()).await.unwrap();
    let pin = store.pin(&needed);
    assert_eq!(store.get_within(&needed, MOST).await.unwrap(), b"needed".as_slice());
    for number in 0..20u32 {
        let root = operator.put(number.to_le_bytes().to_vec()).await.unwrap();
        store.get_within(&root, MOST).await.unwrap();
    }
    let inputs = folder.path().join("inputs");
    assert_eq!(names(&inputs).len(), 4);
    assert!(names(&inputs).contains(&hex::encode(needed)));
    drop(pin);
    for number in 20..24u32 {
        let root = operator.put(number.to_le_bytes().to_vec()).await.unwrap();
        store.get_within(&root, MOST).await.unwrap();
    }
    assert!(!names(&inputs).contains(&hex::encode(needed)));
    // What an operator's remote store sent goes nowhere else.
    assert_eq!(names(other.path()), ["blobs"]);
}

#[tokio::test]
async fn what_a_crash_or_a_disk_spoiled_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let root = open(folder.path(), ROOM).private().put(b"an answer".to_vec()).await.unwrap();
    std::fs::write(folder.path().join("drafts/7"), "half of").unwrap();
    std::fs::write(folder.path().join("inputs/notes.txt"), "the operator's own").unwrap();
    let file = folder.path().join("sealed").join(hex::encode(root));
    std::fs::write(&file, "an answe!").unwrap();
    let store = open(folder.path(), ROOM);
    assert_eq!(names(&folder.path().join("drafts")), Vec::<String>::new());
    let error = store.private().get(&root).await.unwrap_err();
    assert!(error.is_absent() && !file.exists(), "{error}");
    assert_eq!(names(&folder.path().join("inputs")), ["notes.txt"]);
}

#[tokio::test]
async fn the_folders_of_an_earlier_version_are_taken_over() {
    let (folder, old) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let root = folder_store(old.path()).put(b"an input".to_vec()).await.unwrap();
    let store = open(folder.path(), ROOM);
    store.adopt(&old.path().join("blobs"), |_| Class::Input).unwrap();
    store.adopt(&old.path().join("nowhere"), |_| Class::Input).unwrap();
    assert_eq!(store.get_within(&root, MOST).await.unwrap(), b"an input".as_slice());
    assert_eq!(names(&old.path().join("blobs")), Vec::<String>::new());
}

#[tokio::test]
async fn an_artifact_comes_from_the_operators_stores_as_a_file() {
    let (folder, near, far) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let artifact = model::artifact();
    let bytes = artifact.bytes().to_vec();
    let root = folder_store(near.path()).put(bytes.clone()).await.unwrap();
    // A folder's file is used where it is.
    let store = Blobs::open(folder.path(), ROOM, &[folder_url(near.path())], Limits::default()).unwrap();
    let found = store.artifact(&root, MOST).await.unwrap();
    assert!(found.path().starts_with(near.path()));
    assert!(store.artifact(&root, 10).await.is_err());
    drop((found, store));
    // A remote one is written to the disk once, and served by this node from then on.
    let other = folder_store(far.path()).put(bytes.clone()).await.unwrap();
    let url = remote(far.path()).await;
    let store = Blobs::open(folder.path(), ROOM, &[format!("{url}/v1")], Limits::default()).unwrap();
    let found = store.artifact(&other, MOST).await.unwrap();
    assert_eq!(std::fs::read(found.path()).unwrap(), bytes);
    assert_eq!(names(&folder.path().join("artifacts")), [hex::encode(root)]);
    assert_eq!(names(&folder.path().join("drafts")), Vec::<String>::new());
    // What nobody has is not asked for again at once, and leaves nothing.
    for _ in 0..2 {
        assert!(store.artifact(&[9; 32], MOST).await.is_err());
    }
    assert_eq!(names(&folder.path().join("drafts")), Vec::<String>::new());
}

async fn register(scene: &Scene, name: &str, url: &str, stake: u64) {
    let node = scene.chain.world(|world| world.wallet(name));
    let register = client::register_node(node.pubkey(), stake, url, [0; 32], 0);
    send_and_confirm(scene.chain.as_ref(), &[register], &[&node]).await.unwrap();
}

/// An artifact travels from node to node. One that lies or breaks off is asked once, and one at a private address only where that is allowed.
#[tokio::test]
async fn an_artifact_comes_from_other_nodes_whatever_some_of_them_send() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let urls = format!("[store]\nurls = [{:?}]\n", folder_url(&scene.shared));
    let honest = Served::start(scene.chain.clone(), data.path(), &urls).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let lie = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        async { vec![7; 100_000] }
    };
    let liar = serve(Router::new().route("/v1/blobs/{root}", get(lie))).await;
    let counted = Arc::clone(&asked);
    let break_off = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        let pieces = [Ok(vec![7; 10_000]), Err(std::io::Error::other("the cable is cut"))];
        // The first piece is on its way when the second fails.
        let slowly = futures_util::stream::iter(pieces).then(|piece| async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            piece
        });
        async { axum::body::Body::from_stream(slowly) }
    };
    let breaking = serve(Router::new().route("/v1/blobs/{root}", get(break_off))).await;
    // Those have most at stake, so they are asked first.
    register(&scene, "liar", &liar, 2 * STAKE).await;
    register(&scene, "breaking off", &breaking, 2 * STAKE).await;
    register(&scene, "silent", "http://127.0.0.1:9", STAKE).await;
    register(&scene, "honest", &honest.url(""), STAKE).await;

    let peers = |reach| Peers::new(scene.chain.clone(), keypair("node").pubkey(), reach);
    let root = model::artifact().content_root();
    let store = open(folder.path(), ROOM).with_peers(peers(Some(Reach::Public)));
    assert!(store.artifact(&root, MOST).await.is_err());
    assert_eq!(asked.load(Ordering::Relaxed), 0, "a private address was called");
    // A public chain whose server is on this machine has strangers all the same.
    drop(store);
    let devnet = "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG".parse::<Pubkey>().unwrap();
    scene.chain.become_cluster(devnet.to_bytes());
    let store = open(folder.path(), ROOM).with_peers(peers(None));
    assert!(store.artifact(&root, MOST).await.is_err());
    assert_eq!(asked.load(Ordering::Relaxed), 0, "a stranger's private address was called");
    scene.chain.become_cluster(CLUSTER);
    drop(store);

    let store = open(folder.path(), ROOM).with_peers(peers(None));
    let found = store.artifact(&root, MOST).await.unwrap();
    assert_eq!(std::fs::read(found.path()).unwrap(), model::artifact().bytes());
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    assert_eq!(names(&folder.path().join("drafts")), Vec::<String>::new());
    assert!(store.artifact(&content_root(b"something else").unwrap(), MOST).await.is_err());
    assert_eq!(asked.load(Ordering::Relaxed), 2, "a liar was asked again");
    honest.stop().await;
}

#[tokio::test]
async fn an_operators_store_gets_answers_and_nothing_else() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Blobs::open(folder.path(), ROOM, &[folder_url(other.path())], Limits::default()).unwrap();
    let root = store.private().put(b"an answer".to_vec()).await.unwrap();
    assert_eq!(names(&folder.path().join("sealed")), [hex::encode(root)]);
    assert_eq!(names(&other.path().join("blobs")), Vec::<String>::new());
    assert!(store.put_as(&root, b"a lie".to_vec()).await.is_err());
    store.put_as(&root, b"an answer".to_vec()).await.unwrap();
    // It is moved, not copied.
    assert_eq!(names(&folder.path().join("sealed")), Vec::<String>::new());
    assert_eq!(names(&folder.path().join("answers")), [hex::encode(root)]);
    assert_eq!(Store::open(&[folder_url(other.path())]).unwrap().get(&root).await.unwrap(), b"an answer".as_slice());
    store.put_as(&root, b"an answer".to_vec()).await.unwrap();
    assert_eq!(store.private().get(&root).await.unwrap(), b"an answer".as_slice());
}
