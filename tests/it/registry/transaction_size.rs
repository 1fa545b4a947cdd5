//! Every instruction at its greatest size: which fit a plain transaction of 1,232 bytes, and which need a message of
//! version 0 and the deployment's lookup table.

use anchor_lang::prelude::Address;
use provena_registry::{
    ASSOCIATED_TOKEN_PROGRAM, ID, INSTRUCTIONS_SYSVAR, LicenceTerms, Price, TOKEN_METADATA_PROGRAM, TOKEN_PROGRAM,
    client::{self, Consent, NewAsset, Parent, REGISTER_COMPUTE_UNITS},
    pda,
    state::{AssetKind, Floor},
};
use provena_tests::{
    registry::{RECIPE, content, draft},
    transactions::{MAX_TRANSACTION_LEN, compute_unit_limit, compute_unit_price, transaction_len, v0_transaction_len},
    world::keypair,
};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// What a deployment's common lookup table holds for this program: what is the same for all its users.
fn common_table() -> Vec<Address> {
    let mut table = vec![
        pda::admin().0,
        provena_royalty::ID,
        TOKEN_METADATA_PROGRAM,
        ASSOCIATED_TOKEN_PROGRAM,
        TOKEN_PROGRAM,
        INSTRUCTIONS_SYSVAR,
        Address::default(),
    ];
    table.push(provena_common::upgrade::program_data(&ID));
    table
}

fn holder() -> Keypair {
    keypair("holder")
}

fn floor(n: u64) -> Floor {
    Floor { mint: keypair(&format!("mint {n}")).pubkey(), per_unit: n }
}

/// A registration with the longest name and symbol, a URI of so many bytes, and so many parents and floors. The creator
/// holds and consents for none of the parents; where `consents` is set, one stranger does for the first.
fn registration(uri: usize, parents: u64, floors: u64, consents: bool) -> (NewAsset, Vec<Keypair>) {
    let (creator, mint) = (holder(), keypair("mint"));
    let mut draft = draft(AssetKind::Model, &creator, &mint);
    draft.nft.name = "n".repeat(32);
    draft.nft.symbol = "s".repeat(10);
    draft.nft.uri = "u".repeat(uri);
    draft.floors.per_unit = (1..=floors).map(floor).collect();
    let parent = |n| Parent {
        asset: keypair(&format!("asset {n}")).pubkey(),
        pool: keypair(&format!("pool {n}")).pubkey(),
        licence: 1,
        version: 1,
        consent: None,
    };
    draft.parents = (0..parents).map(parent).collect();
    let mut signers = vec![creator, mint];
    if consents {
        let stranger = keypair("stranger");
        draft.parents[0].consent = Some(Consent { nft: keypair("nft").pubkey(), holder: stranger.pubkey() });
        signers.push(stranger);
    }
    (draft, signers)
}

/// A registration as it is sent: with a limit and a price of compute units.
fn budgeted(instruction: Instruction) -> [Instruction; 3] {
    [compute_unit_limit(REGISTER_COMPUTE_UNITS), compute_unit_price(1_000), instruction]
}

/// With a plain message, and with a message of version 0 and the common table.
fn lens(draft: &NewAsset, signers: &[Keypair]) -> (usize, usize) {
    let signers: Vec<_> = signers.iter().collect();
    let instructions = budgeted(draft.instruction());
    (transaction_len(&instructions, &signers), v0_transaction_len(&instructions, &signers, &common_table()))
}

#[test]
fn all_but_registering_fits_a_plain_transaction() {
    let (holder, mint, nft) = (holder(), keypair("mint").pubkey(), keypair("nft").pubkey());
    let address = holder.pubkey();
    let price = Some(Price { mint: keypair("price").pubkey(), amount: 1 });
    let terms = LicenceTerms { floor_bps: 1, floor: Some(floor(1)), price, ..LicenceTerms::sharing(1, [9; 32]) };
    let instructions = [
        ("initialize_admin", client::initialize_admin(&address)),
        ("propose_authority", client::propose_authority(&address, mint)),
        ("accept_authority", client::accept_authority(&address)),
        ("cancel_authority", client::cancel_authority(&address)),
        ("set_pause", client::set_pause(&address, 7)),
        ("claim_content", client::claim_content(&address, &[1; 32], &[2; 32])),
        ("abandon_claim", client::abandon_claim(&address, &mint, &nft)),
        ("add_version", client::add_version(&address, &mint, &nft, 2, content("next"), Some(RECIPE))),
        ("set_uri", client::set_uri(&address, &mint, &nft, &"u".repeat(200))),
        ("raise_floor", client::raise_floor(&address, &mint, &nft, 1, Some(floor(1)))),
        ("publish_licence", client::publish_licence(&address, &mint, &nft, 1, terms)),
        ("retire_licence", client::retire_licence(&address, &mint, &nft, 1)),
    ];
    for (name, instruction) in instructions {
        let len = transaction_len(&[instruction], &[&holder]);
        println!("{name}: {len} bytes");
        assert!(len <= MAX_TRANSACTION_LEN, "{name}: {len} bytes");
    }
}

/// Registrations with the longest name and symbol: their length with a plain message, and with a message of version 0
/// and the common lookup table. Those of more than 1,232 bytes cannot be sent so.
#[test]
fn registrations_have_these_lengths() {
    let cases = [
        ("no parents, URI of 96", registration(96, 0, 0, false), (1_098, 917)),
        ("no parents, the longest URI", registration(200, 0, 0, false), (1_202, 1_021)),
        ("no parents, two floors per unit, the longest URI", registration(200, 0, 2, false), (1_282, 1_101)),
        ("one parent, URI of 96", registration(96, 1, 0, false), (1_233, 1_052)),
        ("two parents, URI of 96", registration(96, 2, 0, false), (1_336, 1_155)),
        ("two parents, the longest URI", registration(200, 2, 0, false), (1_440, 1_259)),
        ("two parents, one floor per unit, URI of 96", registration(96, 2, 1, false), (1_376, 1_195)),
        ("three parents, URI of 96", registration(96, 3, 0, false), (1_439, 1_258)),
        ("one parent with consent, URI of 96", registration(96, 1, 0, true), (1_363, 1_182)),
        ("two parents, one with consent, URI of 96", registration(96, 2, 0, true), (1_466, 1_285)),
    ];
    for (name, (draft, signers), expected) in cases {
        assert_eq!(lens(&draft, &signers), expected, "{name}");
    }
}

/// The longest URI with which a registration can be sent; beyond that the parents' accounts and the floors' mints need
/// a lookup table of the registrant's own.
#[test]
fn registrations_fit_with_uris_of_these_lengths() {
    let longest = |parents, consents, with_table| {
        let len = |uri| {
            let (draft, signers) = registration(uri, parents, 0, consents);
            let (plain, v0) = lens(&draft, &signers);
            if with_table { v0 } else { plain }
        };
        (0..=200).rev().find(|uri| len(*uri) <= MAX_TRANSACTION_LEN)
    };
    assert_eq!(longest(0, false, false), Some(200));
    assert_eq!(longest(1, false, false), Some(95));
    assert_eq!(longest(2, false, false), None);
    assert_eq!(longest(1, false, true), Some(200));
    assert_eq!(longest(2, false, true), Some(173));
    assert_eq!(longest(3, false, true), Some(70));
    assert_eq!(longest(4, false, true), None);
    assert_eq!(longest(1, true, true), Some(146));
    assert_eq!(longest(2, true, true), Some(43));
}

/// The most parents, when a table of the registrant's own holds what is theirs.
#[test]
fn fourteen_parents_fit_with_a_table_of_their_own() {
    let (draft, signers) = registration(200, 14, 0, false);
    let instruction = draft.instruction();
    let mut table = common_table();
    table.extend(instruction.accounts[18..].iter().map(|meta| meta.pubkey));
    let signers: Vec<_> = signers.iter().collect();
    let len = v0_transaction_len(&budgeted(instruction), &signers, &table);
    assert_eq!(len, 1_193);
}
