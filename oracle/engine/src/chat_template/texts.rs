//! What templates may do with texts.
//!
//! Signs of control words are marked in texts that come from messages, see [`Marks`]. A template that looks for such a
//! sign in a message finds it: what it looks for is marked, too, where the text that is searched has marks.

use std::borrow::Cow;

use minijinja::{Environment, Error as Failure, ErrorKind, State, Value};

use super::{
    MAX_LEN,
    functions::{MAX_PARTS, counted, string},
    guard::WITHIN,
    in_time,
    python::is_space,
    weight::{too_large, weigh},
};
use crate::{patience::Patience, tokenizer::Marks};

/// Adds the filters, tests and methods of texts.
pub(super) fn add(environment: &mut Environment<'_>, marks: Marks, patience: Patience) {
    environment.add_filter("join", join);
    environment.add_filter("trim", trim);
    let sought = marks.clone();
    environment.add_filter("replace", move |text: String, from: String, to: String| {
        in_time(patience)?;
        replace(&text, &marked(&sought, &text, &from), &to, None)
    });
    let sought = marks.clone();
    environment.add_filter("split", move |text: String, by: Option<String>, most: Option<i64>| {
        in_time(patience)?;
        split(&text, by.map(|by| marked(&sought, &text, &by).into_owned()), most)
    });
    let sought = marks.clone();
    environment.add_filter("title", move |text: String| {
        in_time(patience)?;
        sought.recased(&text, |text| Ok::<_, Failure>(minijinja::filters::title(text.into())))
    });
    let sought = marks.clone();
    environment.add_test(WITHIN, move |state: &State<'_, '_>, part: &Value, whole: &Value| {
        in_time(patience)?;
        match (part.as_str(), whole.as_str()) {
            (Some(part), Some(whole)) => Ok(whole.contains(&*marked(&sought, whole, part))),
            _ => minijinja::tests::is_in(state, part, whole),
        }
    });
    environment.set_unknown_method_callback(move |state, value, name, arguments| {
        in_time(patience)?;
        method(&marks, state, value, name, arguments)
    });
}

/// What is looked for in a text, as it would stand there.
fn marked<'t>(marks: &Marks, text: &str, sought: &'t str) -> Cow<'t, str> {
    if marks.are_in(text) { Cow::Owned(marks.mark(sought)) } else { Cow::Borrowed(sought) }
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
fn method(
    marks: &Marks,
    state: &State<'_, '_>,
    value: &Value,
    method: &str,
    arguments: &[Value],
) -> Result<Value, Failure> {
    let Some(text) = value.as_str() else {
        return minijinja_contrib::pycompat::unknown_method_callback(state, value, method, arguments);
    };
    if method == "title" && marks.are_in(text) {
        let change = |text: &str| {
            let changed = minijinja_contrib::pycompat::unknown_method_callback(state, &text.into(), method, arguments)?;
            Ok::<_, Failure>(changed.as_str().unwrap_or_default().to_owned())
        };
        return marks.recased(text, change).map(Value::from);
    }
    let sought: Vec<Value> = match method {
        // What these take besides is put into a text, not looked for in it.
        "format" | "join" => arguments.to_vec(),
        _ => arguments
            .iter()
            .enumerate()
            .map(|(i, argument)| match argument.as_str() {
                Some(part) if method != "replace" || i == 0 => Value::from(marked(marks, text, part)),
                _ => argument.clone(),
            })
            .collect(),
    };
    let arguments = &sought[..];
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
