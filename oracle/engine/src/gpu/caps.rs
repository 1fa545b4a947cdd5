//! What an adapter can do, detected once.
//!
//! The kernels count on nothing beyond the limits below, which every driver we measured offers. They never need
//! f16, 64-bit integers or a fixed subgroup size: packed dot products are part of WGSL, and naga spells them out where
//! the hardware has none. What an adapter offers beyond that is asked for where a kernel's variant has a use for it and
//! no [`Switch`] forbids it.

use super::{Error, Matrix, Options, matrix, options::Switch};

/// Storage buffers that one shader stage may bind: what every kernel makes do with.
pub const MAX_STORAGE_BUFFERS: u32 = 10;
/// What is asked for where there is as much: several operations in one kernel bind more.
pub const MORE_STORAGE_BUFFERS: u32 = 16;
/// Invocations in one workgroup.
pub const MAX_INVOCATIONS: u32 = 256;
/// Bytes in one storage binding; a larger tensor must be split.
pub const MAX_BINDING_BYTES: u64 = 128 << 20;
/// Workgroups along one dimension of a dispatch.
pub const MAX_WORKGROUPS: u32 = 65_535;
/// Bytes of memory shared by one workgroup: what every kernel makes do with.
pub const MAX_WORKGROUP_BYTES: u32 = 16_384;
/// What is asked for where there is as much, for the same reason.
pub const MORE_WORKGROUP_BYTES: u32 = 32_768;

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
    /// Optional features asked for: those that the adapter offers, a kernel may use and no switch forbids.
    pub features: wgpu::Features,
    /// Invocations of a subgroup, where all subgroups have equally many.
    pub subgroup: Option<u32>,
    /// Whether the adapter offers 16-bit floats. Nothing but matrix units uses them, for bytes, which are exact in them.
    pub offers_f16: bool,
    /// Whether the adapter offers matrix units of any kind.
    pub offers_cooperative_matrix: bool,
    /// The matrix units that products may use, or why there are none. Those of an opened device were found exact on it.
    pub matrix: Result<Matrix, String>,
    /// What the caller allows.
    pub options: Options,
}

impl Caps {
    /// Reads what `adapter` offers and settles what to ask of it.
    ///
    /// # Errors
    ///
    /// [`Error::TooSmall`] if a limit is below what the kernels count on.
    pub(super) fn detect(adapter: &wgpu::Adapter, options: &Options) -> Result<Self, Error> {
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
        let more = |least: u32, most: u32, offered: u32| {
            if options.allows(Switch::Fusion) { offered.clamp(least, most) } else { least }
        };
        let limits = wgpu::Limits {
            max_storage_buffers_per_shader_stage: more(
                MAX_STORAGE_BUFFERS,
                MORE_STORAGE_BUFFERS,
                offered.max_storage_buffers_per_shader_stage,
            ),
            max_compute_invocations_per_workgroup: MAX_INVOCATIONS,
            max_storage_buffer_binding_size: MAX_BINDING_BYTES,
            max_compute_workgroups_per_dimension: MAX_WORKGROUPS,
            max_compute_workgroup_storage_size: more(
                MAX_WORKGROUP_BYTES,
                MORE_WORKGROUP_BYTES,
                offered.max_compute_workgroup_storage_size,
            ),
            ..wgpu::Limits::default()
        };
        let features = adapter.features();
        let subgroup = (info.subgroup_min_size == info.subgroup_max_size).then_some(info.subgroup_min_size);
        let half = options.allows(Switch::F16) && features.contains(wgpu::Features::SHADER_F16);
        let matrix = if !options.allows(Switch::CooperativeMatrix) {
            Err("the caller turned them off".into())
        } else if !features.contains(wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX) {
            Err("the adapter offers none".into())
        } else {
            // Which subgroup an invocation belongs to is a question to that feature.
            let counted = options.allows(Switch::Subgroup) && features.contains(wgpu::Features::SUBGROUP);
            matrix::choose(&adapter.cooperative_matrix_properties(), half, subgroup.filter(|_| counted))
        };
        let used = USED.iter().filter(|(switch, feature)| options.allows(*switch) && features.contains(*feature));
        Ok(Self {
            name: info.name,
            driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
            device_type: device_type(info.device_type),
            api: info.backend.to_string(),
            limits,
            features: used.fold(needed_by(&matrix), |all, (_, feature)| all | *feature),
            subgroup,
            offers_f16: features.contains(wgpu::Features::SHADER_F16),
            offers_cooperative_matrix: features.contains(wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX),
            matrix,
            options: options.clone(),
        })
    }

    /// The same without matrix units, which had that error.
    pub(super) fn without_matrix(mut self, error: &Error) -> Self {
        self.features.remove(needed_by(&self.matrix));
        self.matrix = Err(error.to_string());
        self
    }

    /// The matrix units that are used, or why none are, for people.
    #[must_use]
    pub fn matrix_units(&self) -> String {
        match &self.matrix {
            Ok(matrix) => format!("{matrix}, exact"),
            Err(reason) => format!("not used: {reason}"),
        }
    }

    /// Whether it is a driver that computes on the processor.
    #[must_use]
    pub fn is_software(&self) -> bool {
        self.device_type == SOFTWARE
    }

    /// Whether something optional may be used: the caller allows it, and the device has it.
    #[must_use]
    pub fn uses(&self, switch: Switch) -> bool {
        let feature = match switch {
            Switch::F16 => Some(wgpu::Features::SHADER_F16),
            Switch::CooperativeMatrix => Some(wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX),
            _ => USED.iter().find(|(known, _)| *known == switch).map(|(_, feature)| *feature),
        };
        self.options.allows(switch) && feature.is_none_or(|feature| self.features.contains(feature))
    }
}

/// The type of a driver that computes on the processor.
const SOFTWARE: &str = "software";

/// The features that matrix units need.
fn needed_by(matrix: &Result<Matrix, String>) -> wgpu::Features {
    let Ok(matrix) = matrix else { return wgpu::Features::empty() };
    let half = if matrix.unit.half() { wgpu::Features::SHADER_F16 } else { wgpu::Features::empty() };
    wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX | half
}

/// The optional features that something uses, with their switches, but for those of matrix units.
const USED: [(Switch, wgpu::Features); 3] = [
    (Switch::Subgroup, wgpu::Features::SUBGROUP),
    (Switch::Int64, wgpu::Features::SHADER_INT64),
    (Switch::PipelineCache, wgpu::Features::PIPELINE_CACHE),
];

fn device_type(device_type: wgpu::DeviceType) -> &'static str {
    match device_type {
        wgpu::DeviceType::DiscreteGpu => "discrete",
        wgpu::DeviceType::IntegratedGpu => "integrated",
        wgpu::DeviceType::VirtualGpu => "virtual",
        wgpu::DeviceType::Cpu => SOFTWARE,
        wgpu::DeviceType::Other => "other",
    }
}
