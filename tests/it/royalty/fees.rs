//! Mints that take a fee of each transfer: AUDIT row L5, what is booked is what arrived.

use provena_royalty::{client, error::RoyaltyError};
use provena_tests::{
    royalty::{Scene, donate},
    tokens::{Extension, TransferFee, token_balance},
};
use solana_signer::Signer;

use super::{QUARTER, Stage};

/// One percent, rounded up.
const FEE: TransferFee = TransferFee { bps: 100, most: u64::MAX };

fn stage() -> Stage {
    Stage::token_2022(&[Extension::TransferFee(FEE)])
}

#[test]
fn l5_a_deposit_books_what_arrives() {
    let mut stage = stage();
    stage.deposit(10_001);
    // The fee is 101.
    let books = stage.scene.books(&stage.world, stage.money);
    assert_eq!((books.held, books.received.lo), (9_900, 9_900));
    assert_eq!(stage.scene.holdings(&stage.world, stage.money), 9_900);
    assert_eq!((stage.owed(&stage.alice), stage.owed(&stage.bob)), (7_425, 2_475));
    assert_eq!(FEE.of(10_001), 101);
}

#[test]
fn a_claim_pays_the_fee_out_of_what_the_holder_is_owed() {
    let mut stage = stage();
    stage.deposit(10_001);
    let (alice, bob) = (stage.alice.insecure_clone(), stage.bob.insecure_clone());
    // 7,425 leave, the fee is 75; 2,475 leave, the fee is 25.
    assert_eq!((stage.claim(&alice), stage.claim(&bob)), (7_350, 2_450));
    let books = stage.scene.books(&stage.world, stage.money);
    assert_eq!((books.held, books.paid.lo), (0, 9_900));
    assert_eq!(stage.scene.holdings(&stage.world, stage.money), 0);
}

#[test]
fn a_sweep_books_in_the_parent_what_arrives_there() {
    let mut stage = stage();
    let shares = [(stage.scene.pool, QUARTER), (stage.bob.pubkey(), 3 * QUARTER)];
    let child = Scene::new(&mut stage.world, "child", &shares, &[stage.money]);
    child.deposit(&mut stage.world, stage.money, 10_000);
    assert_eq!(child.books(&stage.world, stage.money).held, 9_900);
    stage.world.accept(&[client::sweep(&child.pool, &stage.scene.pool, stage.money.currency())], &[]);
    // 2,475 leave, the fee is 25.
    assert_eq!(child.books(&stage.world, stage.money).held, 7_425);
    assert_eq!(stage.scene.books(&stage.world, stage.money).held, 2_450);
    assert_eq!(stage.scene.holdings(&stage.world, stage.money), 2_450);
}

#[test]
fn inboxes_and_resale_royalties_are_measured() {
    let mut stage = stage();
    let inbox = stage.scene.open_inbox(&mut stage.world, stage.money);
    donate(&mut stage.world, stage.money, &inbox, 1_000);
    let (pool, currency) = (stage.scene.pool, stage.money.currency());
    stage.world.accept(&[client::sync(&pool, currency, &[0])], &[]);
    assert_eq!(stage.scene.books(&stage.world, stage.money).held, 990);
    stage.money.give(&mut stage.world, &pool, 2_000);
    stage.world.accept(&[client::collect(&pool, currency)], &[]);
    assert_eq!(stage.scene.books(&stage.world, stage.money).held, 990 + 1_980);
    assert_eq!(token_balance(&stage.world, &inbox), 0);
}

/// The smallest deposit is all fee: nothing would be booked.
#[test]
fn deposit_rejects_what_would_be_all_fee() {
    let mut stage = stage();
    let alice = stage.alice.insecure_clone();
    stage.money.give(&mut stage.world, &alice.pubkey(), 10);
    let deposit = client::deposit(&alice.pubkey(), &stage.scene.pool, stage.money.currency(), 1);
    stage.world.refuses(&[deposit], &[&alice], RoyaltyError::ZeroAmount);
}

/// A vault that is empty but for withheld fees keeps an inbox from being closed until anybody harvests them.
#[test]
fn withheld_fees_are_harvested_before_an_inbox_closes() {
    let mut stage = stage();
    let (creator, alice) = (stage.scene.creator.insecure_clone(), stage.alice.insecure_clone());
    let inbox = stage.scene.open_inbox(&mut stage.world, stage.money);
    stage.money.give(&mut stage.world, &alice.pubkey(), 1_000);
    let (mint, program) = (stage.money.mint(), provena_common::token::TOKEN_2022_PROGRAM);
    let pay = provena_tests::tokens::transfer_checked(
        &program,
        &stage.money.account_of(&alice.pubkey()),
        &mint,
        &inbox,
        &alice.pubkey(),
        1_000,
        6,
    );
    stage.world.accept(&[pay], &[&alice]);
    let drain = client::sync(&stage.scene.pool, stage.money.currency(), &[0]);
    let close = client::close_inbox(&creator.pubkey(), &stage.scene.pool, stage.money.currency(), 0);
    // Token-2022's own: fees are withheld in the account.
    stage.world.refuses(&[drain.clone(), close.clone()], &[&creator], 35);
    let harvest = provena_tests::tokens::harvest_fees(&mint, &inbox);
    stage.world.accept(&[drain, harvest, close], &[&creator]);
    // 990 arrived in the inbox, 980 in the books.
    assert_eq!(stage.scene.books(&stage.world, stage.money).held, 980);
}
