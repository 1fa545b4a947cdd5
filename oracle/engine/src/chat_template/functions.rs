//! What templates may call: what `transformers` gives them, with bounds.

use std::{fmt, sync::Arc};

use minijinja::{
    Environment, Error as Failure, ErrorKind, Output, State, Value, functions,
    value::{Kwargs, Rest, ValueKind},
};

use super::{
    MAX_LEN, Refusal, clock,
    guard::{KEPT, KEPT_INSIDE, TICK, TICKED, TIMES},
    in_time, json,
    python::write_str,
    weight::{Budget, MAX_DEPTH, is_macro, is_namespace, too_large, weigh},
};
use crate::patience::Patience;

/// What all values that a template keeps may weigh together, whether it still keeps them or not.
const MAX_KEPT: u64 = 1 << 28;
/// Bytes that tags may show in all, whether they are written or become a macro's result.
const MAX_SHOWN: u64 = 1 << 26;
/// Parts that a text may be taken into at once.
pub(super) const MAX_PARTS: usize = 1 << 18;
/// Bytes that a product may have.
const MAX_PRODUCT: usize = 1 << 16;
/// Filters whose results may be of any length, which chat templates do without.
const FILTERS: [&str; 12] =
    ["escape", "e", "batch", "slice", "indent", "groupby", "chain", "zip", "pprint", "format", "urlencode", "xmlattr"];

/// Adds the functions and filters, and takes away those that have no bounds. A value that is kept may weigh as much as
/// `most`.
pub(super) fn add(environment: &mut Environment<'_>, most: u64, patience: Patience) {
    for filter in FILTERS {
        environment.remove_filter(filter);
    }
    environment.remove_global("dict");
    environment.remove_global("debug");
    environment.add_function("raise_exception", |message: String| -> Result<Value, Failure> {
        Err(Failure::new(ErrorKind::InvalidOperation, message).with_source(Refusal))
    });
    environment.add_function("strftime_now", |format: String| clock::strftime_now(&format));
    environment.add_filter("tojson", tojson);
    environment.add_filter("length", length);
    environment.add_filter("count", length);
    environment.add_filter("string", string);
    environment.add_filter("list", list);
    environment.add_filter("map", map);
    environment.add_function(TICK, move || in_time(patience).map(|()| true));
    environment.add_filter(TICKED, move |value: Value| in_time(patience).map(|()| value));
    environment.add_filter(TIMES, times);
    environment.add_test("iterable", |value: &Value| !value.is_none() && value.try_iter().is_ok());
    environment.add_test("sequence", is_sequence);
    let shown = Budget::new("shows", MAX_SHOWN);
    environment.set_formatter(move |out, _, value| {
        in_time(patience)?;
        show(out, value, &shown)
    });
    let kept = Arc::new(Budget::new("keeps", MAX_KEPT));
    let keep = move |value: &Value, inside: bool| {
        in_time(patience)?;
        // What has a name may be a namespace, whose parts were weighed, a loop or a macro.
        if !inside && (is_namespace(value) || is_macro(value) || value.kind() == ValueKind::Plain) {
            return Ok(());
        }
        kept.spend(weigh(value, most)?)
    };
    let keep_one = keep.clone();
    environment.add_filter(KEPT, move |value: Value| keep_one(&value, false).map(|()| value));
    let keep_one = keep.clone();
    environment.add_filter(KEPT_INSIDE, move |value: Value| keep_one(&value, true).map(|()| value));
    environment.add_function("namespace", move |parts: Option<Value>| {
        if let Some(parts) = &parts {
            keep(parts, true)?;
        }
        functions::namespace(parts)
    });
}

/// Shows a value as Python does.
fn show(out: &mut Output<'_>, value: &Value, shown: &Budget) -> Result<(), Failure> {
    if let Some(text) = value.as_str() {
        shown.spend(text.len() as u64)?;
        return Ok(out.write_str(text)?);
    }
    let text = string(value)?;
    shown.spend(text.len() as u64)?;
    Ok(out.write_str(&text)?)
}

/// A text of at most [`MAX_LEN`] bytes.
#[derive(Default)]
struct Text(String);

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > MAX_LEN {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

/// `value | string`.
pub(super) fn string(value: &Value) -> Result<String, Failure> {
    let mut text = Text::default();
    write_str(value, MAX_DEPTH, &mut text)
        .map_err(|_| Failure::new(ErrorKind::InvalidOperation, "a value is too large or too deep to be shown"))?;
    Ok(text.0)
}

/// `value | length`; what is not there has none.
fn length(value: &Value) -> Result<usize, Failure> {
    if value.is_undefined() { Ok(0) } else { minijinja::filters::length(value) }
}

/// `list | map(attribute=name)`: filters that make texts could make one for each of a hundred thousand.
fn map(state: &State<'_, '_>, list: Value, filter: Rest<Value>, attribute: Kwargs) -> Result<Vec<Value>, Failure> {
    if !filter.is_empty() {
        return Err(Failure::new(ErrorKind::InvalidOperation, "map takes an attribute only"));
    }
    minijinja::filters::map(state, list, Rest(vec![attribute.into()]))
}

/// Fails when a text would become too many parts.
pub(super) fn counted(parts: usize) -> Result<(), Failure> {
    if parts > MAX_PARTS {
        return Err(Failure::new(ErrorKind::InvalidOperation, format!("makes more than {MAX_PARTS} parts of a text")));
    }
    Ok(())
}

/// `value | list`.
fn list(state: &State<'_, '_>, value: Value) -> Result<Value, Failure> {
    counted(value.as_str().map_or(0, str::len))?;
    minijinja::filters::list(state, value)
}

/// Whether a value has a length and can be indexed, as all that has parts can in Python.
fn is_sequence(value: &Value) -> bool {
    use ValueKind::{Iterable, Map, Seq, String, Undefined};
    matches!(value.kind(), Iterable | Map | Seq | String | Undefined)
}

/// `left * right`, of numbers, or of a text and how often it is repeated.
fn times(left: &Value, right: &Value) -> Result<Value, Failure> {
    let (text, times) = if left.as_str().is_some() { (left, right) } else { (right, left) };
    let refused = || Failure::new(ErrorKind::InvalidOperation, "'*' takes numbers, or a text and a number");
    if let Some(text) = text.as_str() {
        let times = times.as_i64().ok_or_else(refused)?.max(0);
        return match usize::try_from(times).ok().and_then(|times| text.len().checked_mul(times)) {
            Some(len) if len <= MAX_PRODUCT => Ok(Value::from(text.repeat(len.checked_div(text.len()).unwrap_or(0)))),
            _ => Err(too_large("makes a product of", MAX_PRODUCT as u64)),
        };
    }
    if let (Some(left), Some(right)) = (left.as_i64(), right.as_i64()) {
        return left.checked_mul(right).map(Value::from).ok_or_else(refused);
    }
    match (f64::try_from(left.clone()), f64::try_from(right.clone())) {
        (Ok(left), Ok(right)) => Ok(Value::from(left * right)),
        _ => Err(refused()),
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
    weigh(value, MAX_LEN as u64)?;
    json::dumps(value, indent).map_err(|error| Failure::new(ErrorKind::BadSerialization, error.to_string()))
}
