//! Decoders that cannot be imported: an exact reason, and nothing left behind.

use provena_engine::Error;
use serde_json::{Value, json};

use super::published::{Published, published};

/// The error of an import, of which nothing may be left.
fn error(model: &Published, context: Option<u32>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let error = model.import(folder.path(), context).map(drop).unwrap_err();
    assert!(
        matches!(error, Error::Import(_) | Error::ImportTensor { .. } | Error::Tokenizer(_)),
        "of another kind: {error:?}"
    );
    let left: Vec<_> = std::fs::read_dir(folder.path().join("out")).into_iter().flatten().collect();
    assert!(left.is_empty(), "{error} left {left:?}");
    error.to_string()
}

#[test]
fn import_rejects_missing_and_damaged_tensors_of_a_decoder_by_name() {
    let whole = published(&json!({"num_hidden_layers": 1}));
    for name in whole.tensors.keys() {
        let mut model = whole.clone();
        let (shape, data) = model.tensors.remove(name).unwrap();
        assert_eq!(error(&model, None), format!("cannot import tensor {name:?}: missing"));
        let mut damaged = data.clone();
        damaged[1] = f32::INFINITY;
        model.tensors.insert(name.clone(), (shape.clone(), damaged));
        let reason = format!("cannot import tensor {name:?}: element 1 is inf, not a finite number");
        let found = error(&model, None);
        // Words are read a few at a time, so that the element is named within the word.
        assert!(found == reason || name.contains("embed_tokens") && found.contains("is inf"), "{found}");
        let mut short = shape.clone();
        short[0] -= 1;
        let data = data[..short.iter().product()].to_vec();
        model.tensors.insert(name.clone(), (short.clone(), data));
        let reason = format!("cannot import tensor {name:?}: has the shape {short:?}, must have {shape:?}");
        assert_eq!(error(&model, None), reason);
    }
}

#[test]
fn import_rejects_tensors_that_have_no_place() {
    let whole = published(&json!({"num_hidden_layers": 1}));
    for (name, reason) in [
        ("model.layers.0.self_attn.q_norm.weight", "has no place in a model built like Llama"),
        ("model.layers.1.mlp.up_proj.weight", "config.json says that there are 1 layers"),
    ] {
        let mut model = whole.clone();
        model.tensors.insert(name.into(), (vec![8], vec![1.0; 8]));
        assert_eq!(error(&model, None), format!("cannot import tensor {name:?}: {reason}"));
    }
}

#[test]
fn import_rejects_decoders_that_it_cannot_honour() {
    let rope = |scaling: Value| json!({ "rope_scaling": scaling });
    for (changes, reason) in [
        (json!({"hidden_act": "gelu"}), "hidden_act \"gelu\" is not supported, only silu"),
        (json!({"partial_rotary_factor": 0.5}), "partial_rotary_factor 0.5 is not supported, only 1"),
        (json!({"quantization_config": {"bits": 4}}), "quantised checkpoints are not supported except as GGUF"),
        (json!({"rms_norm_eps": 2.0}), "config.json: rms_norm_eps is 2, not 0 to 1"),
        (json!({"vocab_size": null}), "config.json lacks \"vocab_size\""),
        (json!({"num_hidden_layers": 0}), "config.json: num_hidden_layers is 0, not 1 to 256"),
        (json!({"num_key_value_heads": 2}), "config.json: 3 heads do not share 2 key and value heads"),
        (
            json!({"num_attention_heads": 5, "num_key_value_heads": 5}),
            "config.json: 5 heads do not divide a width of 24",
        ),
        (json!({"head_dim": 12}), "config.json: the width of a head is 12, not a multiple of 8 up to 256"),
        (json!({"max_position_embeddings": 0}), "config.json: max_position_embeddings is 0"),
        (
            json!({"sliding_window": 8, "layer_types": ["full_attention", "sliding_attention"]}),
            "a sliding window in some layers only is not supported",
        ),
        (
            rope(json!({"rope_type": "dynamic", "factor": 2.0})),
            "rope scaling \"dynamic\" is not supported: its angles depend on the text's length",
        ),
        (
            rope(json!({"type": "turned"})),
            "rope scaling \"turned\" is not supported, only default, linear, llama3 or yarn",
        ),
        (rope(json!({"type": "linear"})), "config.json: the rope scaling lacks \"factor\""),
        (rope(json!({"type": "linear", "factor": 0.0})), "config.json: the rope scaling's factor is 0, not positive"),
        (
            rope(json!({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 4.0, "high_freq_factor": 4.0,
                "original_max_position_embeddings": 64})),
            "config.json: the rope scaling's high_freq_factor 4 is not above low_freq_factor 4",
        ),
        (
            rope(json!({"rope_type": "factors", "factors": [1.0]})),
            "config.json: 1 rope factors are not one per pair of 8 channels",
        ),
    ] {
        let mut model = published(&json!({}));
        for (name, value) in changes.as_object().unwrap() {
            model.config[name] = value.clone();
        }
        let found = error(&model, None);
        assert_eq!(found, format!("cannot import: {reason}"), "{changes}");
    }
    let model = published(&json!({}));
    let reason = "cannot import: a context of 129 tokens was asked for, the model has 1 to 128";
    assert_eq!(error(&model, Some(129)), reason);
}

#[test]
fn import_rejects_a_tokenizer_that_knows_more_words_than_the_model() {
    let mut model = published(&json!({}));
    model.config["vocab_size"] = json!(50);
    model.tensors = published(&json!({"vocab_size": 50})).tensors;
    assert!(error(&model, None).starts_with("tokenizer: text 0 gives token "));
    model.tokenizer = "{}".into();
    assert!(error(&model, None).starts_with("tokenizer: "));
}
