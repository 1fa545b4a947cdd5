//! Content claims: what a claim costs, who can clear it away, and when.

use provena_common::error::CommonError;
use provena_registry::{client, content_claim::claim_hash, error::RegistryError, pda, state::ContentClaim};
use provena_tests::{
    World,
    registry::{content, decode, world},
    world::{WALLET_LAMPORTS, keypair},
};
use solana_instruction_error::InstructionError;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// Lamports that a claim's 56 bytes lock: (128 + 56) * 6,960.
const CLAIM_RENT: u64 = 1_280_640;
/// The System program's error for an account that exists.
const EXISTS: u32 = 0;

/// A claim made at slot 1,000, and its address.
fn claimed() -> (World, Keypair, anchor_lang::prelude::Address) {
    let mut world = world();
    world.svm.warp_to_slot(1_000);
    let claimant = world.wallet("curator");
    let content = content("digits");
    world.accept(&[client::claim_content(&claimant.pubkey(), &content.root, &content.salt)], &[&claimant]);
    let address = pda::claim(&claim_hash(&claimant.pubkey(), &content.root, &content.salt)).0;
    (world, claimant, address)
}

/// SHA-256 of the domain, 32 bytes of 1, 32 of 2 and 32 of 3, computed by another implementation.
#[test]
fn the_hash_is_the_one_that_others_compute() {
    let hash = claim_hash(&anchor_lang::prelude::Address::new_from_array([1; 32]), &[2; 32], &[3; 32]);
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "1f63cd41b4764581bff894e766f9e906b74fb349e2bb5eb0aafb41c597af5e08");
}

#[test]
fn a_claim_names_its_claimant_and_its_slot() {
    let (world, claimant, address) = claimed();
    let claim: ContentClaim = decode(&world, &address);
    assert_eq!((claim.claimant, claim.claimed), (claimant.pubkey(), 1_000));
    assert_eq!(world.lamports(&address), CLAIM_RENT);
    assert_eq!(world.lamports(&claimant.pubkey()), WALLET_LAMPORTS - CLAIM_RENT);
}

#[test]
fn a_claim_works_where_somebody_sent_lamports_before() {
    let mut world = world();
    let (claimant, content) = (world.wallet("curator"), content("digits"));
    let address = pda::claim(&claim_hash(&claimant.pubkey(), &content.root, &content.salt)).0;
    world.add_lamports(&address, 890_880);
    world.accept(&[client::claim_content(&claimant.pubkey(), &content.root, &content.salt)], &[&claimant]);
    assert_eq!(world.lamports(&address), CLAIM_RENT);
    assert_eq!(world.lamports(&claimant.pubkey()), WALLET_LAMPORTS - 389_760);
}

#[test]
fn claim_content_rejects_a_hash_that_is_claimed() {
    let (mut world, claimant, address) = claimed();
    let content = content("digits");
    let again = client::claim_content(&claimant.pubkey(), &content.root, &content.salt);
    world.refuses(std::slice::from_ref(&again), &[&claimant], EXISTS);
    // The same hash by another, who saw it: the claim stays the first one's.
    let mallory = world.wallet("mallory");
    let mut copied = again;
    copied.accounts[0].pubkey = mallory.pubkey();
    world.refuses(&[copied], &[&mallory], EXISTS);
    assert_eq!(decode::<ContentClaim>(&world, &address).claimant, claimant.pubkey());
}

#[test]
fn claim_content_rejects_another_address() {
    let mut world = world();
    let (claimant, content) = (world.wallet("curator"), content("digits"));
    let mut claim = client::claim_content(&claimant.pubkey(), &content.root, &content.salt);
    claim.accounts[1].pubkey = keypair("elsewhere").pubkey();
    world.refuses(&[claim], &[&claimant], CommonError::WrongPda);
}

#[test]
fn claim_content_rejects_a_claimant_who_does_not_sign() {
    let mut world = world();
    let (claimant, content) = (world.wallet("curator"), content("digits"));
    let mut claim = client::claim_content(&claimant.pubkey(), &content.root, &content.salt);
    claim.accounts[0].is_signer = false;
    world.refuses(&[claim], &[], InstructionError::MissingRequiredSignature);
}

#[test]
fn claim_content_rejects_another_system_program() {
    let mut world = world();
    let (claimant, content) = (world.wallet("curator"), content("digits"));
    let mut claim = client::claim_content(&claimant.pubkey(), &content.root, &content.salt);
    claim.accounts[2].pubkey = provena_registry::TOKEN_PROGRAM;
    world.refuses(&[claim], &[&claimant], InstructionError::IncorrectProgramId);
}

#[test]
fn a_claimant_abandons_a_claim_and_has_its_rent_back() {
    let (mut world, claimant, address) = claimed();
    let abandon = client::abandon_claim(&claimant.pubkey(), &address, &claimant.pubkey());
    world.accept(&[abandon], &[&claimant]);
    assert!(world.account(&address).is_none());
    assert_eq!(world.lamports(&claimant.pubkey()), WALLET_LAMPORTS);
}

#[test]
fn anybody_clears_a_lapsed_claim_away_and_the_claimant_has_the_rent() {
    let (mut world, claimant, address) = claimed();
    let stranger = world.wallet("stranger");
    world.svm.warp_to_slot(217_001);
    let abandon = client::abandon_claim(&stranger.pubkey(), &address, &claimant.pubkey());
    world.accept(&[abandon], &[&stranger]);
    assert!(world.account(&address).is_none());
    assert_eq!(world.lamports(&claimant.pubkey()), WALLET_LAMPORTS);
    assert_eq!(world.lamports(&stranger.pubkey()), WALLET_LAMPORTS);
}

#[test]
fn abandon_claim_rejects_a_stranger_before_it_lapses() {
    let (mut world, claimant, address) = claimed();
    let stranger = world.wallet("stranger");
    // 216,000 slots after the claim it can still be used, so it is still the claimant's.
    world.svm.warp_to_slot(217_000);
    let abandon = client::abandon_claim(&stranger.pubkey(), &address, &claimant.pubkey());
    world.refuses(&[abandon], &[&stranger], RegistryError::NotClaimant);
}

#[test]
fn abandon_claim_rejects_to_pay_the_rent_to_another() {
    let (mut world, _, address) = claimed();
    let stranger = world.wallet("stranger");
    world.svm.warp_to_slot(217_001);
    let abandon = client::abandon_claim(&stranger.pubkey(), &address, &stranger.pubkey());
    world.refuses(&[abandon], &[&stranger], RegistryError::NotClaimant);
}

#[test]
fn abandon_claim_rejects_a_claimant_who_does_not_sign() {
    let (mut world, claimant, address) = claimed();
    let mut abandon = client::abandon_claim(&claimant.pubkey(), &address, &claimant.pubkey());
    abandon.accounts[0].is_signer = false;
    world.refuses(&[abandon], &[], InstructionError::MissingRequiredSignature);
}

#[test]
fn abandon_claim_rejects_another_programs_account() {
    let (mut world, claimant, address) = claimed();
    world.forge(&address, &address, Some(provena_royalty::ID));
    let abandon = client::abandon_claim(&claimant.pubkey(), &address, &claimant.pubkey());
    world.refuses(&[abandon], &[&claimant], InstructionError::IllegalOwner);
}
