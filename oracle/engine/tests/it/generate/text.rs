//! Tokens that become text again, by the tokenizers that models of words use.

use provena_engine::{
    chat_template::render,
    format::Checkpoint,
    tokenizer::{TextStream, Tokenizer},
};
use serde_json::{Value, json};

use super::support::chat;

/// A tokenizer whose tokens spell bytes as GPT-2 does: every byte, and some longer ones.
fn byte_level() -> Value {
    let visible = |byte: u32| matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    let mut spelled: Vec<char> = (0..256).map(|byte| char::from_u32(byte).unwrap()).collect();
    for (i, byte) in (0..256u32).filter(|byte| !visible(*byte)).enumerate() {
        spelled[byte as usize] = char::from_u32(256 + i as u32).unwrap();
    }
    let spell = |bytes: &[u8]| bytes.iter().map(|byte| spelled[*byte as usize]).collect::<String>();
    let mut vocab = serde_json::Map::new();
    for byte in 0..=255u8 {
        vocab.insert(spell(&[byte]), json!(byte));
    }
    // Whole words, and pieces that cut characters.
    for (i, piece) in
        ["he".as_bytes(), b" world", "é".as_bytes(), &[0xf0, 0x9f], &[0x98, 0x80, b' ']].iter().enumerate()
    {
        vocab.insert(spell(piece), json!(256 + i));
    }
    json!({
        "version": "1.0", "truncation": null, "padding": null, "normalizer": null, "post_processor": null,
        "added_tokens": [special(261, "<|end|>"), added(262, "<tool>")],
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
        "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "vocab": vocab, "merges": ["h e"]},
    })
}

fn special(id: u32, content: &str) -> Value {
    json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": true})
}

fn added(id: u32, content: &str) -> Value {
    let mut token = special(id, content);
    token["special"] = json!(false);
    token
}

/// A tokenizer as Llama 2 has it: words with the sign for a space before them, and tokens for single bytes.
fn byte_fallback(decoder: Value) -> Value {
    let mut vocab = serde_json::Map::new();
    for (i, piece) in ["<unk>", "<s>", "</s>", "▁", "▁hello", "▁world", "lo", "é", "▁a"].iter().enumerate() {
        vocab.insert((*piece).into(), json!(i));
    }
    for byte in 0..=255 {
        vocab.insert(format!("<0x{byte:02X}>"), json!(9 + byte));
    }
    json!({
        "version": "1.0", "truncation": null, "padding": null,
        "added_tokens": [special(0, "<unk>"), special(1, "<s>"), special(2, "</s>")],
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Prepend", "prepend": "▁"},
            {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
        "pre_tokenizer": null,
        "post_processor": {"type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}},
        "decoder": decoder,
        "model": {"type": "BPE", "dropout": null, "unk_token": "<unk>", "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": true, "byte_fallback": true, "vocab": vocab, "merges": []},
    })
}

fn llama_decoder() -> Value {
    json!({"type": "Sequence", "decoders": [
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0}]})
}

fn tokenizer(json: &Value) -> Tokenizer {
    Tokenizer::new(json.to_string().as_bytes(), 300, 100).unwrap()
}

/// The pieces of these tokens' text, and what is left at the end.
fn pieces(tokenizer: &Tokenizer, ids: &[u32]) -> Vec<String> {
    let mut stream = TextStream::default();
    let mut pieces: Vec<String> = ids.iter().map(|id| stream.push(tokenizer, *id).unwrap()).collect();
    pieces.push(stream.finish());
    pieces
}

#[test]
fn text_comes_in_whole_characters() {
    let bytes = tokenizer(&byte_level());
    // "he", a smile in two tokens of which the second goes on, an accent.
    assert_eq!(pieces(&bytes, &[256, 259, 260, 258]), ["he", "", "😀 ", "é", ""]);
    assert_eq!(pieces(&bytes, &[0xe2, 0x82, 0xac, b'!'.into()]), ["", "", "€", "!", ""]);
    // A character that never ends, and one that ends otherwise.
    assert_eq!(pieces(&bytes, &[0xe2, 0x82]), ["", "", "\u{fffd}"]);
    assert_eq!(pieces(&bytes, &[0xe2, b'a'.into(), 0xff]), ["", "\u{fffd}a", "\u{fffd}", ""]);
    let fallback = tokenizer(&byte_fallback(llama_decoder()));
    assert_eq!(
        pieces(&fallback, &[4, 5, 9 + 0xf0, 9 + 0x9f, 9 + 0x98, 9 + 0x80, 7]),
        ["hello", " world", "", "", "", "😀", "é", ""]
    );
    assert_eq!(pieces(&fallback, &[6, 9 + 0xe2, 8]), ["lo", "", "\u{fffd} a", ""]);
}

#[test]
fn tokens_for_the_model_alone_have_no_text_and_unknown_ones_neither() {
    let bytes = tokenizer(&byte_level());
    assert_eq!(pieces(&bytes, &[257, 261, 257, 262, 299, 256]), [" world", "", " world", "<tool>", "", "he", ""]);
    let fallback = tokenizer(&byte_fallback(llama_decoder()));
    // The first word loses its space, though a token without text came before it.
    assert_eq!(pieces(&fallback, &[1, 4, 2, 4]), ["", "hello", "", " hello", ""]);
}

#[test]
fn pieces_are_what_the_tokenizer_itself_decodes() {
    let metaspace = json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true});
    let mut random = fastrand::Rng::with_seed(8);
    for (json, valid) in
        [(byte_level(), false), (byte_fallback(llama_decoder()), true), (byte_fallback(metaspace), true)]
    {
        let own = tokenizer(&json);
        let theirs = tokenizers::Tokenizer::from_bytes(json.to_string().as_bytes()).unwrap();
        for _ in 0..2_000 {
            let mut ids = vec![];
            for _ in 0..random.usize(..12) {
                match (valid, random.u32(..3)) {
                    // Bytes that are no text become other signs there, after the fact, so whole characters here.
                    (true, 0) if json["decoder"]["type"] == "Sequence" && !ids.is_empty() => {
                        ids.extend("é€".bytes().map(|byte| 9 + u32::from(byte)));
                    }
                    (true, _) => ids.push(random.u32(..9)),
                    (false, _) => ids.push(random.u32(..263)),
                }
            }
            assert_eq!(pieces(&own, &ids).concat(), theirs.decode(&ids, true).unwrap(), "{ids:?}");
        }
    }
}

#[test]
fn a_conversation_gets_no_second_beginning() {
    let fallback = tokenizer(&byte_fallback(llama_decoder()));
    let plain = fallback.encode(0, "a").unwrap();
    assert_eq!(plain[0], 1);
    let as_is = fallback.encode_as_is(0, "<s>a").unwrap();
    assert_eq!(as_is.iter().filter(|id| **id == 1).count(), 1);
    assert_eq!(as_is[0], 1);
}

/// The tokenizer and the template of a real model.
fn smollm2() -> (Tokenizer, String) {
    let checkpoint = Checkpoint::open(&crate::assets::fetched("smollm2/model.gguf")).unwrap();
    let tokenizer = Tokenizer::new(&checkpoint.tokenizer.unwrap(), 49_152, 8_192).unwrap();
    (tokenizer, checkpoint.chat_template.unwrap())
}

#[test]
fn a_real_model_sees_the_conversation_that_it_was_trained_on() {
    let (tokenizer, template) = smollm2();
    let question = chat(&[("user", "What is the capital of France?")]);
    let text = render(&template, &question, "<|im_start|>", "<|im_end|>").unwrap();
    // As `transformers` gives them.
    #[rustfmt::skip]
    let expected = [
        1, 9690, 198, 2683, 359, 253, 5356, 5646, 11173, 3365, 3511, 308, 34519, 28, 7018, 411, 407, 19712, 8182, 2, 198,
        1, 4093, 198, 1780, 314, 260, 3575, 282, 4649, 47, 2, 198,
        1, 520, 9531, 198,
    ];
    assert_eq!(tokenizer.encode_as_is(0, &text).unwrap(), expected);
}

#[test]
fn a_real_models_tokens_become_the_text_that_they_came_from() {
    let (tokenizer, _) = smollm2();
    for text in [
        "One, two; three!  Four\n\n\tfive 12345 6.78e-9",
        "Ünïcödé, 中文字, العربية, हिन्दी, 한국어",
        "👩‍🚀🌊 and a family: 👨‍👩‍👧‍👦.",
        " leading and trailing spaces   ",
    ] {
        let ids = tokenizer.encode_as_is(0, text).unwrap();
        let pieces = pieces(&tokenizer, &ids);
        assert_eq!(pieces.concat(), text);
        assert!(!text.contains('\u{fffd}') && pieces.iter().all(|piece| !piece.contains('\u{fffd}')), "{pieces:?}");
    }
    let hidden = tokenizer.encode_as_is(0, "<|im_start|>a<|im_end|>").unwrap();
    assert_eq!(pieces(&tokenizer, &hidden).concat(), "a");
}
