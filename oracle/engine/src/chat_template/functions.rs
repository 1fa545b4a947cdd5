//! What templates may call: what `transformers` gives them, with bounds.

use std::{fmt, sync::Arc};

use minijinja::{
    Environment, Error as Failure, ErrorKind, Output, State, Value, functions,
    value::{Kwargs, ValueKind},
};

use super::{
    MAX_LEN, Refusal, clock,
    guard::{KEPT, KEPT_INSIDE, TIMES},
    json,
    python::{is_space, write_str},
    weight::{Budget, MAX_DEPTH, is_macro, is_namespace, too_large, weigh},
};

/// What all values that a template keeps may weigh together, whether it still keeps them or not.
const MAX_KEPT: u64 = 1 << 28;
/// Bytes that tags may show in all, whether they are written or become a macro's result.
const MAX_SHOWN: u64 = 1 << 26;
/// Parts that a text may be taken into at once.
const MAX_PARTS: usize = 1 << 18;
/// Bytes that a product may have.
const MAX_PRODUCT: usize = 1 << 16;
/// Filters whose results may be of any length, which chat templates do without.
const FILTERS: [&str; 12] =
    ["escape", "e", "batch", "slice", "indent", "groupby", "chain", "zip", "pprint", "format", "urlencode", "xmlattr"];

/// Adds the functions and filters, and takes away those that have no bounds. A value that is kept may weigh as much as
/// `most`.
pub(super) fn add(environment: &mut Environment<'_>, most: u64) {
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
    environment.add_filter("replace", |text: String, from: String, to: String| replace(&text, &from, &to, None));
    environment.add_filter("join", join);
    environment.add_filter("length", length);
    environment.add_filter("count", length);
    environment.add_filter("string", string);
    environment.add_filter("list", list);
    environment.add_filter("split", split);
    environment.add_filter("trim", trim);
    environment.add_filter(TIMES, times);
    environment.add_test("iterable", |value: &Value| !value.is_none() && value.try_iter().is_ok());
    environment.add_test("sequence", is_sequence);
    environment.set_unknown_method_callback(method);
    let shown = Budget::new("shows", MAX_SHOWN);
    environment.set_formatter(move |out, _, value| show(out, value, &shown));
    let kept = Arc::new(Budget::new("keeps", MAX_KEPT));
    let keep = move |value: &Value, inside: bool| {
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
fn string(value: &Value) -> Result<String, Failure> {
    let mut text = Text::default();
    write_str(value, MAX_DEPTH, &mut text)
        .map_err(|_| Failure::new(ErrorKind::InvalidOperation, "a value is too large or too deep to be shown"))?;
    Ok(text.0)
}

/// `value | length`; what is not there has none.
fn length(value: &Value) -> Result<usize, Failure> {
    if value.is_undefined() { Ok(0) } else { minijinja::filters::length(value) }
}

/// Fails when a text would become too many parts.
fn counted(parts: usize) -> Result<(), Failure> {
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

/// `text.split(by, most)`.
fn split(text: &str, by: Option<String>, most: Option<i64>) -> Result<Value, Failure> {
    let most = most.and_then(|most| usize::try_from(most).ok());
    let parts: Vec<&str> = match (by.as_deref(), most) {
        (Some(""), _) => return Err(Failure::new(ErrorKind::InvalidOperation, "splits a text at nothing")),
        (Some(by), Some(most)) => text.splitn(most.saturating_add(1), by).take(MAX_PARTS + 1).collect(),
        (Some(by), None) => text.split(by).take(MAX_PARTS + 1).collect(),
        (None, Some(most)) => words(text, most),
        (None, None) => text.split(is_space).filter(|part| !part.is_empty()).take(MAX_PARTS + 1).collect(),
    };
    counted(parts.len())?;
    Ok(Value::from_iter(parts))
}

/// The first words of a text, at most `most`, and the rest.
fn words(text: &str, most: usize) -> Vec<&str> {
    let (mut parts, mut rest) = (Vec::new(), text.trim_start_matches(is_space));
    while !rest.is_empty() && parts.len() <= MAX_PARTS {
        let end = if parts.len() < most { rest.find(is_space).unwrap_or(rest.len()) } else { rest.len() };
        parts.push(&rest[..end]);
        rest = rest[end..].trim_start_matches(is_space);
    }
    parts
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

/// `text.format(values)` without rules for how a value is written.
fn format(state: &State<'_, '_>, text: &Value, values: &[Value]) -> Result<Value, Failure> {
    let form = text.as_str().unwrap_or_default();
    if form
        .split('{')
        .skip(1)
        .any(|part| part.split('}').next().is_some_and(|part| part.contains([':', '!', '.', '['])))
    {
        return Err(Failure::new(ErrorKind::InvalidOperation, "format takes only places for values"));
    }
    let longest = values.iter().map(|value| weigh(value, MAX_LEN as u64)).try_fold(0, |a, b| b.map(|b| a.max(b)))?;
    if longest.saturating_mul(form.matches('{').count() as u64) > MAX_LEN as u64 {
        return Err(too_large("makes a text of", MAX_LEN as u64));
    }
    minijinja_contrib::pycompat::unknown_method_callback(state, text, "format", values)
}

/// `value | trim`.
fn trim(value: &Value, signs: Option<String>) -> Result<String, Failure> {
    Ok(stripped(&string(value)?, "strip", signs.as_deref()).to_owned())
}

/// `text.strip(signs)` and its kin.
fn stripped<'t>(text: &'t str, side: &str, signs: Option<&str>) -> &'t str {
    let taken = |sign: char| signs.map_or_else(|| is_space(sign), |signs| signs.contains(sign));
    match side {
        "lstrip" => text.trim_start_matches(taken),
        "rstrip" => text.trim_end_matches(taken),
        _ => text.trim_matches(taken),
    }
}

/// `text.replace(from, to, most)`.
fn replace(text: &str, from: &str, to: &str, most: Option<i64>) -> Result<String, Failure> {
    let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    let found = text.matches(from).take(most).count();
    if found.saturating_mul(to.len()).saturating_add(text.len()) > MAX_LEN {
        return Err(too_large("makes a text of", MAX_LEN as u64));
    }
    Ok(text.replacen(from, to, most))
}

/// `list | join(between)`.
fn join(list: Value, between: Option<String>) -> Result<String, Failure> {
    let (mut text, between) = (String::new(), between.unwrap_or_default());
    for (i, part) in list.try_iter()?.enumerate() {
        let part = part.as_str().map_or_else(|| string(&part), |part| Ok(part.into()))?;
        if text.len() + between.len() + part.len() > MAX_LEN {
            return Err(too_large("makes a text of", MAX_LEN as u64));
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
    let Some(text) = value.as_str() else {
        return minijinja_contrib::pycompat::unknown_method_callback(state, value, method, arguments);
    };
    let texts: Option<Vec<&str>> = arguments.iter().map(Value::as_str).collect();
    match (method, texts.as_deref()) {
        ("replace", _) => {
            let (from, to, most): (&str, &str, Option<i64>) = minijinja::value::from_args(arguments)?;
            replace(text, from, to, most).map(Value::from)
        }
        ("join", _) if arguments.len() == 1 => join(arguments[0].clone(), Some(text.into())).map(Value::from),
        ("strip" | "lstrip" | "rstrip", Some([])) => Ok(Value::from(stripped(text, method, None))),
        ("strip" | "lstrip" | "rstrip", Some([signs])) => Ok(Value::from(stripped(text, method, Some(*signs)))),
        ("split", _) => {
            let (by, most): (Option<String>, Option<i64>) = minijinja::value::from_args(arguments)?;
            split(text, by, most)
        }
        ("splitlines", _) => {
            counted(text.matches(['\n', '\r']).count())?;
            minijinja_contrib::pycompat::unknown_method_callback(state, value, method, arguments)
        }
        ("format", _) => format(state, value, arguments),
        ("join", _) => Err(Failure::from(ErrorKind::UnknownMethod)),
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
    weigh(value, MAX_LEN as u64)?;
    json::dumps(value, indent).map_err(|error| Failure::new(ErrorKind::BadSerialization, error.to_string()))
}
