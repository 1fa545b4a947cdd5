//! Bodies that a route needs whole. What they take in memory together is bounded, and counted as it arrives; and so is what
//! those of one party take, so that nobody's long ones keep others from sending theirs.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::StatusCode;
use futures_util::StreamExt as _;
use provena_client::store::Bytes;
use provena_wire::MAX_REQUEST_LEN;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::connections::party;
use super::paced::TooSlow;
use super::refused::Refused;
use super::server::Remote;
use super::shares::{Share, Shares};

/// Bytes that one permit stands for.
const UNIT: usize = 1 << 10;

/// Of each body so much is taken without asking for room: what is short is taken, however many long ones there are.
/// Connections bound how many there are.
const FREE: usize = 64 << 10;

/// One party has a part of the room, of so many.
const PARTIES: usize = 4;

/// Bytes of a body that is not wanted that are read, and for how long: whoever sends such a thing slowly holds a connection.
const MOST_DRAINED: u64 = MAX_REQUEST_LEN as u64;
const DRAINED_FOR: Duration = Duration::from_secs(5);

/// Room for bodies that are held in memory.
#[derive(Debug, Clone)]
pub(crate) struct Bodies {
    all: Arc<Semaphore>,
    of_one: Arc<Shares>,
}

/// A body, and its room for as long as it is held.
#[derive(Debug)]
pub(crate) struct Whole {
    /// The body.
    pub bytes: Bytes,
    _room: Room,
}

/// Room that one body has.
#[derive(Debug)]
struct Room {
    share: Share,
    permit: Option<OwnedSemaphorePermit>,
}

impl Room {
    /// Grows to what a body of so many bytes takes.
    fn reach(&mut self, all: &Arc<Semaphore>, len: usize) -> Result<(), Refused> {
        let held = self.permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let missing = len.saturating_sub(FREE).div_ceil(UNIT).saturating_sub(held);
        if missing == 0 {
            return Ok(());
        }
        if !self.share.grow(missing) {
            return Err(Refused::too_often(1, "too much arrives from this address at this moment"));
        }
        let missing = u32::try_from(missing).unwrap_or(u32::MAX);
        let busy = |_| Refused::busy(1, "too much arrives at this moment");
        let more = Arc::clone(all).try_acquire_many_owned(missing).map_err(busy)?;
        match &mut self.permit {
            Some(permit) => permit.merge(more),
            None => self.permit = Some(more),
        }
        Ok(())
    }
}

impl Bodies {
    /// Room for `most` bytes of all bodies together. `by_address`: whether one address has a part of it and no more, which
    /// cannot be told behind a proxy.
    pub(crate) fn new(most: usize, by_address: bool) -> Self {
        let units = most / UNIT;
        let of_one = Shares::new(if by_address { (units / PARTIES).max(1) } else { 0 });
        Self { all: Arc::new(Semaphore::new(units)), of_one }
    }

    /// Reads a body of at most `most` bytes that somebody sends. Where it is refused, what is left of it is in `body` still.
    pub(super) async fn read(&self, remote: Remote, body: &mut Body, most: usize) -> Result<Whole, Refused> {
        let mut pieces = std::mem::take(body).into_data_stream();
        let read = self.read_pieces(remote, &mut pieces, most).await;
        if read.is_err() {
            *body = Body::from_stream(pieces);
        }
        read
    }

    async fn read_pieces(&self, remote: Remote, pieces: &mut BodyDataStream, most: usize) -> Result<Whole, Refused> {
        let mut bytes = Vec::new();
        let mut room = Room { share: self.of_one.begin(party(remote.0)), permit: None };
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|error| broken(&error))?;
            if bytes.len() + piece.len() > most {
                let words = format!("the body has more than {most} bytes");
                return Err(Refused::new(StatusCode::PAYLOAD_TOO_LARGE, words));
            }
            // Before it is held.
            room.reach(&self.all, bytes.len() + piece.len())?;
            bytes.extend_from_slice(&piece);
        }
        Ok(Whole { bytes: bytes.into(), _room: room })
    }
}

/// A body that ended before it should.
pub(super) fn broken(error: &axum::Error) -> Refused {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if inner.is::<TooSlow>() {
            return Refused::new(StatusCode::REQUEST_TIMEOUT, inner.to_string());
        }
        cause = inner.source();
    }
    Refused::new(StatusCode::BAD_REQUEST, "the body broke off")
}

/// Reads the beginning of what is not wanted: a sender that still sends when the connection is closed may never see why.
pub(super) async fn drain(body: Body) {
    let mut pieces = body.into_data_stream();
    let mut left = MOST_DRAINED;
    let read = async {
        while left > 0
            && let Some(Ok(piece)) = pieces.next().await
        {
            left = left.saturating_sub(piece.len() as u64);
        }
    };
    // It was read as far as it goes, or came too slowly for that.
    drop(tokio::time::timeout(DRAINED_FOR, read).await);
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn from(last: u8) -> Remote {
        Remote(IpAddr::from([192, 0, 2, last]))
    }

    #[tokio::test]
    async fn bodies_together_take_what_there_is_and_no_more() {
        let bodies = Bodies::new(4 * UNIT, false);
        let read = async |len: usize, most| bodies.read(from(1), &mut Body::from(vec![1; len]), most).await;
        let first = read(FREE + 3 * UNIT, 1 << 20).await.unwrap();
        assert_eq!(first.bytes.len(), FREE + 3 * UNIT);
        let refused = read(FREE + 2 * UNIT, 1 << 20).await.unwrap_err();
        assert_eq!((refused.status, refused.retry_after), (StatusCode::SERVICE_UNAVAILABLE, Some(1)));
        // Who asks for something short is not refused for them.
        let short = read(FREE, 1 << 20).await.unwrap();
        assert_eq!(short.bytes.len(), FREE);
        drop(first);
        assert!(read(FREE + 2 * UNIT, 1 << 20).await.is_ok());
        let refused = read(11, 10).await.unwrap_err();
        assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert!(bodies.read(from(1), &mut Body::empty(), 10).await.unwrap().bytes.is_empty());
    }

    #[tokio::test]
    async fn one_address_has_a_quarter_of_the_room_and_others_have_the_rest() {
        let bodies = Bodies::new(8 * UNIT, true);
        let read = async |last, units: usize| {
            bodies.read(from(last), &mut Body::from(vec![1; FREE + units * UNIT]), 1 << 20).await
        };
        let first = read(1, 1).await.unwrap();
        let second = read(1, 1).await.unwrap();
        let refused = read(1, 1).await.unwrap_err();
        assert_eq!((refused.status, refused.retry_after), (StatusCode::TOO_MANY_REQUESTS, Some(1)));
        assert!(read(1, 0).await.is_ok(), "what is short is taken");
        let others = [read(2, 2).await.unwrap(), read(3, 2).await.unwrap(), read(4, 2).await.unwrap()];
        // The room is used, and that is no fault of his.
        assert_eq!(read(5, 1).await.unwrap_err().status, StatusCode::SERVICE_UNAVAILABLE);
        drop(first);
        assert!(read(1, 1).await.is_ok());
        drop((second, others));
        assert_eq!(bodies.all.available_permits(), 8);
        assert!(read(5, 2).await.is_ok());
    }

    /// The longest request fits into one address's part.
    #[test]
    fn whoever_sends_one_request_is_not_refused_for_its_length() {
        assert!(MAX_REQUEST_LEN.saturating_sub(FREE).div_ceil(UNIT) <= super::super::MOST_IN_BODIES / UNIT / PARTIES);
    }
}
