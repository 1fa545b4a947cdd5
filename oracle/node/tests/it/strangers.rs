//! Anybody may register as a node. Whoever buys asks a few of them, and the honest ones are found all the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use provena_client::Reply;
use provena_client::chain::{accounts::fetch, send_and_confirm};
use provena_market::client;
use provena_market::state::Offer;
use provena_tests::market::STAKE;
use provena_tests::world::keypair;
use solana_signer::Signer;

use crate::support::market::Scene;
use crate::support::serving::Served;
use crate::support::{folder_url, model};

async fn register(scene: &Scene, name: &str, url: &str, stake: u64) {
    let node = scene.chain.world(|world| world.wallet(name));
    let register = client::register_node(node.pubkey(), stake, url, [0; 32], 0);
    send_and_confirm(scene.chain.as_ref(), &[register], &[&node]).await.unwrap();
}

/// A server that refuses every request, or takes every one for a unit, and counts them.
async fn stranger(takes: bool) -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let answer = move || {
        counter.fetch_add(1, Ordering::Relaxed);
        let refusal = (StatusCode::UNPROCESSABLE_ENTITY, r#"{"refused":"kind","reason":"no"}"#);
        let quote = (StatusCode::OK, r#"{"units_in":1,"units_out":0}"#);
        async move { if takes { quote } else { refusal } }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let routes = Router::new().route("/v1/quotes/{offer}", post(answer));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (url, asked)
}

/// Forty strangers with more at stake than the one node that works: with a silent address, or one that refuses.
#[tokio::test]
async fn x12_the_honest_node_is_found_among_forty_strangers_who_staked_more() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let urls = format!("[store]\nurls = [{:?}]\n", folder_url(&scene.shared));
    let honest = Served::start(scene.chain.clone(), data.path(), &urls).await;
    let update = client::update_node(keypair("node").pubkey(), &honest.url(""), [0; 32], 0);
    send_and_confirm(scene.chain.as_ref(), &[update], &[&keypair("node")]).await.unwrap();
    let (refusing, _) = stranger(false).await;
    for number in 0..40 {
        let url = if number % 2 == 0 { &refusing } else { "http://127.0.0.1:9" };
        register(&scene, &format!("stranger {number}"), url, 2 * STAKE).await;
    }
    let offer: Offer = fetch(scene.chain.as_ref(), &scene.offer).await.unwrap();
    let quotes = scene.client().quotes(&scene.offer, &offer, &model::request(2)).await.unwrap();
    let takers: Vec<_> = quotes.0.iter().filter(|asked| matches!(asked.reply, Reply::Takes(_))).collect();
    assert_eq!(takers.iter().map(|asked| asked.node).collect::<Vec<_>>(), [keypair("node").pubkey()]);
    honest.stop().await;
}

/// Where enough would take a request, the others are not asked: their addresses are called by nobody for nothing.
#[tokio::test]
async fn x12_a_buyer_asks_eight_nodes_and_not_all() {
    let scene = Scene::new(&[], 1, 1).await;
    let (taking, asked) = stranger(true).await;
    for number in 0..40 {
        register(&scene, &format!("stranger {number}"), &taking, STAKE).await;
    }
    let offer: Offer = fetch(scene.chain.as_ref(), &scene.offer).await.unwrap();
    let quotes = scene.client().quotes(&scene.offer, &offer, &model::request(1)).await.unwrap();
    assert!(quotes.is_quoted());
    assert_eq!((quotes.0.len(), asked.load(Ordering::Relaxed)), (8, 8));
}
