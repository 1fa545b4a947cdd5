//! Whose turn it is to have something prepared for which nobody has paid.
//!
//! Preparing costs time, and anybody may ask. So it is time that is shared, and between networks, of which nobody has many,
//! rather than between addresses: the next turn is that of the network that took least of it lately, and one place is kept
//! for those that took next to none. Who floods waits for himself.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::oneshot;

/// What is prepared at the same time for who took much time lately, and the place beside these for who did not.
const PLACES: usize = 2;
const KEPT: usize = 1;

/// Whoever took less than this lately, in seconds, took next to none. It is also what a turn counts until it has ended.
const LITTLE: f64 = 0.5;

/// Seconds that are forgiven in each second.
const FORGIVEN: f64 = 0.05;

/// Who waits of one network, and of all.
const MOST_OF_ONE: usize = 8;
const MOST: usize = 256;

/// Networks of which is known what they took; beyond, the least is forgotten.
const MOST_KNOWN: usize = 4_096;

/// Part of the internet that one party may well have to itself: 256 addresses, or a site's networks of version 6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            IpAddr::V4(Ipv4Addr::new(a, b, c, 0))
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    }
}

/// Who has turns, and who waits for one.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    busy: usize,
    /// In the order in which they came.
    waiting: BTreeMap<u64, Waiting>,
    next: u64,
    took: HashMap<IpAddr, Took>,
}

#[derive(Debug)]
struct Waiting {
    network: IpAddr,
    ready: oneshot::Sender<Turn>,
}

/// The seconds that a network took, at a moment.
#[derive(Debug, Clone, Copy)]
struct Took {
    seconds: f64,
    at: Instant,
}

impl Took {
    fn now(&self, now: Instant) -> f64 {
        (self.seconds - now.saturating_duration_since(self.at).as_secs_f64() * FORGIVEN).max(0.0)
    }
}

/// A turn. It is over when it is dropped, by whoever has it then.
#[derive(Debug)]
pub(super) struct Turn {
    turns: Arc<Turns>,
    network: IpAddr,
    since: Instant,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let took = self.since.elapsed().as_secs_f64();
        let mut state = self.turns.state();
        state.busy -= 1;
        state.charge(self.network, took - LITTLE);
        drop(state);
        self.turns.give();
    }
}

impl Turns {
    /// Waits for a turn of somebody's at `address`; `None` when too many wait. Where addresses say nothing, as behind a
    /// proxy, all are one network without a limit of its own.
    pub(super) async fn turn(self: &Arc<Self>, address: Option<IpAddr>) -> Option<Turn> {
        let waits = self.line_up(address)?;
        self.give();
        waits.await.ok()
    }

    fn line_up(&self, address: Option<IpAddr>) -> Option<oneshot::Receiver<Turn>> {
        let network = address.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), network);
        let mut state = self.state();
        state.waiting.retain(|_, waiting| !waiting.ready.is_closed());
        if address.is_some() && state.waits(network) >= MOST_OF_ONE {
            return None;
        }
        if state.waiting.len() >= MOST {
            // Whoever came last of the network of which most wait makes room, unless that is this one's.
            let most = state.waiting.values().map(|waiting| (state.waits(waiting.network), waiting.network)).max();
            let (_, crowd) = most.filter(|(count, crowd)| *crowd != network && *count > state.waits(network) + 1)?;
            let last =
                state.waiting.iter().rev().find(|(_, waiting)| waiting.network == crowd).map(|(number, _)| *number)?;
            state.waiting.remove(&last);
        }
        let (ready, waits) = oneshot::channel();
        let number = state.next;
        state.next += 1;
        state.waiting.insert(number, Waiting { network, ready });
        Some(waits)
    }

    /// Gives turns for as long as there is somebody whose turn it is.
    fn give(self: &Arc<Self>) {
        loop {
            let now = Instant::now();
            let mut state = self.state();
            let Some(number) = state.next_turn(now) else { return };
            let Some(Waiting { network, ready }) = state.waiting.remove(&number) else { return };
            state.busy += 1;
            state.charge(network, LITTLE);
            drop(state);
            // Where nobody waits for it any more it is dropped here, and somebody else's.
            drop(ready.send(Turn { turns: Arc::clone(self), network, since: now }));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn waits(&self, network: IpAddr) -> usize {
        self.waiting.values().filter(|waiting| waiting.network == network).count()
    }

    fn took(&self, network: IpAddr, now: Instant) -> f64 {
        self.took.get(&network).map_or(0.0, |took| took.now(now))
    }

    /// Who is next, if there is a place for him: of those whose network took least, the one who came first.
    fn next_turn(&mut self, now: Instant) -> Option<u64> {
        self.waiting.retain(|_, waiting| !waiting.ready.is_closed());
        let all = self.waiting.iter().map(|(number, waiting)| (*number, self.took(waiting.network, now)));
        let (number, took) = all.min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)))?;
        let places = if took < LITTLE { PLACES + KEPT } else { PLACES };
        (self.busy < places).then_some(number)
    }

    fn charge(&mut self, network: IpAddr, seconds: f64) {
        let now = Instant::now();
        if self.took.len() >= MOST_KNOWN && !self.took.contains_key(&network) {
            self.took.retain(|_, took| took.now(now) > 0.0);
            let least = self.took.iter().min_by(|a, b| a.1.now(now).total_cmp(&b.1.now(now)));
            if let Some(least) = least.filter(|_| self.took.len() >= MOST_KNOWN).map(|(network, _)| *network) {
                self.took.remove(&least);
            }
        }
        let seconds = (self.took(network, now) + seconds).max(0.0);
        self.took.insert(network, Took { seconds, at: now });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn from(network: u8, last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, network, last]))
    }

    async fn now(turns: &Arc<Turns>, address: Option<IpAddr>) -> Option<Turn> {
        tokio::time::timeout(Duration::from_millis(50), turns.turn(address)).await.ok().flatten()
    }

    #[tokio::test]
    async fn one_place_is_kept_for_who_took_next_to_none() {
        let turns = Arc::new(Turns::default());
        let first = now(&turns, from(1, 1)).await.unwrap();
        let _second = now(&turns, from(1, 2)).await.unwrap();
        assert!(now(&turns, from(1, 3)).await.is_none(), "of another address in the same network");
        let other = now(&turns, from(2, 1)).await.unwrap();
        assert!(now(&turns, from(3, 1)).await.is_none());
        drop(other);
        let _other = now(&turns, from(3, 1)).await.unwrap();
        assert!(now(&turns, from(2, 2)).await.is_none());
        drop(first);
        assert!(now(&turns, from(2, 2)).await.is_some());
    }

    #[tokio::test]
    async fn who_floods_waits_for_himself_and_who_hangs_up_takes_nothing() {
        let turns = Arc::new(Turns::default());
        let mut held = Vec::new();
        for network in 1..=3 {
            held.push(now(&turns, from(network, 1)).await.unwrap());
        }
        let mut lines = Vec::new();
        for network in 1..=3 {
            for last in 0..20 {
                lines.extend(turns.line_up(from(network, last)));
            }
        }
        assert_eq!(lines.len(), 3 * MOST_OF_ONE);
        // Somebody who has not asked comes last, and is next.
        let newcomer = turns.line_up(from(4, 1)).unwrap();
        drop(held.pop());
        let newcomer = newcomer.await.unwrap();
        assert_eq!(newcomer.network, IpAddr::from([192, 0, 4, 0]));
        drop((lines, held, newcomer));
        for _ in 0..10 {
            assert!(now(&turns, from(5, 1)).await.is_some());
        }
        let state = turns.state();
        assert_eq!((state.busy, state.waiting.len()), (0, 0));
    }

    #[tokio::test]
    async fn strangers_without_number_fill_no_memory() {
        let turns = Arc::new(Turns::default());
        for number in 0..5_000u32 {
            let address = IpAddr::from((number << 8).to_be_bytes());
            drop(turns.turn(Some(address)).await.unwrap());
        }
        assert!(turns.state().took.len() <= MOST_KNOWN);
        let _held = [turns.turn(None).await, turns.turn(from(9, 9)).await, turns.turn(from(8, 8)).await];
        let lines: Vec<_> =
            (0..1_000u32).filter_map(|number| turns.line_up(Some(IpAddr::from((number << 8).to_be_bytes())))).collect();
        assert_eq!(turns.state().waiting.len(), MOST);
        drop(lines);
        // Behind a proxy nobody has a share of his own.
        let lines: Vec<_> = (0..100).filter_map(|_| turns.line_up(None)).collect();
        assert_eq!(lines.len(), 100);
        assert_eq!(network("2001:db8:1:2::3".parse().unwrap()), network("2001:db8:1:ffff::".parse().unwrap()));
        assert_eq!(network("::ffff:192.0.2.1".parse().unwrap()), IpAddr::from([192, 0, 2, 0]));
    }
}
