//! Puts a shader's text together.
//!
//! A shader is one operation in one file. Three kinds of line are ours and not WGSL's:
//! - `#import shared/<name>` is replaced by that file, once per shader however often it is asked for;
//! - `#if <FEATURE>`, `#else` and `#endif` keep or drop the lines between them; they may nest;
//! - `#repeat <i> <SIZE>` and `#end` repeat the lines between them for i = 0, 1, .., SIZE - 1 with `$i` replaced; they
//!   may nest. So a tile's values stay in registers, which an array indexed in a loop need not.
//!
//! `$SIZE` anywhere is the size itself.
//!
//! Other numbers never come in this way: they are `override` constants of the pipeline.

use sha2::{Digest, Sha256};

use crate::gpu::Error;

macro_rules! shaders {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../shaders/", $name, ".wgsl")))),*]
    };
}

/// All shaders and shared parts, by path without extension.
const SHADERS: &[(&str, &str)] = shaders![
    "argmax",
    "attention_context",
    "attention_scores",
    "attention_weights",
    "cached_attention",
    "cached_contexts",
    "cached_scores",
    "embed",
    "flatten",
    "gate",
    "gather",
    "linear",
    "linear_across",
    "linear_matrix",
    "linear_shared",
    "lookup",
    "max_pool",
    "norm",
    "patches",
    "probe_copy",
    "probe_dot",
    "probe_tile",
    "rms_norm",
    "rotate_store",
    "sample",
    "shared/bytes",
    "shared/fixed",
    "shared/gated",
    "shared/interpolate",
    "shared/linear",
    "shared/normed",
    "shared/pack",
    "shared/pages",
    "shared/reduce",
    "shared/root",
    "shared/rotated",
    "shared/rotation",
    "shared/wide",
    "sum_rows",
    "unit",
];

/// A short name of all shaders' text: what was measured or compiled for other text says nothing about this.
#[must_use]
pub fn digest() -> String {
    let mut all = Sha256::new();
    for part in SHADERS.iter().flat_map(|(name, text)| [name, text]) {
        all.update((part.len() as u64).to_le_bytes());
        all.update(part);
    }
    all.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How deep imports may nest; more is a cycle.
const MAX_DEPTH: usize = 8;

/// Returns the WGSL of `op` with `features` switched on and the loops over `sizes` unrolled.
///
/// # Errors
///
/// [`Error::Shader`] if an import names no file, a size is unknown, or an `#if` or `#repeat` is not closed.
pub fn expand(op: &str, features: &[&str], sizes: &[(&str, u32)]) -> Result<String, Error> {
    let mut expansion = Expansion { features, imported: Vec::new(), text: String::new() };
    expansion.file(op, 0)?;
    if sizes.is_empty() && !expansion.text.contains("#repeat ") {
        return Ok(expansion.text);
    }
    let lines: Vec<&str> = expansion.text.lines().collect();
    let mut text = String::new();
    unroll(&lines, sizes, &mut text).map_err(|reason| Error::Shader { shader: op.to_owned(), reason })?;
    for (name, size) in sizes {
        text = text.replace(&format!("${name}"), &size.to_string());
    }
    Ok(text)
}

/// Appends `lines` with their repetitions written out.
fn unroll(lines: &[&str], sizes: &[(&str, u32)], text: &mut String) -> Result<(), String> {
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let Some(head) = line.trim().strip_prefix("#repeat ") else {
            text.push_str(line);
            text.push('\n');
            at += 1;
            continue;
        };
        let (variable, size) = head.split_once(' ').ok_or_else(|| format!("{line:?} names no size"))?;
        let found = sizes.iter().find(|(name, _)| *name == size);
        let &(_, count) = found.ok_or_else(|| format!("the size {size:?} is not given"))?;
        let body = block(&lines[at + 1..]).ok_or("a #repeat is not closed")?;
        for turn in 0..count {
            let turned: Vec<String> =
                body.iter().map(|line| line.replace(&format!("${variable}"), &turn.to_string())).collect();
            unroll(&turned.iter().map(String::as_str).collect::<Vec<_>>(), sizes, text)?;
        }
        at += body.len() + 2;
    }
    Ok(())
}

/// The lines before the `#end` that closes a block, whose first line is the first of `lines`.
fn block<'a>(lines: &'a [&'a str]) -> Option<&'a [&'a str]> {
    let mut open = 1;
    let end = lines.iter().position(|line| {
        let line = line.trim();
        open += i32::from(line.starts_with("#repeat ")) - i32::from(line == "#end");
        open == 0
    })?;
    lines.get(..end)
}

struct Expansion<'a> {
    features: &'a [&'a str],
    imported: Vec<String>,
    text: String,
}

impl Expansion<'_> {
    fn file(&mut self, name: &str, depth: usize) -> Result<(), Error> {
        let fail = |reason: &str| Err(Error::Shader { shader: name.to_owned(), reason: reason.to_owned() });
        if depth > MAX_DEPTH {
            return fail("its imports go in a circle");
        }
        let Some((_, source)) = SHADERS.iter().find(|(known, _)| *known == name) else {
            return fail("there is no such file");
        };
        let mut kept: Vec<bool> = Vec::new();
        for line in source.lines() {
            let directive = line.trim();
            if let Some(feature) = directive.strip_prefix("#if ") {
                kept.push(self.features.contains(&feature.trim()));
            } else if directive == "#else" {
                let Some(last) = kept.last_mut() else { return fail("#else without #if") };
                *last = !*last;
            } else if directive == "#endif" {
                if kept.pop().is_none() {
                    return fail("#endif without #if");
                }
            } else if kept.contains(&false) {
                continue;
            } else if let Some(import) = directive.strip_prefix("#import ") {
                let import = import.trim();
                if !self.imported.iter().any(|done| done == import) {
                    self.imported.push(import.to_owned());
                    self.file(import, depth + 1)?;
                }
            } else {
                self.text.push_str(line);
                self.text.push('\n');
            }
        }
        if kept.is_empty() { Ok(()) } else { fail("an #if is not closed") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shader_on_disk_is_listed() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
        let mut found = Vec::new();
        for folder in ["", "shared/"] {
            for entry in std::fs::read_dir(root.join(folder)).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                if let Some(stem) = name.strip_suffix(".wgsl") {
                    found.push(format!("{folder}{stem}"));
                }
            }
        }
        found.sort();
        let listed: Vec<String> = SHADERS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(found, listed);
    }

    #[test]
    fn an_import_appears_once_and_features_choose_lines() {
        let plain = expand("norm", &[], &[]).unwrap();
        assert_eq!(plain.matches("fn mul16").count(), 1);
        assert!(!plain.contains("var<storage, read> residual"));
        assert!(!plain.contains('#'));
        let both = expand("norm", &["RESIDUAL", "QUANTISED"], &[]).unwrap();
        assert!(both.contains("var<storage, read> residual"));
        assert!(both.contains("pack_i8(bytes)"));
    }

    #[test]
    fn a_repetition_is_written_out_and_may_nest() {
        let lines = ["#repeat r ROWS", "a$r", "#repeat c COLS", "b$r_$c", "#end", "#end", "c"];
        let mut text = String::new();
        unroll(&lines, &[("ROWS", 2), ("COLS", 2)], &mut text).unwrap();
        assert_eq!(text, "a0\nb0_0\nb0_1\na1\nb1_0\nb1_1\nc\n");
        assert_eq!(unroll(&lines, &[("ROWS", 2)], &mut text).unwrap_err(), "the size \"COLS\" is not given");
        assert_eq!(unroll(&lines[..5], &[("ROWS", 2)], &mut text).unwrap_err(), "a #repeat is not closed");
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = expand("no_such_op", &[], &[]).unwrap_err();
        assert_eq!(error.to_string(), "shader no_such_op: there is no such file");
    }
}
