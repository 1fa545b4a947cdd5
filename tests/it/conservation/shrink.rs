//! Makes a failing sequence short: operations are left out as long as it fails at the same place.

use std::time::{Duration, Instant};

use super::{
    operation::Operation,
    sequence::{Failure, Panicked, replay},
};

/// Nobody waits longer than this for a shorter sequence.
const LONGEST: Duration = Duration::from_secs(300);

/// Prints the shortest sequence that fails like this one.
pub fn report(failure: &Failure) {
    let count = failure.operations.len();
    let Panicked { place, message } = &failure.panicked;
    println!("seed {} failed at {place} after {count} operations: {message}", failure.seed);
    // Compared after each operation it may fail earlier, and elsewhere.
    let Err((played, panicked)) = replay(&failure.operations, false) else {
        println!("it does not fail when it is played again; the last operations were");
        failure.operations.iter().rev().take(25).rev().for_each(|operation| println!("    {operation:?}"));
        return;
    };
    let shortest = shortest(failure.operations[..played].to_vec(), &panicked);
    println!("shrunk to {} operations:", shortest.len());
    shortest.iter().for_each(|operation| println!("    {operation:?}"));
    if let Err((_, Panicked { place, message })) = replay(&shortest, true) {
        println!("which fail at {place}: {message}");
    }
}

/// Leaves out halves, quarters and so on, down to single operations, until none can be spared.
fn shortest(mut operations: Vec<Operation>, like: &Panicked) -> Vec<Operation> {
    let start = Instant::now();
    let mut size = operations.len().div_ceil(2);
    loop {
        let (before, mut at) = (operations.len(), 0);
        while at < operations.len() && start.elapsed() < LONGEST {
            let end = (at + size).min(operations.len());
            let without = [&operations[..at], &operations[end..]].concat();
            match replay(&without, false) {
                Err((played, panicked)) if panicked.is_like(like) => {
                    operations = without;
                    operations.truncate(played);
                }
                _ => at = end,
            }
        }
        let spared = operations.len() < before;
        if start.elapsed() >= LONGEST || (size == 1 && !spared) {
            return operations;
        }
        size = size.div_ceil(2);
    }
}
