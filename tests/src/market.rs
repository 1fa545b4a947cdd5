//! Ready-made scenes of the market program.

use anchor_lang::prelude::Address;
use provena_arith::receipt::ENGINE_CLASS_INT_V1;
use provena_common::{account::Layout, token::TOKEN_PROGRAM};
use provena_market::{
    client::{self, OfferOf},
    constants::FIRST_COME,
    pda,
    state::{Node, Offer, OfferTerms},
};
use provena_royalty::client::Evidence;
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::{
    registry::{self, Registered},
    tokens::Money,
    world::World,
};

mod changes;
mod job;

pub use changes::{Balances, expected};
pub use job::{DONE, MOST, answer_bytes, result_root, salt, seat};

/// Genesis hash of the cluster under test.
pub const CLUSTER: [u8; 32] = [3; 32];
/// Least stake of a node.
pub const MIN_STAKE: u64 = 1_000_000_000;
/// Stake of every node of a scene.
pub const STAKE: u64 = 5_000_000_000;
/// The protocol's share of a fee.
pub const PROTOCOL_BPS: u16 = 250;
/// What the payer has, at least.
pub const PAYER_MONEY: u64 = 1_000_000_000_000;
/// The process that acts for every node.
pub const INSTANCE: u64 = 1;
/// What every node says.
pub const ENDPOINT: &str = "https://node.example.org";

/// Valid terms: one seat; 1,000,003 for a unit of input (so that shares do not divide evenly), 2,000,003 for one of output,
/// 5,000 for any answer; royalty 20 %.
pub fn terms() -> OfferTerms {
    OfferTerms {
        base_price: 5_000,
        input_price: 1_000_003,
        output_price: 2_000_003,
        bond_lamports: 400_000_000,
        open_window: 200,
        commit_window: 160,
        reveal_window: 150,
        max_input_units: 64,
        max_output_units: 32,
        royalty_bps: 2_000,
        seats: 1,
        quorum: 1,
        engine_class: ENGINE_CLASS_INT_V1,
        flags: FIRST_COME,
    }
}

/// Valid terms with a quorum of `m` out of `n`.
pub fn quorum(n: u8, m: u8) -> OfferTerms {
    OfferTerms { seats: n, quorum: m, ..terms() }
}

/// What a scene is paid in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaidIn {
    Sol,
    /// An SPL token.
    Token,
    /// A Token-2022 token without extensions.
    Token2022,
}

/// Every kind of money.
pub const ALL_MONEY: [PaidIn; 3] = [PaidIn::Sol, PaidIn::Token, PaidIn::Token2022];

/// Everything that a job needs.
pub struct Scene {
    pub world: World,
    pub money: Money,
    /// Registered by "trainer", who holds the NFT.
    pub model: Registered,
    pub treasury: Address,
    pub payer: Keypair,
    /// Six registered nodes' authorities.
    pub nodes: Vec<Keypair>,
    /// Offer 0 of the model's version 1.
    pub offer: Address,
}

impl Scene {
    /// A scene in a fresh world.
    pub fn new(paid_in: PaidIn, terms: OfferTerms) -> Self {
        Self::on(World::new(), paid_in, terms)
    }

    /// A scene in the given world, in which no settings exist.
    pub fn on(mut world: World, paid_in: PaidIn, terms: OfferTerms) -> Self {
        let money = match paid_in {
            PaidIn::Sol => Money::Sol,
            PaidIn::Token => Money::token(&mut world, "dollar"),
            PaidIn::Token2022 => Money::token_2022(&mut world, "new dollar", &[]),
        };
        Self::with_money(world, money, terms)
    }

    /// A scene in the given world, in which no settings exist, paid in this money.
    pub fn with_money(mut world: World, money: Money, terms: OfferTerms) -> Self {
        crate::royalty::configure(&mut world, &[money]);
        registry::configure(&mut world);
        let treasury = configure(&mut world);
        let model = registry::model(&mut world, "model", &[]);
        open_books(&mut world, &model, money);
        let nodes: Vec<Keypair> = (0..6).map(|i| world.wallet(&format!("node {i}"))).collect();
        for node in &nodes {
            register(&mut world, node, STAKE);
            give(&mut world, money, &node.pubkey(), 0);
        }
        let payer = world.wallet("payer");
        give(&mut world, money, &payer.pubkey(), PAYER_MONEY);
        give(&mut world, money, &treasury, 0);
        let offer = pda::offer(&model.mint.pubkey(), 0).0;
        let mut scene = Self { world, money, model, treasury, payer, nodes, offer };
        let create = scene.create_offer(0, terms);
        scene.world.accept(&[create], &[&scene.model.creator]);
        scene
    }

    /// `create_offer` by the model's creator, who holds the NFT.
    pub fn create_offer(&self, offer_id: u64, terms: OfferTerms) -> Instruction {
        client::create_offer(self.model.creator.pubkey(), self.model.nft(), self.offer_of(offer_id), terms)
    }

    /// What an offer of this scene's model in its money is made of.
    pub fn offer_of(&self, offer_id: u64) -> OfferOf {
        OfferOf { asset: self.model.mint.pubkey(), version: 1, mint: self.money.mint(), offer_id }
    }

    /// `close_offer` of offer 0 by the model's creator.
    pub fn close_offer(&self) -> Instruction {
        client::close_offer(self.model.creator.pubkey(), self.model.nft(), self.offer, &self.state(&self.offer))
    }

    /// `raise_floor` by the model's creator, to these basis points and this much per unit in the scene's money.
    pub fn raise_floor(&mut self, bps: u16, per_unit: Option<u64>) {
        let floor = per_unit.map(|per_unit| provena_registry::state::Floor { mint: self.money.mint(), per_unit });
        let (holder, mint) = (self.model.creator.pubkey(), self.model.mint.pubkey());
        let raise = provena_registry::client::raise_floor(&holder, &mint, &self.model.nft(), bps, floor);
        self.world.accept(&[raise], &[&self.model.creator]);
    }

    /// The model's creator gives the NFT to somebody else; returns the new holder's token account.
    pub fn sell_nft(&mut self, buyer: &Address) -> Address {
        let nft = Money::Token(self.model.mint.pubkey());
        nft.give(&mut self.world, buyer, 0);
        let (from, to) = (self.model.nft(), nft.account_of(buyer));
        let accounts = vec![
            AccountMeta::new(from, false),
            AccountMeta::new(to, false),
            AccountMeta::new_readonly(self.model.creator.pubkey(), true),
        ];
        // SPL Token's Transfer of one.
        let data = [&[3][..], &1u64.to_le_bytes()].concat();
        let transfer = Instruction { program_id: TOKEN_PROGRAM, accounts, data };
        self.world.accept(&[transfer], &[&self.model.creator]);
        to
    }

    /// Opens inbox 0 of the model's books and of the treasury, in the scene's money.
    pub fn open_inboxes(&mut self) {
        let asset = self.model.mint.pubkey();
        let payer = self.payer.pubkey();
        let royalty = provena_royalty::client::open_inbox(&payer, &asset, self.money.currency(), 0);
        let treasury = client::open_treasury_inbox(payer, self.money.currency(), 0);
        self.world.accept(&[royalty, treasury], &[&self.payer]);
    }

    /// An account of one of our programs without items.
    #[track_caller]
    pub fn state<H: Layout>(&self, address: &Address) -> H {
        registry::decode(&self.world, address)
    }

    /// Offer 0.
    pub fn offer(&self) -> Offer {
        self.state(&self.offer)
    }

    /// A node's account.
    pub fn node(&self, node: usize) -> Node {
        self.state(&pda::node(&self.nodes[node].pubkey()).0)
    }

    /// What a wallet has of the scene's money.
    pub fn balance(&self, wallet: &Address) -> u64 {
        self.money.balance(&self.world, wallet)
    }
}

/// Creates the market's settings; returns the treasury's wallet. Their authority is the wallet "market authority".
pub fn configure(world: &mut World) -> Address {
    let authority = world.wallet("market authority");
    let treasury = world.wallet("treasury").pubkey();
    let create = client::initialize_admin(authority.pubkey(), treasury, CLUSTER, PROTOCOL_BPS, MIN_STAKE);
    world.accept(&[create], &[&authority]);
    treasury
}

/// Registers a node.
pub fn register(world: &mut World, authority: &Keypair, stake: u64) {
    let register = client::register_node(authority.pubkey(), stake, ENDPOINT, [0; 32], 0);
    world.accept(&[register], &[authority]);
}

/// Opens the model's books for some money, as the holder of its NFT.
pub fn open_books(world: &mut World, model: &Registered, money: Money) {
    let (holder, asset) = (model.creator.pubkey(), model.mint.pubkey());
    let evidence = Evidence::Nft(model.nft());
    if let Some(open) = provena_royalty::client::open_books(&holder, &asset, money.currency(), evidence) {
        world.accept(&[open], &[&model.creator]);
    }
}

/// Makes sure that a wallet of a scene can hold this money, and adds `amount` of a token. Wallets have SOL from the start.
pub fn give(world: &mut World, money: Money, wallet: &Address, amount: u64) {
    if money.is_token() {
        money.give(world, wallet, amount);
    }
}
