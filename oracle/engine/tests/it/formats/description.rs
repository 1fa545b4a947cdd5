//! What a GGUF file says of its model, in the terms of `config.json`; names and the order of rows.

use provena_engine::{Error, format::Checkpoint};
use serde_json::{Value, json};

use super::gguf_files::{File, HEADS, Meta, WIDTH, counting, decoder};

fn open(file: &File) -> Checkpoint {
    Checkpoint::from_gguf_bytes(file.bytes()).unwrap()
}

/// Why a file is refused.
#[track_caller]
fn reason(file: &File) -> String {
    match Checkpoint::from_gguf_bytes(file.bytes()) {
        Err(error @ (Error::Import(_) | Error::ImportTensor { .. })) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_description_becomes_what_config_json_says() {
    let config = open(&decoder("llama")).config;
    let expected = json!({
        "model_type": "llama", "hidden_act": "silu", "vocab_size": 5, "hidden_size": 8, "num_hidden_layers": 1,
        "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 4, "intermediate_size": 12,
        "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "rope_theta": 10_000.0, "rope_scaling": null,
        "sliding_window": null, "use_sliding_window": false, "max_window_layers": 0, "attention_bias": false, "tie_word_embeddings": true, "bos_token_id": null,
        "eos_token_id": null,
    });
    assert_eq!(config, expected);
    let mut file = decoder("qwen2");
    file.set("qwen2.rope.freq_base", Meta::F32(1e6));
    file.set("qwen2.attention.sliding_window", Meta::U32(16));
    file.set("qwen2.attention.head_count_kv", Meta::U32s(vec![1, 1]));
    file.set("qwen2.attention.key_length", Meta::U64(4));
    file.set("qwen2.attention.layer_norm_rms_epsilon", Meta::F64(1e-6));
    file.set("tokenizer.ggml.bos_token_id", Meta::U32(3));
    file.floats("output.weight", &[5, WIDTH], &counting(5 * WIDTH, 0.0));
    file.floats("blk.0.attn_q.bias", &[WIDTH], &counting(WIDTH, 0.0));
    let config = open(&file).config;
    for (name, value) in [
        ("model_type", json!("qwen2")),
        ("rope_theta", json!(1e6)),
        ("sliding_window", json!(16)),
        ("use_sliding_window", json!(true)),
        ("num_key_value_heads", json!(1)),
        ("rms_norm_eps", json!(1e-6)),
        ("tie_word_embeddings", json!(false)),
        ("attention_bias", json!(true)),
        ("bos_token_id", json!(3)),
    ] {
        assert_eq!(config[name], value, "{name}");
    }
}

#[test]
fn every_scaling_of_rotation_is_told() {
    let scaled = |entries: &[(&str, Meta)]| {
        let mut file = decoder("llama");
        entries.iter().for_each(|(key, value)| file.set(&format!("llama.{key}"), value.clone()));
        file
    };
    let factor = ("rope.scaling.factor", Meta::F32(4.0));
    let linear = scaled(&[("rope.scaling.type", "linear".into()), factor.clone()]);
    assert_eq!(open(&linear).config["rope_scaling"], json!({"rope_type": "linear", "factor": 4.0}));
    let old = scaled(&[("rope.scale_linear", Meta::F32(2.5))]);
    assert_eq!(open(&old).config["rope_scaling"], json!({"rope_type": "linear", "factor": 2.5}));
    let none = scaled(&[("rope.scaling.type", "none".into()), factor.clone()]);
    assert_eq!(open(&none).config["rope_scaling"], Value::Null);
    let yarn = scaled(&[
        ("rope.scaling.type", "yarn".into()),
        factor.clone(),
        ("rope.scaling.original_context_length", Meta::U32(16)),
        ("rope.scaling.yarn_beta_fast", Meta::F32(31.5)),
    ]);
    let expected =
        json!({"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16, "beta_fast": 31.5});
    assert_eq!(open(&yarn).config["rope_scaling"], expected);
    let mut factors = decoder("llama");
    factors.floats("rope_freqs.weight", &[2], &[1.0, 7.5]);
    let checkpoint = open(&factors);
    assert_eq!(checkpoint.config["rope_scaling"], json!({"rope_type": "factors", "factors": [1.0, 7.5]}));
    assert!(checkpoint.weights.shape("rope_freqs.weight").is_none());
    for (file, why) in [
        (scaled(&[("rope.scaling.type", "longrope".into()), factor.clone()]), "\"longrope\" is not supported"),
        (scaled(&[("rope.scaling.type", "linear".into())]), "lacks the metadata entry \"llama.rope.scaling.factor\""),
        (scaled(&[("rope.scaling.type", "linear".into()), ("rope.scaling.factor", Meta::F32(f32::NAN))]), "finite"),
    ] {
        assert!(reason(&file).contains(why), "{}", reason(&file));
    }
    for bad in [&[1.0][..], &[1.0, 0.0], &[1.0, -1.0], &[1.0, f32::INFINITY], &[1.0; 3]] {
        let mut file = decoder("llama");
        file.floats("rope_freqs.weight", &[bad.len()], bad);
        assert!(reason(&file).contains("rope_freqs.weight"), "{}", reason(&file));
    }
}

#[test]
fn import_rejects_descriptions_that_it_cannot_honour() {
    let with = |key: &str, value: Meta| {
        let mut file = decoder("llama");
        file.set(key, value);
        reason(&file)
    };
    let without = |key: &str| {
        let mut file = decoder("llama");
        file.unset(key);
        reason(&file)
    };
    for (reason, why) in [
        (with("general.architecture", "mamba".into()), "the architecture \"mamba\", known are llama, qwen2"),
        (
            with("general.architecture", Meta::U32(1)),
            "\"general.architecture\" is an integer or out of range, must be a text",
        ),
        (with("split.count", Meta::U32(2)), "one of several parts"),
        (with("llama.expert_count", Meta::U32(8)), "mixture of experts"),
        (with("llama.attention.head_count", Meta::U32(3)), "3 heads, which do not divide a width of 8"),
        (with("llama.attention.head_count", Meta::U32(0)), "0 heads, which do not divide a width of 8"),
        (with("llama.attention.head_count", Meta::U32s(vec![2, 4])), "the same integer for every layer"),
        (with("llama.attention.head_count", Meta::I32(-2)), "out of range"),
        (with("llama.attention.value_length", Meta::U32(8)), "values of 8 for heads of 4"),
        (with("llama.rope.dimension_count", Meta::U32(2)), "rotations of 2 for heads of 4"),
        (with("llama.attention.key_length", Meta::U32(3)), "no whole heads of 3"),
        (with("llama.attention.key_length", Meta::U32(0)), "no whole heads of 0"),
        (without("general.architecture"), "lacks the metadata entry \"general.architecture\""),
        (without("llama.block_count"), "lacks the metadata entry \"llama.block_count\""),
        (without("llama.embedding_length"), "lacks the metadata entry \"llama.embedding_length\""),
        (without("llama.context_length"), "lacks the metadata entry \"llama.context_length\""),
        (without("llama.attention.layer_norm_rms_epsilon"), "lacks the metadata entry"),
    ] {
        assert!(reason.contains(why), "{reason}");
    }
}

#[test]
fn import_rejects_tensors_that_no_such_model_has() {
    for name in [
        "blk.0.ffn_gate_exps.weight",
        "blk.00.ffn_up.weight",
        "blk.+1.ffn_up.weight",
        "blk.4294967296.ffn_up.weight",
        "blk.0.attn_q_norm.weight",
        "blk.0.attn_q.scale",
        "blk.0.attn_q",
        "blk.attn_q.weight",
        "v.patch_embd.weight",
    ] {
        let mut file = decoder("llama");
        file.floats(name, &[2], &[1.0, 2.0]);
        let reason = reason(&file);
        assert!(
            reason.contains(&format!("{name:?}: is not known in models of the architecture \"llama\"")),
            "{reason}"
        );
    }
}

/// The rows of a matrix whose elements count.
fn row(of: &[f32], row: usize) -> Vec<f32> {
    of[row * WIDTH..(row + 1) * WIDTH].to_vec()
}

#[test]
fn queries_and_keys_of_llama_have_the_order_that_transformers_has() {
    let depth = WIDTH / HEADS;
    let mut file = decoder("llama");
    file.floats("blk.0.attn_q.bias", &[WIDTH], &counting(WIDTH, 0.0));
    let (straight, paired) = (open(&decoder("qwen2")).weights, open(&file).weights);
    for (name, rows) in [("q_proj", WIDTH), ("k_proj", depth), ("v_proj", depth), ("o_proj", WIDTH)] {
        let name = format!("model.layers.0.self_attn.{name}.weight");
        let file = counting(rows * WIDTH, -2.0);
        assert_eq!(straight.read(&name, &[rows, WIDTH]).unwrap(), file);
        let found = paired.read(&name, &[rows, WIDTH]).unwrap();
        for at in 0..rows {
            // Head h, half p and place i of `transformers` is place 2i + p of the file's head.
            let (head, half, place) = (at / depth, at % depth / (depth / 2), at % (depth / 2));
            let rotates = name.contains("q_proj") || name.contains("k_proj");
            let from = if rotates { head * depth + 2 * place + half } else { at };
            assert_eq!(row(&found, at), row(&file, from), "{name} {at}");
            assert_eq!(paired.read_rows(&name, at..at + 1).unwrap(), row(&found, at));
        }
        assert_eq!(paired.read_rows(&name, 1..rows).unwrap(), found[WIDTH..]);
    }
    let bias = paired.read("model.layers.0.self_attn.q_proj.bias", &[WIDTH]).unwrap();
    assert_eq!(bias, [0.0, 0.25, 0.125, 0.375, 0.5, 0.75, 0.625, 0.875]);
}

#[test]
fn reading_rejects_what_is_not_there() {
    let weights = open(&decoder("llama")).weights;
    let names: Vec<&str> = weights.names().collect();
    assert_eq!(names.len(), 11);
    assert!(names.is_sorted() && names.contains(&"model.embed_tokens.weight"));
    assert_eq!(weights.shape("model.embed_tokens.weight"), Some(&[5, WIDTH][..]));
    let name = "model.embed_tokens.weight";
    for (error, why) in [
        (weights.read("lm_head.weight", &[5, WIDTH]), "missing"),
        (weights.read(name, &[WIDTH, 5]), "has the shape [5, 8], must have [8, 5]"),
        (weights.read(name, &[40]), "has the shape [5, 8], must have [40]"),
        (weights.read_rows(name, 4..6), "has 5 rows, 4..6 were asked for"),
        (weights.read_rows(name, usize::MAX - 1..usize::MAX), "has 5 rows"),
        #[expect(clippy::reversed_empty_ranges, reason = "hostile")]
        (weights.read_rows(name, 3..2), "has 5 rows, 3..2 were asked for"),
    ] {
        let error = error.unwrap_err();
        assert!(matches!(error, Error::ImportTensor { .. }) && error.to_string().contains(why), "{error}");
    }
}
