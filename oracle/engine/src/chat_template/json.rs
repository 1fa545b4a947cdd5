//! JSON as Python's `json.dumps` writes it.

use std::io::{Result, Write};

use minijinja::Value;
use serde::Serialize;
use serde_json::{
    Error, Serializer,
    ser::{Formatter, PrettyFormatter},
};

use super::Limited;

/// A value on one line, or with each part on its own, indented by so many spaces, at most 16.
///
/// # Errors
/// When it has no form in JSON, or one that is too long.
pub(super) fn dumps(value: &Value, indent: Option<usize>) -> std::result::Result<String, Error> {
    let mut out = Limited::default();
    match indent {
        Some(width) => {
            let indent = vec![b' '; width.min(16)];
            value.serialize(&mut Serializer::with_formatter(&mut out, PrettyFormatter::with_indent(&indent)))?;
        }
        None => value.serialize(&mut Serializer::with_formatter(&mut out, Spaced))?,
    }
    Ok(String::from_utf8_lossy(&out.0).into_owned())
}

/// JSON on one line with a space after each comma and colon.
struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> Result<()> {
        out.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> Result<()> {
        out.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> Result<()> {
        out.write_all(b": ")
    }
}
