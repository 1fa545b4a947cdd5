//! A node whose key acts elsewhere, and a node whose chain becomes another one.

use std::sync::Arc;
use std::time::Duration;

use provena_client::Client;
use provena_client::chain::{ChainReader, RpcChain, RpcOptions};
use provena_market::client as market;
use provena_market::state::SeatState;
use provena_node::instance::InstanceError;
use provena_node::node::NodeError;
use provena_tests::world::keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use crate::localnet::{Market, Running, STAKE, accept, config_for, funded, set_up};
use crate::support::localnet::Localnet;
use crate::support::relay::Relay;
use crate::support::{folder_store, free_port, model};

fn connect(localnet: &Localnet) -> Arc<RpcChain> {
    let options = RpcOptions { ws_url: Some(localnet.ws_url.clone()), ..RpcOptions::new(localnet.rpc_url.clone()) };
    Arc::new(RpcChain::new(&options).unwrap())
}

/// A market, and the node "node" registered in it.
async fn market_with_node(localnet: &Localnet, endpoint: &str) -> Market {
    let scene = set_up(connect(localnet)).await;
    let key = funded(&scene.chain, "node").await;
    accept(&scene.chain, market::register_node(key.pubkey(), STAKE, endpoint, [0; 32], 0), &[&key]).await;
    scene
}

/// The error with which a node ends by itself.
async fn ends(node: Running) -> NodeError {
    tokio::time::timeout(Duration::from_secs(30), node.task).await.expect("it ends").unwrap().unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn n18_one_key_does_not_act_in_two_processes() {
    let localnet = Localnet::start();
    let port = free_port();
    let scene = market_with_node(&localnet, &format!("http://127.0.0.1:{port}")).await;
    let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let start = |folder: usize, rpc_url: &str, port| {
        Running::start(config_for(folders[folder].path(), rpc_url, &localnet.ws_url, port))
    };

    // On another machine, whose locks are not seen here: it answers at the registered address and waits for its chain.
    let elsewhere = start(0, &format!("http://127.0.0.1:{}", free_port()), port).await;
    let error = ends(start(1, &localnet.rpc_url, 0).await).await;
    assert!(matches!(&error, NodeError::Instance(InstanceError::Elsewhere { .. })), "{error}");
    assert!(error.to_string().contains("another instance of the node"), "{error}");
    elsewhere.stop().await;

    // On this machine.
    let first = start(1, &localnet.rpc_url, 0).await;
    first.until("it earns", |health| health["status"] == "ok").await;
    let error = ends(start(2, &localnet.rpc_url, 0).await).await;
    assert!(matches!(&error, NodeError::Instance(InstanceError::SameMachine { .. })), "{error}");

    // It comes while the first one works: from then on that one takes nothing, and goes on when it is alone again.
    let elsewhere = start(0, &format!("http://127.0.0.1:{}", free_port()), port).await;
    first.until("it sees the other", |health| health["status"] == "another_instance").await;
    let payer = Arc::new(funded(&scene.chain, "payer").await);
    let store = folder_store(&folders[1].path().join("shared"));
    store.put(model::artifact().bytes().to_vec()).await.unwrap();
    let client = Client::new(scene.chain.clone(), store, payer);
    let posted = client.post_job(&scene.offer, &model::request(1)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(untouched(&client, &posted.job).await, "a job was taken although another process has the key");
    elsewhere.stop().await;
    client.finish(&posted.job, Duration::from_secs(60), &mut |_| {}).await.unwrap();
    first.stop().await;
}

async fn untouched(client: &Client, job: &Pubkey) -> bool {
    let job = client.job(job).await.unwrap().unwrap();
    job.seats.iter().all(|seat| seat.is(SeatState::Free))
}

#[tokio::test(flavor = "multi_thread")]
async fn n10_a_chain_that_becomes_another_one_gets_nothing_and_the_first_one_goes_on() {
    let (ours, other) = (Localnet::start(), Localnet::start());
    let (scene, foreign) = tokio::join!(market_with_node(&ours, ""), market_with_node(&other, ""));
    let (genesis, wrong) = (scene.chain.cluster().await.unwrap(), foreign.chain.cluster().await.unwrap());
    assert_ne!(genesis, wrong);
    let (rpc, ws) = (Relay::to(&ours.rpc_url).await, Relay::to(&ours.ws_url).await);
    let folder = tempfile::tempdir().unwrap();
    let (rpc_url, ws_url) = (format!("http://{}", rpc.address), format!("ws://{}", ws.address));
    let node = Running::start(config_for(folder.path(), &rpc_url, &ws_url, 0)).await;
    node.until("it earns", |health| health["status"] == "ok").await;

    rpc.lead_to(&other.rpc_url);
    ws.lead_to(&other.ws_url);
    node.until("it sees the other chain", |health| health["status"] == "wrong_chain").await;
    assert_eq!(node.health().await["chain"]["wrong_chain"], Pubkey::from(wrong).to_string());
    // Whoever is there has a job that looks like ours: the same keys have the same addresses on both chains.
    let store = folder_store(&folder.path().join("shared"));
    store.put(model::artifact().bytes().to_vec()).await.unwrap();
    let wallet = keypair("node").pubkey();
    let money = foreign.chain.account(&wallet).await.unwrap().unwrap().lamports;
    let payers = [&scene, &foreign].map(async |market| Arc::new(funded(&market.chain, "payer").await));
    let [payer, their_payer] = payers.map(|payer| payer);
    let (payer, their_payer) = tokio::join!(payer, their_payer);
    let bait = Client::new(foreign.chain.clone(), store.clone(), their_payer);
    let bait_job = bait.post_job(&foreign.offer, &model::request(2)).await.unwrap().job;
    let client = Client::new(scene.chain.clone(), store, payer);
    let posted = client.post_job(&scene.offer, &model::request(1)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(untouched(&bait, &bait_job).await, "a job of another chain was taken");
    assert_eq!(foreign.chain.account(&wallet).await.unwrap().unwrap().lamports, money, "something was sent");

    rpc.lead_to(&ours.rpc_url);
    ws.lead_to(&ours.ws_url);
    client.finish(&posted.job, Duration::from_secs(60), &mut |_| {}).await.unwrap();
    node.until("it earns again", |health| health["status"] == "ok").await;
    node.stop().await;
}
