//! A market in the SVM: a registered model, nodes with stake, an offer, a payer.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use provena_client::chain::{Budget, SharedChain};
use provena_engine::artifact::Artifact;
use provena_market::client;
use provena_market::state::{Node, Offer, OfferTerms};
use provena_node::compute::EngineCompute;
use provena_node::journal::Journal;
use provena_node::metrics::Metrics;
use provena_node::tasks::{Risk, Worker, WorkerParts};
use provena_registry::state::AssetKind;
use provena_tests::registry::{self, Draft};
use provena_tests::royalty;
use provena_tests::tokens::Money;
use provena_tests::world::{World, keypair};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use super::lite::{CLUSTER, LiteChain};
use super::{folder_store, model};

/// Least stake of a node.
pub const STAKE: u64 = 1_000_000_000;
/// A claim's bond.
pub const BOND: u64 = 10_000_000;
/// Lamports per image.
pub const PRICE: u64 = 1_000_003;
/// Slots for a commit, and for a reveal.
pub const WINDOW: u32 = 60;

/// A market with one offer.
pub struct Scene {
    pub chain: Arc<LiteChain>,
    pub offer: Pubkey,
    pub payer: Arc<Keypair>,
    /// What the offer is priced in.
    pub money: Money,
    /// Where artifact, inputs and responses are.
    pub shared: PathBuf,
    _folder: tempfile::TempDir,
}

impl Scene {
    /// Another offer for the same model: the first one's terms, changed.
    pub fn offer_with(&self, change: impl FnOnce(&mut OfferTerms)) -> Pubkey {
        let owner = keypair("trainer");
        self.chain.world(|world| {
            let first: Offer = world.state(&self.offer);
            let mut terms = first.terms();
            change(&mut terms);
            let nft = provena_registry::pda::token_account(&owner.pubkey(), &first.asset).0;
            let create = client::create_offer(owner.pubkey(), &first.asset, nft, &first.mint, 2, terms);
            world.accept(&[create], &[&owner]);
            provena_market::pda::offer(&first.asset, 2).0
        })
    }

    /// An offer that wants `slots` nodes of which `quorum` must agree; `nodes` are registered by these names.
    pub async fn new(nodes: &[&str], slots: u8, quorum: u8) -> Self {
        Self::paid_in(World::new(), Money::Sol, &model::artifact(), nodes, slots, quorum).await
    }

    /// As [`Scene::new`] with one node, "node", and another model than the small classifier.
    pub async fn serving(artifact: &Artifact) -> Self {
        Self::paid_in(World::new(), Money::Sol, artifact, &["node"], 1, 1).await
    }

    /// As [`Scene::new`], with an offer that is priced in a token of which only the payer has any.
    pub async fn in_tokens(nodes: &[&str], slots: u8, quorum: u8) -> Self {
        let mut world = World::new();
        let money = Money::token(&mut world, "dollar");
        Self::paid_in(world, money, &model::artifact(), nodes, slots, quorum).await
    }

    async fn paid_in(
        mut world: World,
        money: Money,
        artifact: &Artifact,
        nodes: &[&str],
        slots: u8,
        quorum: u8,
    ) -> Self {
        royalty::configure(&mut world, &[money]);
        let (creator, mint) = registry::prepare(&mut world, "trainer", "model", &[], &[money]);
        let mut draft = Draft::new(AssetKind::Model, &creator.pubkey(), &mint.pubkey());
        draft.content_root = artifact.content_root();
        draft.recipe_root = artifact.recipe_root();
        let registered = registry::register(&mut world, &draft, creator, mint);

        let operator = world.wallet("operator");
        let treasury = world.wallet("treasury").pubkey();
        world.accept(&[client::initialize_config(operator.pubkey(), treasury, CLUSTER, 250, STAKE)], &[&operator]);
        for name in nodes {
            let node = world.wallet(name);
            world.accept(&[client::register_node(node.pubkey(), STAKE, "")], &[&node]);
        }
        let asset = registered.mint.pubkey();
        let owner = registered.creator.pubkey();
        let terms = OfferTerms {
            price_per_unit: PRICE,
            bond_lamports: BOND,
            open_window: WINDOW,
            commit_window: WINDOW,
            reveal_window: WINDOW,
            max_units: 64,
            royalty_bps: 3_000,
            slots,
            quorum,
            engine_class: 1,
        };
        let nft = provena_registry::pda::token_account(&owner, &asset).0;
        let offer = client::create_offer(owner, &asset, nft, &money.mint(), 1, terms);
        world.accept(&[offer], &[&registered.creator]);
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
            _folder: folder,
        }
    }

    /// A payer's client.
    pub fn client(&self) -> provena_client::Client {
        provena_client::Client::new(self.chain.clone(), folder_store(&self.shared), self.payer.clone())
    }

    /// The node `name` over `chain`, with its crash log and its private files in `data`.
    pub fn worker(&self, name: &str, chain: SharedChain, data: &Path) -> Arc<Worker> {
        let receipts = data.join("receipts");
        std::fs::create_dir_all(&receipts).expect("the folder is usable");
        let compute = EngineCompute::open("cpu", 1 << 30).expect("the reference is always there");
        Arc::new(Worker::new(WorkerParts {
            chain,
            cluster: CLUSTER,
            store: folder_store(&self.shared),
            private: folder_store(&data.join("private")),
            journal: Journal::open(&data.join("journal.jsonl")).expect("the crash log opens"),
            compute: Arc::new(compute),
            key: keypair(name),
            metrics: Arc::new(Metrics::default()),
            budget: Budget::default(),
            models: Vec::new(),
            receipts,
            risk: Risk { max_bond: BOND, min_window: WINDOW },
            max_artifact_bytes: 16 << 20,
            poll: Duration::from_millis(5),
        }))
    }

    /// A node's account.
    pub fn node(&self, name: &str) -> Node {
        self.chain.world(|world| world.state(&provena_market::pda::node(&keypair(name).pubkey()).0))
    }
}
