//! Buffers that outlive the plan that needed them.
//!
//! A plan for 31 tokens and one for 32 need buffers of almost the same sizes. The pool hands out sizes rounded up
//! to a power of two and takes them back when a [`Lease`] is dropped, so a node that sees sentences of all
//! lengths does not allocate for each of them. What the pool holds is bounded: beyond [`MAX_IDLE_BYTES`] a
//! returned buffer is freed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Error, Memory};

/// The most bytes kept idle.
pub const MAX_IDLE_BYTES: u64 = 256 << 20;
/// The smallest buffer handed out, in bytes.
const MIN_BYTES: u64 = 256;

/// The idle buffers of one device.
#[derive(Clone, Debug)]
pub struct Pool {
    memory: Memory,
    idle: Arc<Mutex<Idle>>,
}

#[derive(Debug, Default)]
struct Idle {
    buffers: BTreeMap<u64, Vec<wgpu::Buffer>>,
    bytes: u64,
}

impl Pool {
    pub(super) fn new(memory: Memory) -> Self {
        Self { memory, idle: Arc::default() }
    }

    /// Lends a storage buffer of at least `bytes` bytes whose content is unspecified; `label` says what for.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`] names `label` if there is not so much memory left, idle buffers included.
    pub fn lease(&self, label: &str, bytes: u64) -> Result<Lease, Error> {
        let size = bytes.max(MIN_BYTES).next_power_of_two();
        let reused = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            let found = idle.buffers.get_mut(&size).and_then(Vec::pop);
            if found.is_some() {
                idle.bytes -= size;
            }
            found
        };
        let buffer = match reused {
            Some(buffer) => buffer,
            None => self.create(size).or_else(|_| {
                // What lies idle in other sizes may be what is missing.
                self.clear();
                self.create(size).map_err(|error| match error {
                    Error::OutOfMemory { .. } => Error::OutOfMemory { label: label.to_owned(), bytes },
                    error => error,
                })
            })?,
        };
        Ok(Lease { buffer, pool: self.clone() })
    }

    fn create(&self, size: u64) -> Result<wgpu::Buffer, Error> {
        self.memory.create(&wgpu::BufferDescriptor {
            label: Some("provena.pool"),
            size,
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        })
    }

    /// Frees what lies idle.
    pub(super) fn clear(&self) {
        *self.idle.lock().unwrap_or_else(PoisonError::into_inner) = Idle::default();
    }

    /// Bytes held idle.
    #[must_use]
    pub fn idle_bytes(&self) -> u64 {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }
}

/// A buffer on loan; dropping it gives it back.
#[derive(Debug)]
pub struct Lease {
    buffer: wgpu::Buffer,
    pool: Pool,
}

impl Lease {
    /// The buffer.
    #[must_use]
    pub fn buffer(&self) -> &wgpu::Buffer {
        &self.buffer
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let size = self.buffer.size();
        let mut idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.bytes + size <= MAX_IDLE_BYTES {
            idle.bytes += size;
            idle.buffers.entry(size).or_default().push(self.buffer.clone());
        }
    }
}
