//! A store may lie, break off or be gone; what is read is always what was asked for.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{Response, StatusCode};
use axum::routing::get;
use futures_util::{StreamExt as _, TryStreamExt as _};
use provena_arith::merkle::content_root;
use provena_client::reach::Reach;
use provena_client::store::{Limits, Store, StoreError};

use crate::support::folder_store;

/// What a misbehaving server answers to GET.
#[derive(Clone)]
enum Answer {
    Blob(Bytes),
    /// Announces more than it sends.
    BreakingOff(Bytes),
    /// Sends without end and without announcing a length.
    Endless,
    /// Sends a byte now and then: it is never silent, and never done.
    Dripping,
    /// Sends a piece, and then nothing more.
    Stalling,
    Status(StatusCode),
}

async fn serve(answer: Answer) -> String {
    async fn blob(State(answer): State<Arc<Answer>>, Path(_): Path<String>) -> Response<Body> {
        match answer.as_ref() {
            Answer::Blob(bytes) => Response::new(Body::from(bytes.clone())),
            Answer::BreakingOff(bytes) => {
                let pieces =
                    futures_util::stream::iter([Ok(bytes.clone()), Err(std::io::Error::other("the cable is cut"))]);
                Response::new(Body::from_stream(pieces))
            }
            Answer::Endless => {
                let piece = Bytes::from(vec![0; 64 << 10]);
                Response::new(Body::from_stream(futures_util::stream::repeat_with(move || {
                    Ok::<_, std::io::Error>(piece.clone())
                })))
            }
            Answer::Dripping => {
                let drip = futures_util::stream::unfold((), |()| async {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    Some((Ok::<_, std::io::Error>(Bytes::from_static(&[0])), ()))
                });
                Response::new(Body::from_stream(drip))
            }
            Answer::Stalling => {
                let piece = futures_util::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(&[0; 100]))]);
                Response::new(Body::from_stream(piece.chain(futures_util::stream::pending())))
            }
            Answer::Status(status) => Response::builder().status(*status).body(Body::from("no")).unwrap(),
        }
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let routes = Router::new().route("/v1/blobs/{root}", get(blob)).with_state(Arc::new(answer));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    url
}

fn content() -> Bytes {
    Bytes::from((0..200_000u32).map(|i| (i % 251) as u8).collect::<Vec<_>>())
}

#[tokio::test]
async fn what_is_put_is_got() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder_store(folder.path());
    let root = store.put(content()).await.unwrap();
    assert_eq!(root, content_root(&content()).unwrap());
    assert_eq!(store.get(&root).await.unwrap(), content());
    assert!(store.has(&root).await);
    assert!(!store.has(&[1; 32]).await);
    // No temporary file stays behind.
    let names: Vec<_> =
        std::fs::read_dir(folder.path().join("blobs")).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert_eq!(names, [hex::encode(root).as_str()]);
}

#[tokio::test]
async fn get_rejects_a_mismatch() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder_store(folder.path());
    let root = store.put(content()).await.unwrap();
    let path = folder.path().join("blobs").join(hex::encode(root));
    let mut bytes = content().to_vec();
    bytes[100_000] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let error = store.get(&root).await.unwrap_err();
    assert!(error.is_mismatch() && error.is_absent(), "{error}");
    assert!(error.to_string().contains(&hex::encode(root)), "{error}");
}

#[tokio::test]
async fn get_rejects_a_truncated_blob() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder_store(folder.path());
    let root = store.put(content()).await.unwrap();
    let path = folder.path().join("blobs").join(hex::encode(root));
    for len in [0, 1, 65_536, 199_999] {
        std::fs::write(&path, &content()[..len]).unwrap();
        assert!(store.get(&root).await.unwrap_err().is_mismatch(), "{len} bytes");
    }
}

#[tokio::test]
async fn put_rejects_empty_and_too_large_blobs() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { max_blob: 10, ..Limits::default() };
    let store = Store::open_with(&[format!("file://{}", folder.path().display())], limits).unwrap();
    assert!(matches!(store.put(Vec::new()).await.unwrap_err(), StoreError::Empty));
    let error = store.put(vec![1; 11]).await.unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { len: 11, limit: 10 }), "{error}");
    let error = store.put_as(&[9; 32], vec![1; 5]).await.unwrap_err();
    assert!(matches!(error, StoreError::Mismatch { .. }), "{error}");
    assert!(!folder.path().join("blobs").exists());
}

#[tokio::test]
async fn a_sound_http_store_is_read_and_its_blob_kept() {
    let folder = tempfile::tempdir().unwrap();
    let url = serve(Answer::Blob(content())).await;
    let store = Store::open(&[format!("file://{}", folder.path().display()), url]).unwrap();
    let root = content_root(&content()).unwrap();
    assert_eq!(store.get(&root).await.unwrap(), content());
    assert_eq!(folder_store(folder.path()).get(&root).await.unwrap(), content());
}

#[tokio::test]
async fn a_lying_http_store_is_passed_over() {
    let root = content_root(&content()).unwrap();
    let liar = serve(Answer::Blob(Bytes::from_static(b"something else"))).await;
    let honest = serve(Answer::Blob(content())).await;
    let store = Store::open(&[liar.clone(), honest]).unwrap();
    assert_eq!(store.get(&root).await.unwrap(), content());
    let error = Store::open(&[liar]).unwrap().get(&root).await.unwrap_err();
    assert!(error.is_mismatch(), "{error}");
}

#[tokio::test]
async fn get_rejects_a_broken_transfer_and_a_flood() {
    let root = content_root(&content()).unwrap();
    let broken = serve(Answer::BreakingOff(content().slice(..1_000))).await;
    let error = Store::open(&[broken]).unwrap().get(&root).await.unwrap_err();
    assert!(!error.is_absent() && error.to_string().contains("failed"), "{error}");
    let flood = serve(Answer::Endless).await;
    let limits = Limits { max_blob: 1 << 20, ..Limits::default() };
    let error = Store::open_with(&[flood], limits).unwrap().get(&root).await.unwrap_err();
    let StoreError::Everywhere { failures, .. } = &error else { panic!("{error}") };
    assert!(matches!(failures[..], [StoreError::TooLarge { limit: 1_048_576, .. }]), "{error}");
}

#[tokio::test]
async fn each_store_says_why_it_failed() {
    let folder = tempfile::tempdir().unwrap();
    let refusing = serve(Answer::Status(StatusCode::FORBIDDEN)).await;
    let port = crate::support::free_port();
    let gone = format!("http://127.0.0.1:{port}/v1");
    let urls = [format!("file://{}", folder.path().display()), refusing, gone.clone()];
    let error = Store::open(&urls).unwrap().get(&[3; 32]).await.unwrap_err().to_string();
    assert!(error.contains("does not have it") && error.contains("403") && error.contains(&gone), "{error}");
}

#[test]
fn open_rejects_urls_that_are_no_stores() {
    for url in ["blobs", "s3://bucket", "file://relative/path", "http://", ""] {
        let error = Store::open(&[url]).unwrap_err();
        assert!(matches!(error, StoreError::BadUrl { .. }), "{url}: {error}");
    }
    assert!(matches!(Store::open::<&str>(&[]).unwrap_err(), StoreError::BadUrl { .. }));
    let error = Store::open(&["file:///dev/null/blobs"]).unwrap_err();
    assert!(matches!(&error, StoreError::Folder { .. }) && error.to_string().contains("writable"), "{error}");
}

#[tokio::test]
async fn a_store_that_drips_is_given_up() {
    let limits = Limits { timeout: Duration::from_millis(300), ..Limits::default() };
    let store = Store::open_with(&[serve(Answer::Dripping).await], limits).unwrap();
    let error = store.get(&[3; 32]).await.unwrap_err();
    assert!(!error.is_absent() && error.to_string().contains("too slow"), "{error}");
}

/// Silent servers, the operator's and a stranger's: from the beginning, and after the first piece.
#[tokio::test]
async fn a_silent_store_is_given_up() {
    // Bound and never accepted: connections are taken by the system and stay silent.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("http://{}/v1", silent.local_addr().unwrap());
    let limits = Limits { timeout: Duration::from_millis(300), ..Limits::default() };
    for url in [silent, serve(Answer::Stalling).await] {
        let strangers = Store::open_strangers(&url, Reach::Private, limits).unwrap();
        for store in [strangers, Store::open_with(&[&url], limits).unwrap()] {
            let given_up = tokio::time::timeout(Duration::from_secs(10), store.get(&[3; 32])).await;
            let error = given_up.expect("it is not waited for longer").unwrap_err();
            assert!(!error.is_absent() && error.to_string().contains("does not answer within 0.3 s"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_strangers_store_is_not_asked_at_a_private_address() {
    let url = serve(Answer::Blob(content())).await;
    let error = Store::open_strangers(&url, Reach::Public, Limits::default()).unwrap_err().to_string();
    assert!(error.contains("public address"), "{error}");
    // A name that leads there is found out when it is resolved.
    let named = url.replace("127.0.0.1", "localhost");
    let store = Store::open_strangers(&named, Reach::Public, Limits::default()).unwrap();
    let error = store.get(&content_root(&content()).unwrap()).await.unwrap_err().to_string();
    assert!(error.contains("not at a public address"), "{error}");
}

#[tokio::test]
async fn a_blob_arrives_in_pieces_from_each_place_alone() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder_store(folder.path()).put(content()).await.unwrap();
    let urls = [serve(Answer::Blob(content())).await, format!("file://{}", folder.path().display())];
    let store = Store::open(&urls).unwrap();
    let file = store.file(&root).unwrap();
    assert_eq!(std::fs::read(file).unwrap(), content());
    assert!(store.file(&[3; 32]).is_none());
    for place in store.each() {
        let pieces: Vec<Bytes> = place.stream(&root, 1 << 20).await.unwrap().try_collect().await.unwrap();
        assert_eq!(pieces.concat(), content());
        let short = place.stream(&root, 1_000).await;
        let failed = match short {
            Err(_) => true,
            Ok(pieces) => pieces.try_collect::<Vec<Bytes>>().await.is_err(),
        };
        assert!(failed, "{place:?}");
    }
}
