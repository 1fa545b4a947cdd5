//! Who is connected: how many in all and from one address, and who makes room for others.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

/// Who somebody is as far as limits go: an address, or the network that one household has.
pub(super) fn party(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// The connections that are open.
#[derive(Debug)]
pub(super) struct Connections {
    most: usize,
    /// For one party; 0 for no limit.
    per_party: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    /// The oldest first.
    connections: BTreeMap<u64, Arc<Connection>>,
    parties: HashMap<IpAddr, usize>,
    next: u64,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    party: IpAddr,
    /// Requests being answered.
    busy: AtomicU32,
    /// Requests so far.
    requests: AtomicU32,
    /// Cancelled to make room for others.
    pub(super) ended: CancellationToken,
}

impl Connection {
    /// Says that a request is being answered, until the guard is dropped; and which request of this connection it is.
    pub(super) fn begin(self: &Arc<Self>) -> (Busy, u32) {
        self.busy.fetch_add(1, Ordering::Relaxed);
        (Busy(Arc::clone(self)), self.requests.fetch_add(1, Ordering::Relaxed).saturating_add(1))
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(super) struct Busy(Arc<Connection>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A place among the connections. Dropping it gives it to others.
#[derive(Debug)]
pub(super) struct Connected {
    all: Arc<Connections>,
    id: u64,
    pub(super) connection: Arc<Connection>,
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.all.open().remove(self.id);
    }
}

impl Open {
    fn remove(&mut self, id: u64) -> Option<Arc<Connection>> {
        let connection = self.connections.remove(&id)?;
        if let Some(count) = self.parties.get_mut(&connection.party) {
            *count -= 1;
            if *count == 0 {
                self.parties.remove(&connection.party);
            }
        }
        Some(connection)
    }
}

impl Connections {
    pub(super) fn new(most: usize, per_party: usize) -> Self {
        Self { most, per_party, open: Mutex::default() }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a place to a new connection. Where all are taken, the oldest connection on which nothing is being answered is
    /// ended for it: an honest request is on its way at once, and whoever only holds a connection makes room. `None` when
    /// there is no such, or the party has its share.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Connected> {
        let party = party(address);
        let mut open = self.open();
        if self.per_party > 0 && open.parties.get(&party).is_some_and(|count| *count >= self.per_party) {
            return None;
        }
        if open.connections.len() >= self.most {
            let idle = |connection: &Connection| connection.busy.load(Ordering::Relaxed) == 0;
            let id = open.connections.iter().find(|(_, connection)| idle(connection)).map(|(id, _)| *id)?;
            open.remove(id)?.ended.cancel();
        }
        let id = open.next;
        open.next += 1;
        let connection = Arc::new(Connection {
            party,
            busy: AtomicU32::new(0),
            requests: AtomicU32::new(0),
            ended: CancellationToken::new(),
        });
        open.connections.insert(id, Arc::clone(&connection));
        *open.parties.entry(party).or_default() += 1;
        Some(Connected { all: Arc::clone(self), id, connection })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn one_party_gets_its_share_and_no_more() {
        let all = Arc::new(Connections::new(10, 2));
        let first = all.admit(from(1)).unwrap();
        let _second = all.admit(from(1)).unwrap();
        assert!(all.admit(from(1)).is_none());
        assert!(all.admit(from(2)).is_some());
        drop(first);
        assert!(all.admit(from(1)).is_some());
        // A household's network of version 6 is one party, and an address written in the other way is the same.
        assert_eq!(party("2001:db8::1".parse().unwrap()), party("2001:db8::ffff:2".parse().unwrap()));
        assert_ne!(party("2001:db8::1".parse().unwrap()), party("2001:db8:0:1::1".parse().unwrap()));
        assert_eq!(party("::ffff:192.0.2.1".parse().unwrap()), from(1));
    }

    #[test]
    fn who_only_holds_a_connection_makes_room_and_who_is_answered_does_not() {
        let all = Arc::new(Connections::new(2, 0));
        let busy = all.admit(from(1)).unwrap();
        let (answering, _) = busy.connection.begin();
        let idle = all.admit(from(1)).unwrap();
        let honest = all.admit(from(2)).unwrap();
        assert!(idle.connection.ended.is_cancelled() && !busy.connection.ended.is_cancelled());
        // Its end, which comes later, takes nobody's place away.
        drop(idle);
        let (_request, _) = honest.connection.begin();
        assert!(all.admit(from(3)).is_none());
        drop(answering);
        assert!(all.admit(from(3)).is_some());
        assert!(busy.connection.ended.is_cancelled());
    }
}
