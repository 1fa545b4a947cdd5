//! One call from sources to programs.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};
use cargo_metadata::Message;

use crate::{
    arch::Arch,
    artifact, files, keypair,
    packages::{self, Program},
    target,
    toolchain::Toolchain,
};

/// What to build, and how.
#[derive(Clone, Debug, Default)]
pub struct BuildOptions {
    /// The program's or the workspace's `Cargo.toml`; by default the one cargo finds from the current folder.
    pub manifest_path: Option<PathBuf>,
    /// Build every program of the workspace, whatever the manifest is.
    pub workspace: bool,
    /// Build only these packages.
    pub packages: Vec<String>,
    /// Bytecode versions, each into its own folder; none means [`Arch::V0`].
    pub archs: Vec<Arch>,
    /// Cargo features of the program.
    pub features: Vec<String>,
    /// Leave the program's default features out.
    pub no_default_features: bool,
    /// Where the programs go; by default the folder `deploy` in cargo's target folder; v3 goes to its subfolder
    /// `v3`.
    pub out_dir: Option<PathBuf>,
    /// Where cargo works; by default the folder `sbf` in cargo's own target folder.
    pub target_dir: Option<PathBuf>,
    /// The program to run as the linker; by default `sbf-linker` beside this executable, else this
    /// executable itself, which must then call [`crate::linker::run_if_called_as_linker`] first.
    pub linker: Option<PathBuf>,
    /// Never use the network.
    pub offline: bool,
    /// As many compilers at once; by default what cargo thinks best.
    pub jobs: Option<u32>,
    /// Further arguments for `cargo build`, such as `--locked`.
    pub cargo_args: Vec<String>,
    /// Make a keypair beside each program that has none, as the official tool does.
    pub keypairs: bool,
    /// Leave the lowered code as text beside each program.
    pub dump: bool,
    /// Say nothing but errors.
    pub quiet: bool,
    /// Show the commands that are run.
    pub verbose: bool,
}

/// A program that was built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// The cargo package.
    pub package: String,
    /// The library's name, which is also the file's.
    pub name: String,
    /// The bytecode version.
    pub arch: Arch,
    /// The program's file.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// False where the same bytes already stood there.
    pub written: bool,
}

/// Builds the programs that `options` name.
///
/// # Errors
/// When the toolchain lacks a part, when cargo fails, and for every diagnostic of severity error that LLVM
/// or the linker gives: a file is written only if there was none.
pub fn build(options: &BuildOptions) -> Result<Vec<Built>> {
    let selection = packages::select(options)?;
    let toolchain = Toolchain::find(&selection.root)?;
    toolchain.require_rust_src()?;
    let target_dir = options.target_dir.clone().unwrap_or_else(|| selection.target_dir.join("sbf"));
    let linker = linker(options)?;
    let out_dir = options.out_dir.clone().unwrap_or_else(|| selection.target_dir.join("deploy"));
    let archs = if options.archs.is_empty() { &[Arch::V0][..] } else { &options.archs };

    let mut built = Vec::new();
    for program in &selection.programs {
        // Another build in the same folder, with other features, would replace the bitcode before it is read.
        let _lock = files::lock(&target_dir.join(".provena-sbf.lock"))?;
        let specification = target::write_specification(&target_dir, &files::alias(&linker, &target_dir)?)?;
        // One call of cargo for each: together their features would be united, and a program that another
        // one calls would lose its entrypoint.
        let bitcode = compile(options, program, &selection.root, &toolchain, &target_dir, &specification)?;
        for &arch in archs {
            let path = out_dir.join(arch.subfolder()).join(format!("{}.so", program.name));
            let written = artifact::finish(&linker, &toolchain, &bitcode, &path, arch, options.dump)
                .with_context(|| format!("{} cannot become a program", program.package))?;
            let bytes = path.metadata()?.len();
            if !options.quiet {
                eprintln!(
                    "{:>12} {} ({bytes} bytes, {arch})",
                    if written { "Program" } else { "Unchanged" },
                    path.display()
                );
            }
            built.push(Built {
                package: program.package.clone(),
                name: program.name.clone(),
                arch,
                path,
                bytes,
                written,
            });
        }
        if options.keypairs {
            keypair::ensure(&out_dir.join(format!("{}-keypair.json", program.name)))?;
        }
    }
    Ok(built)
}

/// The executable that rustc will call as the linker.
fn linker(options: &BuildOptions) -> Result<PathBuf> {
    let own = env::current_exe().context("cannot find this executable")?;
    let path = options.linker.clone().unwrap_or_else(|| {
        let beside = own.with_file_name(format!("sbf-linker{}", env::consts::EXE_SUFFIX));
        if beside.is_file() { beside } else { own }
    });
    path.canonicalize().with_context(|| format!("the linker {} does not exist", path.display()))
}

/// Has cargo compile `program` and returns its joined bitcode.
fn compile(
    options: &BuildOptions,
    program: &Program,
    root: &Path,
    toolchain: &Toolchain,
    target_dir: &Path,
    specification: &Path,
) -> Result<PathBuf> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root).args(["build", "--lib", "--package", &program.spec, "--profile", target::PROFILE]);
    cargo.args(["-Zjson-target-spec", "-Zbuild-std=core,alloc,std,panic_abort", "-Zbuild-std-features="]);
    cargo.arg("--target").arg(specification).arg("--target-dir").arg(target_dir);
    for setting in target::PROFILE_CONFIG {
        cargo.args(["--config", setting]);
    }
    cargo.arg("--message-format=json-render-diagnostics");
    if !options.features.is_empty() {
        cargo.arg("--features").arg(options.features.join(","));
    }
    if options.no_default_features {
        cargo.arg("--no-default-features");
    }
    if options.offline {
        cargo.arg("--offline");
    }
    if let Some(jobs) = options.jobs {
        cargo.arg("--jobs").arg(jobs.to_string());
    }
    if options.quiet {
        cargo.arg("--quiet");
    }
    cargo.args(&options.cargo_args);
    cargo.env("RUSTC_BOOTSTRAP", "1").env("RUSTC_BOOTSTRAP_SYNTHETIC_TARGET", "1");
    // Tells apart the variants of a program: as itself, and as a library of another one. Without it, cargo
    // gives both the same file and builds each anew after the other.
    cargo.env("__CARGO_DEFAULT_LIB_METADATA", "provena-sbf");
    cargo.env("CARGO_ENCODED_RUSTFLAGS", target::RUSTFLAGS.join("\x1f")).env_remove("RUSTFLAGS");
    toolchain.provide_llvm(&mut cargo)?;
    if options.verbose {
        eprintln!("{:>12} {cargo:?}", "Running");
    }

    let mut child = cargo.stdout(Stdio::piped()).spawn().context("cannot run cargo")?;
    let stdout = child.stdout.take().context("cargo has no standard output")?;
    let mut bitcode = None;
    for message in Message::parse_stream(std::io::BufReader::new(stdout)) {
        if let Message::CompilerArtifact(artifact) = message?
            && artifact.package_id == program.id
            && artifact.target.is_cdylib()
        {
            bitcode = artifact.filenames.into_iter().find(|file| file.extension() == Some("so"));
        }
    }
    ensure!(child.wait()?.success(), "cargo could not build {}", program.package);
    match bitcode {
        Some(path) => Ok(path.into_std_path_buf()),
        None => bail!("cargo named no file for the library {}", program.name),
    }
}
