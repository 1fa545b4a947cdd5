//! Compiled kernels, each compiled once.
//!
//! First use of a kernel costs a driver 0.02 to 0.4 s, so pipelines are kept for as long as the device lives. A
//! [`Key`] names a pipeline by what it was made from and is at once its label, so that a message of wgpu, a
//! profile and this crate's errors all call it the same: `provena.<op>.<variant>`.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::Error;
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
}

impl Key {
    /// An operation that has no variants.
    #[must_use]
    pub fn plain(op: &'static str) -> Self {
        Self { op, features: Vec::new(), sizes: Vec::new(), constants: Vec::new() }
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
}

impl Pipelines {
    pub(super) fn new(device: wgpu::Device) -> Self {
        Self { device, compiled: Mutex::new(HashMap::new()) }
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
        let module = self.device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(&label),
            source: wgpu::ShaderSource::Wgsl(text.into()),
        });
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
            cache: None,
        });
        match pollster::block_on(scope.pop()) {
            Some(error) => Err(Error::Rejected { label, reason: error.to_string() }),
            None => Ok(pipeline),
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
