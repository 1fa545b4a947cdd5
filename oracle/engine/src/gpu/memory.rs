//! Device memory: every buffer is made here, so that what does not fit is an error with a name and the device stays
//! usable.

use super::Error;

/// Makes a buffer.
///
/// # Errors
///
/// [`Error::OutOfMemory`] if the device has not that much memory left, [`Error::Rejected`] if wgpu refuses the
/// descriptor. In both cases nothing is taken and the device carries on.
pub fn create(device: &wgpu::Device, descriptor: &wgpu::BufferDescriptor<'_>) -> Result<wgpu::Buffer, Error> {
    let label = || descriptor.label.unwrap_or("a buffer").to_owned();
    let out_of_memory = || Error::OutOfMemory { label: label(), bytes: descriptor.size };
    if descriptor.size > device.limits().max_buffer_size {
        return Err(out_of_memory());
    }
    // Scopes are a thread's own, so that two threads do not see each other's errors.
    let validation = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let memory = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let buffer = device.create_buffer(descriptor);
    let (memory, validation) = (pollster::block_on(memory.pop()), pollster::block_on(validation.pop()));
    match (memory, validation) {
        (Some(_), _) => Err(out_of_memory()),
        (None, Some(error)) => Err(Error::Rejected { label: label(), reason: error.to_string() }),
        (None, None) => Ok(buffer),
    }
}
