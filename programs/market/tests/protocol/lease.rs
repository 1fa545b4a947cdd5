//! The lease of a node, checked exhaustively: every order in which two processes with one key, and somebody who says no
//! process, may take seats, at every distance at which something changes.

use anchor_lang::bytemuck::Zeroable as _;
use provena_common::slot::Slot;
use provena_market::{constants::LEASE_SLOTS, error::MarketError, state::Node};

/// Who may ask for a seat.
const PROCESSES: [u64; 3] = [0, 1, 2];
/// Slots between one attempt and the next.
const PAUSES: [u64; 4] = [0, 1, LEASE_SLOTS - 1, LEASE_SLOTS];
/// Attempts of one play.
const DEPTH: usize = 5;

/// Plays on from a node and the seats that were taken, as who took them and when.
fn play(node: &Node, now: Slot, seats: &mut Vec<(u64, Slot)>, plays: &mut usize) {
    if seats.len() == DEPTH {
        return;
    }
    for pause in PAUSES {
        let now = now.after(pause).expect("the slot fits");
        for process in PROCESSES {
            let mut after = *node;
            let taken = after.lease(process, now);
            *plays += 1;
            let named = seats.iter().rev().find(|(who, _)| *who != 0);
            let held = named.is_some_and(|(who, at)| *who != process && now.since(*at) < LEASE_SLOTS);
            assert_eq!(taken.is_err(), held, "{process} at {now:?} after {seats:?}");
            if held {
                assert_eq!(taken, Err(MarketError::AnotherInstance.into()));
                assert_eq!(after, *node, "a refusal changes nothing");
                continue;
            }
            let kept = named.copied().unwrap_or_default();
            let expected = if process == 0 { kept } else { (process, now) };
            assert_eq!((after.instance, Slot(after.leased_at)), expected);
            after.lease(process, now).expect("whoever took one may take the next at once");
            seats.push((process, now));
            play(&after, now, seats, plays);
            seats.pop();
        }
    }
}

/// Seats of two processes that say so lie at least [`LEASE_SLOTS`] apart, whatever was tried in between.
#[test]
fn two_processes_never_take_seats_within_one_lease() {
    let mut plays = 0;
    play(&Node::zeroed(), Slot(1_000), &mut Vec::new(), &mut plays);
    println!("{plays} attempts");
    assert!(plays > 10_000, "the lease hardly moves");
}
