//! The machine's own limits, measured in the same process as the kernels.

pub(crate) mod device;
pub(crate) mod host;

use serde::Serialize;

/// What an adapter or the processor reaches when nothing else is to be done.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Peak {
    /// Billions of additions and multiplications per second in packed dot products of registers, each of operands of its
    /// own, as in a matrix product.
    pub gops: f64,
    /// The same where operands are shared, which some compilers turn into fewer products; nobody measures it on the
    /// processor.
    pub shared_gops: Option<f64>,
    /// `gops` per second of a processor's time instead, for software drivers.
    pub busy_gops: Option<f64>,
    /// Billions of bytes per second that a copy reads and writes, both counted.
    pub copy_gbytes: f64,
    /// The instruction of the dot products.
    pub dot: &'static str,
}

impl Peak {
    /// The better of two measurements: what disturbed one of them is no limit.
    pub(crate) fn or(self, other: Self) -> Self {
        let better = |a: Option<f64>, b: Option<f64>| a.zip(b).map(|(a, b)| a.max(b)).or(a).or(b);
        Self {
            gops: self.gops.max(other.gops),
            shared_gops: better(self.shared_gops, other.shared_gops),
            busy_gops: better(self.busy_gops, other.busy_gops),
            copy_gbytes: self.copy_gbytes.max(other.copy_gbytes),
            dot: self.dot,
        }
    }
}
