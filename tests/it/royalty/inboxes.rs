//! `open_inbox`, `close_inbox`, and `sync` with inboxes.

use provena_common::error::CommonError;
use provena_royalty::{MAX_INBOXES, client, error::RoyaltyError, pda, state::Inbox};
use provena_tests::{
    royalty::{Scene, donate},
    tokens::{Money, set_frozen, token_balance},
};
use solana_signer::Signer;

use super::{INBOX_RENT, Stage, TOKEN_ACCOUNT_RENT, with};

fn sync(stage: &Stage, shards: &[u8]) -> solana_instruction::Instruction {
    client::sync(&stage.scene.pool, stage.money.currency(), shards)
}

#[test]
fn anybody_opens_inboxes_in_order_once_the_nft_exists() {
    for mut stage in Stage::each() {
        let (alice, asset, currency) =
            (stage.alice.insecure_clone(), stage.scene.asset.pubkey(), stage.money.currency());
        let open = |shard| client::open_inbox(&alice.pubkey(), &asset, currency, shard);
        stage.world.refuses(&[open(0)], &[&alice], RoyaltyError::NotPoolCreator);
        stage.scene.mint_nft(&mut stage.world, &alice.pubkey());
        stage.world.refuses(&[open(1)], &[&alice], CommonError::WrongPda);
        let before = stage.world.lamports(&alice.pubkey());
        stage.world.accept(&[open(0)], &[&alice]);
        stage.world.refuses(&[open(0)], &[&alice], CommonError::WrongPda);
        stage.world.accept(&[open(1)], &[&alice]);
        assert_eq!(stage.scene.books(&stage.world, stage.money).inbox_count, 2);

        let address = stage.scene.inbox(stage.money, 1);
        let inbox: Inbox = stage.world.state(&address);
        assert_eq!((inbox.books, inbox.rent_payer, inbox.shard), (stage.books(), alice.pubkey(), 1));
        assert_eq!((inbox.rent, INBOX_RENT), (2_171_520, 2_171_520));
        let vault = if stage.money.is_token() { pda::inbox_vault(&address).0 } else { Default::default() };
        assert_eq!(inbox.vault, vault);
        let token_accounts = if stage.money.is_token() { 2 * TOKEN_ACCOUNT_RENT } else { 0 };
        assert_eq!(before - stage.world.lamports(&alice.pubkey()), 2 * INBOX_RENT + token_accounts);
    }
}

#[test]
fn open_inbox_rejects_a_sixty_fifth() {
    let mut stage = Stage::sol();
    for _ in 0..MAX_INBOXES {
        stage.scene.open_inbox(&mut stage.world, Money::Sol);
    }
    let creator = stage.scene.creator.insecure_clone();
    let open = client::open_inbox(&creator.pubkey(), &stage.scene.asset.pubkey(), Money::Sol.currency(), 64);
    stage.world.refuses(&[open], &[&creator], RoyaltyError::TooManyInboxes);
}

#[test]
fn open_inbox_rejects_accounts_of_another_pool() {
    let mut stage = Stage::sol();
    let (creator, bob) = (stage.scene.creator.insecure_clone(), stage.bob.pubkey());
    let other = stage.other("other", &bob);
    let open = client::open_inbox(&creator.pubkey(), &stage.scene.asset.pubkey(), Money::Sol.currency(), 0);
    let books = with(&open, &stage.books(), &other.books_address(Money::Sol));
    stage.world.refuses(&[books], &[&creator], RoyaltyError::WrongPool);
    let asset = with(&open, &stage.scene.asset.pubkey(), &other.asset.pubkey());
    stage.world.refuses(&[asset], &[&creator], RoyaltyError::WrongAsset);
}

#[test]
fn sync_drains_inboxes_into_the_books() {
    for mut stage in Stage::each() {
        let vaults = [(); 3].map(|()| stage.scene.open_inbox(&mut stage.world, stage.money));
        for (vault, amount) in vaults.iter().zip([100, 200, 400]) {
            donate(&mut stage.world, stage.money, vault, amount);
        }
        stage.scene.donate(&mut stage.world, stage.money, 800);
        // Two of the three, and what lies in the vault.
        let some = sync(&stage, &[2, 0]);
        stage.world.accept(&[some], &[]);
        assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (975, 325));
        assert_eq!(stage.scene.books(&stage.world, stage.money).held, 1_300);
        let all = sync(&stage, &[0, 1, 2]);
        stage.world.accept(std::slice::from_ref(&all), &[]);
        assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (1_125, 375));
        assert_eq!(stage.scene.holdings(&stage.world, stage.money), 1_500);
        stage.world.changes_nothing(&[all], &[]);
        for shard in 0..3 {
            assert_eq!(stage.world.lamports(&stage.scene.inbox(stage.money, shard)), INBOX_RENT);
        }
    }
}

#[test]
fn an_inbox_passed_twice_is_drained_once() {
    for mut stage in Stage::each() {
        let vault = stage.scene.open_inbox(&mut stage.world, stage.money);
        donate(&mut stage.world, stage.money, &vault, 400);
        let twice = sync(&stage, &[0, 0]);
        stage.world.accept(&[twice], &[]);
        assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (300, 100));
        assert_eq!(stage.scene.holdings(&stage.world, stage.money), 400);
    }
}

#[test]
fn sync_rejects_an_inbox_of_other_books() {
    for mut stage in Stage::each() {
        let bob = stage.bob.pubkey();
        let other = stage.other("other", &bob);
        stage.scene.open_inbox(&mut stage.world, stage.money);
        let theirs = other.open_inbox(&mut stage.world, stage.money);
        donate(&mut stage.world, stage.money, &theirs, 400);
        let mut stolen = with(&sync(&stage, &[0]), &stage.scene.inbox(stage.money, 0), &other.inbox(stage.money, 0));
        if stage.money.is_token() {
            stolen = with(&stolen, &pda::inbox_vault(&stage.scene.inbox(stage.money, 0)).0, &theirs);
        }
        stage.world.refuses(&[stolen], &[], RoyaltyError::WrongBooks);
    }
}

#[test]
fn sync_rejects_an_inbox_of_another_mint_of_the_same_pool() {
    let mut stage = Stage::token();
    stage.scene.open_inbox(&mut stage.world, stage.money);
    stage.scene.open_inbox(&mut stage.world, Money::Sol);
    let wrong = client::sync(&stage.scene.pool, Money::Sol.currency(), &[0]);
    let wrong = with(&wrong, &stage.scene.inbox(Money::Sol, 0), &stage.scene.inbox(stage.money, 0));
    stage.world.refuses(&[wrong], &[], RoyaltyError::WrongBooks);
}

#[test]
fn sync_rejects_vaults_that_are_not_the_inboxes() {
    let mut stage = Stage::token();
    let vaults = [(); 2].map(|()| stage.scene.open_inbox(&mut stage.world, stage.money));
    donate(&mut stage.world, stage.money, &vaults[1], 400);
    let alices = stage.money.account_of(&stage.alice.pubkey());
    let drain = sync(&stage, &[0]);
    for wrong in [vaults[1], alices] {
        stage.world.refuses(&[with(&drain, &vaults[0], &wrong)], &[], RoyaltyError::WrongVault);
    }
    let mut half = drain;
    half.accounts.pop();
    stage.world.refuses(&[half], &[], RoyaltyError::WrongAccounts);
}

#[test]
fn sync_rejects_what_is_no_inbox() {
    let mut stage = Stage::sol();
    stage.scene.open_inbox(&mut stage.world, Money::Sol);
    let drain = sync(&stage, &[0]);
    let inbox = stage.scene.inbox(Money::Sol, 0);
    for (wrong, error) in [
        (stage.scene.pool, solana_instruction_error::InstructionError::InvalidAccountData),
        (stage.alice.pubkey(), solana_instruction_error::InstructionError::IllegalOwner),
    ] {
        stage.world.refuses(&[with(&drain, &inbox, &wrong)], &[], error);
    }
    stage.world.refuses(&[with(&drain, &inbox, &stage.books())], &[], 2040);
}

/// A frozen inbox holds up nobody: whoever syncs leaves it out.
#[test]
fn a_frozen_inbox_can_be_left_out() {
    let mut stage = Stage::token();
    let vaults = [(); 2].map(|()| stage.scene.open_inbox(&mut stage.world, stage.money));
    for vault in &vaults {
        donate(&mut stage.world, stage.money, vault, 400);
    }
    set_frozen(&mut stage.world, &vaults[0], true);
    let both = sync(&stage, &[0, 1]);
    // The token program's code for a frozen account.
    stage.world.refuses(std::slice::from_ref(&both), &[], 17);
    let one = sync(&stage, &[1]);
    stage.world.accept(&[one], &[]);
    assert_eq!(stage.owed(&stage.alice), 300);
    set_frozen(&mut stage.world, &vaults[0], false);
    stage.world.accept(&[both], &[]);
    assert_eq!(stage.owed(&stage.alice), 600);
}

/// AUDIT row L6: an inbox's rent comes back to whoever paid it.
#[test]
fn l6_a_closed_inbox_returns_its_rent() {
    for mut stage in Stage::each() {
        let (alice, bob) = (stage.alice.insecure_clone(), stage.bob.insecure_clone());
        let (asset, currency, pool) = (stage.scene.asset.pubkey(), stage.money.currency(), stage.scene.pool);
        stage.scene.mint_nft(&mut stage.world, &alice.pubkey());
        let before = [&alice, &bob].map(|wallet| stage.world.lamports(&wallet.pubkey()));
        stage.world.accept(&[client::open_inbox(&alice.pubkey(), &asset, currency, 0)], &[&alice]);
        stage.world.accept(&[client::open_inbox(&bob.pubkey(), &asset, currency, 1)], &[&bob]);

        let close =
            |wallet: &solana_keypair::Keypair, shard| client::close_inbox(&wallet.pubkey(), &pool, currency, shard);
        stage.world.refuses(&[close(&alice, 0)], &[&alice], RoyaltyError::NotLastInbox);
        stage.world.refuses(&[close(&alice, 1)], &[&alice], RoyaltyError::NotRentPayer);
        let inbox = stage.scene.inbox(stage.money, 1);
        let vault = if stage.money.is_token() { pda::inbox_vault(&inbox).0 } else { inbox };
        donate(&mut stage.world, stage.money, &vault, 4);
        stage.world.refuses(&[close(&bob, 1)], &[&bob], RoyaltyError::InboxNotEmpty);
        stage.world.accept(&[client::sync(&pool, currency, &[1]), close(&bob, 1)], &[&bob]);
        stage.world.accept(&[close(&alice, 0)], &[&alice]);
        assert_eq!([&alice, &bob].map(|wallet| stage.world.lamports(&wallet.pubkey())), before);
        assert_eq!(stage.scene.books(&stage.world, stage.money).inbox_count, 0);
        assert_eq!(stage.world.account(&inbox), None);
        assert_eq!(stage.world.account(&vault), None);
        assert_eq!(stage.owed(&stage.alice), 3);
    }
}

/// What arrives at an inbox's address after it was closed waits there until it is opened again.
#[test]
fn lamports_sent_to_a_closed_inbox_are_found_when_it_is_opened_again() {
    let mut stage = Stage::sol();
    let inbox = stage.scene.open_inbox(&mut stage.world, Money::Sol);
    let (creator, pool) = (stage.scene.creator.insecure_clone(), stage.scene.pool);
    let close = client::close_inbox(&creator.pubkey(), &pool, Money::Sol.currency(), 0);
    stage.world.accept(&[close], &[&creator]);
    stage.world.add_lamports(&inbox, INBOX_RENT + 400);
    stage.scene.open_inbox(&mut stage.world, Money::Sol);
    let drain = sync(&stage, &[0]);
    stage.world.accept(&[drain], &[]);
    assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (300, 100));
}

#[test]
fn close_inbox_rejects_accounts_of_other_books() {
    for mut stage in Stage::each() {
        let (creator, bob) = (stage.scene.creator.insecure_clone(), stage.bob.pubkey());
        let other = stage.other("other", &bob);
        stage.scene.open_inbox(&mut stage.world, stage.money);
        other.open_inbox(&mut stage.world, stage.money);
        let close = client::close_inbox(&creator.pubkey(), &stage.scene.pool, stage.money.currency(), 0);
        let books = with(&close, &stage.books(), &other.books_address(stage.money));
        stage.world.refuses(&[books], &[&creator], RoyaltyError::WrongBooks);
        if stage.money.is_token() {
            let [ours, theirs] = [&stage.scene, &other].map(|scene| pda::inbox_vault(&scene.inbox(stage.money, 0)).0);
            stage.world.refuses(&[with(&close, &ours, &theirs)], &[&creator], RoyaltyError::WrongVault);
        }
    }
}

/// Dust in a token inbox cannot be used to keep its payer's rent: anybody drains it first.
#[test]
fn dust_does_not_keep_an_inbox_open() {
    let mut stage = Stage::token();
    let vault = stage.scene.open_inbox(&mut stage.world, stage.money);
    let creator = stage.scene.creator.insecure_clone();
    donate(&mut stage.world, stage.money, &vault, 1);
    let close = client::close_inbox(&creator.pubkey(), &stage.scene.pool, stage.money.currency(), 0);
    let drain = sync(&stage, &[0]);
    stage.world.accept(&[drain, close], &[&creator]);
    assert_eq!(stage.scene.holdings(&stage.world, stage.money), 1);
}

#[test]
fn inboxes_of_two_pools_stay_apart() {
    let mut stage = Stage::token();
    let bob = stage.bob.pubkey();
    let other: Scene = stage.other("other", &bob);
    let vaults = [&stage.scene, &other].map(|scene| scene.open_inbox(&mut stage.world, stage.money));
    for (vault, amount) in vaults.iter().zip([400, 4_000]) {
        donate(&mut stage.world, stage.money, vault, amount);
    }
    let ours = sync(&stage, &[0]);
    stage.world.accept(&[ours], &[]);
    assert_eq!(stage.owed(&stage.alice), 300);
    assert_eq!(token_balance(&stage.world, &vaults[1]), 4_000);
}
