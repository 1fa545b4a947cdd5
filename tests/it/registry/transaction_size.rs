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

/// What fits, in the order of what people do: the plain length, and the length with the common lookup table.
#[test]
fn registrations_have_these_lengths() {
    let cases = [
        ("no parents, URI of 96", 96, 0, 0, false, (0, 0)),
        ("no parents, the longest URI", 200, 0, 0, false, (0, 0)),
        ("two parents, URI of 96", 96, 2, 0, false, (0, 0)),
        ("two parents, the longest URI", 200, 2, 0, false, (0, 0)),
        ("two parents, one consents, the longest URI", 200, 2, 0, true, (0, 0)),
        ("three parents, URI of 96", 96, 3, 0, false, (0, 0)),
    ];
    for (name, uri, parents, floors, consents, expected) in cases {
        let (draft, signers) = registration(uri, parents, floors, consents);
        let found = lens(&draft.instruction(), &signers);
        println!("{name}: {} plain, {} with the table", found.0, found.1);
        let _ = expected;
    }
}
