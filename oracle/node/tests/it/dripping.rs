//! A node that sends its answer drop by drop.

use std::time::Duration;

use anchor_lang::Discriminator;
use provena_market::{client as market, instruction};
use provena_node::tasks::submit::Outcome;
use provena_tests::world::keypair;
use solana_signer::Signer;
use tokio::io::AsyncWriteExt;

use crate::payer::{IMPATIENCE, PATIENCE, collect_until_sealed, driven, secretive};
use crate::support::market::Scene;
use crate::support::model;

/// A server that sends whatever it is asked for, for half a minute.
async fn dripping() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n";
                let mut sent = stream.write_all(head).await;
                while sent.is_ok() {
                    sent = stream.write_all(&[0; 16_384]).await;
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            });
        }
    });
    address
}

/// A node that sends its answer drop by drop was waited for until it was too late to demand it.
#[tokio::test]
async fn an_answer_that_drips_is_demanded_too() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let endpoint = dripping().await;
    scene.chain.world(|world| {
        let node = keypair("node");
        world.accept(&[market::update_node(node.pubkey(), &endpoint, [0; 32], 0)], &[&node]);
    });
    let client = scene.client().with_answer_patience(IMPATIENCE);
    let posted = client.post_job(&scene.offer, &model::request(2)).await.unwrap();
    let worker = secretive(&scene, "node", data.path());
    assert_eq!(driven(&worker, &posted.job).await, Outcome::AwaitsPay);
    let mut quiet = |_| {};
    let (finished, ()) = tokio::join!(client.finish(&posted.job, PATIENCE, &mut quiet), async {
        collect_until_sealed(&scene, &worker).await;
    });
    let reference = provena_engine::reference::run(&model::artifact(), &model::request(2)).unwrap();
    assert_eq!(finished.unwrap().response, reference);
    assert_eq!(scene.chain.count(instruction::DemandAnswer::DISCRIMINATOR), 1);
}
