//! JSON schemas of drafts 7 and 2020-12, as far as those go that are here. A keyword that is not known here fails, so that
//! no part of a schema is passed over.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::{Map, Value};

/// Everything that is wrong with `value`, by its place.
pub(crate) fn faults(schema: &Value, value: &Value) -> Vec<String> {
    Schema { root: schema }.check(schema, value, "$").faults
}

/// A schema document, in which references are looked up.
struct Schema<'a> {
    root: &'a Value,
}

/// What came of a look at a value.
#[derive(Default)]
struct Found {
    faults: Vec<String>,
    /// Members that a rule of the schema was about.
    evaluated: BTreeSet<String>,
}

impl Found {
    fn holds(&self) -> bool {
        self.faults.is_empty()
    }

    fn wrong(&mut self, place: &str, rule: &str, value: &Value) {
        let value: String = value.to_string().chars().take(300).collect();
        self.faults.push(format!("{place}: {rule} does not hold for {value}"));
    }

    /// Takes in what another rule found about the same value.
    fn and(&mut self, other: Self) {
        self.faults.extend(other.faults);
        self.evaluated.extend(other.evaluated);
    }
}

impl<'a> Schema<'a> {
    fn check(&self, schema: &'a Value, value: &Value, place: &str) -> Found {
        let mut found = Found::default();
        let rules = match schema {
            Value::Bool(true) => return found,
            Value::Object(rules) => rules,
            _ => {
                found.wrong(place, "nothing is allowed here, which", value);
                return found;
            }
        };
        for (keyword, rule) in rules {
            match keyword.as_str() {
                "$ref" => found.and(self.check(self.referred(rule), value, place)),
                "allOf" => list(rule).iter().for_each(|one| found.and(self.check(one, value, place))),
                "anyOf" | "oneOf" => found.and(self.choice(keyword, rule, value, place)),
                "not" if self.check(rule, value, place).holds() => found.wrong(place, "not", value),
                "not" => {}
                "if" => found.and(self.either(rules, rule, value, place)),
                "properties" => found.and(self.members(rule, value, place)),
                "additionalProperties" => found.and(self.others(rules, rule, value, place)),
                "items" => found.and(self.items(rules, rule, value, place)),
                "additionalItems" => assert!(rules.contains_key("items"), "{place}"),
                "then" | "else" => assert!(rules.contains_key("if"), "{place}"),
                "unevaluatedProperties" => {}
                _ if !holds(keyword, rule, value) => found.wrong(place, &format!("{keyword} {rule}"), value),
                _ => {}
            }
        }
        // Last, since it is about what all other rules left.
        if let (Some(rule), Some(object)) = (rules.get("unevaluatedProperties"), value.as_object()) {
            let left = object.iter().filter(|(name, _)| !found.evaluated.contains(*name));
            let left = left.map(|(name, member)| (name.clone(), self.check(rule, member, &format!("{place}.{name}"))));
            for (name, other) in left.collect::<Vec<_>>() {
                found.faults.extend(other.faults);
                found.evaluated.insert(name);
            }
        }
        found
    }

    /// What a reference within the document means.
    fn referred(&self, rule: &Value) -> &'a Value {
        let name = rule.as_str().unwrap();
        let pointer = name.strip_prefix('#').unwrap_or_else(|| panic!("the schema {name} is not here"));
        self.root.pointer(pointer).unwrap_or_else(|| panic!("{name} is not in the schema"))
    }

    /// At least one, or exactly one.
    fn choice(&self, keyword: &str, rule: &'a Value, value: &Value, place: &str) -> Found {
        let mut all: Vec<Found> = list(rule).iter().map(|one| self.check(one, value, place)).collect();
        let right = all.iter().filter(|one| one.holds()).count();
        if right == 1 || (right > 1 && keyword == "anyOf") {
            let evaluated = all.into_iter().filter(Found::holds).flat_map(|one| one.evaluated).collect();
            return Found { evaluated, faults: Vec::new() };
        }
        // The choice that went wrong deepest is the one that was meant.
        all.sort_by_key(|one| one.faults.first().map(|fault| fault.split(": ").next().map(str::len)));
        let mut found = all.pop().filter(|_| right == 0).unwrap_or_default();
        found.wrong(place, &format!("{keyword}, of which {right} hold,"), value);
        found
    }

    fn either(&self, rules: &'a Map<String, Value>, condition: &'a Value, value: &Value, place: &str) -> Found {
        let mut found = self.check(condition, value, place);
        let branch = if found.holds() { "then" } else { "else" };
        if !found.holds() {
            found = Found::default();
        }
        if let Some(rule) = rules.get(branch) {
            found.and(self.check(rule, value, place));
        }
        found
    }

    fn members(&self, rule: &'a Value, value: &Value, place: &str) -> Found {
        let mut found = Found::default();
        for (name, rule) in rule.as_object().unwrap() {
            if let Some(member) = value.get(name) {
                found.faults.extend(self.check(rule, member, &format!("{place}.{name}")).faults);
                found.evaluated.insert(name.clone());
            }
        }
        found
    }

    /// One rule for all items, or in draft 7 a rule for each of the first and `additionalItems` for the others.
    fn items(&self, rules: &'a Map<String, Value>, rule: &'a Value, value: &Value, place: &str) -> Found {
        let mut found = Found::default();
        for (n, item) in value.as_array().into_iter().flatten().enumerate() {
            let rule = match rule.as_array() {
                Some(first) => first.get(n).or_else(|| rules.get("additionalItems")),
                None => Some(rule),
            };
            if let Some(rule) = rule {
                found.faults.extend(self.check(rule, item, &format!("{place}[{n}]")).faults);
            }
        }
        found
    }

    /// Members that `properties` does not name.
    fn others(&self, rules: &'a Map<String, Value>, rule: &'a Value, value: &Value, place: &str) -> Found {
        let mut found = Found::default();
        for (name, member) in value.as_object().into_iter().flatten() {
            if rules.get("properties").and_then(|named| named.get(name)).is_none() {
                found.faults.extend(self.check(rule, member, &format!("{place}.{name}")).faults);
                found.evaluated.insert(name.clone());
            }
        }
        found
    }
}

/// Rules about a value alone.
fn holds(keyword: &str, rule: &Value, value: &Value) -> bool {
    let (text, items, object) = (value.as_str(), value.as_array(), value.as_object());
    let letters = text.map(|text| text.chars().count() as u64);
    let count = items.map(|items| items.len() as u64);
    match keyword {
        "$schema" | "$id" | "$comment" | "$defs" | "definitions" => true,
        "title" | "description" | "default" | "examples" | "deprecated" | "meta:enum" => true,
        "type" => is(rule.as_str().unwrap(), value),
        "const" => rule == value,
        "enum" => list(rule).contains(value),
        "minLength" => letters.is_none_or(|letters| letters >= rule.as_u64().unwrap()),
        "maxLength" => letters.is_none_or(|letters| letters <= rule.as_u64().unwrap()),
        "pattern" => text.is_none_or(|text| pattern(rule.as_str().unwrap()).is_match(text)),
        "format" => text.is_none_or(|text| has_form(rule.as_str().unwrap(), text)),
        "minItems" => count.is_none_or(|count| count >= rule.as_u64().unwrap()),
        "maxItems" => count.is_none_or(|count| count <= rule.as_u64().unwrap()),
        "uniqueItems" => items.is_none_or(|items| (1..items.len()).all(|n| !items[..n].contains(&items[n]))),
        "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
        "maximum" => value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()),
        "required" => {
            object.is_none_or(|object| list(rule).iter().all(|name| object.contains_key(name.as_str().unwrap())))
        }
        other => panic!("the keyword {other} is not known to this test"),
    }
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        other => panic!("the type {other} is not known to this test"),
    }
}

fn has_form(form: &str, text: &str) -> bool {
    match form {
        "uri" => reqwest::Url::parse(text).is_ok(),
        "iri-reference" => {
            let base = reqwest::Url::parse("http://base.example/").unwrap();
            base.join(text).is_ok() && !text.contains([' ', '\n', '<', '>', '"', '\\', '^', '`', '{', '|', '}'])
        }
        other => panic!("the format {other} is not known to this test"),
    }
}

/// The one pattern that looks ahead is written without: anything with a colon between that does not begin with `_:`.
fn pattern(text: &str) -> Regex {
    let text = if text == "^(?!_:).+:.+" { "^([^_]|_[^:]).*:.+" } else { text };
    Regex::new(text).unwrap()
}

fn list(rule: &Value) -> &Vec<Value> {
    rule.as_array().unwrap()
}

#[test]
fn a_schema_that_is_broken_is_noticed() {
    let schema = serde_json::from_str(include_str!("metaplex.schema.json")).unwrap();
    let document = serde_json::json!({ "name": "", "image": "nowhere", "seller_fee_basis_points": 10_001, "more": 1 });
    let faults = faults(&schema, &document).join("\n");
    for wrong in ["$.name: minLength", "$.image: format", "maximum", "required", "$.more: nothing is allowed here"] {
        assert!(faults.contains(wrong), "{wrong} is not in: {faults}");
    }
}

/// Each keyword by a value for which it holds and one for which it does not.
#[test]
fn every_keyword_is_kept() {
    use serde_json::json;
    let deep = json!({ "properties": { "a": true }, "anyOf": [{ "properties": { "b": { "type": "string" } } }] });
    let open = json!({ "$ref": "#/$defs/deep", "unevaluatedProperties": false, "$defs": { "deep": deep } });
    let branches = json!({ "if": { "required": ["a"] }, "then": { "required": ["b"] }, "else": { "required": ["c"] } });
    let cases = [
        (json!({ "const": 1 }), json!(1), json!(2)),
        (json!({ "type": "boolean" }), json!(true), json!("true")),
        (json!({ "pattern": "^(?!_:).+:.+" }), json!("urn:a"), json!("_:a")),
        (json!({ "pattern": "^(?!_:).+:.+" }), json!("_a:b"), json!("none")),
        (json!({ "format": "iri-reference" }), json!("a/b"), json!("http://[")),
        (json!({ "uniqueItems": true }), json!([1, 2]), json!([1, 2, 1])),
        (json!({ "minItems": 1, "maxItems": 2 }), json!([1]), json!([])),
        (json!({ "minItems": 1, "maxItems": 2 }), json!([1, 2]), json!([1, 2, 3])),
        (
            json!({ "oneOf": [{ "required": ["a"] }, { "required": ["b"] }] }),
            json!({ "a": 1 }),
            json!({ "a": 1, "b": 1 }),
        ),
        (json!({ "anyOf": [{ "required": ["a"] }, { "required": ["b"] }] }), json!({ "a": 1, "b": 1 }), json!({})),
        (
            json!({ "allOf": [{ "required": ["a"] }, { "required": ["b"] }] }),
            json!({ "a": 1, "b": 1 }),
            json!({ "a": 1 }),
        ),
        (json!({ "not": { "required": ["a"] } }), json!({}), json!({ "a": 1 })),
        (branches.clone(), json!({ "a": 1, "b": 1 }), json!({ "a": 1, "c": 1 })),
        (branches, json!({ "c": 1 }), json!({ "b": 1 })),
        (json!({ "additionalProperties": { "type": "string" } }), json!({ "a": "" }), json!({ "a": 1 })),
        (open.clone(), json!({ "a": 1, "b": "" }), json!({ "a": 1, "c": 1 })),
        // What a choice says that does not hold, it did not say.
        (open, json!({ "b": "" }), json!({ "b": 1 })),
    ];
    for (schema, right, wrong) in cases {
        assert_eq!(faults(&schema, &right), Vec::<String>::new(), "{schema}");
        assert!(!faults(&schema, &wrong).is_empty(), "{schema} holds for {wrong}");
    }
}
