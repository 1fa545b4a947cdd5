//! That everything that is booked, deposited or staked is there, and is somebody's to the last fraction of a unit.

use std::collections::HashMap;

use anchor_lang::prelude::Address;
use provena_common::{NATIVE_MINT, slot::Slot};
use provena_market::{
    constants::DEMAND_DEPOSIT,
    state::{Job, JobState, Node, Party, Seat, SeatState},
};
use provena_royalty::state::{Pool, Position};
use solana_account::ReadableAccount;

use super::snapshot::{Snapshot, read, read_with_items};

/// Checks all accounts.
///
/// # Panics
///
/// When something is missing or nobody's, saying what.
pub fn check(snapshot: &Snapshot) {
    let mut positions: HashMap<Address, Vec<Position>> = HashMap::new();
    // Bonds that jobs hold, by node.
    let mut bonds: HashMap<Address, u64> = HashMap::new();
    for (address, account) in snapshot.ours() {
        let data = account.data();
        assert!(account.lamports() >= super::rent(data.len()), "{address} has less than its rent");
        if let Some(position) = read::<Position>(account) {
            positions.entry(position.pool).or_default().push(position);
        } else if let Some((job, seats)) = read_with_items::<Job, Seat>(account) {
            let above = account.lamports() - super::rent(data.len());
            check_job(snapshot, address, above, &job, &seats, &mut bonds);
        }
    }
    for (address, account) in snapshot.ours() {
        if let Some(node) = read::<Node>(account) {
            let above = account.lamports() - super::rent(account.data().len());
            assert!(above >= node.stake, "node {address} has {above} lamports for a stake of {}", node.stake);
            let held = bonds.get(&node.authority).copied().unwrap_or(0);
            assert_eq!(node.locked, held, "what jobs hold of node {address}");
        } else if let Some(pool) = read::<Pool>(account) {
            check_pool(snapshot, address, &pool, positions.get(address).map_or(&[], Vec::as_slice));
        }
    }
}

/// The shares add up; vaults hold what is booked; and what is booked is owed to positions or released later, exactly.
fn check_pool(snapshot: &Snapshot, address: &Address, pool: &Pool, positions: &[Position]) {
    let shares: u64 = positions.iter().map(|position| position.shares).sum();
    assert_eq!(shares, pool.assigned_shares, "shares of pool {address}");
    let index = snapshot.index_of(address);
    assert_eq!(index.is_sealed(), pool.is_sealed(), "pool {address} is sealed");
    let total = u128::from(pool.total_shares);
    for (number, mint) in (0u8..).zip(pool.mints()) {
        let (at, books) = snapshot.books(address, mint);
        let balance = if books.is_native() {
            snapshot.lamports(at).checked_sub(books.rent).expect("books keep their rent")
        } else {
            snapshot.token(&books.vault).expect("a vault is there").amount
        };
        assert!(balance >= books.held, "{balance} for {} booked of {mint} in pool {address}", books.held);
        let released = index.released_at(number, Slot(snapshot.now)).expect("it fits");
        let unreleased = index.entry(number).and_then(|entry| entry.unreleased_at(Slot(snapshot.now), index.window));
        let owed = positions.iter().map(|position| {
            let checkpoint = &position.checkpoints[usize::from(number)];
            let growth = released.minus(checkpoint.entry).expect("no position is ahead of its pool");
            let growth = (u128::from(growth.hi) << 64) + u128::from(growth.lo);
            growth * u128::from(position.shares)
                + u128::from(checkpoint.remainder)
                + u128::from(checkpoint.accrued) * total
        });
        let everything = owed.sum::<u128>() + u128::from(unreleased.expect("it fits").0) * total;
        assert_eq!(everything, u128::from(books.held) * total, "what is owed of {mint} in pool {address}");
    }
}

/// Deposit, forfeited bonds and a demand's deposit are there until they are collected.
fn check_job(
    snapshot: &Snapshot,
    address: &Address,
    above_rent: u64,
    job: &Job,
    seats: &[Seat],
    bonds: &mut HashMap<Address, u64>,
) {
    let state = job.state().expect("jobs are sound");
    let (mut money, mut lamports) = (job.deposit, job.forfeited);
    if state.is_ended() {
        let parties = (0..).zip(seats).map(|(index, _)| Party::Seat(index));
        let parties = parties.chain([Party::Royalty, Party::Protocol, Party::Payer]);
        let owed: Vec<_> = parties.map(|party| job.owed(seats, party).expect("it can be divided")).collect();
        money = owed.iter().map(|owed| owed.money.0).sum();
        lamports = owed.iter().map(|owed| owed.lamports.0).sum();
        for (seat, _) in seats.iter().zip(&owed).filter(|(_, owed)| owed.bond) {
            *bonds.entry(seat.node).or_default() += job.bond;
        }
    } else {
        let working =
            |seat: &&Seat| seat.state().is_ok_and(|state| !matches!(state, SeatState::Free | SeatState::Missed));
        for seat in seats.iter().filter(working) {
            *bonds.entry(seat.node).or_default() += job.bond;
        }
    }
    if state == JobState::Agreed && job.is_answer_awaited() {
        lamports += DEMAND_DEPOSIT.0;
    }
    if job.mint == NATIVE_MINT {
        lamports += money;
    } else if money > 0 {
        let amount = snapshot.token(&Snapshot::escrow(address, job.escrow_bump)).map_or(0, |escrow| escrow.amount);
        assert!(amount >= money, "the escrow of job {address} has {amount} of {money}");
    }
    assert!(above_rent >= lamports, "job {address} has {above_rent} lamports of {lamports}");
}
