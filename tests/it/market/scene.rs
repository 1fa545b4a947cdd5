//! A market with a model, an offer, a payer and nodes.

use anchor_lang::prelude::Address;
use litesvm::LiteSVM;
use provena_arith::receipt;
use provena_market::{
    ID, client, pda,
    state::{Job, Node, Offer, OfferTerms, Slot},
};
use provena_tests::{World, registry, registry::Registered, royalty, tokens::Money, world::keypair};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// Genesis hash of the cluster under test.
pub const CLUSTER: [u8; 32] = [3; 32];
/// Least stake of a node.
pub const MIN_STAKE: u64 = 1_000_000_000;
/// Stake of every node of a scene.
pub const STAKE: u64 = 5_000_000_000;
/// The protocol's share of a fee.
pub const PROTOCOL_BPS: u16 = 250;
/// What the payer has.
pub const PAYER_MONEY: u64 = 1_000_000_000_000;

/// Valid terms: one node, price 1,000,003 (so that shares do not divide evenly), royalty 20 %.
pub fn terms() -> OfferTerms {
    OfferTerms {
        price_per_unit: 1_000_003,
        bond_lamports: 400_000_000,
        open_window: 100,
        commit_window: 20,
        reveal_window: 10,
        max_units: 64,
        royalty_bps: 2_000,
        slots: 1,
        quorum: 1,
        engine_class: receipt::ENGINE_CLASS_INT_V1,
    }
}

/// Valid terms with a quorum of `m` out of `n`.
pub fn quorum(n: u8, m: u8) -> OfferTerms {
    OfferTerms { slots: n, quorum: m, ..terms() }
}

/// What a scene is paid in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaidIn {
    Sol,
    Token,
}

/// Everything that a job needs.
pub struct Scene {
    pub world: World,
    pub money: Money,
    pub model: Registered,
    pub treasury: Address,
    pub payer: Keypair,
    /// Six registered nodes' authorities.
    pub nodes: Vec<Keypair>,
    pub offer: Address,
    now: u64,
}

/// The Solana slot in which a scene begins.
const START: u64 = 1_000;

impl Scene {
    /// A scene in a fresh world, with offer 0.
    pub fn new(paid_in: PaidIn, terms: OfferTerms) -> Self {
        Self::on(World::new(), paid_in, terms)
    }

    /// A scene in the given world.
    pub fn on(mut world: World, paid_in: PaidIn, terms: OfferTerms) -> Self {
        let money = match paid_in {
            PaidIn::Sol => Money::Sol,
            PaidIn::Token => Money::token(&mut world, "dollar"),
        };
        royalty::configure(&mut world, &[money]);
        let model = registry::model(&mut world, "model", &[], &[money]);
        let treasury = configure(&mut world);
        give(&mut world, money, &treasury, 0);
        let nodes: Vec<Keypair> = (0..6).map(|i| world.wallet(&format!("node {i}"))).collect();
        for node in &nodes {
            let register = client::register_node(node.pubkey(), STAKE, "https://node.example.org");
            world.accept(&[register], &[node]);
            give(&mut world, money, &node.pubkey(), 0);
        }
        let payer = world.wallet("payer");
        give(&mut world, money, &payer.pubkey(), PAYER_MONEY);
        let offer = pda::offer(&model.mint.pubkey(), 0).0;
        world.svm.warp_to_slot(START);
        let mut scene = Self { world, money, model, treasury, payer, nodes, offer, now: START };
        let create = scene.create_offer(0, terms);
        scene.world.accept(&[create], &[&scene.model.creator]);
        scene
    }

    /// `create_offer` by the model's owner.
    pub fn create_offer(&self, offer_id: u64, terms: OfferTerms) -> Instruction {
        let owner = self.model.creator.pubkey();
        let asset = self.model.mint.pubkey();
        let nft = provena_registry::pda::token_account(&owner, &asset).0;
        client::create_offer(owner, &asset, nft, &self.money.mint(), offer_id, terms)
    }

    /// Posts a job of `units`.
    pub fn post(&mut self, nonce: u64, units: u32) -> Address {
        let post = self.post_instruction(nonce, units);
        self.world.accept(&[post], &[&self.payer]);
        pda::job(&self.offer, &self.payer.pubkey(), nonce).0
    }

    /// `post_job` by the payer.
    pub fn post_instruction(&self, nonce: u64, units: u32) -> Instruction {
        let offer: Offer = self.world.state(&self.offer);
        client::post_job(self.payer.pubkey(), self.offer, &offer, nonce, [8; 32], units, None)
    }

    /// `claim_slot` by a node.
    pub fn claim(&mut self, job: Address, node: usize, index: u8) {
        let claim = client::claim_slot(self.nodes[node].pubkey(), job, index);
        self.world.accept(&[claim], &[&self.nodes[node]]);
    }

    /// A node's commitment.
    pub fn commitment(&self, job: &Address, node: usize, result: u8, units: u32) -> [u8; 32] {
        let authority = self.nodes[node].pubkey();
        receipt::commitment(
            &CLUSTER,
            ID.as_array(),
            job.as_array(),
            authority.as_array(),
            &[result; 32],
            units,
            &salt(node),
        )
    }

    /// `commit` by a node.
    pub fn commit_instruction(&self, job: Address, node: usize, index: u8, result: u8, units: u32) -> Instruction {
        let commitment = self.commitment(&job, node, result, units);
        client::commit(self.nodes[node].pubkey(), job, index, commitment)
    }

    /// Commits.
    pub fn commit(&mut self, job: Address, node: usize, index: u8, result: u8, units: u32) {
        let commit = self.commit_instruction(job, node, index, result, units);
        self.world.accept(&[commit], &[&self.nodes[node]]);
    }

    /// `reveal` by a node.
    pub fn reveal_instruction(&self, job: Address, node: usize, index: u8, result: u8, units: u32) -> Instruction {
        client::reveal(self.nodes[node].pubkey(), job, index, [result; 32], units, salt(node))
    }

    /// Reveals.
    pub fn reveal(&mut self, job: Address, node: usize, index: u8, result: u8, units: u32) {
        let reveal = self.reveal_instruction(job, node, index, result, units);
        self.world.accept(&[reveal], &[&self.nodes[node]]);
    }

    /// Nodes 0, 1, ... take one slot each, commit, and reveal what is given for them.
    pub fn work(&mut self, job: Address, results: &[(u8, u32)]) {
        for node in 0..results.len() {
            self.claim(job, node, index(node));
        }
        for (node, (result, units)) in results.iter().enumerate() {
            self.commit(job, node, index(node), *result, *units);
        }
        for (node, (result, units)) in results.iter().enumerate() {
            self.reveal(job, node, index(node), *result, *units);
        }
    }

    /// `settle`.
    pub fn settle_instruction(&self, job: Address) -> Instruction {
        client::settle(job, &self.job(&job), &self.slots(&job))
    }

    /// `timeout_job`.
    pub fn timeout_job_instruction(&self, job: Address) -> Instruction {
        client::timeout_job(job, &self.job(&job), &self.slots(&job))
    }

    /// `timeout_claim` of one slot.
    pub fn timeout_claim_instruction(&self, job: Address, index: u8) -> Instruction {
        let slot: Slot = self.world.state(&pda::slot(&job, index).0);
        client::timeout_claim(job, &self.job(&job), &slot)
    }

    /// The job.
    pub fn job(&self, job: &Address) -> Job {
        self.world.state(job)
    }

    /// The job's live slots.
    pub fn slots(&self, job: &Address) -> Vec<Slot> {
        let addresses = (0..5).map(|index| pda::slot(job, index).0);
        addresses.filter(|slot| self.world.account(slot).is_some()).map(|slot| self.world.state(&slot)).collect()
    }

    /// A node's account.
    pub fn node(&self, node: usize) -> Node {
        self.world.state(&pda::node(&self.nodes[node].pubkey()).0)
    }

    /// Lets `slots` Solana slots pass.
    pub fn pass(&mut self, slots: u64) {
        self.now += slots;
        self.world.svm.warp_to_slot(self.now);
    }

    /// Goes back to a copy of the chain as it was when the scene began.
    pub fn restart(&mut self, start: &LiteSVM) {
        self.world.svm = start.clone();
        self.now = START;
    }

    /// The current Solana slot.
    pub fn now(&self) -> u64 {
        self.now
    }

    /// What a wallet has of the scene's money.
    pub fn balance(&self, wallet: &Address) -> u64 {
        self.money.balance(&self.world, wallet)
    }

    /// What the royalty pool has booked in total.
    pub fn booked(&self) -> u64 {
        let pool_mint = provena_royalty::pda::pool_mint(&self.model.pool, &self.money.mint()).0;
        self.world.state::<provena_royalty::state::PoolMint>(&pool_mint).received
    }

    /// What lies in a job's escrow; for SOL what the job holds above its rent.
    pub fn escrowed(&self, job: &Address) -> u64 {
        match self.money {
            Money::Sol => {
                let rent = self.world.svm.minimum_balance_for_rent_exemption(Job::SPACE);
                self.world.lamports(job) - rent
            }
            Money::Token(_) => provena_tests::tokens::token_balance(&self.world, &pda::escrow(job).0),
        }
    }
}

/// Creates the config; returns the treasury's wallet.
pub fn configure(world: &mut World) -> Address {
    let authority = world.wallet("market authority");
    let treasury = world.wallet("treasury").pubkey();
    let create = client::initialize_config(authority.pubkey(), treasury, CLUSTER, PROTOCOL_BPS, MIN_STAKE);
    world.accept(&[create], &[&authority]);
    treasury
}

/// Makes sure that a wallet of the scene has at least `amount` of this money. Wallets have SOL from the start.
pub fn give(world: &mut World, money: Money, wallet: &Address, amount: u64) {
    if money.is_token() {
        money.give(world, wallet, amount);
    }
}

/// The salt of a node.
pub fn salt(node: usize) -> [u8; 32] {
    keypair(&format!("salt {node}")).pubkey().to_bytes()
}

/// The slot that a node takes.
pub fn index(node: usize) -> u8 {
    u8::try_from(node).expect("few nodes")
}
