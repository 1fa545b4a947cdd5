//! Two processes with one key on two machines, which see nothing of each other: the chain says which of them takes seats.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anchor_lang::Discriminator;
use provena_client::Client;
use provena_client::chain::{Combined, RpcChain, RpcOptions, accounts::fetch};
use provena_market::constants::LEASE_SLOTS;
use provena_market::state::{Node as NodeAccount, SeatState};
use provena_market::{client as market, instruction};
use provena_node::readiness::Reason;
use provena_node::tasks::{Worker, submit::Outcome};
use provena_tests::world::keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use tokio_util::sync::CancellationToken;

use crate::localnet::{STAKE, accept, funded, set_up};
use crate::support::localnet::Localnet;
use crate::support::market::Scene;
use crate::support::meddle::{Call, Fate, Meddling};
use crate::support::process::Process;
use crate::support::{folder_store, folder_url, model};

/// More slots than the transactions between two steps of a test take.
const FEW: u64 = 20;

async fn drive(worker: &Worker, job: &Pubkey) -> Outcome {
    worker.drive(job, &CancellationToken::new()).await.unwrap()
}

fn declined(outcome: Outcome) -> String {
    let Outcome::Declined(reason) = outcome else { panic!("it was not declined: {outcome:?}") };
    reason
}

/// What a node is made of here, and what tells whether it may work.
fn node(scene: &Scene, data: &std::path::Path) -> (Worker, Arc<provena_node::readiness::Readiness>, u64) {
    let parts = scene.parts("node", scene.chain.clone(), data);
    let (readiness, instance) = (parts.readiness.clone(), parts.journal.instance());
    readiness.watch(true);
    (Worker::new(parts), readiness, instance)
}

#[tokio::test]
async fn n18_two_data_folders_with_one_key_do_not_both_take_seats() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let post = async || scene.client().post_job(&scene.offer, &model::request(2)).await.unwrap().job;
    let (first, second) = (post().await, post().await);
    let (ours, _, our_number) = node(&scene, folders[0].path());
    let (theirs, their_readiness, their_number) = node(&scene, folders[1].path());
    assert_ne!(our_number, their_number);

    assert_eq!(drive(&ours, &first).await, Outcome::AwaitsPay);
    assert_eq!(scene.node("node").instance, our_number);
    // The other one sends nothing, and says why.
    let reason = declined(drive(&theirs, &second).await);
    assert!(reason.contains("another_instance"), "{reason}");
    assert_eq!(their_readiness.obstacle(), Some(Reason::AnotherInstance));
    assert_eq!(scene.chain.count(instruction::TakeSeat::DISCRIMINATOR), 1);
    assert!(scene.job(&second).seats[0].is(SeatState::Free));

    // A restart is the same process, and renews the lease. Here every transaction takes a slot.
    scene.chain.advance(LEASE_SLOTS - FEW);
    drop(ours);
    let (ours, our_readiness, number) = node(&scene, folders[0].path());
    assert_eq!(number, our_number);
    assert_eq!(drive(&ours, &second).await, Outcome::AwaitsPay);
    scene.chain.advance(LEASE_SLOTS - FEW);
    let (third, fourth) = (post().await, post().await);
    assert!(declined(drive(&theirs, &third).await).contains("another_instance"));

    // It falls silent: after its lease the other one goes on, and now the first one is refused.
    scene.chain.advance(FEW);
    assert_eq!(their_readiness.obstacle(), None);
    assert_eq!(drive(&theirs, &third).await, Outcome::AwaitsPay);
    assert_eq!(scene.node("node").instance, their_number);
    assert!(declined(drive(&ours, &fourth).await).contains("another_instance"));
    assert_eq!(our_readiness.obstacle(), Some(Reason::AnotherInstance));
    assert_eq!((scene.node("node").forfeited, scene.chain.count(instruction::TakeSeat::DISCRIMINATOR)), (0, 3));
}

/// Both look, both see a free lease, both send. The second one's seat is refused, with nothing lost, and not for good.
#[tokio::test]
async fn n18_of_two_that_claim_in_the_same_moment_one_is_refused() {
    let scene = Arc::new(Scene::new(&["node"], 1, 1).await);
    let data = tempfile::tempdir().unwrap();
    let post = async || scene.client().post_job(&scene.offer, &model::request(2)).await.unwrap().job;
    let (ours, theirs) = (post().await, post().await);
    let claimed = OnceLock::new();
    let racing = {
        let (scene, hash) = (scene.clone(), scene.job(&theirs).job.terms_hash);
        move |call, _| {
            // The look is over, and the claim is about to be signed.
            if call == Call::Blockhash {
                claimed.get_or_init(|| {
                    let key = keypair("node");
                    let take = market::take_seat(key.pubkey(), theirs, 0, hash, u64::MAX);
                    scene.chain.world(|world| world.accept(&[take], &[&key]));
                });
            }
            Fate::Pass
        }
    };
    let worker = scene.worker("node", Arc::new(Meddling::new(scene.chain.clone(), racing)), data.path());
    let reason = declined(drive(&worker, &ours).await);
    assert!(reason.contains("AnotherInstance"), "{reason}");
    assert!(scene.job(&ours).seats[0].is(SeatState::Free));
    assert_eq!(scene.node("node").instance, u64::MAX);
    assert!(declined(drive(&worker, &ours).await).contains("another_instance"));
    scene.chain.advance(LEASE_SLOTS);
    assert_eq!(drive(&worker, &ours).await, Outcome::AwaitsPay);
}

/// Two whole nodes in processes and temporary folders of their own, as on two machines; the chain names no address at which one
/// could find the other.
#[tokio::test(flavor = "multi_thread")]
async fn n18_two_machines_with_one_key_share_no_lease() {
    let localnet = Localnet::start();
    let options = RpcOptions { ws_url: Some(localnet.ws_url.clone()), ..RpcOptions::new(localnet.rpc_url.clone()) };
    let scene = set_up(Arc::new(RpcChain::new(&options).unwrap())).await;
    let key = funded(&scene.chain, "node").await;
    accept(&scene.chain, market::register_node(key.pubkey(), STAKE, "", [0; 32], 0), &[&key]).await;
    let folder = tempfile::tempdir().unwrap();
    let store = folder_store(&folder.path().join("shared"));
    store.put(model::artifact().bytes().to_vec()).await.unwrap();
    let sections = format!("[store]\nurls = [{:?}]\n", folder_url(&folder.path().join("shared")));
    let payer = Arc::new(funded(&scene.chain, "payer").await);
    let client = Client::new(Arc::new(Combined::new(RpcChain::new(&options).unwrap())), store, payer);
    let buy = async || {
        let posted = client.post_job(&scene.offer, &model::request(1)).await.unwrap();
        client.finish(&posted.job, Duration::from_secs(60), &mut |_| {}).await.unwrap();
        let address = provena_market::pda::node(&key.pubkey()).0;
        fetch::<NodeAccount, _>(scene.chain.as_ref(), &address).await.unwrap().instance
    };

    let first = Process::start(&localnet, &sections, None).await;
    let holder = buy().await;
    assert_ne!(holder, 0);
    let second = Process::launch(&localnet, &sections, None);
    second.until("it sees the lease", |health| health["status"] == "another_instance").await;
    for _ in 0..3 {
        assert_eq!(buy().await, holder, "the second process took a seat while the first one works");
    }
    let health = second.health().await.unwrap();
    assert!(health["last_answer"].is_null(), "{health}");
    // The first machine dies; the second takes over by itself.
    drop(first);
    assert_ne!(buy().await, holder);
    second.until("it works", |health| health["status"] == "ok" && health["last_answer"].is_object()).await;
}
