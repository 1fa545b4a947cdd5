//! Turns cargo's joined bitcode into a program file, unless that was already done.

use std::{fs, path::Path, process::Command, time::UNIX_EPOCH};

use anyhow::{Context, Result, ensure};

use crate::{arch::Arch, files::write_atomically, linker, toolchain::Toolchain};

/// Writes the program at `path` and returns true, or returns false where it is up to date.
///
/// A child process does the work, so that LLVM, which ends a process on a fatal error, cannot end ours.
pub(crate) fn finish(
    executable: &Path,
    toolchain: &Toolchain,
    bitcode: &Path,
    path: &Path,
    arch: Arch,
    dump: bool,
) -> Result<bool> {
    let staged = bitcode.with_extension(format!("{arch}.program"));
    let stamp = bitcode.with_extension(format!("{arch}.stamp"));
    let inputs = format!("{} {}", identity(bitcode)?, identity(executable)?);
    let staged_is_current = fs::read_to_string(&stamp).is_ok_and(|known| known == inputs) && staged.is_file();
    if !staged_is_current || dump {
        let mut command = Command::new(executable);
        command.arg(linker::FINISH).args([bitcode, &staged]).arg(arch.to_string());
        if dump {
            command.arg(path.with_extension("ll"));
        }
        toolchain.provide_llvm(&mut command)?;
        let output = command.output().with_context(|| format!("cannot run {}", executable.display()))?;
        let messages = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{} ({})", messages.trim().trim_start_matches("error: "), output.status);
        if !messages.trim().is_empty() {
            eprintln!("{}", messages.trim_end());
        }
        write_atomically(&stamp, inputs.as_bytes())?;
    }
    let program = fs::read(&staged).with_context(|| format!("cannot read {}", staged.display()))?;
    if fs::read(path).is_ok_and(|existing| existing == program) {
        return Ok(false);
    }
    write_atomically(path, &program)?;
    Ok(true)
}

/// Length and time of a file: what changes when it is written anew.
fn identity(path: &Path) -> Result<String> {
    let data = path.metadata().with_context(|| format!("cannot read {}", path.display()))?;
    let time = data.modified()?.duration_since(UNIX_EPOCH)?;
    Ok(format!("{}:{}", data.len(), time.as_nanos()))
}
