//! Makes linked bitcode safe for stock LLVM's BPF backend, and emits it.
//!
//! The backend was written for the Linux kernel. It cannot select code that ordinary Rust contains, and for
//! wide products it reports an error and then computes with zero. Each submodule rewrites one such kind of
//! code into what the backend can do, and `tests/differential` runs every one of them in the VM against the
//! host. What is left over the backend refuses by name, and any such refusal fails the build.

mod arguments;
mod attributes;
mod builder;
mod diagnostics;
mod guard_div;
mod ir;
mod signed_div;
mod wide_div;
mod wide_mul;
mod wide_shift;

use std::{ffi::CStr, path::Path};

use anyhow::{Context, Result, ensure};

use self::{builder::Builder, ir::Module};
use crate::arch::Arch;

/// The processor features that the VM has beyond its version.
pub(crate) const FEATURES: &CStr = c"+allows-misaligned-mem-access";

/// The function that the VM calls.
const ENTRYPOINT: &CStr = c"entrypoint";

/// Rewrites may uncover one another (a signed division of 128 bits becomes an unsigned one), but each only
/// ever removes its own kind; far fewer rounds than this are enough.
const MAX_ROUNDS: usize = 8;

/// Reads `bitcode`, lowers it for `arch` and writes the object file; and, where `dump` names a file, the
/// lowered code as text.
///
/// # Errors
/// When there is no entrypoint. Names each function that cannot be lowered, and gives every error of the
/// backend.
pub(crate) fn lower(bitcode: &Path, object: &Path, arch: Arch, dump: Option<&Path>) -> Result<()> {
    let module = Module::read(bitcode, arch)?;
    ensure!(
        module.function(ENTRYPOINT).is_some(),
        "the library has no function `entrypoint`: is its feature `no-entrypoint` on?"
    );
    attributes::normalise(&module);
    // Dead code first: what nobody calls need not be lowerable.
    module.run("globaldce,function(lower-atomic)")?;
    arguments::inline_wide_functions(&module)?;
    module.run("default<O3>")?;
    lower_arithmetic(&module)?;
    guard_div::guard(&module);
    if let Some(path) = dump {
        module.print(path)?;
    }
    module.emit(object).with_context(|| format!("cannot emit {}", object.display()))
}

/// Rewrites arithmetic until no round finds any more: the simplification in between may bring new cases.
fn lower_arithmetic(module: &Module) -> Result<()> {
    for _ in 0..MAX_ROUNDS {
        let mut rewritten = 0;
        wide_div::provide(module)?;
        let builder = Builder::new(module);
        for function in module.defined_functions() {
            for instruction in ir::instructions(function) {
                let lowered = wide_mul::lower(&builder, instruction)
                    || signed_div::lower(&builder, instruction)
                    || wide_shift::lower(&builder, instruction)
                    || wide_div::lower(&builder, module, instruction);
                rewritten += usize::from(lowered);
            }
        }
        if rewritten == 0 {
            return Ok(());
        }
        module.run("function(lower-atomic,instcombine<no-verify-fixpoint>,simplifycfg,early-cse,dce),globaldce")?;
    }
    ensure!(false, "the lowering of arithmetic did not come to an end in {MAX_ROUNDS} rounds");
    Ok(())
}
