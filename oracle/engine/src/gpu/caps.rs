//! What an adapter can do, detected once.
//!
//! The kernels count on nothing beyond the limits below, which every driver we measured offers. They never need
//! f16, 64-bit integers or a fixed subgroup size, and no optional feature is asked for: packed dot products are part of
//! WGSL, and naga spells them out where the hardware has none.

use super::Error;

/// Storage buffers that one shader stage may bind.
pub const MAX_STORAGE_BUFFERS: u32 = 10;
/// Invocations in one workgroup.
pub const MAX_INVOCATIONS: u32 = 256;
/// Bytes in one storage binding; a larger tensor must be split.
pub const MAX_BINDING_BYTES: u64 = 128 << 20;
/// Workgroups along one dimension of a dispatch.
pub const MAX_WORKGROUPS: u32 = 65_535;
/// Bytes of memory shared by one workgroup.
pub const MAX_WORKGROUP_BYTES: u32 = 16_384;

/// An adapter's name and the limits that are requested from it.
#[derive(Clone, Debug)]
pub struct Caps {
    /// The adapter's name, as its driver gives it.
    pub name: String,
    /// The driver and its version.
    pub driver: String,
    /// `discrete`, `integrated`, `virtual`, `software` or `other`.
    pub device_type: &'static str,
    /// The API used to reach it, such as `vulkan`.
    pub api: String,
    /// Limits asked for: the common ones above, whatever the adapter offers beyond them.
    pub limits: wgpu::Limits,
}

impl Caps {
    /// Reads what `adapter` offers and settles what to ask of it.
    ///
    /// # Errors
    ///
    /// [`Error::TooSmall`] if a limit is below what the kernels count on.
    pub(super) fn detect(adapter: &wgpu::Adapter) -> Result<Self, Error> {
        let info = adapter.get_info();
        let offered = adapter.limits();
        let needs: [(&'static str, u64, u64); 5] = [
            (
                "max_storage_buffers_per_shader_stage",
                offered.max_storage_buffers_per_shader_stage.into(),
                MAX_STORAGE_BUFFERS.into(),
            ),
            (
                "max_compute_invocations_per_workgroup",
                offered.max_compute_invocations_per_workgroup.into(),
                MAX_INVOCATIONS.into(),
            ),
            ("max_storage_buffer_binding_size", offered.max_storage_buffer_binding_size, MAX_BINDING_BYTES),
            (
                "max_compute_workgroups_per_dimension",
                offered.max_compute_workgroups_per_dimension.into(),
                MAX_WORKGROUPS.into(),
            ),
            (
                "max_compute_workgroup_storage_size",
                offered.max_compute_workgroup_storage_size.into(),
                MAX_WORKGROUP_BYTES.into(),
            ),
        ];
        for (limit, offered, needed) in needs {
            if offered < needed {
                return Err(Error::TooSmall { adapter: info.name, limit, offered, needed });
            }
        }
        let limits = wgpu::Limits {
            max_storage_buffers_per_shader_stage: MAX_STORAGE_BUFFERS,
            max_compute_invocations_per_workgroup: MAX_INVOCATIONS,
            max_storage_buffer_binding_size: MAX_BINDING_BYTES,
            max_compute_workgroups_per_dimension: MAX_WORKGROUPS,
            max_compute_workgroup_storage_size: MAX_WORKGROUP_BYTES,
            ..wgpu::Limits::default()
        };
        Ok(Self {
            name: info.name,
            driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
            device_type: device_type(info.device_type),
            api: info.backend.to_string(),
            limits,
        })
    }
}

fn device_type(device_type: wgpu::DeviceType) -> &'static str {
    match device_type {
        wgpu::DeviceType::DiscreteGpu => "discrete",
        wgpu::DeviceType::IntegratedGpu => "integrated",
        wgpu::DeviceType::VirtualGpu => "virtual",
        wgpu::DeviceType::Cpu => "software",
        wgpu::DeviceType::Other => "other",
    }
}
