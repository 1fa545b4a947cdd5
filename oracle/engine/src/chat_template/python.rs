//! How Python writes values, which is what a template shows of them.

use std::fmt::{self, Write};

use minijinja::{Value, value::ValueKind};

/// Whether Python's `str.strip` takes a sign away. Besides what Unicode calls white space these are the four separators
/// of ASCII.
pub(super) fn is_space(sign: char) -> bool {
    sign.is_whitespace() || ('\x1c'..='\x1f').contains(&sign)
}

/// Writes a value as Python's `str` does; `depth` is how deep lists may lie in lists.
///
/// # Errors
/// When lists lie deeper, or `out` takes no more.
pub(super) fn write_str(value: &Value, depth: usize, out: &mut impl Write) -> fmt::Result {
    match value.as_str() {
        Some(text) => out.write_str(text),
        None if value.is_undefined() => Ok(()),
        None => write_repr(value, depth, out),
    }
}

/// Writes a value as Python's `repr` does.
fn write_repr(value: &Value, depth: usize, out: &mut impl Write) -> fmt::Result {
    if let Some(text) = value.as_str() {
        return write_quoted(text, out);
    }
    let depth = depth.checked_sub(1).ok_or(fmt::Error)?;
    match value.kind() {
        ValueKind::Undefined => out.write_str("Undefined"),
        ValueKind::None => out.write_str("None"),
        ValueKind::Bool => out.write_str(if value.is_true() { "True" } else { "False" }),
        ValueKind::Seq | ValueKind::Iterable => {
            out.write_char('[')?;
            for (i, part) in value.try_iter().map_err(|_| fmt::Error)?.enumerate() {
                out.write_str(if i > 0 { ", " } else { "" })?;
                write_repr(&part, depth, out)?;
            }
            out.write_char(']')
        }
        ValueKind::Map => {
            out.write_char('{')?;
            for (i, key) in value.try_iter().map_err(|_| fmt::Error)?.enumerate() {
                out.write_str(if i > 0 { ", " } else { "" })?;
                write_repr(&key, depth, out)?;
                out.write_str(": ")?;
                write_repr(&value.get_item(&key).map_err(|_| fmt::Error)?, depth, out)?;
            }
            out.write_char('}')
        }
        _ => write!(out, "{value}"),
    }
}

/// Writes a text in quotes: single ones, unless only these occur in it.
fn write_quoted(text: &str, out: &mut impl Write) -> fmt::Result {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.write_char(quote)?;
    for sign in text.chars() {
        match sign {
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            '\\' => out.write_str("\\\\")?,
            sign if sign == quote => write!(out, "\\{sign}")?,
            '\0'..=' ' | '\x7f'..='\u{a0}' | '\u{ad}' if sign != ' ' => write!(out, "\\x{:02x}", u32::from(sign))?,
            sign => out.write_char(sign)?,
        }
    }
    out.write_char(quote)
}

#[cfg(test)]
mod tests {
    use minijinja::Value;
    use serde_json::json;

    use super::write_str;

    /// As Python writes `str` of the same values.
    #[test]
    fn values_are_written_as_python_writes_them() {
        for (value, expected) in [
            (json!("it's\n"), "it's\n"),
            (json!(true), "True"),
            (json!(null), "None"),
            (json!([1, -2.5, false, null, "a"]), "[1, -2.5, False, None, 'a']"),
            (json!({"it's": ["\"", "'\""], "x": {}}), r#"{"it's": ['"', '\'"'], 'x': {}}"#),
            (json!(["é\t\r\n\\\u{7f}\u{a0}\u{ad} \u{1}"]), r"['é\t\r\n\\\x7f\xa0\xad \x01']"),
            (json!([[[]]]), "[[[]]]"),
        ] {
            let mut text = String::new();
            write_str(&Value::from_serialize(&value), 4, &mut text).unwrap();
            assert_eq!(text, expected);
        }
        let deep = Value::from_serialize(json!([[[[1]]]]));
        assert!(write_str(&deep, 4, &mut String::new()).is_err());
        assert!(write_str(&Value::UNDEFINED, 4, &mut String::new()).is_ok());
    }
}
