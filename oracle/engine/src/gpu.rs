//! The device: which adapter computes, what it can do, and what is kept alive between inferences.
//!
//! [`Gpu`] is opened once. It owns the wgpu device and queue, the capabilities found at start-up
//! ([`caps::Caps`]), the pipelines compiled so far ([`pipeline::Pipelines`]) and the buffers that are free to
//! be used again ([`pool::Pool`]). It knows nothing about models: [`crate::recording`] turns a plan into work
//! for it.

pub mod adapter;
pub mod autotune;
pub mod caps;
mod disk;
pub mod error;
pub mod matrix;
pub mod memory;
pub mod options;
pub mod pipeline;
pub mod pool;
pub mod readback;

use std::sync::{Arc, Mutex, PoisonError};

pub use adapter::Selection;
pub use autotune::Autotune;
pub use caps::Caps;
pub use error::Error;
pub use matrix::Matrix;
pub use memory::Memory;
pub use options::{Options, Switch};
pub use pipeline::{Key, Pipelines};
pub use pool::Pool;

use crate::kernels::self_test::prove;

/// An opened adapter. Cloning is cheap and shares everything.
#[derive(Clone, Debug)]
pub struct Gpu {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    device: wgpu::Device,
    queue: wgpu::Queue,
    caps: Caps,
    pipelines: Pipelines,
    autotune: Autotune,
    memory: Memory,
    pool: Pool,
    failure: Arc<Mutex<Option<String>>>,
}

impl Gpu {
    /// Opens the adapter that `selection` names.
    ///
    /// Only the limits every target offers are requested (see [`caps`]), so that a kernel which needs more
    /// fails here, on the developer's machine, and not on another node's.
    ///
    /// # Errors
    ///
    /// [`Error::NoAdapter`] if this machine has no driver at all, [`Error::AdapterNotFound`] if none has the
    /// wanted name, [`Error::TooSmall`] if the adapter is below the common limits, [`Error::RequestDevice`]
    /// if the driver refuses, [`Error::Option`] if the environment's [`Options`] are wrong.
    pub fn open(selection: &Selection) -> Result<Self, Error> {
        Self::open_with(selection, &Options::from_env()?)
    }

    /// The same with the caller's options instead of the environment's.
    ///
    /// # Errors
    ///
    /// As [`Gpu::open`].
    pub fn open_with(selection: &Selection, options: &Options) -> Result<Self, Error> {
        let adapter = adapter::choose(selection)?;
        let caps = Caps::detect(&adapter, options)?;
        Self::proved(&adapter, caps)
    }

    /// Opens the adapter with matrix units, if `caps` has some and they are found exact, or else without.
    fn proved(adapter: &wgpu::Adapter, caps: Caps) -> Result<Self, Error> {
        if caps.matrix.is_err() {
            return Self::request(adapter, caps);
        }
        // A driver may refuse its own offer, or fail with it: then it has a fresh device without.
        let with = Self::request(adapter, caps.clone()).and_then(|gpu| {
            prove(&gpu)?;
            // Nobody else will need buffers of these sizes.
            gpu.settle()?;
            gpu.pool().clear();
            Ok(gpu)
        });
        with.or_else(|error| Self::request(adapter, caps.without_matrix(&error)))
    }

    /// Opens the adapter with what `caps` asks for.
    fn request(adapter: &wgpu::Adapter, caps: Caps) -> Result<Self, Error> {
        let experimental_features = if caps.matrix.is_ok() {
            // SAFETY: of what wgpu holds to be experimental, `Caps` asks for nothing but cooperative matrices. Faults that
            // wgpu or a driver may have with them can show in the one kernel that uses them, `linear_matrix`, whose sums are
            // compared with integers before anything depends on them.
            unsafe { wgpu::ExperimentalFeatures::enabled() }
        } else {
            wgpu::ExperimentalFeatures::disabled()
        };
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("provena"),
            required_features: caps.features,
            required_limits: caps.limits.clone(),
            experimental_features,
            ..Default::default()
        };
        let (device, queue) = pollster::block_on(adapter.request_device(&descriptor))?;
        let failure = watch(&device);
        let info = adapter.get_info();
        let file = if caps.uses(Switch::PipelineCache) { disk::pipelines(&info) } else { None };
        let autotune = Autotune::new(disk::tiles(&info), caps.uses(Switch::Autotune));
        let pipelines = Pipelines::new(device.clone(), file, caps.uses(Switch::Unchecked));
        let memory = Memory::new(device.clone(), caps.options.memory);
        let pool = Pool::new(memory.clone());
        Ok(Self { inner: Arc::new(Inner { device, queue, caps, pipelines, autotune, memory, pool, failure }) })
    }

    /// Fails if the device was lost or ran out of memory at any time since it was opened.
    ///
    /// # Errors
    ///
    /// [`Error::Lost`] with the driver's words. What the device has computed since must not be used.
    pub fn healthy(&self) -> Result<(), Error> {
        match &*self.inner.failure.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(reason) => Err(Error::Lost(reason.clone())),
            None => Ok(()),
        }
    }

    /// What the adapter is and can do.
    #[must_use]
    pub fn caps(&self) -> &Caps {
        &self.inner.caps
    }

    /// The pipelines compiled so far.
    #[must_use]
    pub fn pipelines(&self) -> &Pipelines {
        &self.inner.pipelines
    }

    /// What was measured on this device.
    #[must_use]
    pub fn autotune(&self) -> &Autotune {
        &self.inner.autotune
    }

    /// The buffers that are free to be used again.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.inner.pool
    }

    /// Makes a buffer.
    ///
    /// # Errors
    ///
    /// As [`Memory::create`].
    pub fn create(&self, descriptor: &wgpu::BufferDescriptor<'_>) -> Result<wgpu::Buffer, Error> {
        self.inner.memory.create(descriptor)
    }

    /// Waits until everything submitted is done, so that what nobody holds any more is free.
    ///
    /// # Errors
    ///
    /// [`Error::Lost`] if the device does not answer.
    pub fn settle(&self) -> Result<(), Error> {
        // Writes to buffers wait for the next submission, and hold them until then.
        let submission = self.inner.queue.submit([]);
        let wait = wgpu::PollType::Wait { submission_index: Some(submission), timeout: Some(readback::TIMEOUT) };
        self.inner.device.poll(wait).map(drop).map_err(|error| Error::Lost(error.to_string()))
    }

    /// The device's memory.
    #[must_use]
    pub fn memory(&self) -> &Memory {
        &self.inner.memory
    }

    /// The wgpu device.
    #[must_use]
    pub fn device(&self) -> &wgpu::Device {
        &self.inner.device
    }

    /// The queue all work is submitted to.
    #[must_use]
    pub fn queue(&self) -> &wgpu::Queue {
        &self.inner.queue
    }
}

/// Keeps the first error that no call of ours reported; wgpu would otherwise end the process.
fn watch(device: &wgpu::Device) -> Arc<Mutex<Option<String>>> {
    let failure: Arc<Mutex<Option<String>>> = Arc::default();
    let note = |slot: &Mutex<Option<String>>, reason: String| {
        slot.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
    };
    let errors = failure.clone();
    device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| note(&errors, error.to_string())));
    let losses = failure.clone();
    device.set_device_lost_callback(move |reason, message| {
        // A device is also "lost" when we drop it ourselves.
        if reason != wgpu::DeviceLostReason::Destroyed {
            note(&losses, message);
        }
    });
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matrix_units_that_the_driver_refuses_are_not_used() {
        if std::env::var("PROVENA_TEST_GPU").is_ok_and(|value| value == "none") {
            return;
        }
        let adapter = adapter::choose(&Selection::Best).unwrap();
        let options = Options { disabled: [Switch::CooperativeMatrix].into(), ..Options::default() };
        let mut caps = Caps::detect(&adapter, &options).unwrap();
        assert_eq!(caps.matrix.clone().unwrap_err(), "the caller turned them off");
        // The feature that their kernel needs is not asked for, so that it cannot be compiled.
        caps.matrix = Ok(Matrix { unit: matrix::Unit::Float8, subgroup: 8 });
        let gpu = Gpu::proved(&adapter, caps).unwrap();
        let reason = gpu.caps().matrix.clone().unwrap_err();
        assert!(reason.contains("provena.linear_matrix"), "{reason}");
        gpu.healthy().unwrap();
    }
}
