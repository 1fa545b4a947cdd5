//! Small decoders with random weights, as they are published: a folder with `config.json`, `model.safetensors` and
//! `tokenizer.json`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use provena_engine::{
    Error,
    import::{ImportOptions, ImportReport, import},
};
use safetensors::tensor::TensorView;
use serde_json::{Value, json};

use crate::tiny_llama::{VOCABULARY, tokenizer};

pub(crate) type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// Floats as they lie in a file.
fn bytes(floats: &[f32]) -> Vec<u8> {
    let mut bytes: Vec<u8> = bytemuck::cast_slice(floats).to_vec();
    if cfg!(target_endian = "big") {
        bytes.chunks_exact_mut(4).for_each(<[u8]>::reverse);
    }
    bytes
}

/// A checkpoint before it is written.
#[derive(Clone)]
pub(crate) struct Published {
    pub config: Value,
    pub tensors: Tensors,
    pub tokenizer: String,
}

/// A Llama with grouped queries and a head of its own; `changes` are put over its `config.json`.
pub(crate) fn published(changes: &Value) -> Published {
    let mut config = json!({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": VOCABULARY, "hidden_size": 24,
        "intermediate_size": 44, "num_hidden_layers": 2, "num_attention_heads": 3, "num_key_value_heads": 1,
        "max_position_embeddings": 128, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu",
        "tie_word_embeddings": false, "bos_token_id": 0, "eos_token_id": 1,
    });
    for (name, value) in changes.as_object().into_iter().flatten() {
        config[name] = value.clone();
    }
    let tensors = weights(&config);
    Published { config, tensors, tokenizer: tokenizer() }
}

/// Random weights by the names that the `transformers` library gives them.
fn weights(config: &Value) -> Tensors {
    let size = |name: &str| config[name].as_u64().unwrap() as usize;
    let (width, inner, vocabulary) = (size("hidden_size"), size("intermediate_size"), size("vocab_size"));
    let (heads, kv_heads) = (size("num_attention_heads"), size("num_key_value_heads"));
    let depth = config["head_dim"].as_u64().map_or(width / heads, |d| d as usize);
    let mut random = fastrand::Rng::with_seed(17);
    let mut tensors = Tensors::new();
    let mut put = |name: String, shape: &[usize], centre: f32, spread: f32| {
        let len = shape.iter().product::<usize>();
        let data = (0..len).map(|_| centre + spread * (random.f32() + random.f32() + random.f32() - 1.5)).collect();
        tensors.insert(name, (shape.to_vec(), data));
    };
    put("model.embed_tokens.weight".into(), &[vocabulary, width], 0.0, 0.9);
    put("model.norm.weight".into(), &[width], 1.0, 0.3);
    if config["tie_word_embeddings"] == json!(false) {
        put("lm_head.weight".into(), &[vocabulary, width], 0.0, 0.9);
    }
    for i in 0..size("num_hidden_layers") {
        let at = format!("model.layers.{i}");
        put(format!("{at}.input_layernorm.weight"), &[width], 1.0, 0.3);
        put(format!("{at}.post_attention_layernorm.weight"), &[width], 1.0, 0.3);
        for (name, outputs, inputs) in [
            ("self_attn.q_proj", heads * depth, width),
            ("self_attn.k_proj", kv_heads * depth, width),
            ("self_attn.v_proj", kv_heads * depth, width),
            ("self_attn.o_proj", width, heads * depth),
            ("mlp.gate_proj", inner, width),
            ("mlp.up_proj", inner, width),
            ("mlp.down_proj", width, inner),
        ] {
            put(format!("{at}.{name}.weight"), &[outputs, inputs], 0.0, 2.0 / (inputs as f32).sqrt());
            if config["model_type"] == json!("qwen2")
                && ["q_proj", "k_proj", "v_proj"].iter().any(|p| name.ends_with(p))
            {
                put(format!("{at}.{name}.bias"), &[outputs], 0.0, 2.0);
            }
        }
    }
    tensors
}

impl Published {
    /// The weights as a safetensors file.
    pub(crate) fn weights(&self) -> Vec<u8> {
        let bytes: BTreeMap<&String, (Vec<usize>, Vec<u8>)> =
            self.tensors.iter().map(|(name, (shape, data))| (name, (shape.clone(), bytes(data)))).collect();
        let view = |(shape, data)| TensorView::new(safetensors::Dtype::F32, Vec::clone(shape), data).unwrap();
        safetensors::serialize(bytes.iter().map(|(name, (shape, data))| (name, view((shape, data)))), None).unwrap()
    }

    /// Writes the folder.
    pub(crate) fn write(&self, folder: &Path) {
        let put = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).unwrap();
        put("config.json", self.config.to_string().as_bytes());
        put("model.safetensors", &self.weights());
        put("tokenizer.json", self.tokenizer.as_bytes());
        put("tokenizer_config.json", br#"{"bos_token": "w0", "eos_token": "w1"}"#);
    }

    /// Writes it to `source` below `folder`, and to `lines.txt` what calibrates it.
    pub(crate) fn put(&self, folder: &Path) {
        let source = folder.join("source");
        std::fs::create_dir_all(&source).unwrap();
        self.write(&source);
        let mut random = fastrand::Rng::with_seed(23);
        let mut line = || {
            let words = (0..random.usize(4..20)).map(|_| format!("w{}", random.u32(2..VOCABULARY)));
            words.collect::<Vec<_>>().join(" ")
        };
        std::fs::write(folder.join("lines.txt"), (0..96).map(|_| line()).collect::<Vec<_>>().join("\n")).unwrap();
    }

    /// Imports it below `folder`; gives the artifact's path, too.
    pub(crate) fn import(&self, folder: &Path, context: Option<u32>) -> Result<(PathBuf, ImportReport), Error> {
        self.put(folder);
        let out = folder.join("out/model.pvna");
        let options = ImportOptions {
            source: folder.join("source"),
            family: None,
            name: Some("small".into()),
            calibration: Some(folder.join("lines.txt")),
            context,
            out: out.clone(),
        };
        import(&options, &mut |_| ()).map(|report| (out, report))
    }
}
