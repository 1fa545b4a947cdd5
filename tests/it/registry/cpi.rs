//! The registry's instructions called by another program: signatures count as they do without it, and an address of a
//! program can hold an NFT and use its rights.

use anchor_lang::prelude::Address;
use provena_common::error::CommonError;
use provena_registry::{
    client, pda,
    state::{AssetKind, ContentClaim, Floor},
};
use provena_tests::{
    registry::{RECIPE, claim, content, dataset, decode, draft, model, prepare, selling, terms, world},
    relay::{self, through},
    tokens::{put_token_account, token_balance},
    world::keypair,
};
use solana_instruction_error::InstructionError;
use solana_signer::Signer;

#[test]
fn a_wallet_registers_through_another_program() {
    let mut world = world();
    relay::add_to(&mut world);
    let (creator, mint) = prepare(&mut world, "curator", "digits", &[]);
    let draft = draft(AssetKind::Dataset, &creator, &mint);
    let claiming = client::claim_content(&creator.pubkey(), &draft.content.root, &draft.content.salt);
    world.accept(&[through(&claiming)], &[&creator]);
    world.pass_slots(8);
    world.accept(&[through(&draft.instruction())], &[&creator, &mint]);
    let (asset, _) = {
        let account = world.account(&pda::asset(&mint.pubkey()).0).expect("the asset exists");
        client::decode_asset(&account.data).expect("it is an asset")
    };
    assert_eq!(asset.latest, 1);
    assert_eq!(token_balance(&world, &pda::token_account(&creator.pubkey(), &mint.pubkey())), 1);
}

/// A group's wallet, or a program that lends against NFTs: the token account's owner is an address without a key.
#[test]
fn an_address_of_a_program_holds_an_nft_and_uses_its_rights() {
    let mut world = world();
    relay::add_to(&mut world);
    let model = model(&mut world, "classifier", &[]);
    let (vault, mint) = (relay::vault(), model.mint.pubkey());
    world.add_lamports(&vault, 1_000_000_000);
    let buyer = keypair("unused");
    let (_, mut transfer) = selling(&mut world, &model, &buyer);
    let nft = keypair("the vault's token account").pubkey();
    put_token_account(&mut world, &nft, &mint, &vault, 0);
    transfer.accounts[1].pubkey = nft;
    world.accept(&[transfer], &[&model.creator]);

    let second = content("classifier 2");
    world.accept(&[through(&client::claim_content(&vault, &second.root, &second.salt))], &[]);
    let claimed: ContentClaim = {
        let hash = provena_registry::content_claim::claim_hash(&vault, &second.root, &second.salt);
        decode(&world, &pda::claim(&hash).0)
    };
    assert_eq!(claimed.claimant, vault);
    world.pass_slots(8);
    let floor = Floor { mint: Address::default(), per_unit: 3 };
    let rights = [
        client::add_version(&vault, &mint, &nft, 2, second, Some(RECIPE)),
        client::set_uri(&vault, &mint, &nft, "https://example.org/new"),
        client::raise_floor(&vault, &mint, &nft, 50, Some(floor)),
        client::publish_licence(&vault, &mint, &nft, 2, terms(10)),
        client::retire_licence(&vault, &mint, &nft, 1),
    ];
    for right in &rights {
        world.accept(&[through(right)], &[]);
    }
    assert_eq!((model.state(&world).latest, model.floors(&world)), (2, vec![floor]));
    // Without the program's signature the same is refused.
    let mut unsigned = client::raise_floor(&vault, &mint, &nft, 60, None);
    unsigned.accounts[0].is_signer = false;
    world.refuses(std::slice::from_ref(&unsigned), &[], InstructionError::MissingRequiredSignature);
    world.refuses(&[through(&unsigned)], &[], InstructionError::MissingRequiredSignature);
}

/// A program that is called by a stranger gains nothing by calling on.
#[test]
fn a_program_in_between_gives_a_stranger_no_rights() {
    let mut world = world();
    relay::add_to(&mut world);
    let model = model(&mut world, "classifier", &[]);
    let (stranger, mint, nft) = (world.wallet("stranger"), model.mint.pubkey(), model.nft());
    let second = content("classifier 2");
    claim(&mut world, &stranger, &second);
    let by = stranger.pubkey();
    let attempts = [
        client::add_version(&by, &mint, &nft, 2, second, Some(RECIPE)),
        client::set_uri(&by, &mint, &nft, "https://example.org/new"),
        client::raise_floor(&by, &mint, &nft, 10_000, None),
        client::publish_licence(&by, &mint, &nft, 2, terms(0)),
        client::retire_licence(&by, &mint, &nft, 1),
    ];
    for attempt in &attempts {
        world.refuses(&[through(attempt)], &[&stranger], CommonError::NotNftHolder);
    }
    // In the holder's name, without the holder's signature: a call cannot add one.
    let mut forged = client::raise_floor(&model.creator.pubkey(), &mint, &nft, 10_000, None);
    forged.accounts[0].is_signer = false;
    world.refuses(&[through(&forged)], &[], InstructionError::MissingRequiredSignature);
    assert_eq!(model.state(&world).floor_bps, 0);
}

/// A program consents to derivatives of the asset whose NFT it holds.
#[test]
fn an_address_of_a_program_consents() {
    let mut world = world();
    relay::add_to(&mut world);
    let digits = dataset(&mut world, "digits", &[]);
    let mut consent = terms(1_000);
    consent.consent = true;
    digits.publish(&mut world, 2, consent);
    let (vault, mint) = (relay::vault(), digits.mint.pubkey());
    let nft = keypair("the vault's token account").pubkey();
    put_token_account(&mut world, &digits.nft(), &mint, &digits.creator.pubkey(), 0);
    put_token_account(&mut world, &nft, &mint, &vault, 1);

    let holders = [(digits.pool, 10 * provena_tests::registry::PERCENT)];
    let (creator, child) = prepare(&mut world, "trainer", "classifier", &holders);
    let mut draft = draft(AssetKind::Model, &creator, &child);
    let mut parent = digits.as_consenting_parent(2);
    parent.consent = Some(client::Consent { nft, holder: vault });
    draft.parents = vec![parent];
    claim(&mut world, &creator, &draft.content);
    world.accept(&[through(&draft.instruction())], &[&creator, &child]);
}
