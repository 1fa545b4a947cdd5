//! Reads a GGUF header from its beginning to its end, and never beyond the file.

use super::super::weights::Source;
use crate::error::Error;

/// The longest header that is read: metadata and tensor table of any real model fit several times over.
const MAX_HEADER_LEN: u64 = 64 << 20;
/// Bytes that are read from the file at a time.
const BUFFER: u64 = 64 << 10;

/// A position in a header.
pub(crate) struct Reader<'a> {
    source: &'a Source,
    /// From the beginning of the file.
    at: u64,
    /// Bytes of the file that are at hand, the first of which lies at `buffer_at`.
    buffer: Vec<u8>,
    buffer_at: u64,
}

impl<'a> Reader<'a> {
    /// The beginning of a file.
    pub(crate) fn new(source: &'a Source) -> Self {
        Self { source, at: 0, buffer: vec![], buffer_at: 0 }
    }

    /// How far it has read, in bytes.
    pub(crate) fn position(&self) -> u64 {
        self.at
    }

    /// Bytes that may still be read.
    pub(crate) fn remaining(&self) -> u64 {
        self.source.len.min(MAX_HEADER_LEN) - self.at
    }

    /// An error that says where it happened.
    pub(crate) fn error(&self, reason: impl std::fmt::Display) -> Error {
        Error::Import(format!("{} is damaged: {reason} (before byte {})", self.source.name(), self.at))
    }

    /// Checks that so many bytes follow.
    pub(crate) fn expect(&self, bytes: u64, what: &str) -> Result<(), Error> {
        if bytes <= self.remaining() {
            return Ok(());
        }
        let name = self.source.name();
        let (at, left) = (self.at, self.source.len - self.at);
        Err(Error::Import(if bytes > left {
            format!("{name} is truncated: at byte {at} {what} needs {bytes} bytes, {left} are left")
        } else {
            format!("{name}: metadata and tensor table have more than {MAX_HEADER_LEN} bytes")
        }))
    }

    /// Fills `to` with what comes next.
    fn fill(&mut self, mut to: &mut [u8], what: &str) -> Result<(), Error> {
        self.expect(to.len() as u64, what)?;
        while !to.is_empty() {
            let from = (self.at - self.buffer_at) as usize;
            if from >= self.buffer.len() {
                self.buffer.resize(self.remaining().min(BUFFER) as usize, 0);
                self.buffer_at = self.at;
                self.source.read_at(self.at, &mut self.buffer)?;
                continue;
            }
            let len = to.len().min(self.buffer.len() - from);
            let (now, later) = to.split_at_mut(len);
            now.copy_from_slice(&self.buffer[from..from + len]);
            self.at += len as u64;
            to = later;
        }
        Ok(())
    }

    /// The next bytes, as many as the array has.
    pub(crate) fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        self.fill(&mut bytes, what)?;
        Ok(bytes)
    }

    /// A little-endian u32.
    pub(crate) fn u32(&mut self, what: &str) -> Result<u32, Error> {
        self.array(what).map(u32::from_le_bytes)
    }

    /// A little-endian u64.
    pub(crate) fn u64(&mut self, what: &str) -> Result<u64, Error> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// A text: its length as u64 and its bytes.
    pub(crate) fn text(&mut self, what: &str) -> Result<String, Error> {
        let len = self.u64(what)?;
        self.expect(len, what)?;
        // What is left fits the memory's addresses, because MAX_HEADER_LEN does.
        let mut bytes = vec![0; len as usize];
        self.fill(&mut bytes, what)?;
        String::from_utf8(bytes).map_err(|_| self.error(format_args!("{what} is not UTF-8")))
    }
}
