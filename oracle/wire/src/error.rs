//! Bytes that are not what they should be.

/// The bytes of a request or a response do not decode.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot decode the {what}: {reason}")]
pub struct DecodeError {
    /// "request" or "response".
    pub what: &'static str,
    /// Why not.
    pub reason: String,
}
