//! `claim`.

use provena_royalty::{error::RoyaltyError, pda, state::Position};
use provena_tests::{
    World,
    royalty::{Scene, claim},
    tokens::{Money, token_balance},
    world::keypair,
};
use solana_instruction::AccountMeta;
use solana_instruction_error::InstructionError;
use solana_signer::Signer;

use super::{QUARTER, Stage};

#[test]
fn claim_pays_what_is_owed_once() {
    for mut stage in Stage::both() {
        stage.deposit(1_001);
        let before = stage.balance(&stage.alice);
        let instruction = claim(&stage.alice.pubkey(), &stage.scene.pool, stage.money);
        stage.world.accept(std::slice::from_ref(&instruction), &[&stage.alice]);
        assert_eq!(stage.balance(&stage.alice) - before, 750, "750.75, rounded down");
        assert_eq!(stage.owed(&stage.alice), 0);
        assert_eq!(stage.scene.holdings(&stage.world, stage.money), 251);

        // The second claim pays nothing and changes nothing.
        stage.world.changes_nothing(&[instruction], &[&stage.alice]);
    }
}

#[test]
fn fractions_of_a_unit_reach_the_holder_later() {
    for mut stage in Stage::both() {
        let before = stage.balance(&stage.alice);
        for _ in 0..4 {
            stage.deposit(1_001);
            let instruction = claim(&stage.alice.pubkey(), &stage.scene.pool, stage.money);
            stage.world.accept(&[instruction], &[&stage.alice]);
        }
        assert_eq!(stage.balance(&stage.alice) - before, 3_003, "3/4 of 4,004 to the last unit");
    }
}

#[test]
fn claim_can_pay_elsewhere() {
    for mut stage in Stage::both() {
        stage.deposit(100);
        let before = stage.balance(&stage.bob);
        let mut instruction = claim(&stage.alice.pubkey(), &stage.scene.pool, stage.money);
        instruction.accounts[3].pubkey = stage.money.account_of(&stage.bob.pubkey());
        stage.world.accept(&[instruction], &[&stage.alice]);
        assert_eq!(stage.balance(&stage.bob) - before, 75);
    }
}

#[test]
fn two_claims_in_one_transaction_pay_once() {
    for mut stage in Stage::both() {
        stage.deposit(1_000);
        let before = stage.balance(&stage.bob);
        let instruction = claim(&stage.bob.pubkey(), &stage.scene.pool, stage.money);
        stage.world.accept(&[instruction.clone(), instruction], &[&stage.bob]);
        assert_eq!(stage.balance(&stage.bob) - before, 250);
    }
}

#[test]
fn claim_into_the_pool_itself_creates_nothing() {
    let mut stage = Stage::sol();
    stage.deposit(1_000);
    let mut instruction = claim(&stage.alice.pubkey(), &stage.scene.pool, stage.money);
    instruction.accounts[3].pubkey = stage.pool_mint();
    // Anchor refuses a second writable reference to a loaded account.
    stage.world.refuses(&[instruction], &[&stage.alice], 2040);
}

#[test]
fn claim_rejects_somebody_elses_position() {
    for mut stage in Stage::both() {
        stage.deposit(1_000);
        let mut instruction = claim(&stage.bob.pubkey(), &stage.scene.pool, stage.money);
        instruction.accounts[1].pubkey = pda::position(&stage.scene.pool, &stage.alice.pubkey()).0;
        stage.world.refuses(&[instruction], &[&stage.bob], RoyaltyError::WrongHolder);
    }
}

#[test]
fn claim_rejects_a_holder_who_does_not_sign() {
    for mut stage in Stage::both() {
        stage.deposit(1_000);
        let mut instruction = claim(&stage.alice.pubkey(), &stage.scene.pool, stage.money);
        instruction.accounts[0].is_signer = false;
        instruction.accounts[3].pubkey = stage.money.account_of(&stage.bob.pubkey());
        stage.world.refuses(&[instruction], &[], InstructionError::MissingRequiredSignature);
    }
}

#[test]
fn claim_rejects_a_position_of_another_pool() {
    for mut stage in Stage::both() {
        stage.deposit(1_000);
        let mallory = stage.world.wallet("mallory");
        let holders = [(mallory.pubkey(), 4 * QUARTER)];
        let own = Scene::new(&mut stage.world, "worthless", &holders, &[stage.money]);
        stage.money.give(&mut stage.world, &mallory.pubkey(), 0);
        let mut instruction = claim(&mallory.pubkey(), &own.pool, stage.money);
        instruction.accounts[2].pubkey = stage.pool_mint();
        stage.world.refuses(&[instruction], &[&mallory], RoyaltyError::WrongPool);
    }
}

#[test]
fn claim_rejects_a_forged_position() {
    for mut stage in Stage::both() {
        stage.deposit(1_000);
        let forged = keypair("forged position").pubkey();
        let real = pda::position(&stage.scene.pool, &stage.alice.pubkey()).0;
        stage.world.forge(&real, &forged, Some(provena_registry::ID));
        let mut instruction = claim(&stage.alice.pubkey(), &stage.scene.pool, stage.money);
        instruction.accounts[1].pubkey = forged;
        stage.world.refuses(&[instruction], &[&stage.alice], InstructionError::IllegalOwner);
    }
}

#[test]
fn claim_rejects_a_pool_in_place_of_a_position() {
    let mut stage = Stage::sol();
    stage.deposit(1_000);
    let mut instruction = claim(&stage.alice.pubkey(), &stage.scene.pool, stage.money);
    instruction.accounts[1].pubkey = stage.scene.pool;
    stage.world.refuses(&[instruction], &[&stage.alice], InstructionError::InvalidAccountData);
}

#[test]
fn claim_rejects_a_destination_of_another_mint() {
    let mut stage = Stage::token();
    stage.deposit(1_000);
    let other = Money::token(&mut stage.world, "euro");
    other.give(&mut stage.world, &stage.alice.pubkey(), 0);
    let mut instruction = claim(&stage.alice.pubkey(), &stage.scene.pool, stage.money);
    instruction.accounts[3].pubkey = other.account_of(&stage.alice.pubkey());
    stage.world.refuses(&[instruction], &[&stage.alice], 3);
}

#[test]
fn claim_rejects_another_vault() {
    let mut stage = Stage::token();
    stage.deposit(1_000);
    let holders = [(stage.bob.pubkey(), 4 * QUARTER)];
    let other = Scene::new(&mut stage.world, "other", &holders, &[stage.money]);
    other.deposit(&mut stage.world, stage.money, 1_000);
    let mut instruction = claim(&stage.alice.pubkey(), &stage.scene.pool, stage.money);
    instruction.accounts[4].pubkey = pda::vault(&other.pool_mint_address(stage.money)).0;
    stage.world.refuses(&[instruction], &[&stage.alice], RoyaltyError::WrongVault);
}

#[test]
fn claim_rejects_another_token_program() {
    let mut stage = Stage::token();
    stage.deposit(1_000);
    let mut instruction = claim(&stage.alice.pubkey(), &stage.scene.pool, stage.money);
    instruction.accounts[5].pubkey = provena_registry::TOKEN_METADATA_PROGRAM;
    stage.world.refuses(&[instruction], &[&stage.alice], RoyaltyError::WrongTokenProgram);
}

#[test]
fn claim_rejects_missing_token_accounts() {
    let mut stage = Stage::token();
    stage.deposit(1_000);
    let mut instruction = claim(&stage.alice.pubkey(), &stage.scene.pool, stage.money);
    instruction.accounts[4] = AccountMeta::new_readonly(provena_royalty::ID, false);
    stage.world.refuses(&[instruction], &[&stage.alice], RoyaltyError::MissingTokenAccount);
}

#[test]
fn claim_rejects_a_mint_that_the_pool_does_not_have() {
    let mut stage = Stage::sol();
    let token = Money::token(&mut stage.world, "dollar");
    token.give(&mut stage.world, &stage.alice.pubkey(), 0);
    let instruction = claim(&stage.alice.pubkey(), &stage.scene.pool, token);
    stage.world.refuses(&[instruction], &[&stage.alice], InstructionError::AccountDataTooSmall);
}

#[test]
fn mints_are_counted_apart() {
    let mut world = World::new();
    let token = Money::token(&mut world, "dollar");
    provena_tests::royalty::configure(&mut world, &[token]);
    let alice = world.wallet("alice");
    token.give(&mut world, &alice.pubkey(), 0);
    let both = [Money::Sol, token];
    let scene = Scene::new(&mut world, "digits", &[(alice.pubkey(), 4 * QUARTER)], &both);
    scene.deposit(&mut world, Money::Sol, 5);
    scene.deposit(&mut world, token, 7);
    world.accept(&[claim(&alice.pubkey(), &scene.pool, token)], &[&alice]);
    assert_eq!(token_balance(&world, &token.account_of(&alice.pubkey())), 7);
    assert_eq!(scene.owed(&world, &alice.pubkey(), Money::Sol), 5);
    let position: Position = scene.position(&world, &alice.pubkey());
    assert_eq!((position.checkpoints[0].claimed, position.checkpoints[1].claimed), (0, 7));
}

#[test]
fn claim_rejects_accounts_of_another_version() {
    for mut stage in Stage::both() {
        stage.deposit(1_000);
        let instruction = claim(&stage.alice.pubkey(), &stage.scene.pool, stage.money);
        let address = pda::position(&stage.scene.pool, &stage.alice.pubkey()).0;
        let mut position: Position = stage.world.state(&address);
        position.version += 1;
        stage.world.set_state(&address, &position);
        stage.world.refuses(std::slice::from_ref(&instruction), &[&stage.alice], RoyaltyError::BrokenInvariant);
        position.version -= 1;
        stage.world.set_state(&address, &position);

        let mut pool_mint = stage.scene.pool_mint(&stage.world, stage.money);
        pool_mint.version += 1;
        let address = stage.pool_mint();
        stage.world.set_state(&address, &pool_mint);
        stage.world.refuses(&[instruction], &[&stage.alice], RoyaltyError::BrokenInvariant);
    }
}
