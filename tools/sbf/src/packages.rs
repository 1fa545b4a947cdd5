//! Finds the programs that a call means.

use std::{env, path::PathBuf, process::Command};

use anyhow::{Context, Result, bail, ensure};
use cargo_metadata::{MetadataCommand, Package, PackageId};

use crate::build::BuildOptions;

/// A package whose library is a program.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) id: PackageId,
    /// The package's name.
    pub(crate) package: String,
    /// What cargo takes for `--package` without doubt.
    pub(crate) spec: String,
    /// The library's name.
    pub(crate) name: String,
}

/// The programs to build and the workspace they stand in.
#[derive(Debug)]
pub(crate) struct Selection {
    pub(crate) root: PathBuf,
    pub(crate) target_dir: PathBuf,
    pub(crate) programs: Vec<Program>,
}

/// Reads the workspace and picks the packages with a `cdylib`, as the official tool does: the one of the
/// given manifest, or all of them for a workspace.
pub(crate) fn select(options: &BuildOptions) -> Result<Selection> {
    let manifest = match &options.manifest_path {
        Some(manifest) => manifest.clone(),
        None => nearest_manifest()?,
    };
    let manifest = manifest.canonicalize().with_context(|| format!("there is no manifest {}", manifest.display()))?;
    let mut command = MetadataCommand::new();
    command.no_deps().manifest_path(&manifest);
    if options.offline {
        command.other_options(["--offline".to_owned()]);
    }
    let metadata = command.exec().context("cargo cannot read the workspace")?;
    let members = metadata.workspace_packages();
    let wanted: Vec<&Package> = if !options.packages.is_empty() {
        let mut found = Vec::new();
        for name in &options.packages {
            let package = members.iter().find(|package| package.name.as_str() == name);
            found.push(*package.with_context(|| format!("the workspace has no package `{name}`"))?);
        }
        found
    } else if options.workspace {
        members
    } else {
        let own = members.iter().find(|package| package.manifest_path.as_std_path() == manifest);
        match own {
            Some(package) => vec![*package],
            None => members,
        }
    };
    let programs: Vec<Program> = wanted.iter().filter_map(|package| program(package)).collect();
    if programs.is_empty() {
        let names: Vec<&str> = wanted.iter().map(|package| package.name.as_str()).collect();
        bail!(
            "no program here: none of [{}] has a library with crate-type \"cdylib\"; use --manifest-path to name one",
            names.join(", ")
        );
    }
    Ok(Selection {
        root: metadata.workspace_root.into_std_path_buf(),
        target_dir: metadata.target_directory.into_std_path_buf(),
        programs,
    })
}

/// The manifest that cargo finds from the current folder.
fn nearest_manifest() -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["locate-project", "--message-format", "plain"])
        .output()
        .context("cannot run cargo")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(PathBuf::from(String::from_utf8(output.stdout)?.trim_end()))
}

fn program(package: &Package) -> Option<Program> {
    let library = package.targets.iter().find(|target| target.is_cdylib())?;
    Some(Program {
        id: package.id.clone(),
        package: package.name.to_string(),
        spec: package.id.repr.clone(),
        name: library.name.replace('-', "_"),
    })
}
