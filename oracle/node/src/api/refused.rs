//! A refusal of a request, in words for whoever made it.

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};

/// Why a request is not served.
#[derive(Debug)]
pub(super) struct Refused {
    pub status: StatusCode,
    pub words: String,
    /// Seconds after which it may be tried again.
    pub retry_after: Option<u64>,
}

impl Refused {
    pub(super) fn new(status: StatusCode, words: impl Into<String>) -> Self {
        Self { status, words: words.into(), retry_after: None }
    }

    /// Asked too often, or too much at once.
    pub(super) fn later(status: StatusCode, seconds: u64, words: impl Into<String>) -> Self {
        Self { status, words: words.into(), retry_after: Some(seconds.max(1)) }
    }

    /// Asked too often: `what` says of what there was too much.
    pub(super) fn too_often(seconds: u64, what: &str) -> Self {
        Self::later(StatusCode::TOO_MANY_REQUESTS, seconds, format!("{what}; try again in {seconds} s"))
    }

    /// The node can do no more at this moment, or nothing at all: `why` says so.
    pub(super) fn busy(seconds: u64, why: &str) -> Self {
        Self::later(StatusCode::SERVICE_UNAVAILABLE, seconds, format!("{why}; try again in {seconds} s"))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = (self.status, format!("{}\n", self.words)).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}
