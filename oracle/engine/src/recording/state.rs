//! What outlives an execution on a device: a decoder's keys and values.

use std::sync::{Arc, Weak};

use crate::gpu::{Error, Gpu, caps};
use crate::plan::Buffer;
use crate::values::Values;

/// The contents of a plan's state on a device.
#[derive(Debug)]
pub struct GpuState {
    buffers: Vec<wgpu::Buffer>,
    /// Lives as long as the state does, so that recordings know for whom they keep bind groups.
    identity: Arc<()>,
}

impl GpuState {
    /// Zeros in the shape of `buffers`.
    pub(super) fn new(gpu: &Gpu, buffers: &[Buffer]) -> Result<Self, Error> {
        let mut made = Vec::with_capacity(buffers.len());
        for buffer in buffers {
            let (label, bytes) = (buffer.name.clone(), buffer.byte_len() as u64);
            if bytes > caps::MAX_BINDING_BYTES {
                return Err(Error::BindingTooLarge { label, bytes, limit: caps::MAX_BINDING_BYTES });
            }
            // The device zeroes what it allocates.
            made.push(gpu.create(&wgpu::BufferDescriptor {
                label: Some(&label),
                size: bytes.max(4),
                usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            })?);
        }
        Ok(Self { buffers: made, identity: Arc::default() })
    }

    /// Writes `values`, one for each buffer, over what it holds.
    pub(super) fn write(&mut self, gpu: &Gpu, values: &[Values]) -> Result<(), Error> {
        let length = |expected, found| Err(Error::Length { label: "the state".into(), expected, found });
        if values.len() != self.buffers.len() {
            return length(self.buffers.len(), values.len());
        }
        for (buffer, values) in self.buffers.iter().zip(values) {
            // An empty buffer has four bytes on the device.
            if values.bytes().len().max(4) as u64 != buffer.size() {
                return length(buffer.size() as usize, values.bytes().len());
            }
            gpu.queue().write_buffer(buffer, 0, values.bytes());
        }
        Ok(())
    }

    /// What only this state has, for as long as it lives.
    pub(super) fn identity(&self) -> Weak<()> {
        Arc::downgrade(&self.identity)
    }

    /// The buffers, in the order of the plan's state.
    pub(super) fn buffers(&self) -> &[wgpu::Buffer] {
        &self.buffers
    }
}
