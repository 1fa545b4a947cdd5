//! What every operation works with: threads, their memory, and the instructions to use.

use std::{
    ops::Range,
    sync::{Mutex, PoisonError},
};

use super::{lanes::Block, level::Level, team::Team};

/// Work, in units of roughly a nanosecond of one thread, that is worth a second thread.
const WORTH_A_THREAD: usize = 4_000;
/// Pieces per thread: a thread that is held up leaves its pieces to the others.
const PIECES_PER_THREAD: usize = 4;

/// Memory of one thread.
#[derive(Default)]
pub(super) struct Scratch {
    /// Sums of products.
    pub sums: Vec<i32>,
    /// More words.
    pub words: Vec<i32>,
    /// Bytes.
    pub bytes: Vec<i8>,
    /// Widened weights.
    pub wide: Vec<i16>,
    /// Totals of weights.
    pub totals: Vec<u32>,
    /// Low words of wide sums.
    pub lows: Vec<i32>,
    /// High words of wide sums.
    pub highs: Vec<i32>,
    /// Pairs of weights.
    pub pairs: Vec<u32>,
    /// Many queries at once.
    pub block: Block,
}

/// Threads and memory, for one plan at a time.
pub(super) struct Context {
    level: Level,
    team: Team,
    scratch: Vec<Mutex<Scratch>>,
    /// A packed x.
    pub packed: Vec<u32>,
    /// What products with each row of x have to take off.
    pub offsets: Vec<i32>,
}

impl Context {
    /// So many threads, the caller's included.
    ///
    /// # Errors
    /// What the system says when it cannot start a thread.
    pub(super) fn new(level: Level, threads: usize) -> std::io::Result<Self> {
        let team = Team::new(threads)?;
        let scratch = (0..team.threads()).map(|_| Mutex::default()).collect();
        Ok(Self { level, team, scratch, packed: Vec::new(), offsets: Vec::new() })
    }

    /// The instructions to use.
    pub(super) fn level(&self) -> Level {
        self.level
    }

    /// Threads, the caller's included.
    pub(super) fn threads(&self) -> usize {
        self.team.threads()
    }

    /// The calling thread's own memory.
    pub(super) fn own(&mut self) -> &mut Scratch {
        self.scratch[0].get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does `work` for each of `pieces` pieces.
    pub(super) fn pieces(&mut self, pieces: usize, work: impl Fn(&mut Scratch, usize) + Sync) {
        let scratch = &self.scratch;
        self.team.run(pieces, &|thread, piece| {
            let mut own = scratch[thread].lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut own, piece);
        });
    }

    /// Does `work` for ranges that together cover `0..count`, each element being worth `each` nanoseconds or so.
    pub(super) fn ranges(&mut self, count: usize, each: usize, work: impl Fn(&mut Scratch, Range<usize>) + Sync) {
        let worth = count.saturating_mul(each) / WORTH_A_THREAD;
        let pieces = if worth < 2 { 1 } else { worth.min(self.threads() * PIECES_PER_THREAD).min(count) };
        let size = count.div_ceil(pieces.max(1)).max(1);
        self.pieces(count.div_ceil(size), |scratch, piece| {
            work(scratch, piece * size..((piece + 1) * size).min(count));
        });
    }
}
