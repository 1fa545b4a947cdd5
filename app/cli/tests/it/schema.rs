//! JSON schemas, as far as ours go: types, members, items, patterns, choices, lengths and bounds. A keyword that is not
//! known here fails, so that no part of a schema is passed over.

use serde_json::{Map, Value};

/// Everything that is wrong with `value`, by its place.
pub(crate) fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    check(schema, value, "$", &mut faults);
    faults
}

fn check(schema: &Value, value: &Value, place: &str, faults: &mut Vec<String>) {
    let schema = schema.as_object().expect("a schema is an object");
    for (keyword, rule) in schema {
        let holds = match keyword.as_str() {
            "$schema" | "title" | "description" | "$id" => true,
            "type" => is(rule.as_str().unwrap(), value),
            "enum" => rule.as_array().unwrap().contains(value),
            "minLength" => text(value).is_none_or(|text| text.chars().count() as u64 >= rule.as_u64().unwrap()),
            "maxLength" => text(value).is_none_or(|text| text.chars().count() as u64 <= rule.as_u64().unwrap()),
            "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= rule.as_u64().unwrap()),
            "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()),
            "format" => rule == "uri" && text(value).is_none_or(|text| reqwest::Url::parse(text).is_ok()),
            "required" => value.as_object().is_none_or(|object| has_all(rule, object)),
            "properties" => members(rule, value, place, faults),
            "items" => items(rule, value, place, faults),
            "additionalProperties" => rule == true || value.as_object().is_none_or(|object| only(schema, object)),
            other => panic!("the keyword {other} is not known to this test"),
        };
        if !holds {
            faults.push(format!("{place}: {keyword} {rule} does not hold for {value}"));
        }
    }
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        other => panic!("the type {other} is not known to this test"),
    }
}

fn text(value: &Value) -> Option<&str> {
    value.as_str()
}

fn has_all(names: &Value, object: &Map<String, Value>) -> bool {
    names.as_array().unwrap().iter().all(|name| object.contains_key(name.as_str().unwrap()))
}

fn only(schema: &Map<String, Value>, object: &Map<String, Value>) -> bool {
    object.keys().all(|name| schema["properties"].get(name).is_some())
}

fn members(rules: &Value, value: &Value, place: &str, faults: &mut Vec<String>) -> bool {
    for (name, rule) in rules.as_object().unwrap() {
        if let Some(member) = value.get(name) {
            check(rule, member, &format!("{place}.{name}"), faults);
        }
    }
    true
}

fn items(rule: &Value, value: &Value, place: &str, faults: &mut Vec<String>) -> bool {
    for (n, item) in value.as_array().into_iter().flatten().enumerate() {
        check(rule, item, &format!("{place}[{n}]"), faults);
    }
    true
}

#[test]
fn a_schema_that_is_broken_is_noticed() {
    let schema = serde_json::from_str(include_str!("metaplex.schema.json")).unwrap();
    let document = serde_json::json!({ "name": "", "image": "nowhere", "seller_fee_basis_points": 10_001, "more": 1 });
    let faults = faults(&schema, &document).join("\n");
    for wrong in ["$.name: minLength", "$.image: format", "maximum", "required", "additionalProperties"] {
        assert!(faults.contains(wrong), "{wrong} is not in: {faults}");
    }
}
