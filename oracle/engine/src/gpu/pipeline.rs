//! Compiled kernels, each compiled once.
//!
//! First use of a kernel costs a driver 0.02 to 0.7 s, so pipelines are kept for as long as the device lives, and what
//! the driver made of them on disk, where it can say it (`wgpu::Features::PIPELINE_CACHE`). A
//! [`Key`] names a pipeline by what it was made from and is at once its label, so that a message of wgpu, a
//! profile and this crate's errors all call it the same: `provena.<op>.<variant>`.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Error, disk};
use crate::kernels::source;

/// What a pipeline is made from: an operation's shader, the features switched on in it, and its constants.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The operation: the shader's file name without `.wgsl`.
    pub op: &'static str,
    /// Names that `#if` finds defined.
    pub features: Vec<&'static str>,
    /// Sizes of the tiles that `#repeat` writes out.
    pub sizes: Vec<(&'static str, u32)>,
    /// Values of the shader's `override` constants.
    pub constants: Vec<(&'static str, u32)>,
    /// Whether whoever dispatches it has proved that every index lies within its buffer and every loop ends.
    pub proved: bool,
}

impl Key {
    /// An operation that has no variants.
    #[must_use]
    pub fn plain(op: &'static str) -> Self {
        Self { op, features: Vec::new(), sizes: Vec::new(), constants: Vec::new(), proved: false }
    }

    /// The same with a feature switched on.
    #[must_use]
    pub fn with(mut self, feature: &'static str) -> Self {
        self.features.push(feature);
        self
    }

    /// The same with the size of a tile set.
    #[must_use]
    pub fn size(mut self, name: &'static str, value: u32) -> Self {
        self.sizes.push((name, value));
        self
    }

    /// The same for a kernel whose indices are proved, so that they need no check.
    ///
    /// # Safety
    ///
    /// Whoever dispatches the pipeline must have proved, for the sizes of what it binds and for the parameters, that the
    /// shader indexes nothing out of bounds, and that all its loops end.
    #[must_use]
    pub unsafe fn proved(mut self) -> Self {
        self.proved = true;
        self
    }

    /// The same with an `override` constant set.
    #[must_use]
    pub fn constant(mut self, name: &'static str, value: u32) -> Self {
        self.constants.push((name, value));
        self
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "provena.{}.", self.op)?;
        let features = self.features.iter().map(|feature| feature.to_lowercase());
        let numbers = self.sizes.iter().chain(&self.constants);
        let constants = numbers.map(|(name, value)| format!("{}{value}", name.to_lowercase()));
        let parts: Vec<String> = features.chain(constants).collect();
        f.write_str(if parts.is_empty() { "base" } else { "" })?;
        f.write_str(&parts.join("_"))
    }
}

/// The pipelines compiled so far on one device.
#[derive(Debug)]
pub struct Pipelines {
    device: wgpu::Device,
    compiled: Mutex<HashMap<Key, Arc<wgpu::ComputePipeline>>>,
    /// The driver's compiled code, and the file that it is kept in.
    cache: Option<(wgpu::PipelineCache, PathBuf)>,
    /// Whether something was compiled since the file was written.
    changed: AtomicBool,
    /// Whether kernels whose indices are proved go without checks.
    unchecked: bool,
}

impl Pipelines {
    /// None yet; with a `file`, those compiled by an earlier process are not compiled again.
    pub(super) fn new(device: wgpu::Device, file: Option<PathBuf>, unchecked: bool) -> Self {
        let cache = file.map(|file| {
            let data = disk::read(&file);
            let descriptor =
                wgpu::PipelineCacheDescriptor { label: Some("provena"), data: data.as_deref(), fallback: true };
            // SAFETY: the data is what wgpu gave for this adapter and driver, whose names are part of the file's, and its
            // checksum is right; wgpu and the driver check its header as well.
            (unsafe { device.create_pipeline_cache(&descriptor) }, file)
        });
        Self { device, compiled: Mutex::default(), cache, changed: AtomicBool::new(false), unchecked }
    }

    /// Writes what was compiled to disk, if anything was compiled since this was last done.
    pub fn save(&self) {
        if let Some((cache, file)) = &self.cache
            && self.changed.swap(false, Ordering::Relaxed)
            && let Some(data) = cache.get_data()
        {
            disk::write(file, &data);
        }
    }

    /// Returns the pipeline of `key`, compiling it on its first use.
    ///
    /// # Errors
    ///
    /// [`Error::Shader`] if the source cannot be put together, [`Error::Rejected`] if wgpu or the driver refuses
    /// it.
    pub fn get(&self, key: &Key) -> Result<Arc<wgpu::ComputePipeline>, Error> {
        // A panic elsewhere cannot leave the map half-written: entries are inserted whole.
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipeline) = compiled.get(key) {
            return Ok(pipeline.clone());
        }
        let pipeline = Arc::new(self.compile(key)?);
        compiled.insert(key.clone(), pipeline.clone());
        Ok(pipeline)
    }

    /// The labels of all pipelines compiled so far, sorted.
    #[must_use]
    pub fn labels(&self) -> Vec<String> {
        let compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let mut labels: Vec<String> = compiled.keys().map(Key::to_string).collect();
        labels.sort();
        labels
    }

    fn compile(&self, key: &Key) -> Result<wgpu::ComputePipeline, Error> {
        let label = key.to_string();
        let text = source::expand(key.op, &key.features, &key.sizes)?;
        let constants: Vec<(&str, f64)> = key.constants.iter().map(|&(name, value)| (name, f64::from(value))).collect();
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let source =
            wgpu::ShaderModuleDescriptor { label: Some(&label), source: wgpu::ShaderSource::Wgsl(text.into()) };
        let module = if key.proved && self.unchecked {
            // SAFETY: whoever made the key has proved that all indices lie within their buffers and that all loops end,
            // which `Key::proved` asks for.
            unsafe { self.device.create_shader_module_trusted(source, wgpu::ShaderRuntimeChecks::unchecked()) }
        } else {
            self.device.create_shader_module(source)
        };
        let pipeline = self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(&label),
            layout: None,
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &constants,
                // Every kernel writes its shared memory before it reads it.
                zero_initialize_workgroup_memory: false,
            },
            cache: self.cache.as_ref().map(|(cache, _)| cache),
        });
        match pollster::block_on(scope.pop()) {
            Some(error) => Err(Error::Rejected { label, reason: error.to_string() }),
            None => {
                self.changed.store(true, Ordering::Relaxed);
                Ok(pipeline)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_label() {
        assert_eq!(Key::plain("softmax").to_string(), "provena.softmax.base");
        let key = Key::plain("gemm").with("RELU").constant("TILE_M", 4);
        assert_eq!(key.to_string(), "provena.gemm.relu_tile_m4");
    }
}
