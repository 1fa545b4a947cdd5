//! `sweep`.

use provena_royalty::{error::RoyaltyError, pda};
use provena_tests::{
    royalty::{Scene, add_mint, claim, sweep},
    tokens::Money,
    world::keypair,
};
use solana_instruction::AccountMeta;
use solana_instruction_error::InstructionError;
use solana_signer::Signer;

use super::{QUARTER, Stage};

/// A child pool of which the stage's pool holds a quarter and Carol the rest.
fn child_of(stage: &mut Stage) -> Scene {
    let carol = stage.world.wallet("carol");
    let holders = [(stage.scene.pool, QUARTER), (carol.pubkey(), 3 * QUARTER)];
    Scene::new(&mut stage.world, "child", &holders, &[stage.money])
}

#[test]
fn sweep_moves_the_parents_share_to_the_parents_holders() {
    for mut stage in Stage::both() {
        let child = child_of(&mut stage);
        child.deposit(&mut stage.world, stage.money, 1_600);
        assert_eq!(child.owed(&stage.world, &stage.scene.pool, stage.money), 400);

        let instruction = sweep(&child.pool, &stage.scene.pool, stage.money);
        stage.world.accept(std::slice::from_ref(&instruction), &[]);
        assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (300, 100));
        assert_eq!(child.holdings(&stage.world, stage.money), 1_200);
        assert_eq!(stage.scene.holdings(&stage.world, stage.money), 400);

        // A sweep of nothing succeeds and changes nothing.
        stage.world.changes_nothing(&[instruction], &[]);
        let before = stage.balance(&stage.alice);
        stage.world.accept(&[claim(&stage.alice.pubkey(), &stage.scene.pool, stage.money)], &[&stage.alice]);
        assert_eq!(stage.balance(&stage.alice) - before, 300);
    }
}

#[test]
fn sweep_carries_fractions() {
    for mut stage in Stage::both() {
        let child = child_of(&mut stage);
        for _ in 0..8 {
            child.deposit(&mut stage.world, stage.money, 1);
            stage.world.accept(&[sweep(&child.pool, &stage.scene.pool, stage.money)], &[]);
        }
        assert_eq!(stage.scene.pool_mint(&stage.world, stage.money).received, 2, "a quarter of eight");
    }
}

#[test]
fn sweep_rejects_somebody_elses_position() {
    for mut stage in Stage::both() {
        let child = child_of(&mut stage);
        child.deposit(&mut stage.world, stage.money, 1_000);
        let carol = keypair("carol").pubkey();
        let mut instruction = sweep(&child.pool, &stage.scene.pool, stage.money);
        instruction.accounts[1].pubkey = pda::position(&child.pool, &carol).0;
        stage.world.refuses(&[instruction], &[], RoyaltyError::WrongHolder);
    }
}

#[test]
fn sweep_rejects_a_position_of_another_pool() {
    for mut stage in Stage::both() {
        let child = child_of(&mut stage);
        child.deposit(&mut stage.world, stage.money, 1_000);
        let holders = [(stage.scene.pool, 4 * QUARTER)];
        let other = Scene::new(&mut stage.world, "other child", &holders, &[stage.money]);
        let mut instruction = sweep(&child.pool, &stage.scene.pool, stage.money);
        instruction.accounts[1].pubkey = pda::position(&other.pool, &stage.scene.pool).0;
        stage.world.refuses(&[instruction], &[], RoyaltyError::WrongPool);
    }
}

#[test]
fn sweep_rejects_another_pools_account_as_receiver() {
    for mut stage in Stage::both() {
        let child = child_of(&mut stage);
        child.deposit(&mut stage.world, stage.money, 1_000);
        let mallory = stage.world.wallet("mallory").pubkey();
        let other = Scene::new(&mut stage.world, "mallory's", &[(mallory, 4 * QUARTER)], &[stage.money]);
        let mut instruction = sweep(&child.pool, &stage.scene.pool, stage.money);
        instruction.accounts[3].pubkey = other.pool_mint_address(stage.money);
        stage.world.refuses(&[instruction], &[], RoyaltyError::WrongPool);
    }
}

#[test]
fn sweep_rejects_another_mint() {
    let mut stage = Stage::token();
    let child = child_of(&mut stage);
    child.deposit(&mut stage.world, stage.money, 1_000);
    stage.world.accept(&[add_mint(&stage.alice.pubkey(), &stage.scene.pool, Money::Sol)], &[&stage.alice]);
    let mut instruction = sweep(&child.pool, &stage.scene.pool, stage.money);
    instruction.accounts[3].pubkey = stage.scene.pool_mint_address(Money::Sol);
    stage.world.refuses(&[instruction], &[], RoyaltyError::WrongMint);
}

#[test]
fn sweep_rejects_other_vaults() {
    let mut stage = Stage::token();
    let child = child_of(&mut stage);
    child.deposit(&mut stage.world, stage.money, 1_000);
    for vault in [4, 5] {
        let mut instruction = sweep(&child.pool, &stage.scene.pool, stage.money);
        instruction.accounts[vault].pubkey = stage.money.account_of(&stage.bob.pubkey());
        stage.world.refuses(&[instruction], &[], RoyaltyError::WrongVault);
    }
}

#[test]
fn sweep_rejects_a_forged_position() {
    for mut stage in Stage::both() {
        let child = child_of(&mut stage);
        child.deposit(&mut stage.world, stage.money, 1_000);
        let forged = keypair("forged position").pubkey();
        stage.world.forge(&pda::position(&child.pool, &stage.scene.pool).0, &forged, Some(provena_registry::ID));
        let mut instruction = sweep(&child.pool, &stage.scene.pool, stage.money);
        instruction.accounts[1].pubkey = forged;
        stage.world.refuses(&[instruction], &[], InstructionError::IllegalOwner);
    }
}

#[test]
fn sweep_rejects_a_parent_without_this_mint() {
    let mut stage = Stage::sol();
    let parent = Scene::new(&mut stage.world, "parent", &[(stage.bob.pubkey(), 4 * QUARTER)], &[]);
    let child = Scene::new(&mut stage.world, "child", &[(parent.pool, 4 * QUARTER)], &[Money::Sol]);
    child.deposit(&mut stage.world, Money::Sol, 1_000);
    let instruction = sweep(&child.pool, &parent.pool, Money::Sol);
    stage.world.refuses(&[instruction], &[], InstructionError::AccountDataTooSmall);
}

#[test]
fn sweep_rejects_missing_token_accounts() {
    let mut stage = Stage::token();
    let child = child_of(&mut stage);
    child.deposit(&mut stage.world, stage.money, 1_000);
    for absent in [4, 5, 6] {
        let mut instruction = sweep(&child.pool, &stage.scene.pool, stage.money);
        instruction.accounts[absent] = AccountMeta::new_readonly(provena_royalty::ID, false);
        stage.world.refuses(&[instruction], &[], RoyaltyError::MissingTokenAccount);
    }
}

#[test]
fn sweep_rejects_another_token_program() {
    let mut stage = Stage::token();
    let child = child_of(&mut stage);
    child.deposit(&mut stage.world, stage.money, 1_000);
    let mut instruction = sweep(&child.pool, &stage.scene.pool, stage.money);
    instruction.accounts[6].pubkey = provena_registry::TOKEN_METADATA_PROGRAM;
    stage.world.refuses(&[instruction], &[], RoyaltyError::WrongTokenProgram);
}
