//! What can go wrong between this crate and a device.

/// An error of the device or of the work recorded for it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No driver offered an adapter.
    #[error(
        "no graphics adapter was found; install your GPU's Vulkan driver, or the software one \
         (on Debian and Ubuntu: apt-get install mesa-vulkan-drivers libvulkan1)"
    )]
    NoAdapter,
    /// No adapter has the wanted name.
    #[error("no adapter's name contains {wanted:?}; this machine has: {}", .have.join(", "))]
    AdapterNotFound {
        /// What was asked for.
        wanted: String,
        /// The names there are.
        have: Vec<String>,
    },
    /// The adapter is below a limit that every kernel counts on.
    #[error("adapter {adapter} offers {limit} = {offered}, and the kernels need {needed}")]
    TooSmall {
        /// The adapter's name.
        adapter: String,
        /// The limit's name in WebGPU.
        limit: &'static str,
        /// What the adapter offers.
        offered: u64,
        /// What the kernels need.
        needed: u64,
    },
    /// An environment variable says what nobody knows.
    #[error("{name}: {reason}")]
    Option {
        /// The variable.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The driver refused to open the device.
    #[error("the driver refused to open the device")]
    RequestDevice(#[from] wgpu::RequestDeviceError),
    /// A shader import names no file, or an `#if` is not closed.
    #[error("shader {shader}: {reason}")]
    Shader {
        /// The shader's name.
        shader: String,
        /// What is wrong with it.
        reason: String,
    },
    /// wgpu rejected a pipeline, a bind group or a buffer.
    #[error("{label} was rejected: {reason}")]
    Rejected {
        /// The label of the object, `provena.<op>.<variant>`.
        label: String,
        /// wgpu's own message.
        reason: String,
    },
    /// A tensor needs a larger storage binding than every target offers.
    #[error("{label} is {bytes} bytes; a storage binding holds at most {limit}")]
    BindingTooLarge {
        /// The tensor's or buffer's label.
        label: String,
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The device has not so much memory left. It is usable as before.
    #[error("{label} does not fit the device's memory: {bytes} bytes")]
    OutOfMemory {
        /// The tensor's or buffer's label.
        label: String,
        /// Its size.
        bytes: u64,
    },
    /// The caller's data does not fit the plan.
    #[error("{label} holds {expected} bytes, and {found} were given")]
    Length {
        /// The buffer's label.
        label: String,
        /// The bytes it holds.
        expected: usize,
        /// The bytes given.
        found: usize,
    },
    /// The plan cannot be run: it names a tensor or buffer that is not there, or an impossible shape.
    #[error("{op}: {reason}")]
    Plan {
        /// The operation, with its place in the plan.
        op: String,
        /// What is wrong.
        reason: String,
    },
    /// The device was lost or stopped answering.
    #[error("the device stopped answering: {0}")]
    Lost(String),
    /// A kernel computed something else than its scalar twin.
    #[error("{op} on {adapter} computes {found} at {buffer} {at}, and the reference {expected}")]
    Mismatch {
        /// The kernel's label.
        op: String,
        /// The adapter's name.
        adapter: String,
        /// The buffer that differs.
        buffer: String,
        /// The first element that differs.
        at: usize,
        /// The reference's element.
        expected: i64,
        /// The device's element.
        found: i64,
    },
}
