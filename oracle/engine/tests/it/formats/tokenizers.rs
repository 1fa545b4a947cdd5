//! Tokenizers of GGUF files, as the `tokenizers` library has them.

use std::collections::HashMap;

use provena_engine::{Error, format::Checkpoint};
use tokenizers::Tokenizer;

use super::gguf_files::{File, Meta, decoder};

/// The character that stands for each byte: itself where it can be seen, else one from 256 on.
pub(super) fn byte_letters() -> Vec<char> {
    let seen = |byte: u32| (33..=126).contains(&byte) || (161..=172).contains(&byte) || (174..=255).contains(&byte);
    let mut next = 255;
    let mut letter = |byte: u32| {
        if seen(byte) {
            return char::from_u32(byte).unwrap();
        }
        next += 1;
        char::from_u32(next).unwrap()
    };
    (0..256).map(&mut letter).collect()
}

/// A decoder whose tokens are all bytes, what these merges give, and two special ones; and the tokens.
pub(super) fn with_bytes(cut: &str, merges: &[&str]) -> (File, Vec<String>) {
    let mut tokens: Vec<String> = byte_letters().into_iter().map(String::from).collect();
    tokens.extend(merges.iter().map(|merge| merge.replace(' ', "")));
    tokens.extend(["<|im_start|>".into(), "<|im_end|>".into(), "<user>".into()]);
    let mut types = vec![1; tokens.len()];
    let special = tokens.len() - 3;
    types[special..].copy_from_slice(&[3, 3, 4]);
    let mut file = decoder("qwen2");
    file.set("tokenizer.ggml.model", "gpt2");
    file.set("tokenizer.ggml.pre", cut);
    file.set("tokenizer.ggml.tokens", Meta::Texts(tokens.clone()));
    file.set("tokenizer.ggml.token_type", Meta::I32s(types));
    file.set("tokenizer.ggml.merges", Meta::Texts(merges.iter().map(|m| (*m).into()).collect()));
    file.set("tokenizer.ggml.bos_token_id", Meta::U32(special as u32));
    file.set("tokenizer.ggml.eos_token_id", Meta::U32(special as u32 + 1));
    (file, tokens)
}

fn tokenizer(file: &File) -> Tokenizer {
    let checkpoint = Checkpoint::from_gguf_bytes(file.bytes()).unwrap();
    Tokenizer::from_bytes(checkpoint.tokenizer.unwrap()).unwrap()
}

/// The tokens of a text.
fn cut(tokenizer: &Tokenizer, text: &str) -> Vec<String> {
    tokenizer.encode(text, true).unwrap().get_tokens().to_vec()
}

#[test]
fn every_known_way_to_cut_is_told_from_the_others() {
    let merges = ["1 2", "12 3", "123 4", "' S", "\u{c3} \u{a9}", "Ġ a", "A b", "c D"];
    for (names, digits, contraction, composed, camel) in [
        (&["gpt-2", "phi-2", "olmo", "mpt"][..], &["1234"][..], &["'", "S"][..], false, &["a", "b", "cD"][..]),
        (&["smollm", "starcoder", "refact", "codeshell"], &["1", "2", "3", "4"], &["'", "S"], false, &["a", "b", "cD"]),
        (&["llama-bpe", "llama3", "llama-v3"], &["123", "4"], &["'S"], false, &["a", "b", "cD"]),
        (&["qwen2", "deepseek-r1-qwen"], &["1", "2", "3", "4"], &["'S"], true, &["a", "b", "cD"]),
        (&["tekken"], &["1", "2", "3", "4"], &["'S"], false, &["a", "b", "c", "D"]),
    ] {
        for name in names {
            let (mut file, tokens) = with_bytes(name, &merges);
            file.set("tokenizer.ggml.add_bos_token", Meta::Bool(false));
            let tokenizer = tokenizer(&file);
            assert_eq!(tokenizer.get_vocab_size(true), tokens.len());
            assert_eq!(cut(&tokenizer, "1234"), digits, "{name}");
            assert_eq!(cut(&tokenizer, "'S"), contraction, "{name}");
            assert_eq!(cut(&tokenizer, "abcD"), camel, "{name}");
            let accent = if composed { vec!["\u{c3}\u{a9}"] } else { vec!["e", "\u{cc}", "\u{123}"] };
            assert_eq!(cut(&tokenizer, "e\u{301}").len(), accent.len(), "{name}");
            // What controls the model is one token wherever it is; so is what a user added.
            assert_eq!(cut(&tokenizer, "x<|im_end|>Ab a<user>"), ["x", "<|im_end|>", "Ab", "Ġa", "<user>"], "{name}");
            for text in ["Größe: 3 €, \u{1f642}\n\n\tEnd  of\r\nline ", " ", "日本語 テスト", "\0\u{7f}"] {
                let ids = tokenizer.encode(text, true).unwrap();
                assert_eq!(tokenizer.decode(ids.get_ids(), true).unwrap(), text, "{name}");
            }
        }
    }
}

#[test]
fn sequences_begin_and_end_as_the_file_says() {
    let set = |cut: &str, bos: Option<bool>, eos: Option<bool>| {
        let (mut file, _) = with_bytes(cut, &[]);
        bos.into_iter().for_each(|v| file.set("tokenizer.ggml.add_bos_token", Meta::Bool(v)));
        eos.into_iter().for_each(|v| file.set("tokenizer.ggml.add_eos_token", Meta::Bool(v)));
        self::cut(&tokenizer(&file), "a")
    };
    assert_eq!(set("smollm", None, None), ["a"]);
    assert_eq!(set("smollm", Some(true), None), ["<|im_start|>", "a"]);
    assert_eq!(set("smollm", Some(true), Some(true)), ["<|im_start|>", "a", "<|im_end|>"]);
    assert_eq!(set("qwen2", Some(false), Some(true)), ["a", "<|im_end|>"]);
    assert_eq!(set("llama-bpe", None, None), ["<|im_start|>", "a"]);
    assert_eq!(set("llama-bpe", Some(false), None), ["a"]);
}

#[test]
fn special_tokens_are_told() {
    let (mut file, tokens) = with_bytes("smollm", &[]);
    let special = tokens.len() as u32 - 3;
    let open = |file: &File| Checkpoint::from_gguf_bytes(file.bytes()).unwrap();
    let checkpoint = open(&file);
    assert_eq!((checkpoint.bos.as_deref(), checkpoint.eos.as_deref()), (Some("<|im_start|>"), Some("<|im_end|>")));
    assert_eq!(checkpoint.stops, [special + 1]);
    assert_eq!(checkpoint.chat_template, None);
    file.set("tokenizer.ggml.eos_token_id", Meta::U32(7));
    file.set("tokenizer.ggml.eot_token_id", Meta::U32(3));
    file.set("tokenizer.ggml.eom_token_id", Meta::U32(7));
    file.unset("tokenizer.ggml.bos_token_id");
    file.set("tokenizer.chat_template", "{{ messages }}");
    let checkpoint = open(&file);
    // The token that ends a turn is one although the file does not say so.
    assert_eq!(checkpoint.stops, [3, 7, special + 1]);
    assert_eq!((checkpoint.bos, checkpoint.chat_template.as_deref()), (None, Some("{{ messages }}")));
    // A file that has no tokens has none.
    let checkpoint = open(&decoder("llama"));
    assert!(checkpoint.tokenizer.is_none() && checkpoint.stops.is_empty());
}

/// A decoder with pieces: unknown, two control tokens, all bytes, then these with scores that fall.
fn with_pieces(pieces: &[String]) -> File {
    let mut tokens: Vec<String> = ["<unk>", "<s>", "</s>"].map(Into::into).to_vec();
    tokens.extend((0..256).map(|byte| format!("<0x{byte:02X}>")));
    let special = tokens.len();
    tokens.extend(pieces.iter().cloned());
    let scores = (0..tokens.len()).map(|i| if i < special { 0.0 } else { -((i - special) as f32) }).collect();
    let kind = |i: usize| [2, 3, 3].get(i).copied().unwrap_or(if i < special { 6 } else { 1 });
    let mut file = decoder("llama");
    file.set("tokenizer.ggml.model", "llama");
    file.set("tokenizer.ggml.token_type", Meta::I32s((0..tokens.len()).map(kind).collect()));
    file.set("tokenizer.ggml.tokens", Meta::Texts(tokens));
    file.set("tokenizer.ggml.scores", Meta::F32s(scores));
    file.set("tokenizer.ggml.bos_token_id", Meta::U32(1));
    file.set("tokenizer.ggml.eos_token_id", Meta::U32(2));
    file
}

/// Pieces as the sentencepiece library finds them: of all neighbours those are merged that give the piece with the
/// highest score, the first of them where several do; what is no piece in the end is its bytes.
fn merged(pieces: &HashMap<String, usize>, text: &str) -> Vec<String> {
    let mut parts: Vec<String> = format!(" {text}").replace(' ', "\u{2581}").chars().map(String::from).collect();
    loop {
        let pairs = parts.windows(2).enumerate();
        let best = pairs.filter_map(|(at, pair)| pieces.get(&pair.concat()).map(|rank| (*rank, at))).min();
        let Some((_, at)) = best else { break };
        let right = parts.remove(at + 1);
        parts[at].push_str(&right);
    }
    let bytes = |part: String| match pieces.contains_key(&part) {
        true => vec![part],
        false => part.bytes().map(|byte| format!("<0x{byte:02X}>")).collect(),
    };
    parts.into_iter().flat_map(bytes).collect()
}

#[test]
fn pieces_are_merged_by_score_as_sentencepiece_merges_them() {
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..30 {
        // Every piece is two earlier ones in one way only: else two libraries may break a tie differently.
        let mut pieces: Vec<String> = "abcd\u{2581}é".chars().map(String::from).collect();
        while pieces.len() < 60 {
            let new = format!("{}{}", random.choice(&pieces).unwrap(), random.choice(&pieces).unwrap());
            let ways = |new: &str| {
                let splits = new.char_indices().skip(1).map(|(at, _)| new.split_at(at));
                splits.filter(|(l, r)| [l, r].iter().all(|part| pieces.iter().any(|piece| piece == *part))).count()
            };
            if new.chars().count() <= 8 && !pieces.contains(&new) && ways(&new) == 1 {
                pieces.push(new);
            }
        }
        let tokenizer = tokenizer(&with_pieces(&pieces));
        let ranks = pieces.iter().cloned().enumerate().map(|(rank, piece)| (piece, rank)).collect();
        for _ in 0..50 {
            let letters: Vec<char> = "aabbccdd éz\n\u{1f642}".chars().collect();
            let text: String = (0..random.usize(1..40)).map(|_| *random.choice(&letters).unwrap()).collect();
            let expected = [vec!["<s>".to_owned()], merged(&ranks, &text)].concat();
            assert_eq!(cut(&tokenizer, &text), expected, "{text:?} of {pieces:?}");
            let ids = tokenizer.encode(text.as_str(), true).unwrap();
            assert_eq!(tokenizer.decode(ids.get_ids(), true).unwrap(), text);
        }
    }
}

#[test]
fn import_rejects_tokens_that_contradict_themselves() {
    type Spoil = fn(&mut File);
    let bytes: [(Spoil, &str); 9] = [
        (|f| f.set("tokenizer.ggml.pre", "unheard-of"), "cuts texts as \"unheard-of\" does, known are gpt-2, phi-2,"),
        (|f| f.unset("tokenizer.ggml.pre"), "cuts texts as \"default\" does"),
        (|f| f.set("tokenizer.ggml.model", "bert"), "of the kind \"bert\", known are gpt2 and llama"),
        (|f| f.set("tokenizer.ggml.tokens", Meta::Texts(vec!["a".into(), "b".into(), "a".into()])), "types of tokens"),
        (|f| f.set("tokenizer.ggml.tokens", Meta::Texts(vec![])), "has 0 tokens"),
        (|f| f.set("tokenizer.ggml.tokens", Meta::U32s(vec![1])), "must be a list of texts"),
        (|f| f.set("tokenizer.ggml.merges", Meta::Texts(vec!["a \u{fffd}".into()])), "which are no tokens"),
        (|f| f.set("tokenizer.ggml.merges", Meta::Texts(vec!["ab".into()])), "which are no tokens"),
        (|f| f.set("tokenizer.ggml.eos_token_id", Meta::U32(10_000)), "is 10000, there are 259 tokens"),
    ];
    let pieces: [(Spoil, &str); 4] = [
        (|f| f.unset("tokenizer.ggml.scores"), "no score for each"),
        (|f| f.set("tokenizer.ggml.scores", Meta::F32s(vec![0.0; 3])), "no score for each"),
        (|f| f.set("tokenizer.ggml.scores", Meta::F32s(vec![f32::NAN; 261])), "no score for each"),
        (
            |f| {
                let tokens = (0..261).map(|i| format!("{i}{}", "x".repeat(254))).collect();
                f.set("tokenizer.ggml.tokens", Meta::Texts(tokens));
            },
            "has a token of 257 bytes, more than 256",
        ),
    ];
    let repeated: Spoil = |f| {
        f.set("tokenizer.ggml.tokens", Meta::Texts(vec!["a".into(), "b".into(), "a".into()]));
        f.unset("tokenizer.ggml.token_type");
    };
    let cases = bytes.into_iter().map(|(spoil, why)| (with_bytes("gpt-2", &[]).0, spoil, why));
    let cases =
        cases.chain(pieces.into_iter().map(|(spoil, why)| (with_pieces(&["a".into(), "b".into()]), spoil, why)));
    let twice = (with_bytes("gpt-2", &[]).0, repeated, "the token \"a\" twice, as 0 and as 2");
    for (mut file, spoil, why) in cases.chain([twice]) {
        spoil(&mut file);
        let error = Checkpoint::from_gguf_bytes(file.bytes()).unwrap_err();
        assert!(matches!(error, Error::Import(_)) && error.to_string().contains(why), "{why}: {error}");
    }
}

#[test]
fn a_tokenizer_beside_the_file_is_used_where_the_files_own_is_not_known() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.GGUF");
    let (mut file, _) = with_bytes("unheard-of", &[]);
    std::fs::write(&path, file.bytes()).unwrap();
    let error = Checkpoint::open(&path).unwrap_err().to_string();
    assert!(error.contains("unheard-of") && error.ends_with("put the model's tokenizer.json beside it"), "{error}");
    std::fs::write(folder.path().join("tokenizer.json"), "beside").unwrap();
    // The file alone or the folder that it is in.
    for source in [path.as_path(), folder.path()] {
        assert_eq!(Checkpoint::open(source).unwrap().tokenizer.unwrap(), b"beside");
    }
    file.set("tokenizer.ggml.pre", "smollm");
    std::fs::write(&path, file.bytes()).unwrap();
    let own = Checkpoint::open(&path).unwrap();
    assert_ne!(own.tokenizer.unwrap(), b"beside");
    // Which of two files is meant, nobody can know.
    std::fs::write(folder.path().join("other.gguf"), file.bytes()).unwrap();
    let error = Checkpoint::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("has 2 .gguf files: say which one"), "{error}");
}
