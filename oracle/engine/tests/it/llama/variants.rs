//! Each kind of decoder built like Llama: floats against candle, int-v1 against floats, prompts split anywhere.

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::{llama, mistral, qwen2};
use provena_engine::{
    artifact::{Activations, Artifact, ModelRecipe},
    float::llama::{FloatLlama, LlamaConfig},
    format::Checkpoint,
    import::ImportReport,
};
use serde_json::{Value, json};

use super::published::{Published, published};
use crate::tiny_llama;

/// Every kind, by name: what its `config.json` has beyond the plain one's.
fn variants() -> Vec<(&'static str, Value)> {
    vec![
        ("grouped queries", json!({})),
        ("no groups, tied words", json!({"num_key_value_heads": 3, "tie_word_embeddings": true})),
        (
            "llama 3's positions",
            json!({"rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
                "high_freq_factor": 4.0, "original_max_position_embeddings": 64}}),
        ),
        (
            "qwen 2's biases",
            json!({"model_type": "qwen2", "hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 2,
                "rope_theta": 1000000.0, "rms_norm_eps": 1e-6, "use_sliding_window": false, "sliding_window": 7,
                "max_window_layers": 2, "tie_word_embeddings": true}),
        ),
        ("mistral's window and wide heads", json!({"model_type": "mistral", "sliding_window": 9, "head_dim": 16})),
    ]
}

/// The logits after the last token as candle computes them.
fn candle(model: &Published, tokens: &[u32]) -> candle_core::Result<Vec<f32>> {
    let device = Device::Cpu;
    let weights = VarBuilder::from_buffered_safetensors(model.weights(), DType::F32, &device)?;
    let input = Tensor::new(tokens, &device)?.unsqueeze(0)?;
    let mut config = model.config.clone();
    let logits = match config["model_type"].as_str() {
        Some("qwen2") => {
            // Candle has a window whether or not it shall be used.
            config["sliding_window"] = json!(4_096);
            let config: qwen2::Config = serde_json::from_value(config).unwrap();
            qwen2::ModelForCausalLM::new(&config, weights)?.forward(&input, 0)?
        }
        Some("mistral") => {
            // Candle sees one token more than `transformers`, whose window counts the token itself.
            config["sliding_window"] = json!(config["sliding_window"].as_u64().unwrap() - 1);
            let config: mistral::Config = serde_json::from_value(config).unwrap();
            mistral::Model::new(&config, weights)?.forward(&input, 0)?
        }
        _ => {
            let config: llama::LlamaConfig = serde_json::from_value(config).unwrap();
            let config = config.into_config(false);
            let mut cache = llama::Cache::new(false, DType::F32, &config, &device)?;
            llama::Llama::load(weights, &config)?.forward(&input, 0, &mut cache)?
        }
    };
    logits.flatten_all()?.to_vec1()
}

#[test]
fn floats_give_the_logits_that_candle_gives() {
    for (name, changes) in variants() {
        let model = published(&changes);
        let folder = tempfile::tempdir().unwrap();
        model.write(folder.path());
        let checkpoint = Checkpoint::open(folder.path()).unwrap();
        let config = LlamaConfig::new(&checkpoint.config, None).unwrap();
        let float = FloatLlama::new(&checkpoint.weights, config).unwrap();
        let tokens = super::tokens(41);
        let ours = float.run(&tokens).unwrap();
        let mut farthest = 0f32;
        for len in [1, 2, 8, 9, 10, 23, 41] {
            let theirs = candle(&model, &tokens[..len]).unwrap();
            let ours = &ours[(len - 1) * theirs.len()..len * theirs.len()];
            farthest = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(farthest, f32::max);
        }
        println!("{name}: largest difference of logits {farthest:.1e}");
        assert!(farthest < 2e-4, "{name}: {farthest}");
    }
}

/// What an import should have chosen by its own figures, which name its choice, too.
fn chosen(report: &ImportReport) -> Activations {
    let figure = |name: &str| report.quality.iter().find(|f| f.name == name).unwrap().value;
    let [split, bytes] = [16, 8].map(|bits| {
        let of = |what: &str| figure(&format!("{what} with activations of {bits} bits"));
        let (divergence, agreement) = (of("mean KL divergence"), of("share of agreeing tokens"));
        println!("activations of {bits} bits: KL {divergence:.1e}, {agreement:.3} agree");
        (divergence, agreement)
    });
    let suffices = bytes.0 <= 1.25 * split.0 && bytes.1 >= split.1 - 0.005;
    assert_eq!(figure("bits of an activation"), if suffices { 8.0 } else { 16.0 });
    if suffices { Activations::Bytes } else { Activations::Split }
}

#[test]
fn activations_of_eight_bits_are_taken_where_they_are_as_good() {
    let mut model = published(&json!({}));
    // Logits that are all equal, whatever the activations are.
    let (shape, head) = model.tensors.get_mut("lm_head.weight").unwrap();
    let first = head[..shape[1]].to_vec();
    head.chunks_exact_mut(first.len()).for_each(|row| row.copy_from_slice(&first));
    let folder = tempfile::tempdir().unwrap();
    let (path, report) = model.import(folder.path(), None).unwrap();
    let artifact = Artifact::open(&path).unwrap();
    let ModelRecipe::Llama(recipe) = &artifact.recipe().model else { panic!("no decoder") };
    assert_eq!((recipe.activations, chosen(&report)), (Activations::Bytes, Activations::Bytes));
    assert_eq!(report.summary.recipe_root, artifact.summary().recipe_root);
    // With logits that differ they fall short.
    let model = published(&json!({}));
    let (_, report) = model.import(folder.path(), None).unwrap();
    assert_eq!(chosen(&report), Activations::Split);
}

#[test]
fn int_v1_comes_near_its_floats_and_prompts_may_be_split() {
    for (name, changes) in variants() {
        let folder = tempfile::tempdir().unwrap();
        let (path, report) = published(&changes).import(folder.path(), None).unwrap();
        let figure = |name: &str| report.quality.iter().find(|f| f.name.contains(name)).unwrap().value;
        let (divergence, agreement) = (figure("mean KL"), figure("agrees"));
        println!("{name}: KL {divergence:.1e}, {agreement:.3} agree, cosine {:.5}", figure("cosine"));
        assert!(divergence < 5e-3 && agreement > 0.95 && figure("cosine") > 0.999, "{name}: {:?}", report.quality);

        let artifact = Artifact::open(&path).unwrap();
        let ModelRecipe::Llama(recipe) = &artifact.recipe().model else { panic!("{name} is no decoder") };
        assert_eq!((recipe.stops.as_slice(), recipe.positions), ([1].as_slice(), 128));
        assert_eq!(recipe.vocabulary, tiny_llama::VOCABULARY);
        assert_eq!(chosen(&report), recipe.activations, "{name}");
        let bits = if recipe.activations == Activations::Bytes { 8 } else { 16 };
        assert!(divergence == figure(&format!("KL divergence with activations of {bits} bits")), "{name}");
        assert!(agreement == figure(&format!("agreeing tokens with activations of {bits} bits")), "{name}");
        let card = std::fs::read_to_string(&report.card).unwrap();
        assert!(card.contains("of 8 bits |") && card.contains("of 16 bits |"), "{card}");
        let mut left: Vec<_> =
            std::fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["model.card.json", "model.card.md", "model.pvna"]);
        let tokens = super::tokens(40);
        let whole = super::logits(&artifact, &tokens, &[40]);
        for parts in [vec![1; 40], vec![16, 16, 8], vec![1, 38, 1]] {
            assert!(super::logits(&artifact, &tokens, &parts) == whole, "{name}: {parts:?}");
        }
    }
}

#[test]
fn positions_are_scaled_as_config_json_says() {
    let frequencies = |changes: Value| {
        let config = published(&changes).config;
        LlamaConfig::new(&config, None).unwrap().rotation
    };
    let plain = frequencies(json!({})).frequencies;
    assert_eq!(plain, [1.0, 0.1, 0.01, 0.001]);
    let linear = frequencies(json!({"rope_scaling": {"type": "linear", "factor": 4.0}})).frequencies;
    assert_eq!(linear, [0.25, 0.025, 0.0025, 0.00025]);
    let newer =
        frequencies(json!({"rope_theta": null, "rope_parameters": {"rope_type": "default", "rope_theta": 16.0}}));
    assert_eq!(newer.frequencies, [1.0, 0.5, 0.25, 0.125]);
    let factors = json!({"rope_scaling": {"rope_type": "factors", "factors": [1.0, 2.0, 4.0, 8.0]}});
    assert_eq!(frequencies(factors).frequencies, [1.0, 0.05, 0.0025, 0.000125]);
    // YaRN as `transformers` 4.57 computes it for these numbers.
    let yarn = frequencies(json!({"rope_scaling": {"rope_type": "yarn", "factor": 4.0,
        "original_max_position_embeddings": 32, "beta_fast": 2.0, "beta_slow": 0.5}}));
    for (found, expected) in yarn.frequencies.iter().zip([1.0, 0.0625, 0.0025, 0.00025]) {
        assert!((found - expected).abs() < 1e-9, "{yarn:?}");
    }
    assert!((yarn.factor - (0.1 * 4f64.ln() + 1.0)).abs() < 1e-12);
}
