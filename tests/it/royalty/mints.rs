//! Which mints of Token-2022 are accepted, extension by extension, and what happens when a mint changes later.

use provena_common::error::CommonError;
use provena_royalty::client;
use provena_tests::{
    World,
    royalty::configure,
    tokens::{Extension, Money, TransferFee, put_extended_mint},
    world::keypair,
};
use solana_instruction_error::InstructionError;
use solana_signer::Signer;

use super::Stage;

const FEE: TransferFee = TransferFee { bps: 100, most: 50 };

#[track_caller]
fn refused(extensions: &[Extension], error: CommonError) {
    let mut world = World::new();
    let authority = configure(&mut world, &[]);
    let money = Money::token_2022(&mut world, "euro", extensions);
    world.refuses(&[client::allow_mint(&authority.pubkey(), &money.mint())], &[&authority], error);
}

#[test]
fn harmless_extensions_are_accepted_and_work() {
    for extensions in [
        vec![],
        vec![Extension::TransferFee(TransferFee { bps: 0, most: 0 })],
        vec![Extension::MetadataPointer, Extension::Metadata],
        vec![Extension::GroupPointer, Extension::Group],
        vec![Extension::GroupMemberPointer, Extension::GroupMember],
        vec![Extension::InterestBearing],
        vec![Extension::ScaledUiAmount],
        vec![Extension::ConfidentialTransfer],
        vec![
            Extension::TransferFee(TransferFee { bps: 0, most: 0 }),
            Extension::ConfidentialTransfer,
            Extension::ConfidentialTransferFee,
        ],
        vec![Extension::DefaultFrozen(false)],
        vec![Extension::TransferHook(None)],
        // Extensions that name nobody.
        vec![Extension::CloseAuthority(false)],
        vec![Extension::PermanentDelegate(false)],
    ] {
        let mut stage = Stage::token_2022(&extensions);
        stage.deposit(1_000);
        let (alice, bob) = (stage.alice.insecure_clone(), stage.bob.insecure_clone());
        assert_eq!((stage.claim(&alice), stage.claim(&bob)), (750, 250), "{extensions:?}");
    }
}

#[test]
fn allow_mint_rejects_a_permanent_delegate() {
    refused(&[Extension::PermanentDelegate(true)], CommonError::MintHasPermanentDelegate);
}

#[test]
fn allow_mint_rejects_a_transfer_hook() {
    refused(&[Extension::TransferHook(Some(provena_royalty::ID))], CommonError::MintHasTransferHook);
}

#[test]
fn allow_mint_rejects_tokens_that_cannot_be_transferred() {
    refused(&[Extension::NonTransferable], CommonError::MintNotTransferable);
}

#[test]
fn allow_mint_rejects_a_close_authority() {
    refused(&[Extension::CloseAuthority(true)], CommonError::MintHasCloseAuthority);
}

#[test]
fn allow_mint_rejects_accounts_frozen_from_the_start() {
    refused(&[Extension::DefaultFrozen(true)], CommonError::MintFreezesByDefault);
}

#[test]
fn allow_mint_rejects_extensions_that_it_does_not_know() {
    refused(&[Extension::Pausable], CommonError::MintExtensionNotAllowed);
    refused(&[Extension::Unknown(27, 40)], CommonError::MintExtensionNotAllowed);
    refused(&[Extension::Unknown(999, 0)], CommonError::MintExtensionNotAllowed);
}

#[test]
fn allow_mint_finds_what_is_refused_behind_what_is_not() {
    for last in [Extension::PermanentDelegate(true), Extension::MetadataPointer] {
        let all = [
            Extension::MetadataPointer,
            Extension::TransferFee(FEE),
            Extension::InterestBearing,
            Extension::PermanentDelegate(true),
            last,
        ];
        refused(&all, CommonError::MintHasPermanentDelegate);
    }
}

/// A mint that gets a hook after it was allowed takes no more deposits; what is held can leave as long as the token
/// program lets it.
#[test]
fn deposit_rejects_a_mint_that_got_a_hook_later() {
    let mut stage = Stage::token_2022(&[Extension::TransferHook(None)]);
    stage.deposit(400);
    let (mint, hook) = (stage.money.mint(), keypair("hook").pubkey());
    put_extended_mint(&mut stage.world, &mint, 6, &[Extension::TransferHook(Some(hook))]);
    let (alice, currency) = (stage.alice.insecure_clone(), stage.money.currency());
    stage.money.give(&mut stage.world, &alice.pubkey(), 100);
    let deposit = client::deposit(&alice.pubkey(), &stage.scene.pool, currency, 100);
    stage.world.refuses(std::slice::from_ref(&deposit), &[&alice], CommonError::MintHasTransferHook);
    // The token program asks for the hook's accounts, which no instruction of ours passes: the money waits, owed.
    let claim = stage.claiming(&alice);
    stage.world.refuses(std::slice::from_ref(&claim), &[&alice], InstructionError::MissingAccount);
    assert_eq!(stage.owed(&alice), 300);
    // Nor are books or inboxes opened in it.
    let creator = stage.scene.creator.insecure_clone();
    let inbox = client::open_inbox(&creator.pubkey(), &stage.scene.asset.pubkey(), currency, 0);
    stage.world.refuses(&[inbox], &[&creator], CommonError::MintHasTransferHook);
    let other = provena_tests::royalty::Scene::new(&mut stage.world, "other", &[(alice.pubkey(), 1_000_000_000)], &[]);
    let open = client::open_books(&creator.pubkey(), &other.asset.pubkey(), currency, client::Evidence::Creator);
    stage.world.refuses(&[open.expect("a token")], &[&creator], CommonError::MintHasTransferHook);
    // Without the hook everything goes on.
    put_extended_mint(&mut stage.world, &mint, 6, &[Extension::TransferHook(None)]);
    stage.world.accept(&[claim, deposit], &[&alice]);
}

/// A mint that starts to take a fee after it was allowed: what arrives is booked, and every holder is paid.
#[test]
fn a_fee_that_comes_later_is_measured() {
    let mut stage = Stage::token_2022(&[Extension::TransferFee(TransferFee { bps: 0, most: 0 })]);
    stage.deposit(10_000);
    let mint = stage.money.mint();
    put_extended_mint(&mut stage.world, &mint, 6, &[Extension::TransferFee(FEE)]);
    stage.deposit(10_000);
    // One hundredth would be 100; the fee is at most 50.
    assert_eq!(stage.scene.books(&stage.world, stage.money).held, 19_950);
    let alice = stage.alice.insecure_clone();
    assert_eq!(stage.claim(&alice), 14_962 - 50);
}
