//! What strangers bring, and for which reasons it is taken.

use std::sync::Arc;

use provena_arith::merkle::content_root;
use provena_client::chain::ChainReader as _;
use provena_tests::world::keypair;
use provena_wire::upload::{JOB_HEADER, UPLOAD_SLOTS};
use provena_wire::{MAX_REQUEST_LEN, Upload};
use reqwest::{RequestBuilder, StatusCode};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use crate::support::market::Scene;
use crate::support::model;
use crate::support::serving::{Served, names, signed, upload};

async fn serve(sections: &str) -> (Scene, Served, tempfile::TempDir) {
    let scene = Scene::new(&["node"], 1, 1).await;
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(scene.chain.clone(), folder.path(), sections).await;
    (scene, served, folder)
}

async fn refused(request: RequestBuilder) -> (StatusCode, String) {
    let answer = request.send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

/// N1, the store's half: the disk was anybody's to fill, and what was filled cost the node its bonds.
#[tokio::test]
async fn n1_uploads_without_a_reason_take_no_disk() {
    let (_scene, served, _folder) = serve("").await;
    for size in [1, 1_000, 200_000] {
        let (status, words) = refused(served.put(&vec![7; size])).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert!(words.contains("provena-job") && words.contains("provena-wallet"), "{words}");
    }
    for class in ["inputs", "uploads", "artifacts", "answers", "drafts"] {
        assert_eq!(names(&served.blobs(class)), Vec::<String>::new(), "{class}");
    }
    served.stop().await;
}

#[tokio::test]
async fn an_input_is_taken_for_a_job_that_names_it() {
    let (scene, served, _folder) = serve("").await;
    let request = model::request(2);
    let posted = scene.client().post_job(&scene.offer, &request).await.unwrap();
    let bytes = request.to_bytes();
    let root = content_root(&bytes).unwrap();
    assert_eq!(served.blob(&root).await.0, StatusCode::NOT_FOUND);
    assert_eq!(served.put_for(&posted.job, &bytes).await.status(), StatusCode::CREATED);
    assert_eq!(served.put_for(&posted.job, &bytes).await.status(), StatusCode::OK);
    assert_eq!(served.blob(&root).await, (StatusCode::OK, bytes.clone()));
    assert_eq!(names(&served.blobs("inputs")), [hex::encode(root)]);
    // The same route serves as another node's store, and says what it has without sending it.
    let store = provena_client::store::Store::open(&[served.url("/v1")]).unwrap();
    assert_eq!(store.get(&root).await.unwrap(), bytes);
    assert!(store.has(&root).await && !store.has(&[1; 32]).await);
    let head = served.http.head(served.url(&format!("/v1/blobs/{}", hex::encode(root)))).send().await.unwrap();
    assert_eq!(head.headers()["content-length"], bytes.len().to_string().as_str());

    // Not another blob, not for a job that is not there, not under the name of what is no job.
    let other = b"another blob";
    assert_eq!(served.put_for(&posted.job, other).await.status(), StatusCode::FORBIDDEN);
    for job in [Pubkey::new_from_array([9; 32]), scene.offer] {
        let answer = served.put_for(&job, other).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        assert!(answer.text().await.unwrap().contains("no such job"));
    }
    let (status, _) = refused(served.put(other).header(JOB_HEADER, "no address")).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    served.stop().await;
}

#[tokio::test]
async fn an_upload_needs_the_wallets_own_word_about_this_blob_here_and_now() {
    let (scene, served, _folder) = serve("").await;
    let payer: &Keypair = &scene.payer;
    let blob = b"a request".as_slice();
    let root = content_root(blob).unwrap();
    let slot = scene.chain.slot().await.unwrap();
    let honest = upload(root, blob.len() as u64, slot);
    let wrong = [
        Upload { cluster: [1; 32], ..honest },
        Upload { node: [1; 32], ..honest },
        Upload { root: [1; 32], ..honest },
        Upload { len: 1, ..honest },
        Upload { slot: slot + 10 * UPLOAD_SLOTS, ..honest },
        Upload { slot: 0, ..honest },
    ];
    scene.chain.advance(UPLOAD_SLOTS + 2);
    let slot = scene.chain.slot().await.unwrap();
    let honest = Upload { slot, ..honest };
    for upload in wrong {
        let (status, words) = refused(signed(served.put(blob), payer, &upload)).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{upload:?}: {words}");
    }
    let stranger = Keypair::new();
    let by_another = signed(served.put(blob), &stranger, &honest);
    let (status, words) = refused(by_another).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "a wallet without money: {words}");
    scene.chain.world(|world| world.svm.airdrop(&keypair("poor").pubkey(), 4_999_999).unwrap());
    let (status, words) = refused(signed(served.put(blob), &keypair("poor"), &honest)).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{words}");
    assert!(words.contains("0.005 SOL"), "{words}");
    assert_eq!(names(&served.blobs("uploads")), Vec::<String>::new());

    assert_eq!(signed(served.put(blob), payer, &honest).send().await.unwrap().status(), StatusCode::CREATED);
    assert_eq!(signed(served.put(blob), payer, &honest).send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(names(&served.blobs("uploads")), [hex::encode(root)]);
    // A wallet's word makes nobody a host: it is not handed out.
    assert_eq!(served.blob(&root).await.0, StatusCode::NOT_FOUND);
    served.stop().await;
}

/// Headers that contradict each other: whichever of them was believed, somebody else could have meant the other.
#[tokio::test]
async fn an_upload_has_one_reason_and_the_right_one() {
    let (scene, served, _folder) = serve("").await;
    let request = model::request(2);
    let bytes = request.to_bytes();
    let (root, len) = (content_root(&bytes).unwrap(), bytes.len() as u64);
    let slot = scene.chain.slot().await.unwrap();
    let word = upload(root, len, slot);
    let posted = scene.client().post_job(&scene.offer, &request).await.unwrap();
    let other = scene.client().post_job(&scene.offer, &model::request(1)).await.unwrap();
    let job = posted.job.to_string();
    // Each reason holds by itself.
    let both = signed(served.put(&bytes), &scene.payer, &word).header(JOB_HEADER, &job);
    let half = served.put(&bytes).header(JOB_HEADER, &job).header("provena-slot", slot.to_string());
    let twice = served.put(&bytes).header(JOB_HEADER, &job).header(JOB_HEADER, &job);
    let again = signed(signed(served.put(&bytes), &scene.payer, &word), &scene.payer, &word);
    for request in [both, half, twice, again] {
        let (status, words) = refused(request).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{words}");
        assert!(words.contains("one reason"), "{words}");
    }
    // A job of the same payer's for another input, and one that has ended.
    let answer = served.put_for(&other.job, &bytes).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert!(answer.text().await.unwrap().contains("the job's input is another blob"));
    let ended = scene.client().post_job(&scene.offer, &request).await.unwrap().job;
    scene.client().cancel(&ended).await.unwrap();
    let answer = served.put_for(&ended, &bytes).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert!(answer.text().await.unwrap().contains("no such job in progress"));
    for class in ["inputs", "uploads", "drafts"] {
        assert_eq!(names(&served.blobs(class)), Vec::<String>::new(), "{class}");
    }
    served.stop().await;
}

#[tokio::test]
async fn an_upload_becomes_an_input_when_its_job_comes() {
    let (scene, served, _folder) = serve("").await;
    let request = model::request(3);
    let bytes = request.to_bytes();
    let root = content_root(&bytes).unwrap();
    let slot = scene.chain.slot().await.unwrap();
    assert_eq!(served.put_signed(&scene.payer, slot, &bytes).await.status(), StatusCode::CREATED);
    assert_eq!(served.blob(&root).await.0, StatusCode::NOT_FOUND);
    scene.client().post_job(&scene.offer, &request).await.unwrap();
    // The node finds the job, and the input where it was left.
    for _ in 0..400 {
        if served.blob(&root).await.0 == StatusCode::OK {
            assert_eq!(names(&served.blobs("uploads")), Vec::<String>::new());
            return served.stop().await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("the node does not find the input of its job");
}

#[tokio::test]
async fn put_rejects_what_is_not_named_so_and_what_is_too_large() {
    let (scene, served, _folder) = serve("[http]\nmax_upload_bytes = 1000\n").await;
    let slot = scene.chain.slot().await.unwrap();
    let named = content_root(b"one").unwrap();
    let lie = signed(served.put_as(&named, b"two"), &scene.payer, &upload(named, 3, slot));
    let (status, words) = refused(lie).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{words}");
    assert_eq!(served.put_signed(&scene.payer, slot, &[1; 1_001]).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(served.put_signed(&scene.payer, slot, &[1; 1_000]).await.status(), StatusCode::CREATED);
    // Without a length, in chunks, nobody knows what is to come.
    let pieces = futures_util::stream::iter([Ok::<_, std::io::Error>(b"one".to_vec())]);
    let url = served.url(&format!("/v1/blobs/{}", hex::encode(named)));
    let chunked = served.http.put(url).body(reqwest::Body::wrap_stream(pieces));
    let (status, _) = refused(signed(chunked, &scene.payer, &upload(named, 3, slot))).await;
    assert_eq!(status, StatusCode::LENGTH_REQUIRED);
    assert_eq!(names(&served.blobs("drafts")), Vec::<String>::new());
    assert_eq!(names(&served.blobs("uploads")).len(), 1);
    served.stop().await;
}

#[tokio::test]
async fn a_request_has_at_most_its_greatest_length_whatever_the_operator_allows() {
    let (scene, served, _folder) = serve("[http]\nmax_upload_bytes = 1000000000\n").await;
    let slot = scene.chain.slot().await.unwrap();
    let large = vec![1; MAX_REQUEST_LEN + 1];
    // The answer may come before all is sent, which breaks the sending off.
    let sent =
        signed(served.put(&large), &scene.payer, &upload(content_root(&large).unwrap(), large.len() as u64, slot));
    if let Ok(answer) = sent.send().await {
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
    assert_eq!(names(&served.blobs("uploads")), Vec::<String>::new());
    assert_eq!(served.put_signed(&scene.payer, slot, &large[1..]).await.status(), StatusCode::CREATED);
    served.stop().await;
}

#[tokio::test]
async fn a_wallet_that_uploads_too_often_is_told_when_to_come_back_and_others_are_served() {
    let (scene, served, _folder) = serve("").await;
    let slot = scene.chain.slot().await.unwrap();
    let mut refused = None;
    for number in 0..200u32 {
        let answer = served.put_signed(&scene.payer, slot, &number.to_le_bytes()).await;
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            refused = Some((number, answer.headers()["retry-after"].to_str().unwrap().to_owned()));
            break;
        }
        assert_eq!(answer.status(), StatusCode::CREATED);
    }
    let (number, seconds) = refused.expect("somewhere it ends");
    assert!(number >= 32 && seconds.parse::<u64>().unwrap() >= 1, "{number} {seconds}");
    let other = scene.chain.world(|world| world.wallet("another payer"));
    assert_eq!(served.put_signed(&other, slot, b"another blob").await.status(), StatusCode::CREATED);
    served.stop().await;
}

/// N17: once the quota was used nobody could bring an input until the node was started again, and what did not fit went into
/// the operator's other stores.
#[tokio::test]
async fn n17_a_used_quota_makes_room_and_the_operators_store_gets_nothing() {
    let operator = tempfile::tempdir().unwrap();
    let url = crate::support::folder_url(operator.path());
    // Room for four blobs, however small.
    let sections = format!("[store]\nuploads_bytes = 65536\nurls = [{url:?}]\n");
    let (scene, served, folder) = serve(&sections).await;
    let slot = scene.chain.slot().await.unwrap();
    let honest = scene.chain.world(|world| world.wallet("honest"));
    assert_eq!(served.put_signed(&honest, slot, b"honest").await.status(), StatusCode::CREATED);
    for number in 0..20u32 {
        let answer = served.put_signed(&scene.payer, slot, &number.to_le_bytes()).await;
        assert_eq!(answer.status(), StatusCode::CREATED, "{number}");
        assert!(names(&served.blobs("uploads")).len() <= 4);
    }
    // Whoever floods loses his own: the honest one's is still there, although it is the oldest.
    let honest_root = hex::encode(content_root(b"honest").unwrap());
    assert!(names(&served.blobs("uploads")).contains(&honest_root));
    served.stop().await;

    // What lies there counts after a restart, and still makes room.
    let served = Served::start(scene.chain.clone(), folder.path(), &sections).await;
    assert_eq!(served.put_signed(&honest, slot, b"after a restart").await.status(), StatusCode::CREATED);
    assert_eq!(names(&served.blobs("uploads")).len(), 4);
    // Even where its own disk fails, the node puts nothing of a stranger's elsewhere.
    std::fs::remove_dir(served.blobs("drafts")).unwrap();
    std::fs::write(served.blobs("drafts"), "in the way").unwrap();
    assert_eq!(served.put_signed(&honest, slot, b"nowhere").await.status(), StatusCode::INSUFFICIENT_STORAGE);
    assert_eq!(names(&operator.path().join("blobs")), Vec::<String>::new());
    served.stop().await;
}

/// N1: a full disk takes nothing more, and hands out what it has.
#[tokio::test]
async fn n1_a_full_disk_refuses_uploads_and_serves_on() {
    let (scene, served, folder) = serve("").await;
    let request = model::request(1);
    let posted = scene.client().post_job(&scene.offer, &request).await.unwrap();
    let bytes = request.to_bytes();
    assert_eq!(served.put_for(&posted.job, &bytes).await.status(), StatusCode::CREATED);
    served.stop().await;

    // No disk has so much.
    let served =
        Served::start(scene.chain.clone(), folder.path(), "[store]\nkeep_free_bytes = 4611686018427387904\n").await;
    let slot = scene.chain.slot().await.unwrap();
    let answer = served.put_signed(&scene.payer, slot, b"more").await;
    assert_eq!(answer.status(), StatusCode::INSUFFICIENT_STORAGE);
    assert_eq!(served.blob(&content_root(&bytes).unwrap()).await, (StatusCode::OK, bytes));
    served.stop().await;
}

#[tokio::test]
async fn many_uploads_at_once_are_all_taken() {
    let (scene, served, _folder) = serve("[http]\naddress_connections = 0\n").await;
    let slot = scene.chain.slot().await.unwrap();
    let served = Arc::new(served);
    let payer = Arc::clone(&scene.payer);
    let uploads = (0..30u8).map(|number| {
        let (served, payer) = (Arc::clone(&served), Arc::clone(&payer));
        tokio::spawn(async move {
            let blob = vec![number; 100_000 + usize::from(number)];
            served.put_signed(&payer, slot, &blob).await.status()
        })
    });
    for status in futures_util::future::join_all(uploads).await {
        assert_eq!(status.unwrap(), StatusCode::CREATED);
    }
    assert_eq!(names(&served.blobs("uploads")).len(), 30);
    assert_eq!(names(&served.blobs("drafts")), Vec::<String>::new());
}
