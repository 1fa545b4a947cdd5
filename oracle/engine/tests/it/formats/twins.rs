//! A decoder published in both formats becomes the same artifact.

use std::path::Path;

use provena_engine::{
    artifact::Artifact,
    format::Checkpoint,
    import::{ImportOptions, import},
};
use safetensors::Dtype;
use serde_json::json;

use super::{gguf_files::Meta, tokenizers::with_bytes};
use crate::checkpoint_files::{Raws, file, nearest_f16, raw};

const WIDTH: usize = 24;
const INNER: usize = 20;
const DEPTH: usize = 8;
const HEADS: usize = 4;
const KV_HEADS: usize = 2;

/// The rows of a matrix in the order that llama.cpp's converter gives them: in each head the halves side by side.
fn paired(values: &[f32], width: usize) -> Vec<f32> {
    let rows: Vec<&[f32]> = values.chunks_exact(width).collect();
    let from = |row: usize| row / DEPTH * DEPTH + row % 2 * (DEPTH / 2) + row % DEPTH / 2;
    (0..rows.len()).flat_map(|row| rows[from(row)].to_vec()).collect()
}

fn imported(source: &Path, out: &Path) -> Artifact {
    let options = ImportOptions {
        source: source.into(),
        family: None,
        name: Some("twin".into()),
        calibration: None,
        context: None,
        out: out.into(),
    };
    import(&options, &mut |_| ()).unwrap();
    Artifact::open(out).unwrap()
}

#[test]
fn a_decoder_in_gguf_becomes_what_it_becomes_in_safetensors() {
    for architecture in ["llama", "qwen2"] {
        let mut random = fastrand::Rng::with_seed(11);
        let (mut gguf, tokens) = with_bytes(architecture, &["t h", "th e"]);
        gguf.set("tokenizer.ggml.pre", "smollm");
        gguf.tensors.clear();
        gguf.metadata.retain(|(key, _)| !key.starts_with("qwen2."));
        gguf.set("general.architecture", architecture);
        for (name, value) in [
            ("block_count", 2),
            ("context_length", 128),
            ("embedding_length", WIDTH as u32),
            ("feed_forward_length", INNER as u32),
            ("attention.head_count", HEADS as u32),
            ("attention.head_count_kv", KV_HEADS as u32),
            ("attention.key_length", DEPTH as u32),
        ] {
            gguf.set(&format!("{architecture}.{name}"), Meta::U32(value));
        }
        gguf.set(&format!("{architecture}.attention.layer_norm_rms_epsilon"), Meta::F32(1e-5));
        gguf.set(&format!("{architecture}.rope.freq_base"), Meta::F32(5_000.0));
        let mut raws = Raws::new();
        let mut put = |theirs: String, ours: String, shape: &[usize], half: bool| {
            let count = shape.iter().product::<usize>();
            let scale = 1.0 / (shape.last().copied().unwrap_or(1) as f32).sqrt();
            // Gains are about one.
            let base = if theirs.contains("norm") { 1.0 } else { 0.0 };
            let value = |_| nearest_f16(base + scale * (2.0 * random.f32() - 1.0)).1;
            let values: Vec<f32> = (0..count).map(value).collect();
            let width = if shape.len() == 2 { shape[1] } else { 1 };
            let rotates = architecture == "llama" && (theirs.contains("attn_q") || theirs.contains("attn_k"));
            let written = if rotates { paired(&values, width) } else { values.clone() };
            if half {
                let bytes = written.iter().flat_map(|v| nearest_f16(*v).0.to_le_bytes()).collect();
                gguf.tensor(&theirs, shape, 1, bytes);
            } else {
                gguf.floats(&theirs, shape, &written);
            }
            raws.insert(ours, raw(if half { Dtype::F32 } else { Dtype::F16 }, shape, &values));
        };
        put("token_embd.weight".into(), "model.embed_tokens.weight".into(), &[tokens.len(), WIDTH], true);
        put("output_norm.weight".into(), "model.norm.weight".into(), &[WIDTH], false);
        put("output.weight".into(), "lm_head.weight".into(), &[tokens.len(), WIDTH], false);
        for layer in 0..2 {
            for (theirs, ours, shape) in [
                ("attn_norm", "input_layernorm", &[WIDTH][..]),
                ("attn_q", "self_attn.q_proj", &[HEADS * DEPTH, WIDTH]),
                ("attn_k", "self_attn.k_proj", &[KV_HEADS * DEPTH, WIDTH]),
                ("attn_v", "self_attn.v_proj", &[KV_HEADS * DEPTH, WIDTH]),
                ("attn_output", "self_attn.o_proj", &[WIDTH, HEADS * DEPTH]),
                ("ffn_norm", "post_attention_layernorm", &[WIDTH]),
                ("ffn_gate", "mlp.gate_proj", &[INNER, WIDTH]),
                ("ffn_up", "mlp.up_proj", &[INNER, WIDTH]),
                ("ffn_down", "mlp.down_proj", &[WIDTH, INNER]),
            ] {
                let name = |kind: &str| {
                    (format!("blk.{layer}.{theirs}.{kind}"), format!("model.layers.{layer}.{ours}.{kind}"))
                };
                let (gguf, published) = name("weight");
                put(gguf, published, shape, shape.len() == 2);
                if ["attn_q", "attn_k", "attn_v"].contains(&theirs) {
                    let (gguf, published) = name("bias");
                    put(gguf, published, &shape[..1], false);
                }
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let (source, published) = (folder.path().join("twin.gguf"), folder.path().join("published"));
        std::fs::write(&source, gguf.bytes()).unwrap();
        let checkpoint = Checkpoint::open(&source).unwrap();
        std::fs::create_dir(&published).unwrap();
        let put = |name: &str, bytes: Vec<u8>| std::fs::write(published.join(name), bytes).unwrap();
        put("model.safetensors", file(&raws));
        put("tokenizer.json", checkpoint.tokenizer.unwrap());
        put(
            "tokenizer_config.json",
            json!({"bos_token": "<|im_start|>", "eos_token": "<|im_end|>"}).to_string().into(),
        );
        let config = json!({
            "model_type": architecture, "vocab_size": tokens.len(), "hidden_size": WIDTH, "num_hidden_layers": 2,
            "num_attention_heads": HEADS, "num_key_value_heads": KV_HEADS, "head_dim": DEPTH,
            "intermediate_size": INNER, "max_position_embeddings": 128, "rms_norm_eps": 1e-5, "rope_theta": 5_000.0,
            "hidden_act": "silu", "tie_word_embeddings": false, "attention_bias": true,
        });
        put("config.json", config.to_string().into());
        let [found, expected] = [&source, &published].map(|source| imported(source, &folder.path().join("twin.pvna")));
        assert_eq!(found.recipe().model, expected.recipe().model);
        assert_eq!(found.tokenizer(), expected.tokenizer());
        assert_eq!(found.tensor_count(), expected.tensor_count());
        for ((_, found), (_, expected)) in found.tensors().zip(expected.tensors()) {
            assert_eq!((found.name, found.rows, found.cols), (expected.name, expected.rows, expected.cols));
            assert!(found.bytes == expected.bytes, "{architecture}: {}", found.name);
        }
        assert_ne!(found.recipe().source, expected.recipe().source);
    }
}
