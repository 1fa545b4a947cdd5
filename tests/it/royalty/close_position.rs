//! `close_position`: AUDIT row L6, the rent of positions comes back.

use anchor_lang::prelude::Address;
use provena_royalty::{client, error::RoyaltyError, state::Position};
use provena_tests::world::{WALLET_LAMPORTS, keypair};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{POSITION_RENT, QUARTER, Stage, with};

fn closing(stage: &Stage, authority: &Keypair, holder: &Keypair) -> Instruction {
    let payer = stage.scene.creator.pubkey();
    client::close_position(&authority.pubkey(), &holder.pubkey(), &payer, &stage.scene.pool)
}

/// Bob gives all his shares to Alice.
fn empty_bob(stage: &mut Stage) {
    let transfer = client::transfer_shares(&stage.bob.pubkey(), &stage.alice.pubkey(), &stage.scene.pool, QUARTER);
    stage.world.accept(&[transfer], &[&stage.bob]);
}

#[test]
fn l6_a_closed_position_returns_its_rent_to_whoever_paid_it() {
    for mut stage in Stage::each() {
        stage.deposit(1_001);
        empty_bob(&mut stage);
        let (bob, creator) = (stage.bob.insecure_clone(), stage.scene.creator.pubkey());
        assert_eq!(stage.claim(&bob), 250);
        let before = stage.world.lamports(&creator);
        let close = closing(&stage, &bob, &bob);
        stage.world.accept(&[close], &[&bob]);
        assert_eq!(stage.world.lamports(&creator) - before, POSITION_RENT);
        assert_eq!(stage.world.account(&stage.position(&bob)), None);
        // The quarter of a unit that Bob had left went to Alice with his last share: 750.75 + 0.25.
        assert_eq!(stage.owed(&stage.alice), 751);
    }
}

#[test]
fn whoever_paid_the_rent_can_close_an_empty_position() {
    let mut stage = Stage::sol();
    empty_bob(&mut stage);
    let creator = stage.scene.creator.insecure_clone();
    let close = closing(&stage, &creator, &stage.bob);
    stage.world.accept(&[close], &[&creator]);
    assert_eq!(stage.world.account(&stage.position(&stage.bob)), None);
}

#[test]
fn close_position_rejects_a_stranger() {
    let mut stage = Stage::sol();
    empty_bob(&mut stage);
    let mallory = stage.world.wallet("mallory");
    let close = closing(&stage, &mallory, &stage.bob);
    stage.world.refuses(&[close], &[&mallory], RoyaltyError::WrongHolder);
    let mut close = closing(&stage, &stage.bob, &stage.bob);
    close.accounts[0].is_signer = false;
    let error = solana_instruction_error::InstructionError::MissingRequiredSignature;
    stage.world.refuses(&[close], &[], error);
}

#[test]
fn close_position_rejects_another_recipient_of_the_rent() {
    let mut stage = Stage::sol();
    empty_bob(&mut stage);
    let close = closing(&stage, &stage.bob, &stage.bob);
    let diverted = with(&close, &stage.scene.creator.pubkey(), &keypair("mallory").pubkey());
    stage.world.refuses(&[diverted], &[&stage.bob], RoyaltyError::NotRentPayer);
}

#[test]
fn close_position_rejects_shares_money_and_fractions() {
    for mut stage in Stage::each() {
        let close = closing(&stage, &stage.bob, &stage.bob);
        stage.world.refuses(std::slice::from_ref(&close), &[&stage.bob], RoyaltyError::PositionInUse);
        stage.deposit(1_000);
        empty_bob(&mut stage);
        // 250 are still his.
        stage.world.refuses(std::slice::from_ref(&close), &[&stage.bob], RoyaltyError::PositionInUse);
        let address = stage.position(&stage.bob);
        let mut position: Position = stage.world.state(&address);
        for checkpoint in &mut position.checkpoints {
            checkpoint.accrued = 0;
        }
        position.checkpoints[7].remainder = 1;
        stage.world.set_state(&address, &position);
        stage.world.refuses(&[close], &[&stage.bob], RoyaltyError::PositionInUse);
    }
}

/// A position closed and opened again knows nothing of its former life: neither what it earned nor whom it trusted.
#[test]
fn a_position_closed_and_reopened_starts_anew() {
    for mut stage in Stage::each() {
        let (alice, bob, mallory) = (stage.alice.insecure_clone(), stage.bob.insecure_clone(), keypair("mallory"));
        stage.world.wallet("mallory");
        let approve = client::approve(&bob.pubkey(), &stage.scene.pool, &mallory.pubkey(), QUARTER);
        stage.world.accept(&[approve], &[&bob]);
        stage.deposit(4_000);
        assert_eq!(stage.claim(&bob), 1_000);
        empty_bob(&mut stage);
        let close = closing(&stage, &bob, &bob);
        stage.world.accept(&[close], &[&bob]);
        stage.deposit(4_000);

        let transfer = client::transfer_shares(&alice.pubkey(), &bob.pubkey(), &stage.scene.pool, QUARTER);
        stage.world.accept(&[transfer], &[&alice]);
        let position = stage.scene.position(&stage.world, &bob.pubkey());
        assert_eq!((position.delegate, position.delegated), (Address::default(), 0));
        assert_eq!(position.rent_payer, alice.pubkey());
        assert_eq!((stage.owed(&alice), stage.owed(&bob)), (7_000, 0));
        let steal =
            client::transfer_shares_by(&mallory.pubkey(), &bob.pubkey(), &mallory.pubkey(), &stage.scene.pool, 1);
        stage.world.refuses(&[steal], &[&mallory], RoyaltyError::NotDelegate);
        stage.deposit(4_000);
        assert_eq!((stage.owed(&alice), stage.owed(&bob)), (10_000, 1_000));
    }
}

/// Within one transaction, too: the account is gone before it comes back.
#[test]
fn closing_and_reopening_in_one_transaction_brings_nothing_back() {
    let mut stage = Stage::sol();
    stage.deposit(4_000);
    let (alice, bob) = (stage.alice.insecure_clone(), stage.bob.insecure_clone());
    let (pool, key) = (stage.scene.pool, bob.pubkey());
    let steps = [
        client::claim(&key, &pool, stage.money.currency()),
        client::transfer_shares(&key, &alice.pubkey(), &pool, QUARTER),
        closing(&stage, &bob, &bob),
        client::transfer_shares(&alice.pubkey(), &key, &pool, QUARTER),
        client::claim(&key, &pool, stage.money.currency()),
    ];
    stage.world.accept(&steps, &[&alice, &bob]);
    assert_eq!(stage.world.lamports(&key), WALLET_LAMPORTS + 1_000);
    assert_eq!(stage.scene.position(&stage.world, &key).shares, QUARTER);
    assert_eq!((stage.owed(&alice), stage.owed(&bob)), (3_000, 0));
}
