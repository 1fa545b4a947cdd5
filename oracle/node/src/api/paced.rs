//! Bytes per time: whoever sends or takes a drip now and then is never silent, and holds a connection all the same.

use std::io::{Error, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::BoxError;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use provena_client::store::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::connections::Busy;

/// Bytes per second that somebody must send or take at least, of the time that he is waited for.
const LEAST_RATE: u64 = 4 << 10;

/// How long somebody was waited for, against what that brought.
#[derive(Debug)]
struct Pace {
    patience: Duration,
    /// Time waited before.
    waited: Duration,
    /// Since when he is waited for.
    since: Option<Instant>,
    bytes: u64,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Pace {
    fn new(patience: Duration) -> Self {
        Self { patience, waited: Duration::ZERO, since: None, bytes: 0, timer: None }
    }

    /// Something came or went.
    fn moved(&mut self, bytes: usize) {
        if let Some(since) = self.since.take() {
            self.waited += since.elapsed();
        }
        self.bytes = self.bytes.saturating_add(bytes as u64);
    }

    /// Nothing moves. Ready once that is too slow, and until then the task is woken at that moment.
    fn waiting(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let since = *self.since.get_or_insert_with(Instant::now);
        let earned = Duration::from_millis(self.bytes.saturating_mul(1_000) / LEAST_RATE);
        let end = since + self.patience.saturating_add(earned).saturating_sub(self.waited);
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(end)));
        if timer.deadline() != end {
            timer.as_mut().reset(end);
        }
        timer.as_mut().poll(context)
    }

    /// Begins anew once the time earned is more than the patience: what was fast once may not be slow for ever.
    fn renew(&mut self) {
        if self.bytes / LEAST_RATE >= self.patience.as_secs().max(1) {
            (self.bytes, self.waited) = (0, Duration::ZERO);
        }
    }
}

/// A request's body, which ends with an error when it comes too slowly.
#[derive(Debug)]
pub(super) struct PacedBody {
    body: Incoming,
    pace: Pace,
}

impl PacedBody {
    pub(super) fn new(body: Incoming, patience: Duration) -> Self {
        Self { body, pace: Pace::new(patience) }
    }
}

impl Body for PacedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        match Pin::new(&mut this.body).poll_frame(context) {
            Poll::Ready(frame) => {
                let len = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref().map(Bytes::len));
                this.pace.moved(len.unwrap_or(0));
                this.pace.renew();
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            Poll::Pending => {
                ready!(this.pace.waiting(context));
                Poll::Ready(Some(Err(TooSlow.into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Somebody sent too slowly.
#[derive(Debug, thiserror::Error)]
#[error("the body came too slowly")]
pub(super) struct TooSlow;

/// A connection whose other side must take what it asked for.
#[derive(Debug)]
pub(super) struct PacedStream {
    stream: TcpStream,
    pace: Pace,
}

impl PacedStream {
    pub(super) fn new(stream: TcpStream, patience: Duration) -> Self {
        Self { stream, pace: Pace::new(patience) }
    }

    fn written(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<std::io::Result<usize>>,
    ) -> Poll<std::io::Result<usize>> {
        match written {
            Poll::Ready(result) => {
                self.pace.moved(result.as_ref().copied().unwrap_or(0));
                self.pace.renew();
                Poll::Ready(result)
            }
            Poll::Pending => {
                ready!(self.pace.waiting(context));
                Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "the other side takes nothing")))
            }
        }
    }
}

impl AsyncRead for PacedStream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, into)
    }
}

impl AsyncWrite for PacedStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, from: &[u8]) -> Poll<std::io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, from);
        this.written(context, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        from: &[IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(context, from);
        this.written(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

/// A response's body, during which the connection counts as busy.
#[derive(Debug)]
pub(super) struct BusyBody {
    body: axum::body::Body,
    _busy: Busy,
}

impl BusyBody {
    pub(super) fn new(body: axum::body::Body, busy: Busy) -> Self {
        Self { body, _busy: busy }
    }
}

impl Body for BusyBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
