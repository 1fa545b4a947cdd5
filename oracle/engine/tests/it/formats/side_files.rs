//! Special tokens and chat templates, as the files beside safetensors say them.

use std::path::Path;

use provena_engine::{Error, format::Checkpoint};
use tempfile::TempDir;

use crate::assets::own;

const TOKENIZER: &str =
    r#"{"added_tokens": [{"id": 7, "content": "<s>", "special": true}, {"id": 9, "content": "</s>"}]}"#;

/// A folder with weights and these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(own("models/digits/model.safetensors"), folder.path().join("model.safetensors")).unwrap();
    std::fs::write(folder.path().join("config.json"), "{}").unwrap();
    files.iter().for_each(|(name, text)| std::fs::write(folder.path().join(name), text).unwrap());
    folder
}

fn open(files: &[(&str, &str)]) -> Checkpoint {
    Checkpoint::open(folder(files).path()).unwrap()
}

#[test]
fn stops_are_what_any_of_the_files_says() {
    for (generation, config, settings, stops) in [
        ("{}", "{}", "{}", &[][..]),
        (r#"{"eos_token_id": 2}"#, "{}", "{}", &[2]),
        (r#"{"eos_token_id": [5, 2, 5]}"#, r#"{"eos_token_id": 3}"#, "{}", &[2, 3, 5]),
        ("{}", r#"{"eos_token_id": [4]}"#, r#"{"eos_token": "</s>"}"#, &[4, 9]),
        ("{}", r#"{"eos_token_id": null}"#, r#"{"eos_token": {"content": "</s>"}}"#, &[9]),
        ("{}", "{}", r#"{"eos_token": "unheard of"}"#, &[]),
    ] {
        let checkpoint = open(&[
            ("generation_config.json", generation),
            ("config.json", config),
            ("tokenizer_config.json", settings),
            ("tokenizer.json", TOKENIZER),
        ]);
        assert_eq!(checkpoint.stops, stops, "{generation} {config} {settings}");
    }
}

#[test]
fn the_texts_of_special_tokens_are_found_wherever_they_are() {
    let texts = |files: &[(&str, &str)]| {
        let checkpoint = open(files);
        (checkpoint.bos, checkpoint.eos)
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(texts(&[]), (None, None));
    let settings = ("tokenizer_config.json", r#"{"bos_token": {"content": "[B]"}, "eos_token": null}"#);
    let map = ("special_tokens_map.json", r#"{"bos_token": "other", "eos_token": {"content": "[E]"}}"#);
    assert_eq!(texts(&[settings, map]), (some("[B]"), some("[E]")));
    let ids = ("config.json", r#"{"bos_token_id": 7, "eos_token_id": 9}"#);
    assert_eq!(texts(&[ids, ("tokenizer.json", TOKENIZER)]), (some("<s>"), some("</s>")));
    assert_eq!(texts(&[ids]), (None, None));
}

#[test]
fn a_template_is_found_in_each_of_its_forms() {
    let named = |name: &str, template: &str| format!(r#"{{"name": "{name}", "template": "{template}"}}"#);
    let list = |entries: &[String]| format!(r#"{{"chat_template": [{}]}}"#, entries.join(","));
    for (settings, template) in [
        ("{}".into(), None),
        (r#"{"chat_template": null}"#.into(), None),
        (r#"{"chat_template": "plain"}"#.into(), Some("plain")),
        (list(&[named("tool_use", "tools"), named("default", "usual")]), Some("usual")),
        (list(&[named("rag", "only")]), Some("only")),
    ] {
        let found = open(&[("tokenizer_config.json", &settings)]).chat_template;
        assert_eq!(found.as_deref(), template, "{settings}");
    }
    let both = [("tokenizer_config.json", r#"{"chat_template": "old"}"#), ("chat_template.jinja", "new\n")];
    assert_eq!(open(&both).chat_template.as_deref(), Some("new\n"));
}

#[test]
fn import_rejects_side_files_that_are_none() {
    let reason = |path: &Path| match Checkpoint::open(path) {
        Err(error @ Error::Import(_)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    for (name, text, why) in [
        ("config.json", "{", "config.json: EOF"),
        ("generation_config.json", "nonsense", "generation_config.json: expected"),
        ("generation_config.json", r#"{"eos_token_id": "2"}"#, "generation_config.json: eos_token_id has \"2\""),
        ("config.json", r#"{"eos_token_id": [1, -2]}"#, "config.json: eos_token_id has -2, which is no token"),
        ("tokenizer_config.json", r#"{"chat_template": 5}"#, "chat_template is neither a text nor a list"),
        ("tokenizer_config.json", r#"{"chat_template": []}"#, "chat_template is a list without a default"),
        ("tokenizer_config.json", r#"{"chat_template": [{"name": "default"}]}"#, "a list without a default"),
        ("special_tokens_map.json", "[1", "special_tokens_map.json: EOF"),
    ] {
        let folder = folder(&[(name, text)]);
        let reason = reason(folder.path());
        assert!(reason.contains(why), "{reason}");
    }
    let folder = folder(&[]);
    std::fs::write(folder.path().join("chat_template.jinja"), b"\xff").unwrap();
    assert!(reason(folder.path()).contains("chat_template.jinja is not UTF-8"));
}
