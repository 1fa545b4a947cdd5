//! What outlives an execution on a device: a decoder's keys and values.

use crate::gpu::{Error, Gpu, caps};
use crate::plan::Buffer;

/// The contents of a plan's state on a device.
#[derive(Debug)]
pub struct GpuState {
    buffers: Vec<wgpu::Buffer>,
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
            made.push(gpu.device().create_buffer(&wgpu::BufferDescriptor {
                label: Some(&label),
                size: bytes.max(4),
                usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            }));
            gpu.healthy()?;
        }
        Ok(Self { buffers: made })
    }

    /// The buffers, in the order of the plan's state.
    pub(super) fn buffers(&self) -> &[wgpu::Buffer] {
        &self.buffers
    }
}
