//! The linker that rustc calls, and the step that turns its output into a program.
//!
//! `merge` runs inside cargo, once for each `cdylib` of the graph (some of them are mere dependencies that
//! nobody will load), and only joins bitcode. `finish` runs afterwards for the programs that were asked
//! for; there the lowering happens, and its errors are shown, which cargo would hide.

use std::{
    ffi::CString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use aya_rustc_llvm_proxy as _;
use bpf_linker::{Linker, LinkerInput, LinkerOptions, OptLevel, OutputType};
use sbpf_linker::{OptimizationConfig, ProgramOptions, SbpfLinkerError, link_program};

use crate::{
    arch::Arch,
    files::write_atomically,
    lower,
    toolchain::{self, Toolchain},
};

/// First argument when rustc calls: join bitcode.
pub(crate) const MERGE: &str = "--merge-bitcode";
/// First argument when this tool calls: lower, assemble and link one program.
pub(crate) const FINISH: &str = "--finish-program";

/// Bytes of stack that one call may use in the VM.
const STACK_FRAME: i32 = 4096;

/// Instructions of newer kernels that no version of the VM has: sign-extending moves and loads, jump tables,
/// unconditional byte swaps, signed division, jumps of 32 bits, atomics.
const UNKNOWN_TO_THE_VM: [&str; 7] = [
    "--disable-movsx",
    "--disable-ldsx",
    "--disable-gotox",
    "--disable-bswap",
    "--disable-sdiv-smod",
    "--disable-gotol",
    "--disable-load-acq-store-rel",
];

/// The symbols that others find by name: the VM the first, the backend the rest.
pub(crate) const EXPORTS: [&str; 6] = ["entrypoint", "memcpy", "memmove", "memset", "memcmp", "bcmp"];

/// Runs this process as the linker if its arguments say so, and ends it. A program that calls
/// [`crate::build`] calls this first in `main`, so that it can serve as its own linker.
pub fn run_if_called_as_linker() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if matches!(args.first().map(String::as_str), Some(MERGE | FINISH)) {
        std::process::exit(run(&args));
    }
}

/// Runs the linker with `args` (without the program's name) and returns the exit code.
pub fn run(args: &[String]) -> i32 {
    let outcome = if toolchain::llvm_is_reachable() { dispatch(args) } else { again_with_llvm(args) };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            1
        }
    }
}

/// Starts this program anew with the variable set that leads to the LLVM inside rustc.
fn again_with_llvm(args: &[String]) -> Result<i32> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(args);
    Toolchain::find(Path::new("."))?.provide_llvm(&mut command)?;
    Ok(command.status()?.code().unwrap_or(1))
}

fn dispatch(args: &[String]) -> Result<i32> {
    match args.split_first() {
        Some((first, rest)) if first == FINISH => finish(rest)?,
        Some((first, rest)) if first == MERGE => merge(rest)?,
        _ => merge(args)?,
    }
    Ok(0)
}

/// Starts LLVM with the options that hold for every step, by way of bpf-linker.
fn start_llvm(arch: Arch) -> Linker {
    let stack = format!("--bpf-stack-size={STACK_FRAME}");
    let llvm_args = [&stack[..]].into_iter().chain(UNKNOWN_TO_THE_VM);
    Linker::new(LinkerOptions {
        target: None,
        cpu: arch.cpu(),
        cpu_features: CString::from(lower::FEATURES),
        optimize: OptLevel::Less,
        unroll_loops: false,
        ignore_inline_never: false,
        llvm_args: llvm_args.map(|arg| CString::new(arg).expect("no NUL in a literal")).collect(),
        disable_expand_memcpy_in_order: true,
        disable_memory_builtins: false,
        btf: false,
        allow_bpf_trap: false,
    })
}

/// Joins the bitcode of all inputs into one file. Takes the arguments rustc gives `bpf-linker`.
fn merge(args: &[String]) -> Result<()> {
    let mut inputs = Vec::new();
    let mut output = None;
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "-o" | "--output" => output = args.next().map(PathBuf::from),
            // Everything but the entrypoint is internal, whatever a crate exports.
            "-L" | "--export-symbols" | "--export" | "--cpu" | "--cpu-features" | "--target" | "-flavor" => {
                args.next();
            }
            flag if flag.starts_with('-') => {}
            input => inputs.push(PathBuf::from(input)),
        }
    }
    let output = output.context("the linker was called without an output file (-o)")?;
    ensure!(!inputs.is_empty(), "the linker was called without input files");
    let linker = start_llvm(Arch::V0);
    linker.link_to_file(
        inputs.iter().map(|path| LinkerInput::new_from_file(path)),
        &output,
        OutputType::Bitcode,
        EXPORTS,
    )?;
    ensure!(!linker.has_errors(), "LLVM reported an error while it joined the bitcode");
    Ok(())
}

/// Turns joined bitcode into a program: `<bitcode> <output> <arch> [<text>]`.
fn finish(args: &[String]) -> Result<()> {
    let (bitcode, output, arch, dump) = match args {
        [bitcode, output, arch] => (bitcode, output, arch, None),
        [bitcode, output, arch, dump] => (bitcode, output, arch, Some(Path::new(dump))),
        _ => bail!("{FINISH} takes a bitcode file, an output file, v0 or v3, and perhaps a file for the code as text"),
    };
    let arch: Arch = arch.parse().map_err(anyhow::Error::msg)?;
    let (bitcode, output) = (Path::new(bitcode), Path::new(output));
    let _llvm = start_llvm(arch);
    let object = output.with_extension("o");
    lower::lower(bitcode, &object, arch, dump)?;
    let bytes = fs::read(&object).with_context(|| format!("cannot read {}", object.display()))?;
    let options = ProgramOptions::new(OptimizationConfig::enabled(), arch.assembler(), STACK_FRAME);
    let program = link_program(&bytes, options).map_err(|errors| {
        anyhow::anyhow!("the program cannot be linked:\n{}", SbpfLinkerError::format_errors(&errors))
    })?;
    write_atomically(output, &program)
}
