//! Requests and artifacts that would take the machine with them before a model begins.

use std::{process::Command, sync::Arc};

use provena_engine::{
    AdapterChoice, Engine, Error,
    chat_template::render,
    import::{ImportOptions, import},
    tokenizer::Tokenizer,
};
use provena_wire::Message;
use serde_json::{Value, json};

use crate::{llama::published::published, tiny_encoder::rebuilt_with, tiny_llama};

/// In a process that is to prepare a text and to say what it took: which one.
const CASE: &str = "PROVENA_TEST_PREPARING";
/// What stands before the bytes in its output.
const SAID: &str = "memory for the text: ";

fn replace(pattern: &str, content: &str) -> Value {
    json!({"type": "Replace", "pattern": {"String": pattern}, "content": content})
}

fn sequence(parts: Vec<Value>) -> Value {
    json!({"type": "Sequence", "normalizers": parts})
}

/// The tiny decoder's tokenizer with another normalizer.
fn normalized(normalizer: Value) -> Vec<u8> {
    let mut tokenizer: Value = serde_json::from_str(&tiny_llama::tokenizer()).unwrap();
    tokenizer["normalizer"] = normalizer;
    tokenizer.to_string().into_bytes()
}

/// A tokenizer of single bytes.
fn bytes(pre_tokenizers: Vec<Value>) -> Value {
    let visible = |byte: u32| matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    let mut invisible = 256;
    let mut vocab = serde_json::Map::new();
    for byte in 0..256u32 {
        let sign = if visible(byte) { byte } else { invisible };
        invisible += u32::from(!visible(byte));
        vocab.insert(char::from_u32(sign).unwrap().to_string(), json!(byte));
    }
    vocab.insert("aa".into(), json!(256));
    vocab.insert("aaaa".into(), json!(257));
    json!({
        "version": "1.0", "truncation": null, "padding": null, "normalizer": null, "post_processor": null,
        "added_tokens": [], "decoder": null,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": pre_tokenizers},
        "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "vocab": vocab,
            "merges": ["a a", "aa aa"]},
    })
}

fn byte_level(use_regex: bool) -> Value {
    json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": use_regex})
}

fn split(pattern: &str) -> Value {
    json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false})
}

fn read(json: &Value) -> Result<Tokenizer, Error> {
    Tokenizer::new(json.to_string().as_bytes(), 400, 1 << 20)
}

/// What makes a text explode, and the component and number that the refusal names.
fn exploding() -> Vec<(Value, &'static str)> {
    vec![
        (replace("w", &"w".repeat(1_000_000)), "Replace of \"w\" by 1000000 bytes"),
        (sequence(vec![replace("w", "ww"); 40]), "a Sequence of 40 parts"),
        (sequence(vec![sequence(vec![replace("w", "ww"); 20]); 2]), "1024 times as long"),
        (json!({"type": "Prepend", "prepend": "w".repeat(100_000)}), "prepends 100000 bytes"),
        (sequence(vec![json!({"type": "NFKD"}); 3]), "1331 times as long"),
        (json!({"type": "Replace", "pattern": {"Regex": "w*"}, "content": "ww"}), "may match nothing"),
        (json!({"type": "Replace", "pattern": {"Regex": "(w+)+x"}, "content": ""}), "repeats a repetition"),
        (json!({"type": "Explode"}), "tokenizer: "),
    ]
}

#[test]
fn n2_an_artifact_whose_tokenizer_explodes_is_not_loaded() {
    let whole = tiny_llama::random(&tiny_llama::recipe(), 31);
    let engine = Engine::new(AdapterChoice::Cpu).unwrap();
    for (normalizer, reason) in exploding() {
        let artifact = rebuilt_with(&whole, normalized(normalizer), "no such tensor", None);
        let error = engine.load(Arc::new(artifact)).map(drop).unwrap_err();
        assert!(matches!(&error, Error::Tokenizer(said) if said.len() < 300), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn n2_a_model_whose_tokenizer_explodes_is_not_imported() {
    for (normalizer, reason) in exploding() {
        let folder = tempfile::tempdir().unwrap();
        let model = published(&json!({}));
        model.put(folder.path());
        let source = folder.path().join("source");
        let file = source.join("tokenizer.json");
        let mut tokenizer: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        tokenizer["normalizer"] = normalizer;
        std::fs::write(&file, tokenizer.to_string()).unwrap();
        let out = folder.path().join("out/model.pvna");
        let options =
            ImportOptions { source, family: None, name: None, calibration: None, context: None, out: out.clone() };
        let error = import(&options, &mut |_| ()).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
        assert!(!out.exists());
    }
}

#[test]
fn n2_other_parts_that_explode_are_refused_by_name() {
    let with = |key: &str, value: Value| {
        let mut json = bytes(vec![byte_level(false)]);
        json[key] = value;
        read(&json).map(drop).unwrap_err().to_string()
    };
    let token = |content: &str| {
        json!({"id": 300, "content": content, "single_word": false, "lstrip": true, "rstrip": false,
            "normalized": false, "special": true})
    };
    assert!(with("decoder", replace("a", &"a".repeat(9_000))).contains("the decoder may make a text 9000 times"));
    assert!(with("added_tokens", json!([token(&"x".repeat(5_000))])).contains("an added token has 5000 bytes"));
    let many: Vec<Value> = (0..65).map(|i| token(&format!("<{i}>"))).collect();
    assert!(with("added_tokens", many.into()).contains("65 added tokens look at what is beside them"));
    let around: Vec<Value> = vec![json!({"SpecialToken": {"id": "a", "type_id": 0}}); 40];
    let ids: Vec<u32> = vec![97; 50];
    let single = [around, vec![json!({"Sequence": {"id": "A", "type_id": 0}})]].concat();
    let template = json!({"type": "TemplateProcessing", "single": single,
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {"a": {"id": "a", "ids": ids, "tokens": vec!["a"; 50]}}});
    assert!(with("post_processor", template).contains("puts 2000 tokens around a text"));
    for (pointer, value, reason) in [
        ("/model/dropout", json!(0.5), "drops merges at random"),
        ("/model/max_input_chars_per_word", json!(1_000_000), "max_input_chars_per_word is 1000000"),
        ("/pre_tokenizer", json!({"type": "Sequence", "pretokenizers": [split(r"(\w+)\1")]}), "refers back"),
        ("/pre_tokenizer", json!({"type": "Sequence", "pretokenizers": [split(r"(a*)*b")]}), "repeats a repetition"),
    ] {
        let mut json = bytes(vec![byte_level(false)]);
        if let Some(place) = json.pointer_mut(pointer) {
            *place = value;
        } else {
            json["model"]["max_input_chars_per_word"] = value;
        }
        let error = read(&json).map(drop).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
    // What is there twice could be one thing here and another there.
    let twice = bytes(vec![]).to_string().replacen(r#""normalizer":null"#, r#""normalizer":null,"normalizer":null"#, 1);
    assert!(Tokenizer::new(twice.as_bytes(), 400, 10).map(drop).unwrap_err().to_string().contains("duplicate field"));
}

/// Texts that are the worst that the limits let in, each with a tokenizer.
fn worst(case: &str) -> (Value, String) {
    let mut grown = bytes(vec![byte_level(false)]);
    match case {
        "a word" => (grown, "a".repeat(1 << 20)),
        "blanks" => (bytes(vec![byte_level(true)]), " ".repeat(1 << 20)),
        "pieces" => (bytes(vec![json!({"type": "FixedLength", "length": 1}), byte_level(false)]), "1".repeat(1 << 20)),
        "growth" => {
            grown["normalizer"] = replace("w", &"w".repeat(250));
            (grown, "w".repeat(90_000))
        }
        "most growth" => {
            grown["normalizer"] = replace("w", &"w".repeat(250));
            (grown, "w".repeat(4_000))
        }
        other => panic!("{other}"),
    }
}

/// The most bytes of memory that this process ever had.
fn most() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() << 10
}

#[test]
#[cfg(target_os = "linux")]
fn n2_preparing_the_worst_text_takes_bounded_memory() {
    if let Ok(case) = std::env::var(CASE) {
        let (json, text) = worst(&case);
        let tokenizer = read(&json).unwrap();
        let before = most();
        let tokens = tokenizer.encode(0, &text).map(|ids| ids.len()).map_err(|error| error.to_string());
        println!("{SAID}{} {tokens:?}", most() - before);
        return;
    }
    for case in ["a word", "blanks", "pieces", "growth", "most growth"] {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let test = "preparing::n2_preparing_the_worst_text_takes_bounded_memory";
        let output = command.args(["--exact", test, "--nocapture"]).env(CASE, case).output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        let said =
            printed.lines().find_map(|line| line.split_once(SAID)).map(|(_, said)| said.split_once(' ').unwrap());
        let (taken, tokens) = said.unwrap_or_else(|| panic!("{printed}{}", String::from_utf8_lossy(&output.stderr)));
        println!("{case}: {taken} bytes, {tokens}");
        assert!(taken.parse::<u64>().unwrap() < 1 << 30, "{case}: {taken} bytes");
        // Whether the others are done in time depends on the machine.
        assert!(case != "growth" || tokens.contains("which may make 500 times as many"), "{case}: {tokens}");
    }
}

#[test]
fn n2_a_text_that_cannot_fit_is_refused_before_it_is_looked_at() {
    let json = bytes(vec![byte_level(true)]);
    let tokenizer = Tokenizer::new(json.to_string().as_bytes(), 400, 1_000).unwrap();
    // No token stands for more than four bytes.
    let error = tokenizer.encode(0, &"b ".repeat(2_001)).unwrap_err();
    assert!(matches!(error, Error::InputTooLong { index: 0, tokens: 1_001, limit: 1_000 }), "{error}");
    assert_eq!(tokenizer.encode(0, &"a".repeat(4_000)).unwrap().len(), 1_000);
    let error = read(&json).unwrap().encode(0, &"a".repeat((1 << 20) + 1)).unwrap_err();
    assert!(matches!(&error, Error::Preparation(_)) && error.to_string().contains("at most 1048576"), "{error}");
}

#[test]
fn n2_preparing_ends_when_its_time_does() {
    // Looks for a "b" to the end of the text, at each of its signs.
    let tokenizer = read(&bytes(vec![split(".*?b|a"), byte_level(false)])).unwrap();
    let error = tokenizer.encode(0, &"a".repeat(1 << 20)).unwrap_err();
    assert!(matches!(&error, Error::Preparation(reason) if reason.contains("takes more than")), "{error}");
    let slow = "{% for i in range(99999) if messages[0].content|upper|lower|upper == 'x' %}{% endfor %}";
    let messages = [Message { role: "user".into(), content: "x".repeat(1 << 20) }];
    let error = render(slow, &messages, "", "").unwrap_err();
    assert!(matches!(&error, Error::Preparation(_)), "{error}");
}

#[test]
fn n2_a_template_makes_no_long_list_of_long_texts() {
    let big = "{{ range(99999)|map('attr', 'x')|map('default', 'x' * 65536)|map('upper')|list|length }}";
    let messages = [Message { role: "user".into(), content: "x".into() }];
    let error = render(big, &messages, "", "").unwrap_err().to_string();
    assert!(error.contains("map takes an attribute only"), "{error}");
    assert_eq!(render("{{ messages|map(attribute='content')|join('-') }}", &messages, "", "").unwrap(), "x");
}

#[test]
fn n2_a_token_that_looks_back_is_not_looked_for_without_end() {
    let mut json = bytes(vec![byte_level(false)]);
    json["added_tokens"] = json!([{"id": 300, "content": "a", "single_word": false, "lstrip": true, "rstrip": false,
        "normalized": false, "special": true}]);
    let tokenizer = read(&json).unwrap();
    assert_eq!(tokenizer.encode(0, &"a".repeat(1_000)).unwrap().len(), 1_000);
    let error = tokenizer.encode(0, &"ab".repeat(100_000)).unwrap_err();
    assert!(matches!(&error, Error::Preparation(_)), "{error}");
}
