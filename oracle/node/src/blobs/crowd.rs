//! Who gives up his turn to fetch when somebody else found none: the slowest, if it is his sender that is slow and not the line.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Whoever brings so many bytes in a second keeps his turn.
const QUICK: u64 = 1 << 20;

/// So does whoever brings this part of what all fetches together brought in the best window lately. It is half of what each of
/// eight turns gets of a line that is theirs: where the line is slow, nobody is much slower than the others.
const PART: u128 = 16;

/// How long ago lately is: a line that became slow is known to be after it.
const LATELY: Duration = Duration::from_secs(600);

/// One turn is given up in each of these at most.
const WINDOW: Duration = Duration::from_secs(30);

/// Whoever found no turn waits for so long: he comes back before.
const WAITS_FOR: Duration = Duration::from_secs(180);

/// Everybody who fetches, and whether somebody waits for a turn.
#[derive(Debug)]
pub(super) struct Crowd {
    window: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When somebody found no turn last, for whom none was given up.
    wanted: Option<Instant>,
    /// Since when the present window is counted, while anybody fetches.
    since: Option<Instant>,
    /// Bytes that all brought in it.
    came: u64,
    fetches: HashMap<u64, Fetch>,
    next: u64,
    /// Bytes per second of all in the best window lately, and when that ended.
    best: Option<(u128, Instant)>,
    /// Who gives up his turn in this window.
    gives_way: Option<u64>,
}

#[derive(Debug)]
struct Fetch {
    begun: Instant,
    /// What depends on him, if he has a turn.
    turn: Option<Arc<Bonds>>,
    /// Bytes that he brought in the present window.
    came: u64,
}

/// Jobs with a bond that depends on the same artifact. While there are any its turn is not given up: they would wait for
/// nothing.
#[derive(Debug, Default)]
pub(super) struct Bonds(AtomicUsize);

/// One such job, until it is dropped.
#[derive(Debug)]
pub(super) struct Bond<'a>(&'a Bonds);

impl Bonds {
    /// One more depends on it.
    pub(super) fn one_more(&self) -> Bond<'_> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Bond(self)
    }

    fn is_empty(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

impl Drop for Bond<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Fetch {
    fn can_give_way(&self) -> bool {
        self.turn.as_ref().is_some_and(|bonds| bonds.is_empty())
    }
}

/// One that fetches, until it is dropped.
#[derive(Debug)]
pub(super) struct Fetcher<'a> {
    crowd: &'a Crowd,
    number: u64,
}

/// The turn is somebody else's now. It says nothing against the sender, nor that the artifact is nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GaveWay;

impl Default for Crowd {
    fn default() -> Self {
        Self { window: WINDOW, state: Mutex::default() }
    }
}

impl Crowd {
    /// With windows of another length.
    #[cfg(test)]
    pub(super) fn with_window(window: Duration) -> Self {
        Self { window, ..Self::default() }
    }

    /// Somebody found no turn.
    pub(super) fn note(&self, now: Instant) {
        self.state().wanted = Some(now);
    }

    /// Somebody begins to fetch; only who has a `turn` gives way, while no bond depends on him.
    pub(super) fn join(&self, turn: Option<Arc<Bonds>>, now: Instant) -> Fetcher<'_> {
        let mut state = self.state();
        if state.fetches.is_empty() {
            (state.since, state.came, state.gives_way) = (Some(now), 0, None);
        }
        let number = state.next;
        state.next += 1;
        state.fetches.insert(number, Fetch { begun: now, turn, came: 0 });
        Fetcher { crowd: self, number }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Begins the next window where this one is over, and says who gives way in it.
    fn roll(&mut self, window: Duration, now: Instant) {
        let Some(took) = self.since.map(|since| now.saturating_duration_since(since)).filter(|took| *took >= window)
        else {
            return;
        };
        let rate = |bytes: u64| u128::from(bytes) * 1_000 / took.as_millis().max(1);
        let all = rate(self.came);
        let best = self.best.filter(|(_, at)| now.saturating_duration_since(*at) < LATELY).map_or(0, |(best, _)| best);
        if all >= best {
            self.best = Some((all, now));
        }
        let best = best.max(all);
        let wanted = self.wanted.is_some_and(|since| now.saturating_duration_since(since) < WAITS_FOR);
        // Whoever came meanwhile has shown nothing yet.
        let all_of_it =
            self.fetches.iter().filter(|(_, fetch)| fetch.can_give_way() && Some(fetch.begun) <= self.since);
        let slowest = all_of_it.min_by_key(|(number, fetch)| (fetch.came, **number)).filter(|(_, fetch)| {
            let rate = rate(fetch.came);
            wanted && rate < u128::from(QUICK) && rate * PART < best
        });
        self.gives_way = slowest.map(|(number, _)| *number);
        if self.gives_way.is_some() {
            // Whoever waits comes back for it, or says so again.
            self.wanted = None;
        }
        (self.since, self.came) = (Some(now), 0);
        for fetch in self.fetches.values_mut() {
            fetch.came = 0;
        }
    }
}

impl Fetcher<'_> {
    /// So many bytes more are there.
    ///
    /// # Errors
    /// [`GaveWay`].
    pub(super) fn brought(&self, bytes: u64, now: Instant) -> Result<(), GaveWay> {
        let mut state = self.crowd.state();
        state.came = state.came.saturating_add(bytes);
        if let Some(fetch) = state.fetches.get_mut(&self.number) {
            fetch.came = fetch.came.saturating_add(bytes);
        }
        state.roll(self.crowd.window, now);
        // Since it was chosen a bond may have come.
        let can = state.fetches.get(&self.number).is_some_and(Fetch::can_give_way);
        if can && state.gives_way == Some(self.number) { Err(GaveWay) } else { Ok(()) }
    }
}

impl Drop for Fetcher<'_> {
    fn drop(&mut self) {
        self.crowd.state().fetches.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: u64 = 1 << 10;
    const MIB: u64 = 1 << 20;

    fn turn() -> Option<Arc<Bonds>> {
        Some(Arc::default())
    }

    fn after(windows: u32) -> Duration {
        WINDOW * windows
    }

    /// Each brings so many bytes in a second throughout a window that ends now; who gives way then.
    fn window(fetchers: &[Fetcher<'_>], rates: &[u64], now: Instant) -> Vec<usize> {
        for (fetcher, rate) in fetchers.iter().zip(rates) {
            fetcher.brought(rate * WINDOW.as_secs(), now - WINDOW / 2).unwrap_or(());
        }
        (0..fetchers.len()).filter(|at| fetchers[*at].brought(0, now).is_err()).collect()
    }

    #[test]
    fn one_turn_is_given_up_in_a_window_and_that_is_the_slowest() {
        let (begun, crowd) = (Instant::now(), Crowd::default());
        let turns: Vec<_> = (0..8).map(|_| crowd.join(turn(), begun)).collect();
        let rates = [10 * MIB, 100 * KIB, 90 * KIB, 10 * MIB, 80 * KIB, 110 * KIB, 2 * MIB, MIB];
        assert_eq!(window(&turns, &rates, begun + after(1)), [0; 0], "nobody waits");
        crowd.note(begun + after(1));
        assert_eq!(window(&turns, &rates, begun + after(2)), [4]);
        assert_eq!(window(&turns, &rates, begun + after(3)), [0; 0], "nobody waits any more");
        crowd.note(begun + after(3));
        let rates = [10 * MIB, 100 * KIB, 90 * KIB, 10 * MIB, 80 * KIB, 0, 2 * MIB, MIB];
        assert_eq!(window(&turns, &rates, begun + after(4)), [5]);
    }

    #[test]
    fn whoever_is_quick_enough_keeps_his_turn_beside_much_quicker_ones() {
        let (begun, crowd) = (Instant::now(), Crowd::default());
        let turns = [(); 3].map(|()| crowd.join(turn(), begun));
        crowd.note(begun);
        assert_eq!(window(&turns, &[100 * MIB, 100 * MIB, MIB], begun + after(1)), [0; 0]);
        assert_eq!(window(&turns, &[100 * MIB, 100 * MIB, MIB - 1], begun + after(2)), [2]);
    }

    /// Eight turns that were all too slow were all lost at once, and their senders blamed.
    #[test]
    fn a_slow_line_takes_nobodys_turn() {
        let (begun, crowd) = (Instant::now(), Crowd::default());
        let turns: Vec<_> = (0..8).map(|_| crowd.join(turn(), begun)).collect();
        let rates = [500, 510, 400, 600, 300, 520, 480, 490].map(|rate| rate * KIB);
        for at in 1..=4 {
            crowd.note(begun + after(at) - WINDOW / 2);
            assert_eq!(window(&turns, &rates, begun + after(at)), [0; 0]);
        }
    }

    #[test]
    fn senders_that_are_all_slow_are_found_out_where_the_line_was_quick_lately() {
        let (begun, crowd) = (Instant::now(), Crowd::default());
        let turns: Vec<_> = (0..8).map(|_| crowd.join(turn(), begun)).collect();
        let rates = [261, 260, 259, 258, 257, 260, 261, 262].map(|rate| rate * KIB);
        crowd.note(begun);
        assert_eq!(window(&turns, &rates, begun + after(1)), [0; 0]);
        // Whoever waits tries for some seconds without a turn.
        let near = crowd.join(None, begun + after(1));
        near.brought(8 * 20 * MIB, begun + after(1) + WINDOW / 3).unwrap();
        drop(near);
        assert_eq!(window(&turns, &rates, begun + after(2)), [4]);
        for at in 3..=20 {
            assert_eq!(window(&turns, &rates, begun + after(at)), [0; 0], "nobody waits any more");
        }
        crowd.note(begun + after(20));
        assert_eq!(window(&turns, &rates, begun + after(21)), [4]);
        // That is too long ago.
        crowd.note(begun + after(22));
        assert_eq!(window(&turns, &rates, begun + after(22)), [0; 0]);
    }

    #[test]
    fn a_turn_that_begins_has_a_whole_window_and_no_turn_is_given_up_for_who_went_away() {
        let (begun, crowd) = (Instant::now(), Crowd::default());
        let quick = crowd.join(turn(), begun);
        let turns = [quick, crowd.join(turn(), begun + WINDOW / 4)];
        crowd.note(begun);
        assert_eq!(window(&turns, &[50 * MIB, KIB], begun + after(1)), [0; 0]);
        assert_eq!(window(&turns, &[50 * MIB, KIB], begun + after(8)), [0; 0]);
        crowd.note(begun + after(8));
        assert_eq!(window(&turns, &[50 * MIB, KIB], begun + after(9)), [1]);
    }

    #[test]
    fn while_a_bond_depends_on_a_turn_it_is_not_given_up_and_the_next_slowest_is() {
        let (begun, crowd) = (Instant::now(), Crowd::default());
        let bonds = Arc::<Bonds>::default();
        let turns = [turn(), Some(Arc::clone(&bonds)), turn()].map(|turn| crowd.join(turn, begun));
        let rates = [50 * MIB, KIB, 2 * KIB];
        let bond = (bonds.one_more(), bonds.one_more());
        crowd.note(begun);
        assert_eq!(window(&turns, &rates, begun + after(1)), [2]);
        drop(bond);
        crowd.note(begun + after(1));
        assert_eq!(window(&turns, &rates, begun + after(2)), [1]);
        let _bond = bonds.one_more();
        assert_eq!(turns[1].brought(KIB, begun + after(2)), Ok(()), "it was chosen already");
    }

    #[test]
    fn whoever_has_no_turn_gives_none_up() {
        let (begun, crowd) = (Instant::now(), Crowd::default());
        let fetchers = [crowd.join(turn(), begun), crowd.join(None, begun)];
        crowd.note(begun);
        assert_eq!(window(&fetchers, &[50 * MIB, KIB], begun + after(1)), [0; 0]);
    }
}
