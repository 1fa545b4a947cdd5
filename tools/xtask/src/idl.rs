//! `cargo xtask idl`: the programs' interface descriptions, generated from their source and committed.

use crate::paths;
use anchor_lang_idl::build::IdlBuilder;
use anyhow::{Context, Result, bail};
use std::{fs, path::PathBuf};

#[derive(clap::Args, Clone, Copy, Default)]
pub(crate) struct Args {
    /// Change nothing; fail when a committed file is not what its program generates
    #[arg(long)]
    check: bool,
}

impl Args {
    pub(crate) const CHECK: Self = Self { check: true };
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut stale = Vec::new();
    for name in paths::PROGRAMS {
        let file = file(name);
        let text = generate(name)?;
        let committed = fs::read_to_string(&file).unwrap_or_default();
        if committed == text {
            continue;
        }
        if args.check {
            stale.push(file.display().to_string());
        } else {
            fs::create_dir_all(paths::root().join("app/idl"))?;
            fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        }
    }
    if !stale.is_empty() {
        bail!("not what the programs generate: {}. Run `cargo xtask idl` and commit the change", stale.join(", "));
    }
    Ok(())
}

fn file(name: &str) -> PathBuf {
    paths::root().join("app/idl").join(format!("provena_{name}.json"))
}

fn generate(name: &str) -> Result<String> {
    // The builder compiles with its own RUSTFLAGS: a folder of its own keeps it from rebuilding everybody's crates.
    let target = paths::target().join("idl").display().to_string();
    let idl = IdlBuilder::new()
        .program_path(paths::root().join("programs").join(name))
        .cargo_args(["--locked", "--lib", "--target-dir", &target].map(str::to_owned).to_vec())
        .build()
        .with_context(|| format!("cannot generate the IDL of provena-{name}; ANCHOR_LOG=1 shows the build"))?;
    Ok(serde_json::to_string_pretty(&idl)? + "\n")
}
