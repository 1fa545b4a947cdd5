//! Rules about documents: what they name exists.

use crate::paths;
use anyhow::Result;
use std::{
    fs,
    path::{Path, PathBuf},
};

pub(super) fn check(files: &[PathBuf]) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|ending| ending == "md")) {
        let text = fs::read_to_string(paths::root().join(file))?;
        for target in links(&text) {
            if !exists(file, target) {
                faults.push(format!("{}: links to {target}, which does not exist", file.display()));
            }
        }
    }
    let readme = fs::read_to_string(paths::root().join("README.md")).unwrap_or_default();
    for command in ["cargo xtask demo", "cargo xtask test"] {
        if !readme.contains(command) {
            faults.push(format!("README.md does not name `{command}`"));
        }
    }
    Ok(faults)
}

/// Targets of Markdown links that are files here.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| {
        let target = rest.split([')', '#', ' ']).next()?;
        (!target.is_empty() && !target.contains("://") && !target.starts_with("mailto:")).then_some(target)
    })
}

fn exists(document: &Path, target: &str) -> bool {
    let folder = document.parent().unwrap_or(Path::new(""));
    paths::root().join(folder).join(target).exists()
}

#[cfg(test)]
mod unit {
    use super::links;

    #[test]
    fn finds_links_to_files_only() {
        let text = "[a](docs/A.md) [b](https://example.org) [c](#here) [d](B.md#part)";
        assert_eq!(links(text).collect::<Vec<_>>(), ["docs/A.md", "B.md"]);
    }
}
