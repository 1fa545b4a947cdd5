//! `transfer_shares` by the holder.

use provena_royalty::{Holder, client, error::RoyaltyError, pda};
use provena_tests::{
    World,
    royalty::{Scene, configure},
    tokens::Money,
    world::{WALLET_LAMPORTS, keypair},
};
use solana_instruction::Instruction;
use solana_instruction_error::InstructionError;
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{POSITION_RENT, QUARTER, Stage, with};

/// Alice gives Bob shares.
fn giving(stage: &Stage, shares: u64) -> Instruction {
    client::transfer_shares(&stage.alice.pubkey(), &stage.bob.pubkey(), &stage.scene.pool, shares)
}

#[test]
fn transfer_shares_leaves_the_past_with_the_old_holder() {
    for mut stage in Stage::each() {
        stage.deposit(1_000);
        let give = giving(&stage, 2 * QUARTER);
        stage.world.accept(&[give], &[&stage.alice]);
        assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (750, 250));
        stage.deposit(1_000);
        assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (1_000, 1_000));
    }
}

#[test]
fn transfer_shares_opens_a_position_that_starts_now() {
    for mut stage in Stage::each() {
        stage.deposit(1_000);
        let carol = stage.world.wallet("carol");
        stage.money.give(&mut stage.world, &carol.pubkey(), 0);
        let give = client::transfer_shares(&stage.alice.pubkey(), &carol.pubkey(), &stage.scene.pool, 3 * QUARTER);
        stage.world.accept(&[give], &[&stage.alice]);
        assert_eq!((stage.owed(&stage.alice), stage.owed(&carol)), (750, 0));
        assert_eq!(stage.world.lamports(&stage.alice.pubkey()), WALLET_LAMPORTS - POSITION_RENT);
        stage.deposit(400);
        assert_eq!((stage.owed(&stage.alice), stage.owed(&carol)), (750, 300));
        for holder in [stage.alice.insecure_clone(), stage.bob.insecure_clone(), carol] {
            stage.claim(&holder);
        }
        assert_eq!(stage.scene.holdings(&stage.world, stage.money), 0);
    }
}

#[test]
fn transfer_shares_settles_every_mint() {
    let mut world = World::new();
    let tokens = ["a", "b", "c", "d", "e", "f", "g"].map(|name| Money::token(&mut world, name));
    configure(&mut world, &tokens);
    let (alice, bob) = (world.wallet("alice"), world.wallet("bob"));
    let scene = Scene::new(&mut world, "digits", &[(alice.pubkey(), 4 * QUARTER)], &tokens);
    let all = [&[Money::Sol][..], &tokens].concat();
    for (money, amount) in all.iter().zip([100, 200, 300, 400, 500, 600, 700, 800]) {
        scene.deposit(&mut world, *money, amount);
    }
    let give = client::transfer_shares(&alice.pubkey(), &bob.pubkey(), &scene.pool, QUARTER);
    world.accept(&[give], &[&alice]);
    let owed = |world: &World, holder: &Keypair| {
        all.iter().map(|money| scene.owed(world, &holder.pubkey(), *money)).collect::<Vec<_>>()
    };
    assert_eq!(owed(&world, &alice), [100, 200, 300, 400, 500, 600, 700, 800]);
    assert_eq!(owed(&world, &bob), [0; 8]);
    for money in &all {
        scene.deposit(&mut world, *money, 4);
    }
    assert_eq!(owed(&world, &alice), [103, 203, 303, 403, 503, 603, 703, 803]);
    assert_eq!(owed(&world, &bob), [1; 8]);
}

/// A mint that comes later is counted from its beginning by all who hold shares then, old and new.
#[test]
fn books_opened_later_owe_the_past_to_nobody() {
    let mut stage = Stage::sol();
    let carol = stage.world.wallet("carol");
    stage.deposit(1_000);
    let give = client::transfer_shares(&stage.alice.pubkey(), &carol.pubkey(), &stage.scene.pool, QUARTER);
    stage.world.accept(&[give], &[&stage.alice]);
    let token = Money::token(&mut stage.world, "dollar");
    let allow = client::allow_mint(&stage.authority.pubkey(), &token.mint());
    stage.world.accept(&[allow], &[&stage.authority]);
    let (creator, asset) = (stage.scene.creator.insecure_clone(), stage.scene.asset.pubkey());
    let open = client::open_books(&creator.pubkey(), &asset, token.currency(), client::Evidence::Creator);
    stage.world.accept(&[open.expect("a token")], &[&creator]);
    stage.scene.deposit(&mut stage.world, token, 400);
    for (holder, owed) in [(&stage.alice, 200), (&stage.bob, 100), (&carol, 100)] {
        assert_eq!(stage.scene.owed(&stage.world, &holder.pubkey(), token), owed);
    }
}

#[test]
fn the_last_share_takes_the_fractions_along() {
    for mut stage in Stage::each() {
        // 1.5 and 0.5: after Bob gave his last share, Alice has both halves.
        stage.deposit(2);
        let bob = stage.bob.insecure_clone();
        let give = client::transfer_shares(&bob.pubkey(), &stage.alice.pubkey(), &stage.scene.pool, QUARTER - 1);
        stage.world.accept(&[give], &[&bob]);
        assert_eq!((stage.owed(&stage.alice), stage.owed(&bob)), (1, 0));
        let give = client::transfer_shares(&bob.pubkey(), &stage.alice.pubkey(), &stage.scene.pool, 1);
        stage.world.accept(&[give], &[&bob]);
        assert_eq!((stage.owed(&stage.alice), stage.owed(&bob)), (2, 0));
        assert!(stage.scene.position(&stage.world, &bob.pubkey()).is_empty());
        let alice = stage.alice.insecure_clone();
        assert_eq!(stage.claim(&alice), 2);
        assert_eq!(stage.scene.holdings(&stage.world, stage.money), 0);
    }
}

#[test]
fn transfer_shares_rejects_a_stranger() {
    let mut stage = Stage::sol();
    let mallory = stage.world.wallet("mallory");
    let alice = stage.alice.pubkey();
    let take = client::transfer_shares_by(&mallory.pubkey(), &alice, &mallory.pubkey(), &stage.scene.pool, 1);
    stage.world.refuses(&[take], &[&mallory], RoyaltyError::NotDelegate);
}

#[test]
fn transfer_shares_rejects_a_holder_who_does_not_sign() {
    let mut stage = Stage::sol();
    let mut give = giving(&stage, 1);
    give.accounts[0].is_signer = false;
    give.accounts[1].pubkey = stage.bob.pubkey();
    stage.world.refuses(&[give], &[&stage.bob], InstructionError::MissingRequiredSignature);
}

#[test]
fn transfer_shares_rejects_more_than_the_holder_has() {
    let mut stage = Stage::sol();
    let (alice, bob) = (stage.alice.pubkey(), stage.bob.pubkey());
    for (shares, error) in [
        (QUARTER + 1, RoyaltyError::NotEnoughShares),
        (u64::from(u32::MAX), RoyaltyError::NotEnoughShares),
        (1 << 32, RoyaltyError::TooManyShares),
        (u64::MAX, RoyaltyError::TooManyShares),
        (0, RoyaltyError::ZeroShares),
    ] {
        let give = client::transfer_shares(&bob, &alice, &stage.scene.pool, shares);
        stage.world.refuses(&[give], &[&stage.bob], error);
    }
}

#[test]
fn transfer_shares_rejects_a_transfer_to_oneself() {
    let mut stage = Stage::sol();
    let alice = stage.alice.pubkey();
    let give = client::transfer_shares(&alice, &alice, &stage.scene.pool, 1);
    // Both positions are the same writable account.
    stage.world.refuses(&[give], &[&stage.alice], 2040);
}

#[test]
fn transfer_shares_rejects_another_pools_index() {
    for mut stage in Stage::each() {
        let bob = stage.bob.pubkey();
        let richer = stage.other("richer", &bob);
        richer.deposit(&mut stage.world, stage.money, 1_000_000);
        let give = with(&giving(&stage, 1), &stage.index(), &pda::index(&richer.pool).0);
        stage.world.refuses(&[give], &[&stage.alice], RoyaltyError::WrongPool);
    }
}

#[test]
fn transfer_shares_rejects_another_pools_position() {
    let mut stage = Stage::sol();
    let shares = [(stage.bob.pubkey(), 2 * QUARTER), (stage.alice.pubkey(), 2 * QUARTER)];
    let other = Scene::new(&mut stage.world, "other", &shares, &[Money::Sol]);
    for holder in [&stage.alice, &stage.bob] {
        let theirs = pda::position(&other.pool, &holder.pubkey()).0;
        let give = with(&giving(&stage, 1), &stage.position(holder), &theirs);
        stage.world.refuses(&[give], &[&stage.alice], RoyaltyError::WrongPool);
    }
}

#[test]
fn transfer_shares_rejects_a_position_of_another_recipient() {
    let mut stage = Stage::sol();
    let carol = keypair("carol").pubkey();
    let give = client::transfer_shares(&stage.alice.pubkey(), &carol, &stage.scene.pool, 1);
    let give = with(&give, &pda::position(&stage.scene.pool, &carol).0, &stage.position(&stage.bob));
    stage.world.refuses(&[give], &[&stage.alice], RoyaltyError::WrongHolder);
}

#[test]
fn transfer_shares_rejects_a_new_position_elsewhere() {
    let mut stage = Stage::sol();
    let carol = keypair("carol").pubkey();
    let give = client::transfer_shares(&stage.alice.pubkey(), &carol, &stage.scene.pool, 1);
    let give = with(&give, &pda::position(&stage.scene.pool, &carol).0, &keypair("elsewhere").pubkey());
    stage.world.refuses(&[give], &[&stage.alice], RoyaltyError::WrongPositionAddress);
}

#[test]
fn transfer_shares_rejects_a_pool_that_is_not_sealed() {
    let mut world = World::new();
    configure(&mut world, &[]);
    let (creator, asset) = (world.wallet("creator"), keypair("asset"));
    let holders = [Holder::new(creator.pubkey(), 5)];
    let create = client::create_pool(&creator.pubkey(), &asset.pubkey(), 10, 0, 0, &holders);
    world.accept(&[create], &[&creator, &asset]);
    let pool = pda::pool(&asset.pubkey()).0;
    let give = client::transfer_shares(&creator.pubkey(), &keypair("carol").pubkey(), &pool, 5);
    world.refuses(std::slice::from_ref(&give), &[&creator], RoyaltyError::PoolNotSealed);
    let rest = [Holder::new(keypair("dave").pubkey(), 5)];
    world.accept(&[client::add_holders(&creator.pubkey(), &pool, &rest)], &[&creator]);
    world.accept(&[give], &[&creator]);
}
