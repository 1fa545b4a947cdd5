//! The bytecode versions the tool can emit.

use std::{fmt, str::FromStr};

use bpf_linker::Cpu;
use sbpf_linker::SbpfArch;

/// A version of Solana's bytecode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Arch {
    /// What every cluster of the 3.x line runs, and so do the tests and the embedded chain.
    #[default]
    V0,
    /// Static syscalls and stricter headers; what new deployments on real clusters will need.
    V3,
}

impl Arch {
    /// The BPF processor whose instructions this version understands.
    pub(crate) fn cpu(self) -> Cpu {
        match self {
            Self::V0 => Cpu::V2,
            Self::V3 => Cpu::V4,
        }
    }

    pub(crate) fn assembler(self) -> SbpfArch {
        match self {
            Self::V0 => SbpfArch::V0,
            Self::V3 => SbpfArch::V3,
        }
    }

    /// The folder below the one for programs that holds this version's programs.
    pub(crate) fn subfolder(self) -> &'static str {
        match self {
            Self::V0 => "",
            Self::V3 => "v3",
        }
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V0 => "v0",
            Self::V3 => "v3",
        })
    }
}

impl FromStr for Arch {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "v0" => Ok(Self::V0),
            "v3" => Ok(Self::V3),
            other => Err(format!(
                "bytecode `{other}` is not supported here; use v0 (default) or v3, or `--official` for Solana's own compiler"
            )),
        }
    }
}
