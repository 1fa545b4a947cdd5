//! The whole service on the embedded chain: RPC, WebSocket, real programs, HTTP, a restart, an outage.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use provena_client::{
    Client, Stage,
    chain::{
        Budget, ChainReader, ChainSubmitter, RpcChain, RpcOptions, SharedChain, accounts::fetch, send_and_confirm,
    },
    receipt::check_against,
    store::Store,
};
use provena_market::client as market;
use provena_market::state::{JobState, Node as NodeAccount, OfferTerms};
use provena_market::view::paid;
use provena_node::compute::EngineCompute;
use provena_node::config::Config;
use provena_node::journal::{End, Journal};
use provena_node::metrics::Metrics;
use provena_node::node::Node;
use provena_node::tasks::submit::Outcome;
use provena_node::tasks::{Risk, Worker, WorkerParts};
use provena_registry::state::AssetKind;
use provena_tests::registry::Draft;
use provena_tests::royalty;
use provena_tests::tokens::Money;
use provena_tests::world::keypair;
use provena_wire::receipt;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::folder_store;
use crate::support::localnet::Localnet;
use crate::support::meddle::{Call, Fate, Meddling};
use crate::support::model;

const STAKE: u64 = 1_000_000_000;
const PRICE: u64 = 700_001;

struct Market {
    chain: Arc<RpcChain>,
    offer: Pubkey,
    pool_mint: Pubkey,
}

async fn funded(chain: &RpcChain, name: &str) -> Keypair {
    let key = keypair(name);
    chain.airdrop(&key.pubkey(), 100_000_000_000).await.unwrap();
    for _ in 0..100 {
        if chain.account(&key.pubkey()).await.unwrap().is_some() {
            return key;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the airdrop for {name} does not arrive");
}

async fn accept(chain: &RpcChain, instruction: Instruction, signers: &[&Keypair]) {
    send_and_confirm(chain, &[instruction], signers, Budget::units(400_000)).await.unwrap();
}

/// A model with an offer, for one node.
async fn set_up(chain: Arc<RpcChain>) -> Market {
    let operator = funded(&chain, "operator").await;
    let trainer = funded(&chain, "trainer").await;
    let treasury = funded(&chain, "treasury").await;
    let cluster = chain.cluster().await.unwrap();
    accept(&chain, royalty::initialize_config(&operator.pubkey()), &[&operator]).await;
    let initialize = market::initialize_config(operator.pubkey(), treasury.pubkey(), cluster, 100, STAKE);
    accept(&chain, initialize, &[&operator]).await;

    let mint = keypair("model");
    let shares = [(trainer.pubkey(), provena_royalty::DEFAULT_TOTAL_SHARES)];
    let create =
        royalty::create_pool(&trainer.pubkey(), &mint.pubkey(), provena_royalty::DEFAULT_TOTAL_SHARES, &shares);
    accept(&chain, create, &[&trainer, &mint]).await;
    let pool = provena_royalty::pda::pool(&mint.pubkey()).0;
    accept(&chain, royalty::add_mint(&trainer.pubkey(), &pool, Money::Sol), &[&trainer]).await;
    let artifact = model::artifact();
    let mut draft = Draft::new(AssetKind::Model, &trainer.pubkey(), &mint.pubkey());
    draft.content_root = artifact.content_root();
    draft.recipe_root = artifact.recipe_root();
    accept(&chain, draft.instruction(), &[&trainer, &mint]).await;

    let terms = OfferTerms {
        price_per_unit: PRICE,
        bond_lamports: 5_000_000,
        open_window: 2_000,
        commit_window: 2_000,
        reveal_window: 2_000,
        max_units: 64,
        royalty_bps: 4_000,
        slots: 1,
        quorum: 1,
        engine_class: 1,
    };
    let nft = provena_registry::pda::token_account(&trainer.pubkey(), &mint.pubkey()).0;
    let native = provena_market::NATIVE_MINT;
    let offer = market::create_offer(trainer.pubkey(), &mint.pubkey(), nft, &native, 1, terms);
    accept(&chain, offer, &[&trainer]).await;
    Market {
        chain,
        offer: provena_market::pda::offer(&mint.pubkey(), 1).0,
        pool_mint: provena_royalty::pda::pool_mint(&pool, &native).0,
    }
}

struct Running {
    url: String,
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), provena_node::node::NodeError>>,
}

impl Running {
    async fn start(config: Config) -> Self {
        let engine = Arc::new(EngineCompute::open(&config.engine.adapter, 1 << 30).unwrap());
        let node = Node::start(config, engine).await.unwrap();
        let url = format!("http://{}", node.address());
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(node.run(shutdown.clone()));
        Self { url, shutdown, task }
    }

    async fn health(&self) -> serde_json::Value {
        reqwest::get(format!("{}/health", self.url)).await.unwrap().json().await.unwrap()
    }

    async fn until(&self, what: &str, condition: impl Fn(&serde_json::Value) -> bool) {
        let mut health = serde_json::Value::Null;
        for _ in 0..300 {
            health = self.health().await;
            if condition(&health) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("never {what}: {health}");
    }

    async fn stop(self) {
        self.shutdown.cancel();
        let stopped = tokio::time::timeout(Duration::from_secs(20), self.task).await;
        stopped.expect("it stops").unwrap().unwrap();
    }
}

fn config(folder: &std::path::Path, chain: &Localnet, port: u16) -> Config {
    std::fs::write(folder.join("node.json"), format!("{:?}", keypair("node").to_bytes())).unwrap();
    let text = format!(
        "[chain]\nrpc_url = {:?}\nws_url = {:?}\ntimeout_s = 2\n[node]\nkey = \"node.json\"\n\
         [engine]\nadapter = \"cpu\"\n[http]\nlisten = \"127.0.0.1:{port}\"\n",
        chain.rpc_url, chain.ws_url
    );
    Config::parse(&text, [], &folder.join("node.toml")).unwrap()
}

/// A node of the crash test, over `chain`.
fn worker(chain: SharedChain, cluster: [u8; 32], data: &std::path::Path, key: &Keypair) -> Worker {
    let receipts = data.join("receipts");
    std::fs::create_dir_all(&receipts).unwrap();
    Worker::new(WorkerParts {
        chain,
        cluster,
        store: folder_store(&data.join("shared")),
        private: folder_store(&data.join("private")),
        journal: Journal::open(&data.join("journal.jsonl")).unwrap(),
        compute: Arc::new(EngineCompute::open("cpu", 1 << 30).unwrap()),
        key: key.insecure_clone(),
        metrics: Arc::new(Metrics::default()),
        budget: Budget::default(),
        models: Vec::new(),
        receipts,
        risk: Risk { max_bond: STAKE, min_window: 50 },
        max_artifact_bytes: 1 << 20,
        poll: Duration::from_millis(200),
    })
}

/// In the SVM every effect is visible at once; here it takes until the next slot, so a node that was killed right after
/// sending sees the past when it returns.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_killed_between_sending_and_seeing_loses_nothing() {
    let localnet = Localnet::start();
    let mut options = RpcOptions::new(localnet.rpc_url.clone());
    options.ws_url = Some(localnet.ws_url.clone());
    let scene = set_up(Arc::new(RpcChain::new(&options).unwrap())).await;
    let chain = scene.chain.clone();
    let cluster = chain.cluster().await.unwrap();
    let key = funded(&chain, "node").await;
    accept(&chain, market::register_node(key.pubkey(), STAKE, ""), &[&key]).await;
    let payer = Arc::new(funded(&chain, "payer").await);
    let data = tempfile::tempdir().unwrap();
    let store = folder_store(&data.path().join("shared"));
    store.put(model::artifact().bytes().to_vec()).await.unwrap();
    let shared: SharedChain = chain.clone();
    let client = Client::new(shared.clone(), store, payer);

    let steps = ["claim", "commit", "reveal", "settle"];
    for (sends, step) in steps.iter().enumerate() {
        for fate in [Fate::KillBefore, Fate::KillAfter] {
            let posted = client.post_job(&scene.offer, &model::request(1)).await.unwrap();
            let sent = AtomicUsize::new(0);
            let rule = move |call, _| match call {
                Call::Send if sent.fetch_add(1, Ordering::SeqCst) == sends => fate,
                _ => Fate::Pass,
            };
            let meddling = Arc::new(Meddling::new(shared.clone(), rule));
            let closing = CancellationToken::new();
            {
                let first = worker(meddling.clone(), cluster, data.path(), &key);
                tokio::select! {
                    outcome = first.drive(&posted.job, &closing) => panic!("not killed at the {step}: {outcome:?}"),
                    () = meddling.killed() => {}
                }
            }
            let second = worker(shared.clone(), cluster, data.path(), &key);
            let outcome = tokio::time::timeout(Duration::from_secs(60), second.drive(&posted.job, &closing)).await;
            assert_eq!(outcome.unwrap().unwrap(), Outcome::Ended(End::Settled), "{fate:?} at the {step}");
            let job = client.job(&posted.job).await.unwrap().unwrap();
            assert_eq!(job.state(), Ok(JobState::Settled));
            let signed = receipt::load(&second.receipt_path(&posted.job)).unwrap();
            signed.verify().unwrap();
            check_against(&signed, &posted.job, &job, None).unwrap();
        }
    }
    let account: NodeAccount = fetch(chain.as_ref(), &provena_market::pda::node(&key.pubkey()).0).await.unwrap();
    assert_eq!((account.stake, account.locked, account.forfeited, account.agreed), (STAKE, 0, 0, 8));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_goes_from_payment_to_receipt_and_the_node_survives_a_restart_and_an_outage() {
    let mut localnet = Localnet::start();
    let mut options = RpcOptions::new(localnet.rpc_url.clone());
    options.ws_url = Some(localnet.ws_url.clone());
    let scene = set_up(Arc::new(RpcChain::new(&options).unwrap())).await;
    let chain = scene.chain.clone();

    // A node that is not registered says so and stops.
    let folder = tempfile::tempdir().unwrap();
    let key = funded(&chain, "node").await;
    let unregistered = Running::start(config(folder.path(), &localnet, 0)).await;
    let error = tokio::time::timeout(Duration::from_secs(20), unregistered.task).await.unwrap().unwrap().unwrap_err();
    assert!(error.to_string().contains("provena node register"), "{error}");

    let port = crate::support::free_port();
    let register = market::register_node(key.pubkey(), STAKE, &format!("http://127.0.0.1:{port}"));
    accept(&chain, register, &[&key]).await;
    let node = Running::start(config(folder.path(), &localnet, port)).await;
    node.until("watching", |health| health["status"] == "ok" && health["chain"]["subscribed"] == true).await;

    // The payer knows nothing but the chain and the node's HTTP address.
    let payer = Arc::new(funded(&chain, "payer").await);
    let store = Store::open(&[format!("{}/v1", node.url)]).unwrap();
    store.put(model::artifact().bytes().to_vec()).await.unwrap();
    let shared: SharedChain = chain.clone();
    let client = Client::new(shared, store, payer.clone()).with_spare_units(2);

    let begun = std::time::Instant::now();
    let mut stages = Vec::new();
    let request = model::request(5);
    let before = chain.account(&scene.pool_mint).await.unwrap().unwrap().lamports;
    let done = client.infer(&scene.offer, &request, Duration::from_secs(60), &mut |stage| stages.push(stage)).await;
    let (posted, finished) = done.unwrap();
    eprintln!("a job took {:?} from payment to checked receipt", begun.elapsed());

    assert_eq!(finished.response, provena_engine::reference::run(&model::artifact(), &request).unwrap());
    assert_eq!(stages.last(), Some(&Stage::State(JobState::Settled)), "{stages:?}");
    let split = paid(&finished.job);
    assert_eq!((posted.deposit, posted.units), (7 * PRICE, 7));
    assert_eq!(split.total().unwrap().0, posted.deposit);
    assert_eq!(split.refund.0, 2 * PRICE);
    let after = chain.account(&scene.pool_mint).await.unwrap().unwrap().lamports;
    assert_eq!(after - before, split.royalty.0);
    assert_eq!(split.royalty.0, 5 * PRICE * 4_000 / 10_000);
    let [receipt] = finished.receipts.as_slice() else { panic!("{:?}", finished.missing_receipts) };
    receipt.verify().unwrap();
    assert_eq!(receipt.node, key.pubkey().to_string());
    let account: NodeAccount = fetch(chain.as_ref(), &provena_market::pda::node(&key.pubkey()).0).await.unwrap();
    assert_eq!((account.stake, account.locked, account.agreed), (STAKE, 0, 1));
    let metrics = reqwest::get(format!("{}/metrics", node.url)).await.unwrap().text().await.unwrap();
    for line in ["jobs_total{event=\"Claimed\"} 1", "jobs_total{event=\"Revealed\"} 1", "units_total 5", "healthy 1"] {
        assert!(metrics.contains(&format!("provena_node_{line}")), "{line}: {metrics}");
    }
    client.close(&posted.job).await.unwrap();
    assert!(client.job(&posted.job).await.unwrap().is_none());

    // A job posted while the node is away is taken up by the next start.
    node.stop().await;
    let folder_url = format!("file://{}", folder.path().join("provena-node/public").display());
    let shared: SharedChain = chain.clone();
    let local = Client::new(shared, Store::open(&[folder_url]).unwrap(), payer);
    let waiting = local.post_job(&scene.offer, &model::request(1)).await.unwrap();
    let node = Running::start(config(folder.path(), &localnet, port)).await;
    let finished = local.finish(&waiting.job, Duration::from_secs(60), &mut |_| {}).await.unwrap();
    assert_eq!(finished.job.state(), Ok(JobState::Settled));
    assert_eq!(finished.receipts.len(), 1, "{:?}", finished.missing_receipts);

    // Without the chain the node says so, stays up, and stops when asked.
    localnet.stop();
    node.until("unreachable", |health| health["status"] == "unreachable").await;
    node.stop().await;
}
