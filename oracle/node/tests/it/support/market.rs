//! A market in the SVM: a registered model, nodes with stake, an offer, a payer.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use provena_arith::receipt::ENGINE_CLASS_INT_V1;
use provena_client::chain::{Budget, SharedChain};
use provena_client::view::JobView;
use provena_engine::artifact::Artifact;
use provena_market::client::{self, OfferOf};
use provena_market::constants::{FIRST_COME, SETTLE_AFTER};
use provena_market::state::{Admin, Node, Offer, OfferTerms};
use provena_node::compute::{Compute, EngineCompute};
use provena_node::journal::{End, JobKey, Journal};
use provena_node::metrics::Metrics;
use provena_node::readiness::Readiness;
use provena_node::tasks::submit::Outcome;
use provena_node::tasks::{Collector, Limits, Worker, WorkerParts, admission::Attempts};
use provena_registry::state::AssetKind;
use provena_tests::market::{self, CLUSTER, STAKE};
use provena_tests::registry::{self, Registered};
use provena_tests::royalty;
use provena_tests::tokens::{Extension, Money, TransferFee};
use provena_tests::world::{World, keypair};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use tokio_util::sync::CancellationToken;

use super::lite::LiteChain;
use super::{folder_store, model, own_store};

/// A seat's bond.
pub(crate) const BOND: u64 = 10_000_000;
/// Base units for any answer.
pub(crate) const BASE: u64 = 5_000;
/// Base units for an image, a text, or a token of a prompt.
pub(crate) const PRICE: u64 = 1_000_003;
/// Base units for a token of an answer.
pub(crate) const PRICE_OUT: u64 = 2_000_003;
/// Slots for each window.
pub(crate) const WINDOW: u32 = 160;
/// What the node accepts as all windows together.
pub(crate) const MAX_WINDOWS: u64 = 9_000;

/// A market with one offer.
pub(crate) struct Scene {
    pub chain: Arc<LiteChain>,
    pub offer: Pubkey,
    pub payer: Arc<Keypair>,
    /// What the offer is priced in.
    pub money: Money,
    /// Where artifact, inputs and responses are.
    pub shared: PathBuf,
    /// Whether nodes take every seat before they compute.
    pub take_first: bool,
    model: Registered,
    _folder: tempfile::TempDir,
}

impl Scene {
    /// Another offer for the same model: the first one's terms, changed.
    pub(crate) fn offer_with(&self, change: impl FnOnce(&mut OfferTerms)) -> Pubkey {
        self.offer_numbered(2, change)
    }

    /// As [`Scene::offer_with`], for a number that no other offer has.
    pub(crate) fn offer_numbered(&self, offer_id: u64, change: impl FnOnce(&mut OfferTerms)) -> Pubkey {
        self.chain.world(|world| {
            let first: Offer = world.state(&self.offer);
            let mut terms = first.terms();
            change(&mut terms);
            let of = OfferOf { asset: first.asset, version: 1, mint: first.mint, offer_id };
            let holder = &self.model.creator;
            let create = client::create_offer(holder.pubkey(), self.model.nft(), of, terms);
            world.accept(&[create], &[holder]);
            provena_market::pda::offer(&first.asset, offer_id).0
        })
    }

    /// An offer with the first one's terms for another model, whose names begin with `name`. Its artifact is nowhere yet.
    pub(crate) fn offer_of(&self, artifact: &Artifact, name: &str) -> Pubkey {
        self.chain.world(|world| {
            let terms = world.state::<Offer>(&self.offer).terms();
            let names = ["trainer", "model"].map(|what| format!("{name}: {what}"));
            let (creator, mint) = registry::prepare(world, &names[0], &names[1], &[]);
            let mut draft = registry::draft(AssetKind::Model, &creator, &mint);
            draft.content.root = artifact.content_root();
            if let Some(recipe) = &mut draft.recipe {
                recipe.root = artifact.recipe_root();
            }
            let model = registry::register(world, &draft, creator, mint);
            market::open_books(world, &model, self.money);
            let asset = model.mint.pubkey();
            let of = OfferOf { asset, version: 1, mint: self.money.mint(), offer_id: 1 };
            let create = client::create_offer(model.creator.pubkey(), model.nft(), of, terms);
            world.accept(&[create], &[&model.creator]);
            world.svm.expire_blockhash();
            provena_market::pda::offer(&asset, 1).0
        })
    }

    /// Closes the first offer, as the model's holder may at any time.
    pub(crate) fn close_offer(&self) {
        self.chain.world(|world| {
            let offer: Offer = world.state(&self.offer);
            let holder = &self.model.creator;
            let close = client::close_offer(holder.pubkey(), self.model.nft(), self.offer, &offer);
            world.accept(&[close], &[holder]);
        });
    }

    /// An offer that wants `seats` nodes of which `quorum` must agree; `nodes` are registered by these names.
    pub(crate) async fn new(nodes: &[&str], seats: u8, quorum: u8) -> Self {
        Self::paid_in(World::new(), Money::Sol, &model::artifact(), nodes, seats, quorum).await
    }

    /// As [`Scene::new`] with one node, "node", and another model than the small classifier.
    pub(crate) async fn serving(artifact: &Artifact) -> Self {
        Self::paid_in(World::new(), Money::Sol, artifact, &["node"], 1, 1).await
    }

    /// As [`Scene::new`], with an offer that is priced in a token of which only the payer has any.
    pub(crate) async fn in_tokens(nodes: &[&str], seats: u8, quorum: u8) -> Self {
        let mut world = World::new();
        let money = Money::token(&mut world, "dollar");
        Self::paid_in(world, money, &model::artifact(), nodes, seats, quorum).await
    }

    /// As [`Scene::in_tokens`], with a token of the newer program.
    pub(crate) async fn in_new_tokens(nodes: &[&str], seats: u8, quorum: u8) -> Self {
        let mut world = World::new();
        let money = Money::token_2022(&mut world, "new dollar", &[]);
        Self::paid_in(world, money, &model::artifact(), nodes, seats, quorum).await
    }

    /// As [`Scene::in_tokens`], with a token of the newer program that takes `bps` of every transfer.
    pub(crate) async fn in_taxed_tokens(nodes: &[&str], bps: u16) -> Self {
        let mut world = World::new();
        let fee = Extension::TransferFee(TransferFee { bps, most: u64::MAX });
        let money = Money::token_2022(&mut world, "taxed dollar", &[fee]);
        Self::paid_in(world, money, &model::artifact(), nodes, 1, 1).await
    }

    async fn paid_in(
        mut world: World,
        money: Money,
        artifact: &Artifact,
        nodes: &[&str],
        seats: u8,
        quorum: u8,
    ) -> Self {
        royalty::configure(&mut world, &[money]);
        registry::configure(&mut world);
        market::configure(&mut world);
        let (creator, mint) = registry::prepare(&mut world, "trainer", "model", &[]);
        let mut draft = registry::draft(AssetKind::Model, &creator, &mint);
        draft.content.root = artifact.content_root();
        if let Some(recipe) = &mut draft.recipe {
            recipe.root = artifact.recipe_root();
        }
        let model = registry::register(&mut world, &draft, creator, mint);
        market::open_books(&mut world, &model, money);
        for name in nodes {
            let node = world.wallet(name);
            // Without an address nobody is asked over the network.
            world.accept(&[client::register_node(node.pubkey(), STAKE, "", [0; 32], 0)], &[&node]);
        }
        let terms = OfferTerms {
            base_price: BASE,
            input_price: PRICE,
            output_price: PRICE_OUT,
            bond_lamports: BOND,
            open_window: WINDOW,
            commit_window: WINDOW,
            reveal_window: WINDOW,
            max_input_units: 64,
            max_output_units: 64,
            royalty_bps: 3_000,
            seats,
            quorum,
            engine_class: ENGINE_CLASS_INT_V1,
            flags: FIRST_COME,
        };
        let asset = model.mint.pubkey();
        let of = OfferOf { asset, version: 1, mint: money.mint(), offer_id: 1 };
        let offer = client::create_offer(model.creator.pubkey(), model.nft(), of, terms);
        world.accept(&[offer], &[&model.creator]);
        let payer = Arc::new(world.wallet("payer"));
        if money.is_token() {
            money.give(&mut world, &payer.pubkey(), 1_000 * PRICE);
        }
        world.svm.expire_blockhash();

        let folder = tempfile::tempdir().expect("a temporary folder");
        let shared = folder.path().join("shared");
        folder_store(&shared).put(artifact.bytes().to_vec()).await.expect("the artifact is stored");
        Self {
            chain: Arc::new(LiteChain::new(world)),
            offer: provena_market::pda::offer(&asset, 1).0,
            payer,
            money,
            shared,
            take_first: false,
            model,
            _folder: folder,
        }
    }

    /// A payer's client.
    pub(crate) fn client(&self) -> provena_client::Client {
        provena_client::Client::new(self.chain.clone(), folder_store(&self.shared), self.payer.clone())
    }

    /// The node `name` over `chain`, with its crash log and its private files in `data`.
    pub(crate) fn worker(&self, name: &str, chain: SharedChain, data: &Path) -> Arc<Worker> {
        Arc::new(Worker::new(self.parts(name, chain, data)))
    }

    /// As [`Scene::worker`], with a store of its own, as a node that hands nothing out.
    pub(crate) fn worker_publishing(&self, name: &str, chain: SharedChain, data: &Path, store: &Path) -> Arc<Worker> {
        let store = own_store(data, store);
        let private = store.private();
        Arc::new(Worker::new(WorkerParts { store, private, ..self.parts(name, chain, data) }))
    }

    /// What nodes of the scene take on: one base unit of its money is a lamport.
    pub(crate) fn limits(&self) -> Limits {
        let rates = [(self.money.mint(), 1_000_000)].into();
        let usual = Limits::default();
        let at_once = if self.take_first { Duration::ZERO } else { usual.at_once };
        Limits { max_bond: BOND, min_window: WINDOW, max_windows: MAX_WINDOWS, rates, at_once, ..usual }
    }

    /// As [`Scene::worker`], with limits of its own.
    pub(crate) fn worker_within(&self, name: &str, chain: SharedChain, data: &Path, limits: Limits) -> Arc<Worker> {
        Arc::new(Worker::new(WorkerParts { limits, ..self.parts(name, chain, data) }))
    }

    /// As [`Scene::worker`], for these models alone.
    pub(crate) fn worker_serving(
        &self,
        name: &str,
        chain: SharedChain,
        data: &Path,
        models: Vec<Pubkey>,
    ) -> Arc<Worker> {
        Arc::new(Worker::new(WorkerParts { models, ..self.parts(name, chain, data) }))
    }

    /// As [`Scene::worker`] on the scene's own chain, with something else that computes.
    pub(crate) fn worker_computing(&self, name: &str, data: &Path, compute: Arc<dyn Compute>) -> Arc<Worker> {
        Arc::new(Worker::new(WorkerParts { compute, ..self.parts(name, self.chain.clone(), data) }))
    }

    /// What a node of the scene is made of.
    pub(crate) fn parts(&self, name: &str, chain: SharedChain, data: &Path) -> WorkerParts {
        let journal = Journal::open(&data.join("journal.redb")).expect("the crash log opens");
        let classes = Arc::new(Vec::new);
        let readiness = Arc::new(Readiness::new(chain.clone(), journal.clone(), data.to_owned(), classes));
        let store = own_store(data, &self.shared);
        WorkerParts {
            chain,
            cluster: CLUSTER,
            private: store.private(),
            store,
            journal,
            compute: Arc::new(EngineCompute::open("cpu", 1 << 30).expect("the processor computes")),
            key: keypair(name),
            metrics: Arc::new(Metrics::default()),
            readiness,
            budget: Budget::default(),
            models: Vec::new(),
            limits: self.limits(),
            attempts: Arc::new(Attempts::open(&data.join("attempts")).expect("the folder is writable")),
            max_computing: 8,
            max_artifact_bytes: 16 << 20,
            poll: Duration::from_millis(5),
        }
    }

    /// An offer's account.
    pub(crate) fn terms(&self, offer: &Pubkey) -> Offer {
        self.chain.world(|world| world.state(offer))
    }

    /// Sets what the market asks of every node's stake from now on.
    pub(crate) fn set_least_stake(&self, lamports: u64) {
        self.chain.world(|world| {
            let address = provena_market::pda::admin().0;
            let mut admin: Admin = world.state(&address);
            admin.min_stake = lamports;
            world.set_state(&address, &admin);
        });
    }

    /// A node's account.
    pub(crate) fn node(&self, name: &str) -> Node {
        self.chain.world(|world| world.state(&provena_market::pda::node(&keypair(name).pubkey()).0))
    }

    /// A job.
    pub(crate) fn job(&self, address: &Pubkey) -> JobView {
        self.job_or_none(address).expect("the job exists")
    }

    /// A job, unless it is closed.
    pub(crate) fn job_or_none(&self, address: &Pubkey) -> Option<JobView> {
        let account = self.chain.world(|world| world.account(address))?;
        Some(JobView::decode(address, &account).expect("it is a job"))
    }

    /// What a wallet has of the scene's money.
    pub(crate) fn balance(&self, name: &str) -> u64 {
        self.chain.world(|world| self.money.balance(world, &keypair(name).pubkey()))
    }

    /// Drives a job to the decision, and then lets time pass until it has paid this node: nobody acknowledges anything.
    pub(crate) async fn live(&self, worker: &Arc<Worker>, job: &Pubkey) -> Outcome {
        let outcome = worker.drive(job, &CancellationToken::new()).await.expect("the crash log works");
        if outcome != Outcome::AwaitsPay {
            return outcome;
        }
        let key = self.key(worker, job);
        self.collect(worker, true).await;
        let end = worker.journal().job(&key).and_then(|record| record.end);
        Outcome::Ended(end.unwrap_or_else(|| End::Abandoned("it never ended".to_owned())))
    }

    /// Collects until nothing waits any more; with `wait`, time passes meanwhile.
    pub(crate) async fn collect(&self, worker: &Arc<Worker>, wait: bool) {
        let mut collector = Collector::new(worker.clone(), Duration::from_millis(5));
        for _ in 0..100 {
            if collector.round().await.is_ok_and(|waiting| waiting == 0) {
                return;
            }
            if wait {
                self.chain.advance(SETTLE_AFTER / 10);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("pay never came");
    }

    /// What names the posting of a job that this node knows.
    pub(crate) fn key(&self, worker: &Worker, job: &Pubkey) -> JobKey {
        worker.journal().at(job).last().expect("the crash log knows it").0
    }
}
