//! The whole service on the embedded chain: RPC, WebSocket, real programs, HTTP, a restart, an outage.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use provena_client::{
    Client, Stage,
    chain::{
        Budget, ChainReader, ChainSubmitter, RpcChain, RpcOptions, SharedChain, accounts::fetch, send_and_confirm,
        send_within,
    },
    receipt::{check_against, check_offer},
};
use provena_market::client::{self as market, OfferOf};
use provena_market::constants::FIRST_COME;
use provena_market::state::{JobState, Node as NodeAccount, OfferTerms, Party, job::flag};
use provena_node::compute::EngineCompute;
use provena_node::config::Config;
use provena_node::journal::{End, Journal};
use provena_node::metrics::Metrics;
use provena_node::node::Node;
use provena_node::readiness::Readiness;
use provena_node::tasks::submit::Outcome;
use provena_node::tasks::{Collector, Limits, Worker, WorkerParts, admission::Attempts};
use provena_registry::state::AssetKind;
use provena_royalty::Holder;
use provena_tests::registry as draft;
use provena_tests::world::keypair;
use provena_wire::Units;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::localnet::Localnet;
use crate::support::meddle::{Call, Fate, Meddling};
use crate::support::model;
use crate::support::{folder_store, folder_url, own_store};

pub(crate) const STAKE: u64 = 1_000_000_000;
const PRICE: u64 = 700_001;

pub(crate) struct Market {
    pub chain: Arc<RpcChain>,
    pub offer: Pubkey,
    pub books: Pubkey,
}

pub(crate) async fn funded(chain: &RpcChain, name: &str) -> Keypair {
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

pub(crate) async fn accept(chain: &RpcChain, instruction: Instruction, signers: &[&Keypair]) {
    send_within(chain, &[instruction], signers, Budget::units(400_000)).await.unwrap();
}

/// A model with an offer, for one node.
pub(crate) async fn set_up(chain: Arc<RpcChain>) -> Market {
    let operator = funded(&chain, "operator").await;
    let trainer = funded(&chain, "trainer").await;
    let treasury = funded(&chain, "treasury").await;
    let cluster = chain.cluster().await.unwrap();
    let (boss, me) = (operator.pubkey(), trainer.pubkey());
    accept(&chain, provena_royalty::client::initialize_admin(&boss), &[&operator]).await;
    accept(&chain, provena_registry::client::initialize_admin(&boss), &[&operator]).await;
    let initialize = market::initialize_admin(boss, treasury.pubkey(), cluster, 100, STAKE);
    accept(&chain, initialize, &[&operator]).await;

    let mint = keypair("model");
    let total = provena_royalty::DEFAULT_TOTAL_SHARES;
    let holders = [Holder::new(me, total)];
    let create = provena_royalty::client::create_pool(&me, &mint.pubkey(), total, 0, 0, &holders);
    accept(&chain, create, &[&trainer, &mint]).await;
    let artifact = model::artifact();
    let mut asset = draft::draft(AssetKind::Model, &trainer, &mint);
    asset.content.root = artifact.content_root();
    asset.recipe.as_mut().unwrap().root = artifact.recipe_root();
    let claim = provena_registry::client::claim_content(&me, &asset.content.root, &asset.content.salt);
    accept(&chain, claim, &[&trainer]).await;
    let claimed = chain.slot().await.unwrap();
    while chain.slot().await.unwrap() <= claimed + draft::RIPE {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    accept(&chain, asset.instruction(), &[&trainer, &mint]).await;

    let terms = OfferTerms {
        base_price: 1_000,
        input_price: PRICE,
        output_price: 0,
        bond_lamports: 5_000_000,
        open_window: 2_000,
        commit_window: 2_000,
        reveal_window: 2_000,
        max_input_units: 64,
        max_output_units: 0,
        royalty_bps: 4_000,
        seats: 1,
        quorum: 1,
        engine_class: 1,
        flags: FIRST_COME,
    };
    let native = provena_market::NATIVE_MINT;
    let nft = provena_registry::pda::token_account(&me, &mint.pubkey());
    let of = OfferOf { asset: mint.pubkey(), version: 1, mint: native, offer_id: 1 };
    accept(&chain, market::create_offer(me, nft, of, terms), &[&trainer]).await;
    let pool = provena_royalty::pda::pool(&mint.pubkey()).0;
    Market {
        chain,
        offer: provena_market::pda::offer(&mint.pubkey(), 1).0,
        books: provena_royalty::pda::books(&pool, &native).0,
    }
}

pub(crate) struct Running {
    pub url: String,
    pub shutdown: CancellationToken,
    pub task: JoinHandle<Result<(), provena_node::node::NodeError>>,
}

impl Running {
    pub(crate) async fn start(config: Config) -> Self {
        let engine = Arc::new(EngineCompute::open(&config.engine.adapter, 1 << 30).unwrap());
        let node = Node::start(config, engine).await.unwrap();
        let url = format!("http://{}", node.address());
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(node.run(shutdown.clone()));
        Self { url, shutdown, task }
    }

    pub(crate) async fn health(&self) -> serde_json::Value {
        reqwest::get(format!("{}/health", self.url)).await.unwrap().json().await.unwrap()
    }

    pub(crate) async fn until(&self, what: &str, condition: impl Fn(&serde_json::Value) -> bool) {
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

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        let stopped = tokio::time::timeout(Duration::from_secs(20), self.task).await;
        stopped.expect("it stops").unwrap().unwrap();
    }
}

pub(crate) fn config(folder: &std::path::Path, chain: &Localnet, port: u16) -> Config {
    config_for(folder, &chain.rpc_url, &chain.ws_url, port)
}

pub(crate) fn config_for(folder: &std::path::Path, rpc_url: &str, ws_url: &str, port: u16) -> Config {
    std::fs::write(folder.join("node.json"), format!("{:?}", keypair("node").to_bytes())).unwrap();
    let text = format!(
        "[chain]\nrpc_url = {rpc_url:?}\nws_url = {ws_url:?}\ntimeout_s = 2\npoll_s = 1\n[node]\nkey = \"node.json\"\n\
         [store]\nurls = [{:?}]\n[engine]\nadapter = \"cpu\"\n[http]\nlisten = \"127.0.0.1:{port}\"\n",
        folder_url(&folder.join("shared"))
    );
    Config::parse(&text, [], &folder.join("node.toml")).unwrap()
}

/// A node of the crash test, over `chain`.
fn worker(chain: SharedChain, cluster: [u8; 32], data: &std::path::Path, key: &Keypair) -> Worker {
    let journal = Journal::open(&data.join("journal.redb")).unwrap();
    let classes = Arc::new(Vec::new);
    let readiness = Arc::new(Readiness::new(chain.clone(), journal.clone(), data.to_owned(), classes));
    let store = own_store(data, &data.join("shared"));
    Worker::new(WorkerParts {
        chain,
        cluster,
        private: store.private(),
        store,
        journal,
        compute: Arc::new(EngineCompute::open("cpu", 1 << 30).unwrap()),
        key: key.insecure_clone(),
        metrics: Arc::new(Metrics::default()),
        readiness,
        budget: Budget::default(),
        models: Vec::new(),
        limits: Limits { max_bond: STAKE, ..Limits::default() },
        attempts: Arc::new(Attempts::open(&data.join("attempts")).unwrap()),
        max_computing: 8,
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
    accept(&chain, market::register_node(key.pubkey(), STAKE, "", [0; 32], 0), &[&key]).await;
    let payer = Arc::new(funded(&chain, "payer").await);
    let data = tempfile::tempdir().unwrap();
    let store = folder_store(&data.path().join("shared"));
    store.put(model::artifact().bytes().to_vec()).await.unwrap();
    let shared: SharedChain = chain.clone();
    let client = Client::new(shared.clone(), store, payer);

    let steps = ["seat with its answer", "collection"];
    for (sends, step) in steps.iter().enumerate() {
        for fate in [Fate::KillBefore, Fate::KillAfter] {
            let posted = client.post_job(&scene.offer, &model::request(1)).await.unwrap();
            let sent = AtomicUsize::new(0);
            let rule = move |call, _| match call {
                Call::Send if sent.fetch_add(1, Ordering::SeqCst) == sends => fate,
                _ => Fate::Pass,
            };
            let meddling = Arc::new(Meddling::new(shared.clone(), rule));
            {
                let first = Arc::new(worker(meddling.clone(), cluster, data.path(), &key));
                tokio::select! {
                    outcome = live(&first, &client, &posted.job) => panic!("not killed at the {step}: {outcome:?}"),
                    () = meddling.killed() => {}
                }
            }
            let second = Arc::new(worker(shared.clone(), cluster, data.path(), &key));
            let outcome = tokio::time::timeout(Duration::from_secs(60), live(&second, &client, &posted.job)).await;
            assert_eq!(outcome.unwrap(), Outcome::Ended(End::Settled), "{fate:?} at the {step}");
            let job = client.job(&posted.job).await.unwrap().unwrap();
            assert_eq!(job.state().unwrap(), JobState::Agreed);
            assert!(job.job.owed(&job.seats, Party::Seat(0)).unwrap().is_nothing());
            let signed = second.journal().receipt(&posted.job).unwrap();
            signed.verify().unwrap();
            check_against(&signed, &cluster, &job).unwrap();
            check_offer(&signed, &cluster, &job, &client.offer(&scene.offer).await.unwrap()).unwrap();
        }
    }
    let account: NodeAccount = fetch(chain.as_ref(), &provena_market::pda::node(&key.pubkey()).0).await.unwrap();
    assert_eq!((account.stake, account.locked, account.forfeited, account.agreed), (STAKE, 0, 0, 4));
}

/// From the seat to the pay: the payer acknowledges the answer and leaves the rest to the node.
async fn live(worker: &Arc<Worker>, client: &Client, job: &Pubkey) -> Outcome {
    let outcome = worker.drive(job, &CancellationToken::new()).await.unwrap();
    if outcome != Outcome::AwaitsPay {
        return outcome;
    }
    let job_view = client.job(job).await.unwrap().unwrap();
    if !job_view.job.has(flag::ACKNOWLEDGED) {
        let payer = keypair("payer");
        let acknowledge = market::acknowledge(payer.pubkey(), *job);
        send_and_confirm(client.chain(), &[acknowledge], &[&payer]).await.unwrap();
    }
    let mut collector = Collector::new(worker.clone(), Duration::from_millis(100));
    while !collector.round().await.is_ok_and(|waiting| waiting == 0) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let record = worker.journal().at(job).pop().expect("the crash log knows it").1;
    Outcome::Ended(record.end.expect("it has ended"))
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
    let register = market::register_node(key.pubkey(), STAKE, &format!("http://127.0.0.1:{port}"), [0; 32], 0);
    accept(&chain, register, &[&key]).await;
    let node = Running::start(config(folder.path(), &localnet, port)).await;
    node.until("watching", |health| health["status"] == "ok" && health["chain"]["subscribed"] == true).await;

    // What is asked and answered lies in a folder that payer and operator share.
    let payer = Arc::new(funded(&chain, "payer").await);
    let store = folder_store(&folder.path().join("shared"));
    store.put(model::artifact().bytes().to_vec()).await.unwrap();
    let shared: SharedChain = chain.clone();
    let client = Client::new(shared, store, payer.clone()).with_spare_units(Units::new(2, 0));

    let begun = std::time::Instant::now();
    let mut stages = Vec::new();
    let request = model::request(5);
    let done = client.infer(&scene.offer, &request, Duration::from_secs(60), &mut |stage| stages.push(stage)).await;
    let (posted, finished) = done.unwrap();
    eprintln!("a job took {:?} from payment to checked receipt and pay", begun.elapsed());

    assert_eq!(finished.response, provena_engine::reference::run(&model::artifact(), &request).unwrap());
    assert!(stages.contains(&Stage::State(JobState::Agreed)), "{stages:?}");
    assert!(matches!(stages.last(), Some(Stage::Paid(_))), "{stages:?}");
    assert_eq!((posted.deposit, posted.units), (4_901_007, Units::new(7, 0)));
    // A fee of 3,501,005: 40 % royalty, 1 % protocol rounded down, the rest.
    let split = finished.job.split().unwrap();
    let parts = [split.nodes, split.royalty, split.protocol, split.refund].map(|part| part.0);
    assert_eq!(parts, [2_065_593, 1_400_402, 35_010, 1_400_002]);
    let inbox = provena_royalty::pda::inbox(&scene.books, 0).0;
    let inbox = chain.account(&inbox).await.unwrap().unwrap();
    assert_eq!(inbox.lamports - chain.rent_exempt(inbox.data.len()).await.unwrap(), 1_400_402);
    let [receipt] = finished.receipts.as_slice() else { panic!("{:?}", finished.missing_receipts) };
    receipt.verify().unwrap();
    assert_eq!((receipt.node.clone(), receipt.amount), (key.pubkey().to_string(), 3_501_005));
    let account: NodeAccount = fetch(chain.as_ref(), &provena_market::pda::node(&key.pubkey()).0).await.unwrap();
    assert_eq!((account.stake, account.locked, account.agreed), (STAKE, 0, 1));
    let metrics = reqwest::get(format!("{}/metrics", node.url)).await.unwrap().text().await.unwrap();
    for line in
        ["jobs_total{event=\"Taken\"} 1", "jobs_total{event=\"Revealed\"} 1", "units_total{side=\"In\"} 5", "healthy 1"]
    {
        assert!(metrics.contains(&format!("provena_node_{line}")), "{line}: {metrics}");
    }
    // Its rent comes back once its nonce is old, about 15 seconds here; the receipt stays what it is.
    let posted_at = finished.job.job.nonce_slot;
    while chain.slot().await.unwrap() <= posted_at + 151 {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let closed = client.close_finished().await.unwrap();
    assert!(closed.iter().any(|one| one.job == posted.job && one.closed), "{closed:?}");
    assert!(client.job(&posted.job).await.unwrap().is_none());
    receipt.verify().unwrap();

    // A job posted while the node is away is taken up by the next start.
    node.stop().await;
    let shared: SharedChain = chain.clone();
    let local = Client::new(shared, folder_store(&folder.path().join("shared")), payer);
    let waiting = local.post_job(&scene.offer, &model::request(1)).await.unwrap();
    let node = Running::start(config(folder.path(), &localnet, port)).await;
    let finished = local.finish(&waiting.job, Duration::from_secs(60), &mut |_| {}).await.unwrap();
    assert_eq!(finished.job.state().unwrap(), JobState::Agreed);
    assert_eq!(finished.receipts.len(), 1, "{:?}", finished.missing_receipts);

    // Without the chain the node says so, stays up, and stops when asked.
    localnet.stop();
    node.until("unreachable", |health| health["status"] == "unreachable").await;
    node.stop().await;
}
