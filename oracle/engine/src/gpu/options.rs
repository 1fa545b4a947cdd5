//! What a device may use: the switches of everything optional, and a limit on its memory.
//!
//! Nothing optional can change an answer's bits, so each part can be turned off alone, when a driver has a fault in it
//! or to measure what it is worth. `PROVENA_GPU_DISABLE` names what to turn off, separated by commas: see [`Switch`].
//! `PROVENA_GPU_MEMORY` is the most bytes that buffers may take. Both are read when an engine is opened, and only then.

use std::collections::BTreeSet;

use super::Error;

/// Something that a device may be without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Switch {
    /// `subgroup`: reductions without shared memory.
    Subgroup,
    /// `int64`: loads of eight bytes, where a software driver pays for each load and lane.
    Int64,
    /// `f16`: floats of 16 bits, in which matrix units read bytes.
    F16,
    /// `cooperative_matrix`: matrix units, which are used where they were found to add up bytes exactly, see
    /// [`crate::gpu::matrix`].
    CooperativeMatrix,
    /// `pipeline_cache`: compiled kernels on disk.
    PipelineCache,
    /// `autotune`: choosing a kernel's variant by measuring.
    Autotune,
    /// `fusion`: one kernel for a matrix product, the normalisation before it and what reads it.
    Fusion,
    /// `unchecked`: leaving out the bounds checks of kernels whose indices lowering has proved.
    Unchecked,
}

impl Switch {
    /// All there are, by name.
    pub const ALL: [(&'static str, Self); 8] = [
        ("subgroup", Self::Subgroup),
        ("int64", Self::Int64),
        ("f16", Self::F16),
        ("cooperative_matrix", Self::CooperativeMatrix),
        ("pipeline_cache", Self::PipelineCache),
        ("autotune", Self::Autotune),
        ("fusion", Self::Fusion),
        ("unchecked", Self::Unchecked),
    ];
}

/// What a device may use. The default is everything that it offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// What is turned off.
    pub disabled: BTreeSet<Switch>,
    /// The most bytes of all buffers together.
    pub memory: Option<u64>,
}

impl Options {
    /// Reads `PROVENA_GPU_DISABLE` and `PROVENA_GPU_MEMORY`.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] when one of them says what nobody knows.
    pub fn from_env() -> Result<Self, Error> {
        let read = |name| std::env::var(name).unwrap_or_default();
        Self::parse(&read("PROVENA_GPU_DISABLE"), &read("PROVENA_GPU_MEMORY"))
    }

    fn parse(disable: &str, memory: &str) -> Result<Self, Error> {
        let mut options = Self::default();
        for name in disable.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let found = Switch::ALL.iter().find(|(known, _)| *known == name);
            let known = || Switch::ALL.map(|(known, _)| known).join(", ");
            let wrong =
                || Error::Option { name: "PROVENA_GPU_DISABLE", reason: format!("{name:?} is none of {}", known()) };
            options.disabled.insert(found.ok_or_else(wrong)?.1);
        }
        if !memory.is_empty() {
            let wrong =
                |_| Error::Option { name: "PROVENA_GPU_MEMORY", reason: format!("{memory:?} is no number of bytes") };
            options.memory = Some(memory.parse().map_err(wrong)?);
        }
        Ok(options)
    }

    /// Whether it may be used.
    #[must_use]
    pub fn allows(&self, switch: Switch) -> bool {
        !self.disabled.contains(&switch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_switch_is_known_by_its_name() {
        let names = Switch::ALL.map(|(name, _)| name).join(" , ");
        let options = Options::parse(&names, "4096").unwrap();
        assert!(Switch::ALL.iter().all(|(_, switch)| !options.allows(*switch)));
        assert_eq!(options.memory, Some(4096));
        assert_eq!(Options::parse("", "").unwrap(), Options::default());
    }

    #[test]
    fn what_nobody_knows_is_refused() {
        let error = Options::parse("f16,warp", "").unwrap_err().to_string();
        assert!(error.starts_with("PROVENA_GPU_DISABLE: \"warp\" is none of subgroup, int64"), "{error}");
        let error = Options::parse("", "1 GB").unwrap_err().to_string();
        assert_eq!(error, "PROVENA_GPU_MEMORY: \"1 GB\" is no number of bytes");
    }
}
