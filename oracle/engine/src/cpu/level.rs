//! Which instructions are used: found out at run time, at one place.

use std::str::FromStr;

use super::{isa::Isa, isa::Portable};
use crate::error::Error;

/// The environment variable that turns wider instructions off: `best`, `vnni`, `avxvnni`, `avx2` or `portable`.
pub const VARIABLE: &str = "PROVENA_CPU";

/// Instructions that this processor has. All levels give the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// What every processor of the architecture has.
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    AvxVnni,
    #[cfg(target_arch = "x86_64")]
    Vnni,
}

/// All names, the widest first.
#[cfg(target_arch = "x86_64")]
const KINDS: [(Kind, &str); 4] =
    [(Kind::Vnni, "vnni"), (Kind::AvxVnni, "avxvnni"), (Kind::Avx2, "avx2"), (Kind::Portable, "portable")];
/// All names, the widest first.
#[cfg(not(target_arch = "x86_64"))]
const KINDS: [(Kind, &str); 1] = [(Kind::Portable, "portable")];

/// A computation that is compiled once per level.
pub trait Kernel {
    /// What it gives.
    type Output;

    /// Does it. Must be `#[inline(always)]`, as must be all that it calls in its loops.
    fn run<I: Isa>(self) -> Self::Output;
}

impl Level {
    /// What every processor has.
    pub const PORTABLE: Self = Self(Kind::Portable);

    /// The widest that this processor has.
    pub fn best() -> Self {
        Self::available().next().unwrap_or(Self::PORTABLE)
    }

    /// Those that this processor has, the widest first.
    pub fn available() -> impl Iterator<Item = Self> {
        KINDS.into_iter().filter(|(kind, _)| has(*kind)).map(|(kind, _)| Self(kind))
    }

    /// The names of all levels of this architecture, the widest first, whether this processor has them or not.
    pub fn names() -> impl Iterator<Item = &'static str> {
        KINDS.into_iter().map(|(_, name)| name)
    }

    /// What [`VARIABLE`] asks for; the best where it is not set.
    ///
    /// # Errors
    /// [`Error::Cpu`] when it names no level, or one that this processor lacks.
    pub fn from_env() -> Result<Self, Error> {
        match std::env::var(VARIABLE) {
            Ok(name) => name.parse(),
            Err(std::env::VarError::NotPresent) => Ok(Self::best()),
            Err(std::env::VarError::NotUnicode(_)) => Err(Error::Cpu(format!("{VARIABLE} is not text"))),
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        KINDS.into_iter().find(|(kind, _)| *kind == self.0).map_or("portable", |(_, name)| name)
    }

    /// Runs a kernel with these instructions.
    pub fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            Kind::Portable => kernel.run::<Portable>(),
            // SAFETY: a level is only made for a processor that has it, see `has`.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => unsafe { x86::avx2(kernel) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Kind::AvxVnni => unsafe { x86::avx_vnni(kernel) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Kind::Vnni => unsafe { x86::vnni(kernel) },
        }
    }
}

impl FromStr for Level {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        if name == "best" || name.is_empty() {
            return Ok(Self::best());
        }
        let found = KINDS.into_iter().find(|(_, known)| *known == name);
        let (kind, _) = found.ok_or_else(|| {
            let names = Self::names().collect::<Vec<_>>().join(", ");
            Error::Cpu(format!("{VARIABLE} is {name:?}; this architecture knows best, {names}"))
        })?;
        if !has(kind) {
            return Err(Error::Cpu(format!("{VARIABLE} is {name:?}, which this processor lacks")));
        }
        Ok(Self(kind))
    }
}

#[cfg(target_arch = "x86_64")]
fn has(kind: Kind) -> bool {
    use std::arch::is_x86_feature_detected as detected;
    let avx2 = detected!("avx2") && detected!("bmi1") && detected!("bmi2") && detected!("lzcnt");
    match kind {
        Kind::Portable => true,
        Kind::Avx2 => avx2,
        Kind::AvxVnni => avx2 && detected!("avxvnni"),
        Kind::Vnni => {
            let wide = detected!("avx512f") && detected!("avx512bw") && detected!("avx512dq") && detected!("avx512vl");
            avx2 && wide && detected!("avx512vnni")
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn has(_: Kind) -> bool {
    true
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Kernel;
    use crate::cpu::isa::{Avx2, AvxVnni, Vnni};

    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
    pub(super) fn avx2<K: Kernel>(kernel: K) -> K::Output {
        kernel.run::<Avx2>()
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,avxvnni")]
    pub(super) fn avx_vnni<K: Kernel>(kernel: K) -> K::Output {
        kernel.run::<AvxVnni>()
    }

    /// Only products use 512-bit vectors, in functions of their own. Plain loops gain nothing from them that would be
    /// worth trusting a compiler with them: LLVM 22 of Rust 1.95 compiles a safe loop over pairs of an `i32`'s halves
    /// wrongly for AVX-512 at optimisation level 3, which the tests against the reference found.
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
    pub(super) fn vnni<K: Kernel>(kernel: K) -> K::Output {
        kernel.run::<Vnni>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_are_refused() {
        for level in Level::available() {
            assert_eq!(level.name().parse::<Level>().unwrap(), level);
        }
        assert_eq!("best".parse::<Level>().unwrap(), Level::best());
        let error = "avx3".parse::<Level>().unwrap_err().to_string();
        assert!(error.contains("PROVENA_CPU is \"avx3\""), "{error}");
        for name in Level::names().filter(|name| Level::available().all(|level| level.name() != *name)) {
            let error = name.parse::<Level>().unwrap_err().to_string();
            assert_eq!(error, format!("CPU backend: PROVENA_CPU is {name:?}, which this processor lacks"));
        }
    }
}
