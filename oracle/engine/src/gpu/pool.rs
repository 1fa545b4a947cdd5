//! Buffers that outlive the plan that needed them.
//!
//! A plan for 31 tokens and one for 32 need buffers of almost the same sizes. The pool hands out sizes rounded up
//! to a power of two and takes them back when a [`Lease`] is dropped, so a node that sees sentences of all
//! lengths does not allocate for each of them. What the pool holds is bounded: beyond [`MAX_IDLE_BYTES`] a
//! returned buffer is freed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The most bytes kept idle.
pub const MAX_IDLE_BYTES: u64 = 256 << 20;
/// The smallest buffer handed out, in bytes.
const MIN_BYTES: u64 = 256;

/// The idle buffers of one device.
#[derive(Clone, Debug)]
pub struct Pool {
    device: wgpu::Device,
    idle: Arc<Mutex<Idle>>,
}

#[derive(Debug, Default)]
struct Idle {
    buffers: BTreeMap<u64, Vec<wgpu::Buffer>>,
    bytes: u64,
}

impl Pool {
    pub(super) fn new(device: wgpu::Device) -> Self {
        Self { device, idle: Arc::default() }
    }

    /// Lends a storage buffer of at least `bytes` bytes whose content is unspecified.
    #[must_use]
    pub fn lease(&self, bytes: u64) -> Lease {
        let size = bytes.max(MIN_BYTES).next_power_of_two();
        let reused = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            let found = idle.buffers.get_mut(&size).and_then(Vec::pop);
            if found.is_some() {
                idle.bytes -= size;
            }
            found
        };
        let buffer = reused.unwrap_or_else(|| {
            self.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("provena.pool"),
                size,
                usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            })
        });
        Lease { buffer, pool: self.clone() }
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
