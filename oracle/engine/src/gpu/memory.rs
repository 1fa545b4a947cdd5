//! Device memory: every buffer is made here, so that what does not fit is an error with a name and the device stays
//! usable.

use super::Error;

/// The memory of one device.
#[derive(Clone, Debug)]
pub struct Memory {
    device: wgpu::Device,
    limit: Option<u64>,
}

impl Memory {
    /// The device's memory, of which at most `limit` bytes may be taken.
    pub(super) fn new(device: wgpu::Device, limit: Option<u64>) -> Self {
        Self { device, limit }
    }

    /// Makes a buffer.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`] if there is not that much memory left, [`Error::Rejected`] if wgpu refuses the descriptor.
    /// In both cases nothing is taken and the device carries on.
    pub fn create(&self, descriptor: &wgpu::BufferDescriptor<'_>) -> Result<wgpu::Buffer, Error> {
        let label = || descriptor.label.unwrap_or("a buffer").to_owned();
        let out_of_memory = || Error::OutOfMemory { label: label(), bytes: descriptor.size };
        let within = self
            .limit
            .is_none_or(|limit| self.taken().checked_add(descriptor.size).is_some_and(|bytes| bytes <= limit));
        if descriptor.size > self.device.limits().max_buffer_size || !within {
            return Err(out_of_memory());
        }
        // Scopes are a thread's own, so that two threads do not see each other's errors.
        let validation = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let buffer = self.device.create_buffer(descriptor);
        let (memory, validation) = (pollster::block_on(memory.pop()), pollster::block_on(validation.pop()));
        match (memory, validation) {
            (Some(_), _) => Err(out_of_memory()),
            (None, Some(error)) => Err(Error::Rejected { label: label(), reason: error.to_string() }),
            (None, None) => Ok(buffer),
        }
    }

    /// Bytes taken at present, once what nobody needs any more is freed; 0 where the driver's memory is not ours to see.
    #[must_use]
    pub fn taken(&self) -> u64 {
        // An error here is the next submission's to report.
        let _ = self.device.poll(wgpu::PollType::Poll);
        self.device.generate_allocator_report().map_or(0, |report| report.total_allocated_bytes)
    }
}
