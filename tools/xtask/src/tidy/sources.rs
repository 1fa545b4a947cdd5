//! Rules about source files.

use crate::paths;
use anyhow::Result;
use std::{
    collections::BTreeMap,
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

/// Every instruction has at least one test that it rejects something, among its own program's: programs share names.
fn untested_instructions(files: &[PathBuf]) -> Result<Vec<String>> {
    let mut tests: BTreeMap<&str, String> = BTreeMap::new();
    for file in files {
        if let Some(program) = tested(file) {
            *tests.entry(program).or_default() += &fs::read_to_string(paths::root().join(file))?;
        }
    }
    let untested = |file: &PathBuf| {
        let (program, verb) = instruction(file)?;
        let found = tests.get(program).is_some_and(|tests| tests.contains(&format!("fn {verb}_rejects_")));
        (!found).then(|| format!("{}: no test `{verb}_rejects_...` below tests/it/{program}", file.display()))
    };
    Ok(files.iter().filter_map(untested).collect())
}

/// The program whose tests a file holds: `tests/it/royalty.rs` and all below `tests/it/royalty`.
fn tested(file: &Path) -> Option<&str> {
    let program = file.strip_prefix("tests/it").ok()?.components().next()?.as_os_str().to_str()?;
    (extension(file) == "rs").then(|| program.strip_suffix(".rs").unwrap_or(program))
}

/// The program and the name of the instruction that a file holds.
fn instruction(file: &Path) -> Option<(&str, &str)> {
    let inside = file.strip_prefix("programs").ok()?;
    let program = inside.components().next()?.as_os_str().to_str()?;
    let place = Path::new(program).join("src/instructions");
    (inside.parent() == Some(&place) && extension(file) == "rs").then_some((program, file.file_stem()?.to_str()?))
}

#[cfg(test)]
mod unit {
    use super::{instruction, tested};
    use std::path::Path;

    #[test]
    fn an_instruction_and_its_tests_belong_to_the_same_program() {
        let file = Path::new("programs/royalty/src/instructions/set_pause.rs");
        assert_eq!(instruction(file), Some(("royalty", "set_pause")));
        assert_eq!(instruction(Path::new("programs/royalty/src/instructions.rs")), None);
        assert_eq!(instruction(Path::new("programs/royalty/src/state/pool.rs")), None);
        for file in ["tests/it/royalty/admin.rs", "tests/it/royalty.rs", "tests/it/royalty/conservation/chain.rs"] {
            assert_eq!(tested(Path::new(file)), Some("royalty"));
        }
        assert_eq!(tested(Path::new("tests/src/world.rs")), None);
    }
}
