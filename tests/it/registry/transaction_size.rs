//! Every instruction at its greatest size: which fit a plain transaction of 1,232 bytes, and which need a message of version
//! 0 and the deployment's lookup table.

use anchor_lang::prelude::Address;
use provena_registry::{
    ASSOCIATED_TOKEN_PROGRAM, ID, INSTRUCTIONS_SYSVAR, LicenceTerms, TOKEN_METADATA_PROGRAM, TOKEN_PROGRAM,
    client::{self, Consent, NewAsset, Parent},
    pda,
    state::{AssetKind, Floor},
};
use provena_tests::{
    registry::{RECIPE, content, draft},
    transactions::{MAX_TRANSACTION_LEN, transaction_len, v0_transaction_len},
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

fn lens(instruction: &Instruction, signers: &[Keypair]) -> (usize, usize) {
    let signers: Vec<_> = signers.iter().collect();
    let instructions = std::slice::from_ref(instruction);
    (transaction_len(instructions, &signers), v0_transaction_len(instructions, &signers, &common_table()))
}

#[test]
fn all_but_registering_fits_a_plain_transaction() {
    let (holder, mint, nft) = (holder(), keypair("mint").pubkey(), keypair("nft").pubkey());
    let address = holder.pubkey();
    let terms = LicenceTerms { text_hash: [9; 32], bps: 1, floor_bps: 1, floor: Some(floor(1)), consent: true };
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

/// Registrations with the longest name and symbol: their length with a plain message, and with a message of version 0 and
/// the common lookup table.
#[test]
fn registrations_have_these_lengths() {
    let cases = [
        ("no parents, URI of 96", registration(96, 0, 0, false), (1_046, 865)),
        ("no parents, the longest URI", registration(200, 0, 0, false), (1_150, 969)),
        ("two parents, URI of 96", registration(96, 2, 0, false), (1_284, 1_103)),
        ("two parents, the longest URI", registration(200, 2, 0, false), (1_388, 1_207)),
        ("three parents, URI of 96", registration(96, 3, 0, false), (1_387, 1_206)),
        ("two parents, one floor per unit, URI of 96", registration(96, 2, 1, false), (1_324, 1_143)),
        ("one parent with consent, URI of 96", registration(96, 1, 0, true), (1_311, 1_130)),
        ("two parents, one with consent, URI of 94", registration(94, 2, 0, true), (1_412, 1_231)),
        ("no parents, two floors per unit, the longest URI", registration(200, 0, 2, false), (1_230, 1_049)),
    ];
    for (name, (draft, signers), expected) in cases {
        assert_eq!(lens(&draft.instruction(), &signers), expected, "{name}");
    }
}

/// What a plain message holds, and what needs version 0 and the common lookup table; beyond that the parents' accounts and
/// the floors' mints need a table of their own.
#[test]
fn what_fits_is_what_the_documents_say() {
    let plain = |draft: (NewAsset, Vec<Keypair>)| lens(&draft.0.instruction(), &draft.1).0 <= MAX_TRANSACTION_LEN;
    let v0 = |draft: (NewAsset, Vec<Keypair>)| lens(&draft.0.instruction(), &draft.1).1 <= MAX_TRANSACTION_LEN;
    assert!(plain(registration(200, 0, 0, false)), "an asset without parents");
    assert!(plain(registration(44, 1, 0, false)) && !plain(registration(150, 1, 0, false)), "one parent");
    assert!(!plain(registration(96, 2, 0, false)), "two parents");
    assert!(v0(registration(200, 2, 0, false)), "two parents with the table");
    assert!(v0(registration(96, 3, 0, false)) && !v0(registration(200, 3, 0, false)), "three parents with the table");
    assert!(!v0(registration(96, 2, 0, true)) && v0(registration(94, 2, 0, true)), "a consent with the table");
}

/// The most parents, when a table of the registrant's own holds what is theirs.
#[test]
fn fourteen_parents_fit_with_a_table_of_their_own() {
    let (draft, signers) = registration(200, 14, 0, false);
    let instruction = draft.instruction();
    let mut table = common_table();
    table.extend(instruction.accounts[18..].iter().map(|meta| meta.pubkey));
    let signers: Vec<_> = signers.iter().collect();
    let len = v0_transaction_len(&[instruction], &signers, &table);
    assert_eq!(len, 1_141);
}
