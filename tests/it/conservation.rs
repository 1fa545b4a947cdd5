//! Money is conserved to the last unit, whatever happens in whatever order: random sequences of every instruction of all three
//! programs together, over several datasets and models with lineage, three kinds of money, wallets and nodes, against an exact
//! model that knows who must have received what.
//!
//! What the market collects for an asset lands in an inbox of the asset's pool; the royalty program books it, hands it to
//! holders and to the pools of the asset's parents, which pay their own holders; rights to all of that follow NFTs that change
//! hands. After each instruction its answer is compared with the model's, the very error included, and every few instructions
//! everything that anybody or anything has.
//!
//! The seeds are printed. A sequence that fails is made shorter for as long as it fails at the same place, and what is left of
//! it is printed. `PROVENA_SOAK=instructions` asks for that many instructions in place of the usual number, from seeds that no
//! run has used before; `PROVENA_SEED=seed` repeats one.

use std::{
    env,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use self::{sequence::Failure, tally::Tally};

mod chain;
mod generator;
mod model;
mod operation;
mod rents;
mod sequence;
mod shrink;
mod tally;

/// Instructions of the usual run, and of one sequence.
const USUAL: usize = 200_000;
const SEQUENCE: usize = 2_000;

fn seeds() -> Vec<u64> {
    let number = |name| env::var(name).ok().map(|text: String| text.parse::<u64>().expect("a number"));
    if let Some(seed) = number("PROVENA_SEED") {
        return vec![seed];
    }
    let soak = number("PROVENA_SOAK").map(|instructions| usize::try_from(instructions).expect("a number"));
    let count = soak.unwrap_or(USUAL).div_ceil(SEQUENCE);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let first = if soak.is_some() { now << 20 } else { 0 };
    (first..).take(count).collect()
}

/// Plays one sequence after the other until there are none left or one fails somewhere.
fn play(seeds: &[u64], next: &AtomicUsize, failed: &AtomicBool) -> (Tally, Option<Failure>) {
    let mut tally = Tally::default();
    while !failed.load(Ordering::Relaxed) {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let Some(seed) = seeds.get(number) else { break };
        if number.is_multiple_of(100) && number > 0 {
            println!("{number} of {} sequences, now seed {seed}", seeds.len());
        }
        if let Err(failure) = sequence::play(*seed, SEQUENCE, &mut tally) {
            failed.store(true, Ordering::Relaxed);
            return (tally, Some(failure));
        }
    }
    (tally, None)
}

#[test]
fn any_sequence_of_instructions_of_all_programs_conserves_every_unit() {
    let (seeds, start) = (seeds(), Instant::now());
    println!("seeds {} to {}", seeds[0], seeds[seeds.len() - 1]);
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let threads = thread::available_parallelism().map_or(1, usize::from).min(seeds.len());
    let mut tally = Tally::default();
    let mut failures = Vec::new();
    thread::scope(|scope| {
        let player = |number| {
            // What is recorded is named after the thread.
            let thread = thread::Builder::new().name(format!("conservation::player_{number}"));
            thread.spawn_scoped(scope, || play(&seeds, &next, &failed)).expect("a thread can be made")
        };
        let players: Vec<_> = (0..threads).map(player).collect();
        for player in players {
            let (played, failure) = player.join().expect("failures are caught");
            tally.add(played);
            failures.extend(failure);
        }
    });
    if let Some(failure) = failures.first() {
        shrink::report(failure);
        panic!("seed {} failed: {}", failure.seed, failure.panicked.message);
    }
    print!("{tally}");
    let seconds = start.elapsed().as_secs_f64();
    println!("{} instructions in {seconds:.1} s", tally.instructions());
    assert!(tally.instructions() >= seeds.len() * SEQUENCE);
    if seeds.len() * SEQUENCE >= USUAL {
        tally.check_against_descriptions();
    }
}
