//! Each of the fuzz target's checks notices what it is there for: a state is forged, and the check says what is wrong.

use std::panic::{AssertUnwindSafe, catch_unwind};

use anchor_lang::{
    Discriminator,
    bytemuck::{Pod, bytes_of, pod_read_unaligned},
    prelude::Address,
};
use litesvm::LiteSVM;
use provena_market::state::{Job, JobState, Node, job::flag};
use provena_royalty::state::{Books, Position};
use provena_tests::{
    fuzz::{self, snapshot::Snapshot},
    world::keypair,
};
use solana_account::{Account, ReadableAccount};
use solana_signer::Signer;

/// What a check says of a world that was changed by an instruction without signatures.
fn said(change: impl FnOnce(&mut LiteSVM, &Snapshot)) -> String {
    fuzz::with_runner(|runner| {
        let stage = runner.stage(0);
        let mut svm = stage.svm.clone();
        let before = Snapshot::take(&svm);
        change(&mut svm, &before);
        let after = Snapshot::take(&svm);
        let checked = catch_unwind(AssertUnwindSafe(|| runner.check(stage, &before, &after, &[], true)));
        let reason = checked.expect_err("nothing was noticed");
        reason.downcast_ref::<String>().cloned().unwrap_or_else(|| "no text".to_owned())
    })
}

#[track_caller]
fn notices(part: &str, change: impl FnOnce(&mut LiteSVM, &Snapshot)) {
    let said = said(change);
    assert!(said.contains(part), "{said}");
}

/// The first account with this header of which something holds, by address, so that it is always the same.
fn find<T: Pod + Discriminator>(snapshot: &Snapshot, which: impl Fn(&T) -> bool) -> (Address, T) {
    let header = |data: &[u8]| -> T { pod_read_unaligned(&data[8..8 + size_of::<T>()]) };
    let all = snapshot.ours().filter(|(_, account)| account.data().starts_with(T::DISCRIMINATOR));
    let all = all.map(|(address, account)| (*address, header(account.data())));
    all.filter(|(_, state)| which(state)).min_by_key(|(address, _)| *address).expect("there is one")
}

fn put<T: Pod>(svm: &mut LiteSVM, address: &Address, state: &T) {
    change(svm, address, |account| account.data[8..8 + size_of::<T>()].copy_from_slice(bytes_of(state)));
}

fn change(svm: &mut LiteSVM, address: &Address, change: impl FnOnce(&mut Account)) {
    let mut account = svm.get_account(address).unwrap_or_default();
    change(&mut account);
    svm.set_account(*address, account).expect("the account is sound");
}

fn move_lamports(svm: &mut LiteSVM, from: &Address, to: &Address, lamports: u64) {
    change(svm, from, |account| account.lamports -= lamports);
    change(svm, to, |account| account.lamports += lamports);
}

#[test]
fn money_from_nowhere_is_noticed() {
    let mallory = keypair("mallory").pubkey();
    notices("lamports came or went", |svm, _| change(svm, &mallory, |account| account.lamports += 1));
    let tokens =
        |before: &Snapshot| *before.tokens().find(|(_, token)| token.owner == mallory).expect("she has some").0;
    notices("came or went", |svm, before| change(svm, &tokens(before), |account| account.data[64] ^= 1));
}

#[test]
fn what_identifies_an_account_is_kept() {
    notices("of position", |svm, before| {
        let (address, mut position) = find::<Position>(before, |_| true);
        position.holder = keypair("nobody").pubkey();
        put(svm, &address, &position);
    });
    notices("has another owner", |svm, before| {
        let (address, _) = find::<Position>(before, |_| true);
        change(svm, &address, |account| account.owner = provena_market::ID);
    });
    notices("another discriminator", |svm, before| {
        let (address, _) = find::<Position>(before, |_| true);
        change(svm, &address, |account| account.data[0] ^= 1);
    });
}

#[test]
fn what_is_booked_or_staked_must_be_there() {
    notices("what is owed of", |svm, before| {
        let (address, mut books) = find::<Books>(before, |books| books.held > 0);
        books.held -= 1;
        put(svm, &address, &books);
    });
    notices("for a stake of", |svm, before| {
        let (address, _) = find::<Node>(before, |_| true);
        move_lamports(svm, &address, &keypair("mallory").pubkey(), 1);
    });
    notices("what jobs hold of node", |svm, before| {
        let (address, mut node) = find::<Node>(before, |node| node.locked > 0);
        node.locked = 0;
        put(svm, &address, &node);
    });
    notices("lamports of", |svm, before| {
        let sol = |job: &Job| job.is_native() && job.state == JobState::Open as u8;
        let (address, _) = find::<Job>(before, sol);
        move_lamports(svm, &address, &keypair("mallory").pubkey(), 1_000_000);
    });
}

#[test]
fn who_did_not_sign_loses_nothing() {
    let (alice, mallory) = (keypair("alice").pubkey(), keypair("mallory").pubkey());
    notices("did not sign and lost 1 of Money", |svm, _| move_lamports(svm, &alice, &mallory, 1));
    notices("did not sign and lost 3 of Shares", |svm, before| {
        // What she holds of the pool with a window.
        let held = |position: &Position| position.holder == alice && position.shares == 509;
        let (from, mut one) = find::<Position>(before, held);
        let pool = one.pool;
        let (to, mut other) = find::<Position>(before, |position| position.pool == pool && position.holder == mallory);
        one.shares -= 3;
        other.shares += 3;
        // Both are settled, so that what is owed stays what it is.
        let index = before.index_of(&pool);
        let released = index.all_released_at(provena_common::slot::Slot(before.now)).expect("it fits");
        for (position, shares) in [(&mut one, 3i64), (&mut other, -3)] {
            let real = position.shares.checked_add_signed(shares).expect("few");
            let now = std::mem::replace(&mut position.shares, real);
            position.settle(&released, index.total_shares).expect("it fits");
            position.shares = now;
        }
        put(svm, &from, &one);
        put(svm, &to, &other);
    });
}

#[test]
fn changes_need_their_signature() {
    notices("what the payer said", |svm, before| {
        let (address, mut job) = find::<Job>(before, |job| job.state == JobState::Agreed as u8 && job.flags == 1);
        job.flags |= flag::ACKNOWLEDGED;
        put(svm, &address, &job);
    });
    notices("what it says or stakes", |svm, before| {
        let (address, mut node) = find::<Node>(before, |_| true);
        node.capacity += 1;
        put(svm, &address, &node);
    });
    notices("the delegate", |svm, before| {
        let (address, mut position) = find::<Position>(before, |position| position.shares > 0);
        position.delegate = keypair("nobody").pubkey();
        put(svm, &address, &position);
    });
    notices("the settings", |svm, before| {
        let address = provena_royalty::pda::admin().0;
        let mut admin: provena_royalty::state::Admin = before.read(&address).expect("it is there");
        admin.control.paused = 1;
        put(svm, &address, &admin);
    });
}
