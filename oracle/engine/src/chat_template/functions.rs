//! What templates may call: what `transformers` gives them, with bounds.

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use minijinja::{
    Environment, Error as Failure, ErrorKind, State, Value, functions,
    value::{Kwargs, ValueKind},
};

use super::{
    MAX_LEN, Refusal,
    guard::{KEPT, KEPT_INSIDE},
};

/// What all values that a template keeps may weigh together, whether it still keeps them or not.
const MAX_KEPT: u64 = 1 << 28;
/// What an element weighs besides its text.
const ELEMENT: u64 = 32;
/// How deep lists may lie in lists.
const MAX_DEPTH: usize = 16;
/// Filters whose results may be of any length, which chat templates do without.
const FILTERS: [&str; 12] =
    ["escape", "e", "batch", "slice", "indent", "groupby", "chain", "zip", "pprint", "format", "urlencode", "xmlattr"];

/// Adds the functions and filters, and takes away those that have no bounds.
pub fn add(environment: &mut Environment<'_>) {
    for filter in FILTERS {
        environment.remove_filter(filter);
    }
    environment.remove_global("dict");
    environment.remove_global("debug");
    environment.add_function("raise_exception", |message: String| -> Result<Value, Failure> {
        Err(Failure::new(ErrorKind::InvalidOperation, message).with_source(Refusal))
    });
    environment.add_filter("tojson", tojson);
    environment.add_filter("replace", replace);
    environment.add_filter("join", join);
    environment.set_unknown_method_callback(method);
    let kept = Arc::new(AtomicU64::new(0));
    let weigh_all = move |value: &Value, inside: bool| {
        let mut left = MAX_LEN as u64;
        // What has a name may be a namespace, whose parts were weighed, or a loop.
        if inside || !(is_namespace(value) || value.kind() == ValueKind::Plain) {
            weigh(value, MAX_DEPTH, &mut left)?;
        }
        let weight = MAX_LEN as u64 - left;
        if kept.fetch_add(weight, Ordering::Relaxed) + weight > MAX_KEPT {
            return Err(too_large("keeps more than"));
        }
        Ok::<_, Failure>(())
    };
    let weigh_one = weigh_all.clone();
    environment.add_filter(KEPT, move |value: Value| weigh_one(&value, false).map(|()| value));
    let weigh_one = weigh_all.clone();
    environment.add_filter(KEPT_INSIDE, move |value: Value| weigh_one(&value, true).map(|()| value));
    environment.add_function("namespace", move |parts: Option<Value>| {
        if let Some(parts) = &parts {
            weigh_all(parts, true)?;
        }
        functions::namespace(parts)
    });
}

fn too_large(what: &str) -> Failure {
    Failure::new(ErrorKind::InvalidOperation, format!("{what} {MAX_LEN} bytes"))
}

/// A namespace can be changed, so it must not become a part of anything: that might be itself.
fn is_namespace(value: &Value) -> bool {
    value.as_object().is_some_and(|object| object.type_name().ends_with("Namespace"))
}

/// Takes the weight of a value and of all its parts from what is left.
fn weigh(value: &Value, depth: usize, left: &mut u64) -> Result<(), Failure> {
    let mut take = |weight: u64| {
        *left = left.checked_sub(weight).ok_or_else(|| too_large("keeps a value of more than"))?;
        Ok::<_, Failure>(())
    };
    take(ELEMENT + value.as_str().map_or(0, str::len) as u64)?;
    let refused = |reason: &str| Err(Failure::new(ErrorKind::InvalidOperation, reason.to_owned()));
    match value.kind() {
        _ if is_namespace(value) => refused("a namespace cannot be a part of something"),
        ValueKind::Plain => refused("only texts, numbers, lists and maps can be kept in something"),
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map if depth == 0 => refused("lists lie too deep in lists"),
        ValueKind::Seq | ValueKind::Iterable => value.try_iter()?.try_for_each(|part| weigh(&part, depth - 1, left)),
        ValueKind::Map => value.try_iter()?.try_for_each(|key| {
            weigh(&key, depth - 1, left)?;
            weigh(&value.get_item(&key)?, depth - 1, left)
        }),
        _ => Ok(()),
    }
}

/// `a.replace(b, c)`.
fn replace(text: String, from: String, to: String) -> Result<String, Failure> {
    let found = text.matches(from.as_str()).count();
    if found.saturating_mul(to.len()).saturating_add(text.len()) > MAX_LEN {
        return Err(too_large("makes a text of more than"));
    }
    Ok(text.replace(&from, &to))
}

/// `list | join(between)`.
fn join(list: Value, between: Option<String>) -> Result<String, Failure> {
    let (mut text, between) = (String::new(), between.unwrap_or_default());
    for (i, part) in list.try_iter()?.enumerate() {
        let part = part.as_str().map_or_else(|| part.to_string(), Into::into);
        if text.len() + between.len() + part.len() > MAX_LEN {
            return Err(too_large("makes a text of more than"));
        }
        if i > 0 {
            text.push_str(&between);
        }
        text.push_str(&part);
    }
    Ok(text)
}

/// The methods that texts, lists and maps have in Python.
fn method(state: &State<'_, '_>, value: &Value, method: &str, arguments: &[Value]) -> Result<Value, Failure> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match (text(value), method, arguments) {
        (Some(value), "replace", [from, to]) => match (text(from), text(to)) {
            (Some(from), Some(to)) => replace(value, from, to).map(Value::from),
            _ => Err(Failure::new(ErrorKind::InvalidOperation, "replace takes two texts")),
        },
        (Some(between), "join", [list]) => join(list.clone(), Some(between)).map(Value::from),
        (Some(_), "replace" | "join" | "format", _) => Err(Failure::from(ErrorKind::UnknownMethod)),
        _ => minijinja_contrib::pycompat::unknown_method_callback(state, value, method, arguments),
    }
}

/// A value as Python's `json.dumps` writes it, which is what `transformers` puts in the place of Jinja's own filter.
fn tojson(value: &Value, options: Kwargs) -> Result<String, Failure> {
    let indent: Option<usize> = options.get("indent")?;
    let _: Option<bool> = options.get("ensure_ascii")?;
    options.assert_all_used()?;
    if value.kind() == ValueKind::Undefined {
        return Err(Failure::new(ErrorKind::BadSerialization, "an undefined value is no JSON"));
    }
    weigh(value, MAX_DEPTH, &mut (MAX_LEN as u64))?;
    let failed = |e: serde_json::Error| Failure::new(ErrorKind::BadSerialization, e.to_string());
    let mut out = super::Limited::default();
    match indent {
        Some(width) => {
            let indent = vec![b' '; width.min(16)];
            let formatter = serde_json::ser::PrettyFormatter::with_indent(&indent);
            let mut writer = serde_json::Serializer::with_formatter(&mut out, formatter);
            serde::Serialize::serialize(value, &mut writer).map_err(failed)?;
        }
        None => {
            let mut writer = serde_json::Serializer::with_formatter(&mut out, Spaced);
            serde::Serialize::serialize(value, &mut writer).map_err(failed)?;
        }
    }
    Ok(String::from_utf8_lossy(&out.0).into_owned())
}

/// JSON on one line with a space after each comma and colon.
struct Spaced;

impl serde_json::ser::Formatter for Spaced {
    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> std::io::Result<()> {
        out.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> std::io::Result<()> {
        out.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> std::io::Result<()> {
        out.write_all(b": ")
    }
}
