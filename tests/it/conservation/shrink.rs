//! Makes a failing sequence short: operations are left out as long as it fails at the same place.

use std::time::{Duration, Instant};

use super::{
    operation::Operation,
    sequence::{Failure, Panicked, replay},
};

/// Nobody waits longer than this for a shorter sequence.
const LONGEST: Duration = Duration::from_secs(300);

/// Prints the shortest sequence that fails like this one.
pub(crate) fn report(failure: &Failure) {
    let count = failure.operations.len();
    let Panicked { place, message } = &failure.panicked;
    println!("seed {} failed at {place} after {count} operations: {message}", failure.seed);
    // Compared after each operation it may fail earlier, and elsewhere.
    let Err((played, panicked)) = replay(&failure.operations, false) else {
        println!("it does not fail when it is played again; the last operations were");
        failure.operations.iter().rev().take(25).rev().for_each(|operation| println!("    {operation:?}"));
        return;
    };
    let until = Instant::now() + LONGEST;
    let fails = |operations: &[Operation]| match replay(operations, false) {
        Err((played, failed)) if failed.is_like(&panicked) => Some(played),
        _ => None,
    };
    let shortest = shortest(failure.operations[..played].to_vec(), fails, until);
    println!("shrunk to {} operations:", shortest.len());
    shortest.iter().for_each(|operation| println!("    {operation:?}"));
    if let Err((_, Panicked { place, message })) = replay(&shortest, true) {
        println!("which fail at {place}: {message}");
    }
}

/// Leaves out halves, quarters and so on, down to single items, until none can be spared. `fails` says after how many items
/// a list fails, if it does.
fn shortest<T: Clone>(mut items: Vec<T>, fails: impl Fn(&[T]) -> Option<usize>, until: Instant) -> Vec<T> {
    let mut size = items.len().div_ceil(2);
    loop {
        let (before, mut at) = (items.len(), 0);
        while at < items.len() && Instant::now() < until {
            let end = (at + size).min(items.len());
            let without = [&items[..at], &items[end..]].concat();
            match fails(&without) {
                Some(played) => {
                    items = without;
                    items.truncate(played);
                }
                None => at = end,
            }
        }
        let spared = items.len() < before;
        if Instant::now() >= until || (size <= 1 && !spared) {
            return items;
        }
        size = size.div_ceil(2);
    }
}

/// Of a thousand numbers, three make the rest fail, in this order and with others between them or none.
#[test]
fn only_what_cannot_be_spared_is_left() {
    let needed = [17, 500, 501];
    let fails = |numbers: &[u32]| {
        let mut missing = needed.iter().peekable();
        numbers.iter().position(|number| {
            missing.next_if_eq(&number);
            missing.peek().is_none()
        })
    };
    let played = |numbers: &[u32]| fails(numbers).map(|last| last + 1);
    let soon = Instant::now() + LONGEST;
    assert_eq!(shortest((0..1_000).collect(), played, soon), needed);
    let never = |_: &[u32]| None;
    assert_eq!(shortest(vec![1, 2, 3], never, soon), [1, 2, 3]);
}
