//! Getting results back from the device.

use std::sync::mpsc;
use std::time::Duration;

use super::{Error, Gpu};

/// How long a device may take for one submission before it counts as lost.
pub const TIMEOUT: Duration = Duration::from_secs(120);

/// A buffer that the host can read, kept for as long as the plan that fills it.
#[derive(Debug)]
pub struct Readback {
    buffer: wgpu::Buffer,
}

impl Readback {
    /// Makes one of `bytes` bytes.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub fn new(gpu: &Gpu, label: &str, bytes: u64) -> Result<Self, Error> {
        let buffer = gpu.create(&wgpu::BufferDescriptor {
            label: Some(label),
            size: bytes.max(4),
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        })?;
        Ok(Self { buffer })
    }

    /// The buffer, as a destination for copies.
    #[must_use]
    pub fn buffer(&self) -> &wgpu::Buffer {
        &self.buffer
    }

    /// Waits until the submission that filled the buffer is done and hands its bytes to `read`.
    ///
    /// # Errors
    ///
    /// [`Error::Lost`] if the device does not answer within [`TIMEOUT`] or its memory cannot be mapped.
    pub fn read<T>(&self, gpu: &Gpu, after: wgpu::SubmissionIndex, read: impl FnOnce(&[u8]) -> T) -> Result<T, Error> {
        let (sender, receiver) = mpsc::channel();
        self.buffer.map_async(wgpu::MapMode::Read, .., move |result| {
            // The receiver is gone only if `read` has returned, and then nobody waits for the answer.
            let _ = sender.send(result);
        });
        let wait = wgpu::PollType::Wait { submission_index: Some(after), timeout: Some(TIMEOUT) };
        gpu.device().poll(wait).map_err(|error| Error::Lost(error.to_string()))?;
        receiver
            .recv_timeout(TIMEOUT)
            .map_err(|error| Error::Lost(error.to_string()))?
            .map_err(|error| Error::Lost(error.to_string()))?;
        let value = {
            let view = self.buffer.get_mapped_range(..).map_err(|error| Error::Lost(error.to_string()))?;
            read(&view)
        };
        self.buffer.unmap();
        Ok(value)
    }
}
