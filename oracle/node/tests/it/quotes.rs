//! Quotes cost nothing, so that somebody will ask for all of them at once.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use provena_client::Reply;
use provena_client::chain::send_and_confirm;
use provena_client::reach::Reach;
use provena_market::client;
use provena_market::state::JobState;
use provena_tests::market::STAKE;
use provena_tests::world::keypair;
use provena_wire::upload::WALLET_HEADER;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use tokio::io::AsyncWriteExt as _;

use crate::support::folder_url;
use crate::support::market::Scene;
use crate::support::model;
use crate::support::serving::Served;
use crate::support::watched::{Call, Watched, pass};
use crate::watch::until;

/// Somebody at an address of his own.
fn from(network: u8, last: u8) -> Client {
    let address = IpAddr::from([127, 0, network, last]);
    Client::builder().local_address(Some(address)).build().unwrap()
}

async fn ask(http: &Client, url: &str, offer: &Pubkey, images: usize) -> StatusCode {
    let body = model::request(images).to_bytes();
    let answer = http.post(format!("{url}/v1/quotes/{offer}")).body(body).send().await;
    answer.map_or(StatusCode::BAD_GATEWAY, |answer| answer.status())
}

/// Eight addresses ask as fast as they can: for offers that there are not, for quick quotes, and for some that take long to
/// prepare. One bucket for everybody was empty then, and two places for everybody were taken.
#[tokio::test(flavor = "multi_thread")]
async fn a_ninth_address_gets_its_quote_whatever_eight_others_ask_for() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let folder = tempfile::tempdir().unwrap();
    let sections = format!("[store]\nurls = [{:?}]\n", folder_url(&scene.shared));
    let (slow, prepared) = (model::request(5).to_bytes(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&prepared);
    let engine = Watched::new(move |call| {
        if matches!(call, Call::Prepare(bytes, _) if bytes == slow) {
            counted.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(1_500));
        }
        pass()
    });
    let served = Served::start_computing(scene.chain.clone(), folder.path(), &sections, engine).await;
    let (url, offer) = (served.url(""), scene.offer);
    assert_eq!(ask(&from(100, 1), &url, &offer, 1).await, StatusCode::OK);

    let stop = Arc::new(AtomicBool::new(false));
    let refused = Arc::new(AtomicUsize::new(0));
    let mut flood = Vec::new();
    for network in 1..=8 {
        for asking in 0..6 {
            let (url, stop, refused) = (url.clone(), Arc::clone(&stop), Arc::clone(&refused));
            flood.push(tokio::spawn(async move {
                let http = from(network, 1);
                while !stop.load(Ordering::SeqCst) {
                    let status = match asking {
                        0 => ask(&http, &url, &Keypair::new().pubkey(), 1).await,
                        1 => ask(&http, &url, &offer, 1).await,
                        _ => ask(&http, &url, &offer, 5).await,
                    };
                    refused.fetch_add(usize::from(status == StatusCode::TOO_MANY_REQUESTS), Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }));
        }
    }
    until("everything that can be taken is taken", || {
        prepared.load(Ordering::SeqCst) >= 3 && refused.load(Ordering::SeqCst) >= 100
    })
    .await;
    let honest = from(9, 1);
    for round in 0..6 {
        let begun = Instant::now();
        let status = ask(&honest, &url, &offer, 1).await;
        eprintln!("quote {round} beside the flood: {status} after {:?}", begun.elapsed());
        assert_eq!(status, StatusCode::OK, "quote {round}");
    }
    assert_eq!(ask(&honest, &url, &Keypair::new().pubkey(), 1).await, StatusCode::NOT_FOUND);
    stop.store(true, Ordering::SeqCst);
    for asking in flood {
        asking.await.unwrap();
    }
    served.stop().await;
}

/// Answers that a payer has not fetched hold his share of the node. He learns that before he pays for one more, by the name that
/// his job would be refused by, and nobody else is refused for it.
#[tokio::test]
async fn a_payer_whose_share_is_used_up_is_refused_by_name_before_he_pays() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let folder = tempfile::tempdir().unwrap();
    let sections = format!("[store]\nurls = [{:?}]\n", folder_url(&scene.shared));
    // Half of the stake is for one payer: two such bonds, and not three.
    let offer = scene.offer_with(|terms| terms.bond_lamports = STAKE / 5 - 1);
    let mut jobs = Vec::new();
    for images in 1..=2 {
        jobs.push(scene.client().post_job(&offer, &model::request(images)).await.unwrap().job);
    }
    let served = Served::start(scene.chain.clone(), folder.path(), &sections).await;
    let answered = |job: &Pubkey| scene.job(job).state().unwrap() == JobState::Agreed;
    until("both are answered", || jobs.iter().all(answered)).await;

    let quote = async |wallet: Option<Pubkey>| {
        let ask = served.http.post(served.url(&format!("/v1/quotes/{offer}"))).body(model::request(3).to_bytes());
        let ask = wallet.into_iter().fold(ask, |ask, wallet| ask.header(WALLET_HEADER, wallet.to_string()));
        let answer = ask.send().await.unwrap();
        (answer.status(), answer.json::<Value>().await.unwrap())
    };
    let (status, words) = quote(Some(scene.payer.pubkey())).await;
    assert_eq!((status, &words["refused"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("payer_at_limit")), "{words}");
    for other in [Some(Keypair::new().pubkey()), None] {
        let (status, words) = quote(other).await;
        assert_eq!((status, &words["units_in"]), (StatusCode::OK, &json!(3)), "{words}");
    }

    // A payer's client says who asks.
    let update = client::update_node(keypair("node").pubkey(), &served.url(""), [0; 32], 0);
    send_and_confirm(scene.chain.as_ref(), &[update], &[&keypair("node")]).await.unwrap();
    let quotes = scene.client().quotes(&offer, &scene.terms(&offer), &model::request(3)).await.unwrap();
    let replies: Vec<_> = quotes.0.into_iter().map(|asked| asked.reply).collect();
    assert!(matches!(&replies[..], [Reply::Refuses(refusal)] if refusal.refused == "payer_at_limit"), "{replies:?}");
    served.stop().await;
}

/// One address that sent four long requests and ended none of them had all the room for long requests.
#[tokio::test(flavor = "multi_thread")]
async fn long_requests_of_one_address_leave_room_for_those_of_others() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let folder = tempfile::tempdir().unwrap();
    let sections = format!("[store]\nurls = [{:?}]\n", folder_url(&scene.shared));
    let served = Served::start(scene.chain.clone(), folder.path(), &sections).await;
    let mut held = Vec::new();
    for _ in 0..5 {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.1.1:0".parse().unwrap()).unwrap();
        let mut stream = socket.connect(served.address).await.unwrap();
        let begin =
            format!("POST /v1/quotes/{} HTTP/1.1\r\nhost: node\r\ncontent-length: {}\r\n\r\n", scene.offer, 16 << 20);
        stream.write_all(begin.as_bytes()).await.unwrap();
        // Those that are refused are read, too.
        stream.write_all(&vec![b' '; 15 << 20]).await.unwrap();
        held.push(stream);
        // What is on its way arrives.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let url = served.url(&format!("/v1/quotes/{}", scene.offer));
    let long = from(9, 1).post(&url).body(vec![b'x'; 12 << 20]).send().await.unwrap();
    let (status, words) = (long.status(), long.text().await.unwrap());
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{words}");
    // The one who has his share has it, and what is short is taken from him all the same.
    let more = from(1, 1).post(&url).body(vec![b'x'; 12 << 20]).send().await.unwrap();
    assert_eq!(more.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(ask(&from(1, 1), &served.url(""), &scene.offer, 1).await, StatusCode::OK);
    drop(held);
    served.stop().await;
}

/// Set when it is dropped, so that a test that fails leaves no thread that waits for it.
struct LetGo(Arc<AtomicBool>);

impl Drop for LetGo {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A node that is told to stop was held for ten seconds by whoever asked it something, or took a blob slowly.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_waits_for_no_open_quote_and_no_slow_reader() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let folder = tempfile::tempdir().unwrap();
    let sections = format!("[http]\ntimeout_s = 60\n[store]\nurls = [{:?}]\n", folder_url(&scene.shared));
    let blob = vec![3; 30 << 20];
    let root = provena_arith::merkle::content_root(&blob).unwrap();
    let artifacts = folder.path().join("provena-node/blobs/artifacts");
    std::fs::create_dir_all(&artifacts).unwrap();
    std::fs::write(artifacts.join(hex::encode(root)), blob).unwrap();
    let [entered, left] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
    let (inside, let_go) = (Arc::clone(&entered), Arc::clone(&left));
    let go = LetGo(Arc::clone(&left));
    let engine = Watched::new(move |call| {
        inside.fetch_or(matches!(call, Call::Prepare(..)), Ordering::SeqCst);
        while matches!(call, Call::Prepare(..)) && !let_go.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(10));
        }
        pass()
    });
    let served = Served::start_computing(scene.chain.clone(), folder.path(), &sections, engine).await;
    let mut slow = served.http.get(served.url(&format!("/v1/blobs/{}", hex::encode(root)))).send().await.unwrap();
    assert!(slow.chunk().await.unwrap().is_some());
    let (url, offer) = (served.url(""), scene.offer);
    let asked = tokio::spawn(async move {
        let answer = Client::new().post(format!("{url}/v1/quotes/{offer}")).body(model::request(1).to_bytes());
        let answer = answer.send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    });
    until("the quote is prepared", || entered.load(Ordering::SeqCst)).await;
    let begun = Instant::now();
    served.stop().await;
    eprintln!("stopped after {:?}", begun.elapsed());
    // What prepares it has not come back, and nobody has waited for it.
    let (status, words) = asked.await.unwrap();
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(words.contains("the node is stopping"), "{words}");
    assert!(!left.load(Ordering::SeqCst));
    drop(go);
    while let Ok(Some(_)) = slow.chunk().await {}
}

/// A registered address is a stranger's word. It may redirect the node into its own network, or name a server there whose
/// answers nobody outside may read.
#[tokio::test]
async fn private_servers_are_neither_reached_by_redirection_nor_quoted() {
    use axum::http::header::LOCATION;
    use axum::response::IntoResponse as _;

    let scene = Scene::new(&["node"], 1, 1).await;
    let folder = tempfile::tempdir().unwrap();
    let reached = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reached);
    let secret = axum::Router::new().fallback(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        async { "the password is swordfish" }
    });
    let secret = serve(secret).await;
    let redirecting = serve(axum::Router::new().fallback(move || {
        let to = format!("{secret}/admin");
        async move { (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, to)]).into_response() }
    }))
    .await;
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let talking = serve(axum::Router::new().fallback(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        async { (StatusCode::INTERNAL_SERVER_ERROR, "the password is swordfish") }
    }))
    .await;
    for (name, url) in [("redirecting", &redirecting), ("talking", &talking)] {
        let node = scene.chain.world(|world| world.wallet(name));
        let register = client::register_node(node.pubkey(), STAKE, url, [0; 32], 0);
        send_and_confirm(scene.chain.as_ref(), &[register], &[&node]).await.unwrap();
    }
    // The node has the model from nowhere else, and may call private addresses here.
    let served = Served::start(scene.chain.clone(), folder.path(), "[store]\nprivate_peers = true\n").await;
    let answer =
        served.http.post(served.url(&format!("/v1/quotes/{}", scene.offer))).body(model::request(1).to_bytes());
    let answer = answer.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let words = answer.text().await.unwrap();
    assert!(words.contains("not_available") && words.contains("does not have the model"), "{words}");
    let strangers = ["swordfish", "127.0.0.1", "500", "307"];
    assert!(!strangers.iter().any(|word| words.contains(word)), "{words}");
    served.stop().await;
    assert!(asked.load(Ordering::SeqCst) > 0, "the talking server was asked");
    assert_eq!(reached.load(Ordering::SeqCst), 0, "a redirection was followed");

    // Nor does the node's own log have the words.
    let store =
        provena_node::blobs::Blobs::open(&folder.path().join("other"), crate::support::ROOM, &[], Default::default());
    let peers = provena_node::blobs::Peers::new(scene.chain.clone(), Pubkey::default(), Some(Reach::Private));
    let error =
        store.unwrap().with_peers(peers).artifact(&model::artifact().content_root(), 1 << 20).await.unwrap_err();
    let error = error.to_string();
    assert!(error.contains("HTTP 500") && error.contains("HTTP 307") && !error.contains("swordfish"), "{error}");
    assert_eq!(reached.load(Ordering::SeqCst), 0);
}

async fn serve(routes: axum::Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    url
}
