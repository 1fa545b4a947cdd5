//! How much one party may have in progress at the same time.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What each party has in progress, and the most of it.
#[derive(Debug)]
pub(super) struct Shares {
    most: usize,
    held: Mutex<HashMap<IpAddr, usize>>,
}

/// Something in progress. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Share {
    shares: Arc<Shares>,
    party: IpAddr,
    held: usize,
}

impl Shares {
    /// At most so many of one party; 0 for no limit.
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, held: Mutex::default() })
    }

    /// One more of a party's; `None` where it has its share.
    pub(super) fn take(self: &Arc<Self>, party: IpAddr) -> Option<Share> {
        let mut share = self.begin(party);
        share.grow(1).then_some(share)
    }

    /// Nothing of a party's yet.
    pub(super) fn begin(self: &Arc<Self>, party: IpAddr) -> Share {
        Share { shares: Arc::clone(self), party, held: 0 }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// So much more of it; says whether the party had that left, and takes nothing otherwise.
    pub(super) fn grow(&mut self, more: usize) -> bool {
        let most = self.shares.most;
        let mut held = self.shares.held();
        let count = held.get(&self.party).copied().unwrap_or_default().saturating_add(more);
        if most > 0 && count > most {
            return false;
        }
        held.insert(self.party, count);
        drop(held);
        self.held += more;
        true
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.shares.held();
        if let Some(count) = held.get_mut(&self.party) {
            *count = count.saturating_sub(self.held);
            if *count == 0 {
                held.remove(&self.party);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_party_has_its_share_and_nothing_is_remembered_of_who_has_none() {
        let (shares, without) = (Shares::new(2), Shares::new(0));
        let party = |last| IpAddr::from([192, 0, 2, last]);
        let first = shares.take(party(1)).unwrap();
        let _second = shares.take(party(1)).unwrap();
        assert!(shares.take(party(1)).is_none() && shares.take(party(2)).is_some());
        drop(first);
        assert!(shares.take(party(1)).is_some());
        assert_eq!(shares.held().len(), 1);
        // What grows takes no more than there is, and gives all of it back.
        let mut growing = shares.begin(party(3));
        assert!(growing.grow(0) && growing.grow(2) && !growing.grow(1) && shares.take(party(3)).is_none());
        drop(growing);
        assert!(shares.take(party(3)).is_some());
        let many: Vec<_> = (0..100).map(|_| without.take(party(1)).unwrap()).collect();
        drop(many);
        assert!(without.held().is_empty());
    }
}
