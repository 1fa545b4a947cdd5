//! Ready-made scenes of the registry program.

use anchor_lang::prelude::Address;
use provena_common::account::Layout;
use provena_registry::{
    ContentReveal, Floors, LicenceTerms, NftText, Recipe, TOKEN_PROGRAM,
    client::{self, Consent, NewAsset, Parent},
    pda,
    state::{Asset, AssetKind, Edge, Floor, Licence, Lineage},
};
use provena_royalty::{DEFAULT_TOTAL_SHARES, Holder};
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_signer::Signer;

pub use building::Building;

use crate::{
    tokens::put_token_account,
    transactions,
    world::{World, keypair},
};

pub mod building;

/// A whole per cent of a pool of [`DEFAULT_TOTAL_SHARES`].
pub const PERCENT: u64 = DEFAULT_TOTAL_SHARES / 100;

/// Initial holders that one transaction names; each has an account.
const HOLDERS_AT_ONCE: usize = 12;

/// Slots after which a claim can be used.
pub const RIPE: u64 = 8;

/// A chain on which the admin accounts of royalty and registry exist.
pub fn world() -> World {
    let mut world = World::new();
    let authority = world.wallet("royalty authority");
    world.accept(&[provena_royalty::client::initialize_admin(&authority.pubkey())], &[&authority]);
    configure(&mut world);
    world
}

/// Creates the admin account, with nothing paused. Returns the authority.
pub fn configure(world: &mut World) -> Keypair {
    let authority = world.wallet("registry authority");
    world.accept(&[client::initialize_admin(&authority.pubkey())], &[&authority]);
    authority
}

/// What is claimed and revealed for some content: its name stands for the bytes.
pub fn content(name: &str) -> ContentReveal {
    ContentReveal { root: keypair(name).pubkey().to_bytes(), salt: [5; 32], len: 1_000_000 }
}

/// The recipe of every model here.
pub const RECIPE: Recipe = Recipe { root: [7; 32], len: 4_096 };

/// Terms that ask for so much of a derivative's pool, and for nothing else.
pub fn terms(bps: u16) -> LicenceTerms {
    LicenceTerms::sharing(bps, [9; 32])
}

/// A valid registration without parents and floors, of content named like the mint; change its fields to make it wrong.
pub fn draft(kind: AssetKind, creator: &Keypair, mint: &Keypair) -> NewAsset {
    let nft = NftText {
        name: "Handwritten digits".to_owned(),
        symbol: "PROVENA".to_owned(),
        uri: "https://example.org/assets/digits.json".to_owned(),
        seller_fee_basis_points: 500,
    };
    let content = ContentReveal { root: mint.pubkey().to_bytes(), salt: [5; 32], len: 1_000_000 };
    let recipe = (kind == AssetKind::Model).then_some(RECIPE);
    NewAsset {
        creator: creator.pubkey(),
        mint: mint.pubkey(),
        nft,
        content,
        recipe,
        floors: Floors::default(),
        parents: Vec::new(),
    }
}

/// Claims content and lets the claim ripen.
pub fn claim(world: &mut World, claimant: &Keypair, content: &ContentReveal) {
    let claim = client::claim_content(&claimant.pubkey(), &content.root, &content.salt);
    world.accept(&[claim], &[claimant]);
    world.pass_slots(RIPE);
}

/// A wallet, a mint, and the mint's sealed pool: `holders` get their shares and the wallet the rest. The royalty
/// program's admin account exists.
pub fn prepare(world: &mut World, creator: &str, mint: &str, holders: &[(Address, u64)]) -> (Keypair, Keypair) {
    let creator = world.wallet(creator);
    let mint = keypair(mint);
    let rest = DEFAULT_TOTAL_SHARES - holders.iter().map(|(_, shares)| shares).sum::<u64>();
    let mut holders: Vec<_> = holders.iter().map(|(holder, shares)| Holder::new(*holder, *shares)).collect();
    if rest > 0 {
        holders.push(Holder::new(creator.pubkey(), rest));
    }
    let (first, more) = holders.split_at(holders.len().min(HOLDERS_AT_ONCE));
    let payer = creator.pubkey();
    let create = provena_royalty::client::create_pool(&payer, &mint.pubkey(), DEFAULT_TOTAL_SHARES, 0, 0, first);
    world.accept(&[create], &[&creator, &mint]);
    for more in more.chunks(HOLDERS_AT_ONCE) {
        let pool = provena_royalty::pda::pool(&mint.pubkey()).0;
        world.accept(&[provena_royalty::client::add_holders(&payer, &pool, more)], &[&creator]);
    }
    (creator, mint)
}

/// A registered asset.
pub struct Registered {
    pub asset: Address,
    /// Key pair of the NFT's mint.
    pub mint: Keypair,
    pub pool: Address,
    /// Registered it.
    pub creator: Keypair,
}

impl Registered {
    /// The creator's token account with the NFT.
    pub fn nft(&self) -> Address {
        pda::token_account(&self.creator.pubkey(), &self.mint.pubkey())
    }

    /// The asset's account.
    pub fn state(&self, world: &World) -> Asset {
        self.with_floors(world).0
    }

    /// The asset's floors per unit.
    pub fn floors(&self, world: &World) -> Vec<Floor> {
        self.with_floors(world).1
    }

    fn with_floors(&self, world: &World) -> (Asset, Vec<Floor>) {
        let account = world.account(&self.asset).expect("the asset exists");
        client::decode_asset(&account.data).expect("it is an asset")
    }

    /// The lineage.
    pub fn lineage(&self, world: &World) -> (Lineage, Vec<Edge>) {
        let account = world.account(&pda::lineage(&self.asset).0).expect("the lineage exists");
        client::decode_lineage(&account.data).expect("it is a lineage")
    }

    /// Its licence of this number.
    pub fn licence(&self, world: &World, id: u32) -> Licence {
        decode(world, &pda::licence(&self.asset, id).0)
    }

    /// `publish_licence` by the creator.
    pub fn publishing(&self, id: u32, terms: LicenceTerms) -> Instruction {
        client::publish_licence(&self.creator.pubkey(), &self.mint.pubkey(), &self.nft(), id, terms)
    }

    /// Publishes a licence as the creator, who holds the NFT.
    pub fn publish(&self, world: &mut World, id: u32, terms: LicenceTerms) {
        world.accept(&[self.publishing(id, terms)], &[&self.creator]);
    }

    /// This asset as a parent under its licence of this number, in its first version and without consent.
    pub fn as_parent(&self, licence: u32) -> Parent {
        Parent { asset: self.asset, pool: self.pool, licence, version: 1, consent: None }
    }

    /// The same with the consent of its creator, who holds the NFT and must sign.
    pub fn as_consenting_parent(&self, licence: u32) -> Parent {
        let consent = Consent { nft: self.nft(), holder: self.creator.pubkey() };
        Parent { consent: Some(consent), ..self.as_parent(licence) }
    }
}

/// An account of one of our programs without items.
///
/// # Panics
///
/// When there is none of this kind.
#[track_caller]
pub fn decode<H: Layout>(world: &World, address: &Address) -> H {
    let account = world.account(address).unwrap_or_else(|| panic!("{address} does not exist"));
    client::decode(&account.data).unwrap_or_else(|error| panic!("{address}: {error:?}"))
}

/// Claims the content of a draft and registers it.
pub fn register(world: &mut World, draft: &NewAsset, creator: Keypair, mint: Keypair) -> Registered {
    claim(world, &creator, &draft.content);
    // Token Metadata searches for addresses, and some mints need more than a transaction has by itself.
    world.accept(&[transactions::compute_unit_limit(1_000_000), draft.instruction()], &[&creator, &mint]);
    let pool = provena_royalty::pda::pool(&mint.pubkey()).0;
    Registered { asset: pda::asset(&mint.pubkey()).0, mint, pool, creator }
}

/// A dataset without parents, registered by "curator", whose licence 1 asks for a tenth of a derivative's pool. Both
/// programs' admin accounts exist.
pub fn dataset(world: &mut World, name: &str, holders: &[(Address, u64)]) -> Registered {
    let (creator, mint) = prepare(world, "curator", name, holders);
    let draft = draft(AssetKind::Dataset, &creator, &mint);
    let registered = register(world, &draft, creator, mint);
    registered.publish(world, 1, terms(1_000));
    registered
}

/// A model, registered by "trainer" under licence 1 of each parent, whose pools hold these basis points of its own. Its
/// own licence 1 asks for a tenth of a derivative's pool.
pub fn model(world: &mut World, name: &str, parents: &[(&Registered, u16)]) -> Registered {
    let shares = |bps: u16| u64::from(bps) * (DEFAULT_TOTAL_SHARES / 10_000);
    let holders: Vec<_> = parents.iter().map(|(parent, bps)| (parent.pool, shares(*bps))).collect();
    let (creator, mint) = prepare(world, "trainer", name, &holders);
    let mut draft = draft(AssetKind::Model, &creator, &mint);
    draft.parents = parents.iter().map(|(parent, _)| parent.as_parent(1)).collect();
    let registered = register(world, &draft, creator, mint);
    registered.publish(world, 1, terms(1_000));
    registered
}

/// A token account of the buyer for the asset's NFT, and the creator's transfer of the NFT to it.
pub fn selling(world: &mut World, asset: &Registered, buyer: &Keypair) -> (Address, Instruction) {
    let (mint, seller) = (asset.mint.pubkey(), asset.creator.pubkey());
    let account = pda::token_account(&buyer.pubkey(), &mint);
    put_token_account(world, &account, &mint, &buyer.pubkey(), 0);
    let metas = [
        AccountMeta::new(asset.nft(), false),
        AccountMeta::new(account, false),
        AccountMeta::new_readonly(seller, true),
    ];
    // SPL Token's `Transfer` of one.
    let transfer = Instruction::new_with_bytes(TOKEN_PROGRAM, &[3, 1, 0, 0, 0, 0, 0, 0, 0], metas.to_vec());
    (account, transfer)
}

/// The creator gives the asset's NFT to the buyer. Returns the buyer's token account.
pub fn sell(world: &mut World, asset: &Registered, buyer: &Keypair) -> Address {
    let (account, transfer) = selling(world, asset, buyer);
    world.accept(&[transfer], &[&asset.creator]);
    account
}
