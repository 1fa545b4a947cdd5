//! Seats beside which nobody sits.
//!
//! Who takes the first seat of a job of several and is left alone has paid for transactions that nobody pays back. Whoever posts
//! such jobs loses nothing by it, so that it could be done for ever. Therefore few seats are taken first at the same time, and
//! those that were left lately count among them, by payer, by offer, and of all. Each job that another node did join lets one
//! more be taken first for a while: where nodes come, nothing is held up.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use solana_pubkey::Pubkey;

use super::admission::Refusal;

/// What happened longer ago is forgotten.
const LATELY: Duration = Duration::from_secs(600);
/// Seats that are taken first, or were left lately: of the jobs of one payer, of one offer, and of all.
const BY_PAYER: usize = 4;
const BY_OFFER: usize = 6;
const OF_ALL: usize = 8;
/// As many more at most, one for each job that was joined lately.
const EARNED: usize = 24;
/// Of what was lately so much is remembered; the oldest is forgotten first.
const MOST_PAST: usize = 4 * (OF_ALL + EARNED);

/// Whose job it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parties {
    pub payer: Pubkey,
    pub offer: Pubkey,
}

/// What is known of such seats.
#[derive(Debug, Default)]
pub(super) struct Alone {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Jobs in which this node is first.
    now: HashMap<Pubkey, First>,
    left: Past,
    joined: Past,
}

#[derive(Debug, Clone, Copy)]
struct First {
    of: Parties,
    /// Whether the chain has shown it, so that it was paid for.
    seated: bool,
}

/// What happened lately, the oldest first.
#[derive(Debug, Default)]
struct Past(VecDeque<(Instant, Parties)>);

impl Alone {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a seat first, if that was not in vain too often.
    ///
    /// # Errors
    /// [`Refusal::LeftAlone`].
    pub(super) fn sit(&self, job: Pubkey, of: Parties) -> Result<(), Refusal> {
        let mut inner = self.inner();
        inner.now.remove(&job);
        inner.left.forget_old();
        inner.joined.forget_old();
        let may_sit = inner.may_sit(BY_PAYER, |other| other.payer == of.payer)
            && inner.may_sit(BY_OFFER, |other| other.offer == of.offer)
            && inner.may_sit(OF_ALL, |_| true);
        if !may_sit {
            return Err(Refusal::LeftAlone);
        }
        inner.now.insert(job, First { of, seated: false });
        Ok(())
    }

    /// Notes what the chain shows of a job in which this node has a seat: whether it is `alone` there.
    pub(super) fn saw(&self, job: Pubkey, of: Parties, alone: bool) {
        let mut inner = self.inner();
        if alone {
            inner.now.insert(job, First { of, seated: true });
        } else if inner.now.remove(&job).is_some() {
            inner.joined.push(of);
        }
    }

    /// This node is done with a job. Where it was alone to the last, it was left alone.
    pub(super) fn leave(&self, job: &Pubkey) {
        let mut inner = self.inner();
        if let Some(first) = inner.now.remove(job)
            && first.seated
        {
            inner.left.push(first.of);
        }
    }
}

impl Inner {
    fn may_sit(&self, most: usize, which: impl Fn(&Parties) -> bool) -> bool {
        let now = self.now.values().filter(|first| which(&first.of)).count();
        now + self.left.count(&which) < most + self.joined.count(&which).min(EARNED)
    }
}

impl Past {
    fn push(&mut self, of: Parties) {
        self.0.push_back((Instant::now(), of));
        if self.0.len() > MOST_PAST {
            self.0.pop_front();
        }
    }

    fn forget_old(&mut self) {
        while self.0.front().is_some_and(|(when, _)| when.elapsed() >= LATELY) {
            self.0.pop_front();
        }
    }

    fn count(&self, which: impl Fn(&Parties) -> bool) -> usize {
        self.0.iter().filter(|(_, of)| which(of)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> Pubkey {
        Pubkey::new_from_array([byte; 32])
    }

    fn of(payer: u8, offer: u8) -> Parties {
        Parties { payer: key(payer), offer: key(offer) }
    }

    #[test]
    fn seats_that_are_taken_first_are_few_by_payer_by_offer_and_of_all() {
        let alone = Alone::default();
        let sits = |job, payer, offer| alone.sit(key(job), of(payer, offer)).is_ok();
        assert!((0..BY_PAYER as u8).all(|job| sits(job, 1, 1)) && !sits(10, 1, 1));
        // The same job is counted once.
        assert!(sits(3, 1, 1));
        assert!(sits(4, 2, 1) && sits(5, 3, 1) && !sits(10, 4, 1));
        assert!(sits(6, 4, 2) && sits(7, 5, 3) && !sits(10, 6, 4));
        // One that was never taken is not held against anybody.
        alone.leave(&key(0));
        assert!(sits(10, 6, 4) && !sits(0, 1, 1));
    }

    #[test]
    fn a_seat_that_was_left_counts_for_a_while_and_one_that_was_joined_lets_more_be_taken() {
        let alone = Alone::default();
        let sits = |job| alone.sit(key(job), of(1, 1)).is_ok();
        for job in 0..4 {
            assert!(sits(job));
            alone.saw(key(job), of(1, 1), true);
            alone.leave(&key(job));
        }
        assert!(!sits(10));
        // Somebody else was joined; that does not help this payer.
        assert!(alone.sit(key(5), of(2, 1)).is_ok());
        alone.saw(key(5), of(2, 1), true);
        alone.saw(key(5), of(2, 1), false);
        alone.leave(&key(5));
        assert!(!sits(10));
        // A job in which another node sat first says nothing.
        alone.saw(key(6), of(1, 1), false);
        assert!(!sits(10));
        // After a restart the chain shows a seat that nobody was asked about: it is joined.
        alone.saw(key(7), of(1, 1), true);
        alone.saw(key(7), of(1, 1), false);
        assert!(sits(10) && !sits(11));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let alone = Alone::default();
        for job in 0..=u8::MAX {
            alone.saw(key(job), of(job, job), true);
            alone.leave(&key(job));
            alone.saw(key(job), of(job, job), true);
            alone.saw(key(job), of(job, job), false);
        }
        let inner = alone.inner();
        assert_eq!((inner.now.len(), inner.left.0.len(), inner.joined.0.len()), (0, MOST_PAST, MOST_PAST));
    }
}
