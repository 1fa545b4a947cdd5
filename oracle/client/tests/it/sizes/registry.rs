//! Claims, registrations, versions, licences, floors.

use anchor_lang::bytemuck::Zeroable;
use provena_common::currency::Currency;
use provena_registry::{
    ContentReveal, Floors, LicenceTerms, MAX_FLOORS, MAX_NAME_LEN, MAX_PARENTS, MAX_SYMBOL_LEN, MAX_URI_LEN, NftText,
    Price, Recipe,
    client::{self, Consent, NewAsset, NewParent, Parent},
    state::{AssetKind, Edge, EdgeKind, Floor},
};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

use super::{Page, key, most_that_fit, token};

/// Bytes of a URI that names a metadata document by its content root at a host with a name of usual length.
const USUAL_URI: usize = 100;

const CONTENT: ContentReveal = ContentReveal { root: [1; 32], salt: [2; 32], len: u64::MAX };
const RECIPE: Recipe = Recipe { root: [3; 32], len: u64::MAX };

fn floor(index: usize) -> Floor {
    Floor { mint: token(index).0, per_unit: u64::MAX }
}

/// A registration with the longest name and symbol. Of its parents the first `consents` have holders who must consent, and
/// none of whom is the creator.
fn registration(uri: usize, floors: usize, parents: usize, consents: usize) -> (Pubkey, Instruction) {
    let new = new_asset(uri, floors, parents, consents);
    (new.creator, new.instruction())
}

fn new_asset(uri: usize, floors: usize, parents: usize, consents: usize) -> NewAsset {
    let parent = |index: usize| Parent {
        asset: key(&format!("parent {index}")),
        pool: key(&format!("pool of parent {index}")),
        licence: u32::MAX,
        version: u32::MAX,
        consent: (index < consents).then(|| Consent {
            nft: key(&format!("NFT of parent {index}")),
            holder: key(&format!("holder of parent {index}")),
        }),
    };
    let creator = key("creator");
    NewAsset {
        creator,
        mint: key("asset"),
        nft: NftText {
            name: "n".repeat(MAX_NAME_LEN),
            symbol: "s".repeat(MAX_SYMBOL_LEN),
            uri: "u".repeat(uri),
            seller_fee_basis_points: 10_000,
        },
        content: CONTENT,
        recipe: Some(RECIPE),
        floors: Floors { bps: 10_000, per_unit: (0..floors).map(floor).collect() },
        parents: (0..parents).map(parent).collect(),
    }
}

/// An edge to a direct parent of a draft.
fn edge(index: usize) -> Edge {
    let parent = key(&format!("parent {index}"));
    Edge { parent, pool: key(&format!("pool {index}")), kind: EdgeKind::Direct as u8, ..Edge::zeroed() }
}

/// Registering in steps: the largest of each.
fn drafts(page: &mut Page) {
    let new = new_asset(MAX_URI_LEN, MAX_FLOORS, 1, 1);
    let (creator, mint) = (new.creator, new.mint);
    let begin = client::begin_asset(&creator, &mint, AssetKind::Model, new.floors.clone());
    page.record("`registry.begin_asset`, with the most floors", &creator, &[begin]);
    let (price_mint, program) = token(0);
    let adding = NewParent {
        builder: creator,
        mint,
        nft: Some(key("NFT account")),
        parent: new.parents[0].clone(),
        derived: true,
        price: Some(Currency::Token { mint: price_mint, program }),
        uses: u32::MAX,
    };
    page.record("`registry.add_parent` with consent, its price in tokens", &creator, &[adding.instruction()]);
    let inherit = |count: usize| {
        let passing: Vec<_> = (0..count).map(edge).collect();
        (creator, client::inherit(&creator, &mint, &key("parent"), 0, u8::MAX, &passing))
    };
    let most = most_that_fit(32, false, inherit);
    page.record(format!("`registry.inherit`, as many ancestors as fit: {most}"), &creator, &[inherit(most).1]);
    page.record("`registry.seal_asset`, the longest URI", &creator, &[new.sealing()]);
    let edges: Vec<_> = (0..MAX_PARENTS).map(edge).collect();
    let abandon = client::abandon_asset(&creator, &mint, &key("registrant"), &edges);
    page.record("`registry.abandon_asset` with the most parents", &creator, &[abandon]);
}

pub(super) fn record(page: &mut Page) {
    let (owner, asset, nft) = (key("owner"), key("asset"), key("NFT account"));
    let price = Price { mint: key("price"), amount: u64::MAX };
    let terms = LicenceTerms {
        floor_bps: 10_000,
        floor: Some(floor(0)),
        price: Some(price),
        ..LicenceTerms::sharing(10_000, [4; 32])
    };
    let single = [
        ("initialize_admin", client::initialize_admin(&owner)),
        ("claim_content", client::claim_content(&owner, &CONTENT.root, &CONTENT.salt)),
        ("abandon_claim", client::abandon_claim(&owner, &key("claim"), &key("claimant"))),
        ("add_version", client::add_version(&owner, &asset, &nft, u32::MAX, CONTENT, Some(RECIPE))),
        ("set_uri", client::set_uri(&owner, &asset, &nft, &"u".repeat(MAX_URI_LEN))),
        ("raise_floor", client::raise_floor(&owner, &asset, &nft, 10_000, Some(floor(0)))),
        ("publish_licence", client::publish_licence(&owner, &asset, &nft, u32::MAX, terms)),
        ("retire_licence", client::retire_licence(&owner, &asset, &nft, u32::MAX)),
    ];
    for (name, instruction) in single {
        page.record(format!("`registry.{name}`"), &owner, &[instruction]);
    }
    drafts(page);
    for (uri, words) in [(USUAL_URI, "a URI of 100"), (MAX_URI_LEN, "the longest URI")] {
        let mut registered = |words: String, (creator, instruction): (Pubkey, Instruction)| {
            page.record(format!("`registry.register_model`, {words}"), &creator, &[instruction]);
        };
        registered(format!("{words}, no parents"), registration(uri, 0, 0, 0));
        let floors = most_that_fit(MAX_FLOORS, true, |count| registration(uri, count, 0, 0));
        registered(format!("{words}, as many floors as fit: {floors}"), registration(uri, floors, 0, 0));
        for (floors, more) in [(0, ""), (1, ", one floor")] {
            let parents = most_that_fit(MAX_PARENTS, true, |count| registration(uri, floors, count, 0));
            let words = format!("{words}{more}, as many parents as fit: {parents}");
            registered(words, registration(uri, floors, parents, 0));
        }
        let parents = most_that_fit(MAX_PARENTS, true, |count| registration(uri, 0, count, count));
        let words = format!("{words}, as many parents that consent as fit: {parents}");
        registered(words, registration(uri, 0, parents, parents));
    }
}
