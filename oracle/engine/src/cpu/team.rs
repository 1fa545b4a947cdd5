//! Threads that work on one operation after the other.
//!
//! An operation of a decoder takes tens of microseconds, about as long as waking a thread does. So helpers stay awake
//! between operations: they look for the next one for a while before they sleep. Work is claimed piece by piece; a
//! helper that comes late, or not at all, only leaves more pieces to the others, so nothing ever waits for a thread
//! that the system does not run, except for the piece that this thread is in the middle of.

use std::{
    cell::UnsafeCell,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    thread::{self, JoinHandle},
};

/// Looks at the generation before a helper sleeps: about as long as the host takes between two tokens.
const LOOKS: u32 = 4_000;
/// Looks between which a waiting thread lets others run.
const LOOKS_PER_YIELD: u32 = 1_000;

/// What is done with a piece: the first argument is the thread's number, the second the piece's.
type Work<'a> = dyn Fn(usize, usize) + Sync + 'a;

/// The calling thread and its helpers.
pub(super) struct Team {
    shared: Arc<Shared>,
    helpers: Vec<JoinHandle<()>>,
}

#[derive(Clone, Copy)]
struct Job {
    work: *const Work<'static>,
    pieces: usize,
}

struct Shared {
    /// Odd while a job is open. A job may only be read by a thread that is inside and has then seen that it is open.
    generation: AtomicUsize,
    /// Helpers that may be looking at the job.
    inside: AtomicUsize,
    /// The next piece that nobody has claimed.
    next: AtomicUsize,
    job: UnsafeCell<Option<Job>>,
    failed: AtomicBool,
    stop: AtomicBool,
    asleep: Vec<AtomicBool>,
}

// SAFETY: `job` is the only part that is not thread-safe by itself. It is written only by the thread that holds the team
// exclusively, while the generation is even and nobody is inside, and read only by helpers that went inside first and
// then saw an odd generation; all of this is sequentially consistent. What it points to is `Sync`.
unsafe impl Sync for Shared {}
// SAFETY: as above; the pointer is not used outside of `Team::run`, which outlives every use.
unsafe impl Send for Shared {}

impl Team {
    /// A team of so many threads, the caller's included.
    ///
    /// # Errors
    /// What the system says when it cannot start a thread.
    pub(super) fn new(threads: usize) -> std::io::Result<Self> {
        let helpers = threads.max(1) - 1;
        let shared = Arc::new(Shared {
            generation: AtomicUsize::new(0),
            inside: AtomicUsize::new(0),
            next: AtomicUsize::new(0),
            job: UnsafeCell::new(None),
            failed: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            asleep: (0..helpers).map(|_| AtomicBool::new(false)).collect(),
        });
        let mut team = Self { shared, helpers: Vec::with_capacity(helpers) };
        for helper in 0..helpers {
            let shared = team.shared.clone();
            let builder = thread::Builder::new().name(format!("provena cpu {}", helper + 1));
            team.helpers.push(builder.spawn(move || help(&shared, helper))?);
        }
        Ok(team)
    }

    /// Threads, the caller's included.
    pub(super) fn threads(&self) -> usize {
        self.helpers.len() + 1
    }

    /// Does `work` once for each of `pieces` pieces, on any thread and in any order, and returns when all are done.
    ///
    /// # Panics
    /// When `work` panics.
    pub(super) fn run(&mut self, pieces: usize, work: &Work<'_>) {
        if self.helpers.is_empty() || pieces < 2 {
            (0..pieces).for_each(|piece| work(0, piece));
            return;
        }
        let shared = &*self.shared;
        // SAFETY: only the lifetime changes. `Open` is dropped before this function returns or unwinds, and then waits
        // until no helper can use the pointer any more.
        let work: &'static Work<'static> = unsafe { std::mem::transmute::<&Work<'_>, &'static Work<'static>>(work) };
        // SAFETY: `&mut self` makes this the only run; the last one has waited until nobody was inside, and the
        // generation is even, so nobody who goes inside now reads the job.
        unsafe { *shared.job.get() = Some(Job { work, pieces }) };
        shared.next.store(0, SeqCst);
        shared.generation.fetch_add(1, SeqCst);
        let open = Open(shared);
        for (asleep, helper) in shared.asleep.iter().zip(&self.helpers) {
            if asleep.load(SeqCst) {
                helper.thread().unpark();
            }
        }
        claim(shared, &Job { work, pieces }, 0);
        drop(open);
        assert!(!shared.failed.swap(false, SeqCst), "a thread of the CPU backend panicked");
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shared.stop.store(true, SeqCst);
        for helper in self.helpers.drain(..) {
            helper.thread().unpark();
            // A panic inside of a piece was reported when it happened.
            let _ = helper.join();
        }
    }
}

/// A job that helpers may join until this is dropped.
struct Open<'a>(&'a Shared);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        // After a panic of the caller nobody shall begin another piece.
        self.0.next.store(usize::MAX / 2, SeqCst);
        self.0.generation.fetch_add(1, SeqCst);
        let mut looks = 0u32;
        while self.0.inside.load(SeqCst) != 0 {
            looks = looks.wrapping_add(1);
            if looks.is_multiple_of(LOOKS_PER_YIELD) {
                thread::yield_now();
            } else {
                std::hint::spin_loop();
            }
        }
    }
}

/// Claims pieces until there are none.
fn claim(shared: &Shared, job: &Job, thread: usize) {
    loop {
        let piece = shared.next.fetch_add(1, SeqCst);
        if piece >= job.pieces {
            return;
        }
        // SAFETY: the job is open, so `Team::run` has not returned and its argument lives.
        unsafe { (*job.work)(thread, piece) };
    }
}

/// A helper's life.
fn help(shared: &Shared, helper: usize) {
    let mut done = 0;
    while let Some(generation) = wait(shared, helper, done) {
        shared.inside.fetch_add(1, SeqCst);
        // What was seen may be over by now, and the next already open.
        let now = shared.generation.load(SeqCst);
        if now % 2 == 1 {
            // SAFETY: this thread is inside and the generation is odd, so the job is complete and stays until it leaves.
            if let Some(job) = unsafe { *shared.job.get() }
                && catch_unwind(AssertUnwindSafe(|| claim(shared, &job, helper + 1))).is_err()
            {
                shared.failed.store(true, SeqCst);
            }
        }
        shared.inside.fetch_sub(1, SeqCst);
        done = if now % 2 == 1 { now } else { generation };
    }
}

/// Waits for a job other than `done`; `None` when the team is dissolved.
fn wait(shared: &Shared, helper: usize, done: usize) -> Option<usize> {
    let look = || {
        let generation = shared.generation.load(SeqCst);
        (generation % 2 == 1 && generation != done).then_some(generation)
    };
    loop {
        for _ in 0..LOOKS {
            if shared.stop.load(SeqCst) {
                return None;
            }
            if let Some(generation) = look() {
                return Some(generation);
            }
            std::hint::spin_loop();
        }
        shared.asleep[helper].store(true, SeqCst);
        // Whoever opens a job after this sees that the helper sleeps, and wakes it.
        if look().is_none() && !shared.stop.load(SeqCst) {
            thread::park();
        }
        shared.asleep[helper].store(false, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    #[test]
    fn every_piece_is_done_once_by_teams_of_any_size() {
        for threads in [1, 2, 3, 9] {
            let mut team = Team::new(threads).unwrap();
            assert_eq!(team.threads(), threads);
            for pieces in (0..40).chain([1_000]) {
                let counts: Vec<AtomicU32> = (0..pieces).map(|_| AtomicU32::new(0)).collect();
                team.run(pieces, &|thread, piece| {
                    assert!(thread < threads);
                    counts[piece].fetch_add(1, SeqCst);
                });
                assert!(counts.iter().all(|count| count.load(SeqCst) == 1), "{threads} threads, {pieces} pieces");
            }
        }
    }

    #[test]
    fn helpers_that_slept_come_back() {
        let mut team = Team::new(3).unwrap();
        for _ in 0..3 {
            thread::sleep(std::time::Duration::from_millis(20));
            let sum = AtomicUsize::new(0);
            team.run(100, &|_, piece| {
                sum.fetch_add(piece, SeqCst);
            });
            assert_eq!(sum.load(SeqCst), 4_950);
        }
    }

    #[test]
    fn a_panic_in_a_piece_reaches_the_caller_and_the_team_goes_on() {
        let mut team = Team::new(4).unwrap();
        for bad in [0, 50, 99] {
            let run = AssertUnwindSafe(|| team.run(100, &|_, piece| assert_ne!(piece, bad)));
            assert!(catch_unwind(run).is_err());
            let sum = AtomicUsize::new(0);
            team.run(10, &|_, piece| {
                sum.fetch_add(piece, SeqCst);
            });
            assert_eq!(sum.load(SeqCst), 45);
        }
    }
}
