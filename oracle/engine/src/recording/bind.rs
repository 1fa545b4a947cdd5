//! What a dispatch binds, and the bind groups made of it.

use std::sync::Arc;

use super::GpuState;
use crate::gpu::{Error, Gpu};

/// A bound range of a buffer.
#[derive(Clone, Debug)]
pub(super) enum Bound {
    /// The first `bytes` bytes, from `offset` on, of a buffer that the recording or the model keeps.
    Fixed { buffer: wgpu::Buffer, offset: u64, bytes: u64 },
    /// A whole buffer of the state that an execution brings along.
    State(usize),
}

impl Bound {
    fn resource<'a>(&'a self, state: Option<&'a GpuState>) -> Option<wgpu::BindingResource<'a>> {
        Some(match self {
            Self::Fixed { buffer, offset, bytes } => wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer,
                offset: *offset,
                size: wgpu::BufferSize::new(*bytes),
            }),
            Self::State(place) => state?.buffers().get(*place)?.as_entire_binding(),
        })
    }
}

/// A kernel's bindings.
#[derive(Clone, Debug)]
pub(super) struct Bindings {
    pub label: String,
    pub pipeline: Arc<wgpu::ComputePipeline>,
    pub entries: Vec<(u32, Bound)>,
}

impl Bindings {
    /// Whether they differ from state to state.
    pub(super) fn have_state(&self) -> bool {
        self.entries.iter().any(|(_, bound)| matches!(bound, Bound::State(_)))
    }

    /// The bind group, with `state` where there is any.
    pub(super) fn group(&self, gpu: &Gpu, state: Option<&GpuState>) -> Result<wgpu::BindGroup, Error> {
        let rejected = |reason: String| Error::Rejected { label: self.label.clone(), reason };
        let mut entries = Vec::with_capacity(self.entries.len());
        for (binding, bound) in &self.entries {
            let resource = bound.resource(state).ok_or_else(|| rejected("its state is missing".into()))?;
            entries.push(wgpu::BindGroupEntry { binding: *binding, resource });
        }
        let scope = gpu.device().push_error_scope(wgpu::ErrorFilter::Validation);
        let group = gpu.device().create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(&self.label),
            layout: &self.pipeline.get_bind_group_layout(0),
            entries: &entries,
        });
        match pollster::block_on(scope.pop()) {
            Some(error) => Err(rejected(error.to_string())),
            None => Ok(group),
        }
    }
}
