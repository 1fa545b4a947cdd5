//! Bodies that a route needs whole. What they take in memory together is bounded, and counted as it arrives.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use futures_util::StreamExt as _;
use provena_client::store::Bytes;
use provena_wire::MAX_REQUEST_LEN;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::paced::TooSlow;
use super::refused::Refused;

/// Bytes that one permit stands for.
const UNIT: usize = 1 << 10;

/// Of each body so much is taken without asking for room: what is short is taken, however many long ones there are.
/// Connections bound how many there are.
const FREE: usize = 64 << 10;

/// Bytes of a body that is not wanted that are read, and for how long: whoever sends such a thing slowly holds a connection.
const MOST_DRAINED: u64 = MAX_REQUEST_LEN as u64;
const DRAINED_FOR: Duration = Duration::from_secs(5);

/// Room for bodies that are held in memory.
#[derive(Debug, Clone)]
pub(crate) struct Bodies(Arc<Semaphore>);

/// A body, and its room for as long as it is held.
#[derive(Debug)]
pub(crate) struct Whole {
    /// The body.
    pub bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

impl Bodies {
    /// Room for `most` bytes of all bodies together.
    pub(crate) fn new(most: usize) -> Self {
        Self(Arc::new(Semaphore::new(most / UNIT)))
    }

    /// Reads a body of at most `most` bytes.
    pub(super) async fn read(&self, body: &mut Body, most: usize) -> Result<Whole, Refused> {
        let mut bytes = Vec::new();
        let mut room: Option<OwnedSemaphorePermit> = None;
        let mut pieces = std::mem::take(body).into_data_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|error| broken(&error))?;
            if bytes.len() + piece.len() > most {
                let words = format!("the body has more than {most} bytes");
                return Err(Refused::new(StatusCode::PAYLOAD_TOO_LARGE, words));
            }
            bytes.extend_from_slice(&piece);
            let held = room.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
            let missing = bytes.len().saturating_sub(FREE).div_ceil(UNIT).saturating_sub(held);
            if missing == 0 {
                continue;
            }
            let busy = || Refused::busy(1, "too much arrives at this moment");
            let missing = u32::try_from(missing).unwrap_or(u32::MAX);
            let more = Arc::clone(&self.0).try_acquire_many_owned(missing).map_err(|_| busy())?;
            match &mut room {
                Some(room) => room.merge(more),
                None => room = Some(more),
            }
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
    use super::*;

    #[tokio::test]
    async fn bodies_together_take_what_there_is_and_no_more() {
        let bodies = Bodies::new(4 * UNIT);
        let read = async |len: usize, most| bodies.read(&mut Body::from(vec![1; len]), most).await;
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
        assert!(bodies.read(&mut Body::empty(), 10).await.unwrap().bytes.is_empty());
    }
}
