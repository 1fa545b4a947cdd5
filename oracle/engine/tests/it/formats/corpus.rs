//! The corpus that fuzzing begins with: a small file of every kind, honest ones and others.

use std::{collections::BTreeMap, path::PathBuf};

use safetensors::Dtype;

use super::gguf_files::{File, Meta, decoder};
use crate::{
    assets::own,
    checkpoint_files::{Raw, Raws, file, raw},
};

/// The longest file.
const MAX_LEN: usize = 4_096;

/// Where a target's files are.
fn folder(target: &str) -> PathBuf {
    own("fuzz/corpus").join(target)
}

/// Names and bytes of a target's files, as they are committed.
pub(super) fn committed(target: &str) -> BTreeMap<String, Vec<u8>> {
    let entry = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(path).unwrap())
    };
    std::fs::read_dir(folder(target)).unwrap().map(entry).collect()
}

/// A description without a tensor.
fn described() -> File {
    let mut file = decoder("llama");
    file.tensors.clear();
    file
}

fn gguf() -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut put = |name: &str, bytes: Vec<u8>| assert!(files.insert(name.to_owned(), bytes).is_none(), "{name}");
    for (name, kind, elements, bytes) in [
        ("f32", 0, 1, 4),
        ("f16", 1, 1, 2),
        ("q4_0", 2, 32, 18),
        ("q4_1", 3, 32, 20),
        ("q5_0", 6, 32, 22),
        ("q5_1", 7, 32, 24),
        ("q8_0", 8, 32, 34),
        ("q4_k", 12, 256, 144),
        ("q5_k", 13, 256, 176),
        ("q6_k", 14, 256, 210),
        ("bf16", 30, 1, 2),
    ] {
        let mut file = described();
        let cols = elements.max(3);
        let data = (0..2 * cols / elements * bytes).map(|i| (i * 37 % 0x3c) as u8).collect();
        file.tensor("blk.0.attn_v.weight", &[2, cols], kind, data);
        put(name, file.bytes());
    }
    let whole = decoder("llama").bytes();
    put("whole", whole.clone());
    put("whole-qwen2", decoder("qwen2").bytes());
    put("truncated", whole[..whole.len() - 40].to_vec());
    put("truncated-header", whole[..200].to_vec());
    put("version-2", [&whole[..4], &[2], &whole[5..]].concat());
    put("big-endian", [b"GGUF\0\0\0\x03".as_slice(), &whole[8..64]].concat());
    put("many-tensors", [&whole[..8], &65_536u64.to_le_bytes(), &whole[16..]].concat());
    put("many-entries", [&whole[..16], &u64::MAX.to_le_bytes(), &whole[24..64]].concat());
    let with = |change: &dyn Fn(&mut File)| {
        let mut file = described();
        file.floats("output_norm.weight", &[8], &[1.0; 8]);
        change(&mut file);
        file.bytes()
    };
    put(
        "overlap",
        with(&|f| {
            f.floats("blk.0.ffn_norm.weight", &[8], &[1.0; 8]);
            f.find("blk.0.ffn_norm.weight").offset = Some(0);
        }),
    );
    put("past-the-end", with(&|f| f.find("output_norm.weight").offset = Some(u64::MAX - 31)));
    put("large-dims", with(&|f| f.find("output_norm.weight").dims = vec![1 << 32, 1 << 31]));
    put("no-dims", with(&|f| f.find("output_norm.weight").dims = vec![]));
    put("not-finite", with(&|f| f.floats("blk.1.ffn_norm.weight", &[2], &[1.0, f32::NAN])));
    put("align-1", with(&|f| f.set("general.alignment", Meta::U32(1))));
    put("align-0", with(&|f| f.set("general.alignment", Meta::U32(0))));
    put(
        "yarn",
        with(&|f| {
            f.set("llama.rope.scaling.type", "yarn");
            f.set("llama.rope.scaling.factor", Meta::F32(4.0));
            f.set("llama.rope.scaling.original_context_length", Meta::U32(16));
        }),
    );
    put("factors", with(&|f| f.floats("rope_freqs.weight", &[2], &[1.0, 8.0])));
    put(
        "pairs",
        with(&|f| {
            f.floats("blk.0.attn_q.weight", &[8, 8], &[0.5; 64]);
            f.floats("blk.0.attn_k.bias", &[4], &[0.5; 4]);
        }),
    );
    put(
        "deep-lists",
        with(&|f| {
            let level = [9u32.to_le_bytes().as_slice(), &1u64.to_le_bytes()].concat();
            f.set("deep", Meta::Raw(9, level.repeat(8)));
        }),
    );
    put(
        "every-value",
        with(&|f| {
            f.set("a", Meta::U8(1));
            f.set("b", Meta::I32(-1));
            f.set("c", Meta::U64(u64::MAX));
            f.set("d", Meta::F64(0.1));
            f.set("e", Meta::Bool(true));
            f.set("f", Meta::I32s(vec![1, -1]));
            f.set("g", Meta::F32s(vec![1.0]));
            f.set("h", Meta::Raw(9, [0u32.to_le_bytes().as_slice(), &3u64.to_le_bytes(), &[1, 2, 3]].concat()));
        }),
    );
    let words = |words: &[&str]| Meta::Texts(words.iter().map(|word| (*word).into()).collect());
    for cut in ["gpt-2", "smollm", "llama-bpe", "qwen2", "tekken", "unheard-of"] {
        put(
            &format!("tokens-{cut}"),
            with(&|f| {
                f.set("tokenizer.ggml.model", "gpt2");
                f.set("tokenizer.ggml.pre", cut);
                f.set("tokenizer.ggml.tokens", words(&["a", "b", "ab", "<|im_end|>"]));
                f.set("tokenizer.ggml.token_type", Meta::I32s(vec![1, 1, 1, 3]));
                f.set("tokenizer.ggml.merges", words(&["a b"]));
                f.set("tokenizer.ggml.bos_token_id", Meta::U32(3));
                f.set("tokenizer.ggml.add_eos_token", Meta::Bool(true));
                f.set("tokenizer.chat_template", "{{ messages }}");
            }),
        );
    }
    put(
        "tokens-pieces",
        with(&|f| {
            f.set("tokenizer.ggml.model", "llama");
            f.set("tokenizer.ggml.tokens", words(&["<unk>", "<s>", "\u{2581}", "a", "\u{2581}a", "aé"]));
            f.set("tokenizer.ggml.token_type", Meta::I32s(vec![2, 3, 1, 1, 1, 4]));
            f.set("tokenizer.ggml.scores", Meta::F32s(vec![0.0, 0.0, -1.0, -2.0, -0.5, -3.0]));
            f.set("tokenizer.ggml.eos_token_id", Meta::U32(1));
        }),
    );
    files
}

fn safetensors() -> BTreeMap<String, Vec<u8>> {
    let header = |header: &str, data: usize| {
        [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &vec![0x3f; data]].concat()
    };
    let one = |tensor: Raw| file(&Raws::from([("a".into(), tensor)]));
    let values: Vec<f32> = (0..6u8).map(|i| f32::from(i) - 2.5).collect();
    let ids = Raw { dtype: Dtype::I64, shape: vec![2], bytes: vec![7; 16] };
    let mut mixed = Raws::from([("ids".into(), ids)]);
    mixed.insert("half".into(), raw(Dtype::F16, &[2, 3], &values));
    mixed.insert("single".into(), raw(Dtype::F32, &[6], &values));
    let whole = file(&mixed);
    [
        ("f32", one(raw(Dtype::F32, &[2, 3], &values))),
        ("f16", one(raw(Dtype::F16, &[3, 2], &values))),
        ("bf16", one(raw(Dtype::BF16, &[1, 6, 1], &values))),
        ("scalar", one(raw(Dtype::F32, &[], &values[..1]))),
        ("empty", one(raw(Dtype::F32, &[3, 0, 2], &[]))),
        ("not-finite", one(raw(Dtype::F32, &[2], &[1.0, f32::INFINITY]))),
        ("truncated", whole[..whole.len() - 5].to_vec()),
        ("truncated-header", whole[..40].to_vec()),
        ("mixed", whole),
        ("none", header("{}", 0)),
        ("metadata", header(r#"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 4)),
        ("unknown-type", header(r#"{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}"#, 8)),
        (
            "overlap",
            header(
                r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#,
                12,
            ),
        ),
        ("gap", header(r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8)),
        ("backwards", header(r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, 8)),
        (
            "large-without-elements",
            header(r#"{"a":{"dtype":"F32","shape":[0,9223372036854775807,9],"data_offsets":[0,0]}}"#, 0),
        ),
        (
            "large-dims",
            header(r#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#, 0),
        ),
        ("many-dims", header(r#"{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}"#, 4)),
        ("not-json", header("nonsense", 4)),
        ("long-header", [u64::MAX.to_le_bytes().as_slice(), b"{}"].concat()),
    ]
    .into_iter()
    .map(|(name, bytes)| (name.into(), bytes))
    .collect()
}

#[test]
fn the_committed_corpus_is_what_this_module_makes() {
    for (target, files) in [("gguf", gguf()), ("safetensors", safetensors())] {
        assert!(files.values().all(|bytes| bytes.len() < MAX_LEN));
        if std::env::var_os("PROVENA_WRITE_CORPUS").is_some() {
            std::fs::create_dir_all(folder(target)).unwrap();
            files.iter().for_each(|(name, bytes)| std::fs::write(folder(target).join(name), bytes).unwrap());
        }
        assert!(committed(target) == files, "{target}: set PROVENA_WRITE_CORPUS and look at what changed");
    }
}
