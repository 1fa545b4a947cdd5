//! `transfer_shares`.

use provena_royalty::{error::RoyaltyError, pda};
use provena_tests::{
    World,
    royalty::{Scene, add_holders, claim, configure, create_pool, transfer_shares},
    tokens::Money,
    world::keypair,
};
use solana_instruction_error::InstructionError;
use solana_signer::Signer;

use super::{QUARTER, Stage};

#[test]
fn transfer_shares_leaves_the_past_with_the_old_holder() {
    for mut stage in Stage::both() {
        stage.deposit(1_000);
        let instruction =
            transfer_shares(&stage.alice.pubkey(), &stage.bob.pubkey(), &stage.scene.pool, 2 * QUARTER, &[stage.money]);
        stage.world.accept(&[instruction], &[&stage.alice]);
        assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (750, 250));

        stage.deposit(1_000);
        assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (1_000, 1_000));
    }
}

#[test]
fn transfer_shares_opens_a_position_that_starts_now() {
    for mut stage in Stage::both() {
        stage.deposit(1_000);
        let carol = stage.world.wallet("carol");
        stage.money.give(&mut stage.world, &carol.pubkey(), 0);
        let instruction =
            transfer_shares(&stage.alice.pubkey(), &carol.pubkey(), &stage.scene.pool, 3 * QUARTER, &[stage.money]);
        stage.world.accept(&[instruction], &[&stage.alice]);
        assert_eq!(stage.owed(&carol), 0);
        assert_eq!(stage.owed(&stage.alice), 750);

        stage.deposit(400);
        assert_eq!((stage.owed(&stage.alice), stage.owed(&carol)), (750, 300));
        for holder in [&stage.alice, &stage.bob, &carol] {
            stage.world.accept(&[claim(&holder.pubkey(), &stage.scene.pool, stage.money)], &[holder]);
        }
        assert_eq!(stage.scene.holdings(&stage.world, stage.money), 0);
    }
}

#[test]
fn transfer_shares_settles_every_mint() {
    let mut world = World::new();
    let token = Money::token(&mut world, "dollar");
    configure(&mut world, &[token]);
    let (alice, bob) = (world.wallet("alice"), world.wallet("bob"));
    let both = [Money::Sol, token];
    let scene = Scene::new(&mut world, "digits", &[(alice.pubkey(), 4 * QUARTER)], &both);
    scene.deposit(&mut world, Money::Sol, 100);
    scene.deposit(&mut world, token, 200);
    let instruction = transfer_shares(&alice.pubkey(), &bob.pubkey(), &scene.pool, QUARTER, &both);
    world.accept(&[instruction], &[&alice]);
    let owed = |holder: &solana_keypair::Keypair, money| scene.owed(&world, &holder.pubkey(), money);
    assert_eq!((owed(&alice, Money::Sol), owed(&alice, token)), (100, 200));
    assert_eq!((owed(&bob, Money::Sol), owed(&bob, token)), (0, 0));
}

#[test]
fn transfer_shares_rejects_a_stranger() {
    let mut stage = Stage::sol();
    let mut instruction =
        transfer_shares(&stage.bob.pubkey(), &keypair("mallory").pubkey(), &stage.scene.pool, 1, &[Money::Sol]);
    instruction.accounts[3].pubkey = pda::position(&stage.scene.pool, &stage.alice.pubkey()).0;
    stage.world.refuses(&[instruction], &[&stage.bob], RoyaltyError::WrongHolder);
}

#[test]
fn transfer_shares_rejects_a_holder_who_does_not_sign() {
    let mut stage = Stage::sol();
    let mut instruction =
        transfer_shares(&stage.alice.pubkey(), &stage.bob.pubkey(), &stage.scene.pool, 1, &[Money::Sol]);
    instruction.accounts[0].is_signer = false;
    instruction.accounts[1].pubkey = stage.bob.pubkey();
    stage.world.refuses(&[instruction], &[&stage.bob], InstructionError::MissingRequiredSignature);
}

#[test]
fn transfer_shares_rejects_more_than_the_holder_has() {
    let mut stage = Stage::sol();
    let (alice, bob) = (stage.alice.pubkey(), stage.bob.pubkey());
    let instruction = transfer_shares(&bob, &alice, &stage.scene.pool, QUARTER + 1, &[Money::Sol]);
    stage.world.refuses(&[instruction], &[&stage.bob], RoyaltyError::NotEnoughShares);
    let instruction = transfer_shares(&bob, &alice, &stage.scene.pool, u64::MAX, &[Money::Sol]);
    stage.world.refuses(&[instruction], &[&stage.bob], RoyaltyError::TooManyShares);
}

#[test]
fn transfer_shares_rejects_zero_shares() {
    let mut stage = Stage::sol();
    let instruction = transfer_shares(&stage.alice.pubkey(), &stage.bob.pubkey(), &stage.scene.pool, 0, &[Money::Sol]);
    stage.world.refuses(&[instruction], &[&stage.alice], RoyaltyError::ZeroShares);
}

#[test]
fn transfer_shares_rejects_a_transfer_to_oneself() {
    let mut stage = Stage::sol();
    let alice = stage.alice.pubkey();
    let instruction = transfer_shares(&alice, &alice, &stage.scene.pool, 1, &[Money::Sol]);
    // Both positions are the same writable account.
    stage.world.refuses(&[instruction], &[&stage.alice], 2040);
}

#[test]
fn transfer_shares_rejects_missing_pool_mints() {
    let mut stage = Stage::sol();
    let instruction = transfer_shares(&stage.alice.pubkey(), &stage.bob.pubkey(), &stage.scene.pool, 1, &[]);
    stage.world.refuses(&[instruction], &[&stage.alice], RoyaltyError::WrongPoolMints);
}

#[test]
fn transfer_shares_rejects_pool_mints_out_of_order() {
    let mut world = World::new();
    let token = Money::token(&mut world, "dollar");
    configure(&mut world, &[token]);
    let alice = world.wallet("alice");
    let scene = Scene::new(&mut world, "digits", &[(alice.pubkey(), 4 * QUARTER)], &[Money::Sol, token]);
    let bob = keypair("bob").pubkey();
    for wrong in [[token, Money::Sol], [Money::Sol, Money::Sol]] {
        let instruction = transfer_shares(&alice.pubkey(), &bob, &scene.pool, 1, &wrong);
        world.refuses(&[instruction], &[&alice], RoyaltyError::WrongPoolMints);
    }
}

#[test]
fn transfer_shares_rejects_another_pools_mints() {
    let mut stage = Stage::sol();
    let other = Scene::new(&mut stage.world, "other", &[(stage.bob.pubkey(), 4 * QUARTER)], &[Money::Sol]);
    let mut instruction =
        transfer_shares(&stage.alice.pubkey(), &stage.bob.pubkey(), &stage.scene.pool, 1, &[Money::Sol]);
    instruction.accounts[7].pubkey = other.pool_mint_address(Money::Sol);
    stage.world.refuses(&[instruction], &[&stage.alice], RoyaltyError::WrongPoolMints);
}

#[test]
fn transfer_shares_rejects_another_pools_position() {
    let mut stage = Stage::sol();
    let holders = [(stage.bob.pubkey(), 2 * QUARTER), (stage.alice.pubkey(), 2 * QUARTER)];
    let other = Scene::new(&mut stage.world, "other", &holders, &[Money::Sol]);
    let (alice, bob) = (stage.alice.pubkey(), stage.bob.pubkey());
    let mut instruction = transfer_shares(&alice, &bob, &stage.scene.pool, 1, &[Money::Sol]);
    instruction.accounts[5].pubkey = pda::position(&other.pool, &bob).0;
    stage.world.refuses(&[instruction], &[&stage.alice], RoyaltyError::WrongPool);
    let mut instruction = transfer_shares(&alice, &bob, &stage.scene.pool, 1, &[Money::Sol]);
    instruction.accounts[3].pubkey = pda::position(&other.pool, &alice).0;
    stage.world.refuses(&[instruction], &[&stage.alice], RoyaltyError::WrongPool);
}

#[test]
fn transfer_shares_rejects_a_position_of_another_recipient() {
    let mut stage = Stage::sol();
    let (alice, bob) = (stage.alice.pubkey(), stage.bob.pubkey());
    let mut instruction = transfer_shares(&alice, &keypair("carol").pubkey(), &stage.scene.pool, 1, &[Money::Sol]);
    instruction.accounts[5].pubkey = pda::position(&stage.scene.pool, &bob).0;
    stage.world.refuses(&[instruction], &[&stage.alice], RoyaltyError::WrongHolder);
}

#[test]
fn transfer_shares_rejects_a_new_position_elsewhere() {
    let mut stage = Stage::sol();
    let carol = keypair("carol").pubkey();
    let mut instruction = transfer_shares(&stage.alice.pubkey(), &carol, &stage.scene.pool, 1, &[Money::Sol]);
    instruction.accounts[5].pubkey = keypair("elsewhere").pubkey();
    stage.world.refuses(&[instruction], &[&stage.alice], RoyaltyError::WrongPositionAddress);
}

#[test]
fn transfer_shares_rejects_a_pool_that_is_not_sealed() {
    let mut world = World::new();
    configure(&mut world, &[]);
    let (creator, asset) = (world.wallet("creator"), keypair("asset"));
    let create = create_pool(&creator.pubkey(), &asset.pubkey(), 10, &[(creator.pubkey(), 5)]);
    world.accept(&[create], &[&creator, &asset]);
    let pool = pda::pool(&asset.pubkey()).0;
    let carol = keypair("carol").pubkey();
    let instruction = transfer_shares(&creator.pubkey(), &carol, &pool, 5, &[]);
    world.refuses(std::slice::from_ref(&instruction), &[&creator], RoyaltyError::PoolNotSealed);
    world.accept(&[add_holders(&creator.pubkey(), &pool, &[(keypair("dave").pubkey(), 5)])], &[&creator]);
    world.accept(&[instruction], &[&creator]);
}
