//! Builds the programs in `tests/programs`.

use std::path::{Path, PathBuf};

use provena_sbf::{Arch, BuildOptions, Built};

/// Cargo's target folder.
pub(crate) fn target_dir() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the folder for temporary files lies in the target folder")
}

/// Options that build the program in `tests/programs/<name>` into a folder of its own, together with all
/// that was compiled for other programs.
pub(crate) fn options(name: &str) -> BuildOptions {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs").join(name).join("Cargo.toml");
    BuildOptions {
        manifest_path: Some(manifest),
        out_dir: Some(out_dir(name)),
        target_dir: Some(target_dir().join("sbf")),
        linker: Some(PathBuf::from(env!("CARGO_BIN_EXE_sbf-linker"))),
        cargo_args: vec!["--locked".to_owned()],
        quiet: true,
        ..BuildOptions::default()
    }
}

/// Where the program of that name goes.
pub(crate) fn out_dir(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// Builds that program for `arch`.
pub(crate) fn build(name: &str, arch: Arch) -> Built {
    let options = BuildOptions { archs: vec![arch], ..options(name) };
    provena_sbf::build(&options).expect("the program can be built").remove(0)
}
