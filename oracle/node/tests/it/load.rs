//! Many payers at once on the embedded chain: nothing is lost, and few transactions are sent.
//!
//! `PROVENA_LOAD=20 cargo test -p provena-node --release --test it load -- --nocapture` lets each of ten payers ask so often
//! and prints how fast that went, beside what the chain can do alone.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use provena_client::{
    Client, Stage,
    chain::{Budget, ChainReader, Combined, RpcChain, RpcOptions, SharedChain, accounts::fetch, send_within},
    view::{JobView, View},
};
use provena_market::client as market;
use provena_market::state::{JobState, Node as NodeAccount, Party};
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use tokio::task::JoinSet;

use crate::localnet::{accept, funded, set_up};
use crate::support::localnet::Localnet;
use crate::support::process::Process;
use crate::support::{folder_store, folder_url, model};

const PAYERS: usize = 10;
/// Jobs that one payer has in progress at the same time.
const AT_ONCE: usize = 10;
const STAKE: u64 = 10_000_000_000;
const FEE: u64 = 5_000;
/// What a node with a small model takes at most, however many jobs it has seen.
const MOST_MEMORY: u64 = 80 << 20;
/// The node's part of a fee of 1,000 + 700,001: 40 % are the royalty, rounded up, 1 % the protocol's, rounded down.
const EARNED: u64 = 413_590;

fn connect(localnet: &Localnet) -> RpcChain {
    let options = RpcOptions { ws_url: Some(localnet.ws_url.clone()), ..RpcOptions::new(localnet.rpc_url.clone()) };
    RpcChain::new(&options).expect("the URL is one")
}

/// How many transactions a second the chain takes when nothing else is asked of it: transfers of one lamport.
async fn alone(chain: &SharedChain, payers: &[Arc<Keypair>], each: usize) -> f64 {
    let begun = Instant::now();
    let mut sending = JoinSet::new();
    for (index, payer) in payers.iter().enumerate() {
        for lane in 0..AT_ONCE {
            let (chain, payer) = (chain.clone(), payer.clone());
            sending.spawn(async move {
                for turn in (lane..each).step_by(AT_ONCE) {
                    // Different amounts, so that no two transactions are the same.
                    let lamports = (index * each + turn + 1) as u64;
                    let transfer = transfer(&payer.pubkey(), &payer.pubkey(), lamports);
                    send_within(chain.as_ref(), &[transfer], &[&payer], Budget::default()).await.expect("it lands");
                }
            });
        }
    }
    while let Some(done) = sending.join_next().await {
        done.expect("no sender dies");
    }
    (payers.len() * each) as f64 / begun.elapsed().as_secs_f64()
}

/// The system program's transfer.
fn transfer(from: &Pubkey, to: &Pubkey, lamports: u64) -> Instruction {
    let accounts = vec![AccountMeta::new(*from, true), AccountMeta::new(*to, false)];
    let data = [2u32.to_le_bytes().to_vec(), lamports.to_le_bytes().to_vec()].concat();
    Instruction { program_id: Pubkey::default(), accounts, data }
}

/// Since a payer began, all jobs together: until the job is posted, agreed, and paid.
#[derive(Debug, Clone, Copy, Default)]
struct Latency([Duration; 3]);

impl Latency {
    /// Each as long as the longer one.
    fn max(self, other: Self) -> Self {
        let [a, b, c] = self.0;
        let [d, e, f] = other.0;
        Self([a.max(d), b.max(e), c.max(f)])
    }
}

impl std::ops::AddAssign for Latency {
    fn add_assign(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, more)| *sum += more);
    }
}

async fn lamports(chain: &dyn ChainReader, address: &Pubkey) -> u64 {
    chain.account(address).await.expect("the chain answers").map_or(0, |account| account.lamports)
}

/// Waits for the receipt of a job, which is there or comes.
async fn receipt_of(client: &Client, job: &Pubkey) {
    for _ in 0..300 {
        let view = View::read(client.chain(), job).await.expect("it is there").job.expect("so");
        if client.receipts(&view).await.0.len() == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("the receipt of {job} does not come");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_payers_at_once_lose_nothing_and_a_job_takes_three_transactions_of_the_node_at_most() {
    let each: usize = std::env::var("PROVENA_LOAD").map_or(3, |count| count.parse().expect("PROVENA_LOAD is a number"));
    let localnet = Localnet::start();
    let scene = set_up(Arc::new(connect(&localnet))).await;
    let key = funded(&scene.chain, "node").await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let shared = folder.path().join("shared");
    folder_store(&shared).put(model::artifact().bytes().to_vec()).await.expect("the artifact is stored");
    accept(&scene.chain, market::register_node(key.pubkey(), STAKE, "", [0; 32], 0), &[&key]).await;
    let node = Process::start(&localnet, &format!("[store]\nurls = [{:?}]\n", folder_url(&shared)), None).await;
    let update = market::update_node(key.pubkey(), &format!("http://{}", node.address), [0; 32], 0);
    accept(&scene.chain, update, &[&key]).await;
    let memory = node.memory();

    let mut payers = Vec::new();
    for index in 0..PAYERS {
        payers.push(Arc::new(funded(&scene.chain, &format!("payer {index}")).await));
    }
    let chain: SharedChain = Arc::new(Combined::new(connect(&localnet)));
    let alone = alone(&chain, &payers, (each * 4).clamp(AT_ONCE, 400)).await;

    let before = lamports(scene.chain.as_ref(), &key.pubkey()).await;
    let begun = Instant::now();
    let latencies: Arc<Mutex<(Latency, Latency)>> = Arc::default();
    let mut asking = JoinSet::new();
    for payer in &payers {
        let client = Client::new(chain.clone(), folder_store(&shared), payer.clone());
        for lane in 0..AT_ONCE {
            let (client, offer, latencies) = (client.clone(), scene.offer, latencies.clone());
            asking.spawn(async move {
                let (mut jobs, mut late) = (Vec::new(), Vec::new());
                for _ in (lane..each).step_by(AT_ONCE) {
                    let begun = Instant::now();
                    let posted = client.post_job(&offer, &model::request(1)).await.expect("it is posted");
                    let patience = Duration::from_secs(120);
                    let mut when = [begun.elapsed(); 3];
                    let mut stage = |stage| match stage {
                        Stage::State(JobState::Agreed) => when[1] = begun.elapsed(),
                        Stage::Paid(_) => when[2] = begun.elapsed(),
                        _ => {}
                    };
                    let done = client.finish(&posted.job, patience, &mut stage).await.expect("it is answered");
                    let mut latencies = latencies.lock().expect("nobody panics");
                    latencies.0 += Latency(when);
                    latencies.1 = latencies.1.max(Latency(when));
                    drop(latencies);
                    let expected = provena_engine::reference::run(&model::artifact(), &model::request(1));
                    assert_eq!(done.response, expected.expect("it runs"));
                    // On a busy machine it may come later than the client waits.
                    if done.receipts.is_empty() {
                        late.push(posted.job);
                    }
                    jobs.push(posted.job);
                }
                for job in late {
                    receipt_of(&client, &job).await;
                }
                jobs
            });
        }
    }
    let mut jobs = Vec::new();
    while let Some(done) = asking.join_next().await {
        jobs.extend(done.expect("no payer dies"));
    }
    let took = begun.elapsed().as_secs_f64();
    let count = jobs.len() as u64;
    assert_eq!(jobs.len(), PAYERS * each);

    // Every job is agreed and paid, and the node's stake is free again.
    for job in &jobs {
        let job: JobView = View::read(chain.as_ref(), job).await.expect("it is there").job.expect("so");
        assert_eq!(job.state().expect("a state"), JobState::Agreed);
    }
    let paid = async || {
        let node: NodeAccount =
            fetch(chain.as_ref(), &provena_market::pda::node(&key.pubkey()).0).await.expect("it is there");
        (node.stake, node.locked, node.forfeited, node.agreed) == (STAKE, 0, 0, count)
    };
    for _ in 0..300 {
        if paid().await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(paid().await, "some pay or bond is missing");
    for job in &jobs {
        let view = View::read(chain.as_ref(), job).await.expect("it is there").job.expect("so");
        assert!(view.job.owed(&view.seats, Party::Seat(0)).expect("it is decided").is_nothing());
    }
    let metrics = reqwest::get(format!("http://{}/metrics", node.address))
        .await
        .expect("it serves")
        .text()
        .await
        .expect("a text");
    for line in metrics.lines().filter(|line| line.contains("refused_total") || line.contains("steps_failed")) {
        eprintln!("{line}");
    }
    let (Latency(sums), Latency(most)) = *latencies.lock().expect("nobody panics");
    let [posted, agreed, checked] = sums.map(|sum| sum.as_secs_f64() / count as f64);
    eprintln!(
        "a job is posted after {posted:.2} s, agreed after {agreed:.2} s, checked and paid after {checked:.2} s; at most {most:?}"
    );
    let after = lamports(scene.chain.as_ref(), &key.pubkey()).await;
    let spent = before + count * EARNED - after;
    eprintln!(
        "{count} jobs in {took:.1} s: {:.1} jobs/s; the node paid {:.2} transactions a job; the chain alone takes {alone:.0} \
         transactions/s, the jobs' {:.0}",
        count as f64 / took,
        spent as f64 / (count * FEE) as f64,
        // Posting, seat and answer, acknowledgement with all payments.
        3.0 * count as f64 / took,
    );
    assert!(spent <= count * 3 * FEE, "{spent} lamports for {count} jobs");
    eprintln!("memory: {} MiB before the first job, {} MiB after the last", memory >> 20, node.memory() >> 20);
    assert!(node.memory() <= MOST_MEMORY, "{} MiB", node.memory() >> 20);
}
