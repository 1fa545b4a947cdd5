//! Rules about source files.

use crate::paths;
use anyhow::Result;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

const LONGEST_FILE: usize = 600;
const LARGEST_FILE: u64 = 1024 * 1024;

/// What an unfinished place looks like. Split so that this file does not hold its own quarry.
const MARKS: [&str; 5] = [
    concat!("FIX", "ME"),
    concat!("TO", "DO"),
    concat!("XX", "X"),
    concat!("unimple", "mented!("),
    concat!("#[ig", "nore"),
];

/// The top level, and nothing else.
const TOP: [&str; 15] = [
    "Anchor.toml",
    "Cargo.toml",
    "Cargo.lock",
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "LICENSE",
    "programs",
    "oracle",
    "app",
    "migrations",
    "tests",
    "tools",
];
const TOP_TOOL_FILES: [&str; 6] = ["docs", ".ci", "rust-toolchain.toml", "rustfmt.toml", "deny.toml", "clippy.toml"];

pub(super) fn check(files: &[PathBuf]) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for file in files {
        faults.extend(placed(file));
        let whole = paths::root().join(file);
        if fs::metadata(&whole)?.len() > LARGEST_FILE {
            faults.push(format!("{}: larger than {LARGEST_FILE} bytes", file.display()));
        }
        if matches!(extension(file), "rs" | "wgsl" | "ts" | "tsx") {
            faults.extend(text(file, &fs::read_to_string(&whole)?));
        }
    }
    faults.extend(untested_instructions(files)?);
    Ok(faults)
}

fn extension(file: &Path) -> &str {
    file.extension().and_then(|ending| ending.to_str()).unwrap_or_default()
}

fn placed(file: &Path) -> Option<String> {
    let top = file.components().next()?.as_os_str().to_str()?;
    let allowed = TOP.contains(&top) || TOP_TOOL_FILES.contains(&top) || top.starts_with('.');
    (!allowed).then(|| format!("{}: not a place of the top level", file.display()))
}

fn text(file: &Path, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let name = file.display();
    if file.ends_with("mod.rs") {
        faults.push(format!("{name}: write foo.rs beside foo/, not mod.rs"));
    }
    let lines = text.lines().count();
    if lines > LONGEST_FILE {
        faults.push(format!("{name}: {lines} lines, at most {LONGEST_FILE}: a second purpose lives inside"));
    }
    for (number, line) in text.lines().enumerate() {
        if let Some(mark) = MARKS.iter().find(|mark| line.contains(**mark)) {
            faults.push(format!("{name}:{}: unfinished: {mark}", number + 1));
        }
    }
    faults
}

/// Every instruction has at least one test that it rejects something.
fn untested_instructions(files: &[PathBuf]) -> Result<Vec<String>> {
    let mut tests = String::new();
    let mut instructions = BTreeSet::new();
    for file in files {
        if file.starts_with("tests/it") && extension(file) == "rs" {
            tests.push_str(&fs::read_to_string(paths::root().join(file))?);
        }
        let inside = file.parent().is_some_and(|folder| folder.ends_with("src/instructions"));
        if file.starts_with("programs") && inside && extension(file) == "rs" {
            instructions.insert(file.clone());
        }
    }
    let untested = |file: &PathBuf| {
        let verb = file.file_stem()?.to_str()?;
        (!tests.contains(&format!("fn {verb}_rejects_")))
            .then(|| format!("{}: no test `{verb}_rejects_...`", file.display()))
    };
    Ok(instructions.iter().filter_map(untested).collect())
}
