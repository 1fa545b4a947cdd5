//! A tiny encoder with random weights: imports that go wrong, artifacts that lack parts, and shapes that are awkward.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use provena_engine::{
    AdapterChoice, Engine, Error,
    artifact::{Artifact, ArtifactBuilder, Dtype, ModelRecipe},
    float::{bert::FloatBert, cosine},
    format::Weights,
    import::{ImportOptions, import},
    models::Prepared,
    reference,
    tokenizer::Tokenizer,
};
use provena_wire::{Request, Response};
use safetensors::tensor::TensorView;

use crate::equality::gpu;

const CONFIG: &str = r#"{"model_type": "bert", "vocab_size": 9, "hidden_size": 24, "num_hidden_layers": 2,
    "num_attention_heads": 3, "intermediate_size": 36, "max_position_embeddings": 17, "type_vocab_size": 2,
    "layer_norm_eps": 1e-12, "hidden_act": "gelu"}"#;
const TOKENIZER: &str = r#"{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
    "normalizer": null, "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null, "decoder": null,
    "model": {"type": "WordLevel", "unk_token": "?",
    "vocab": {"?": 0, "a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7, "h": 8}}}"#;
const WORDS: [&str; 9] = ["?", "a", "b", "c", "d", "e", "f", "g", "h"];

type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// Weights by the names that the `transformers` library gives them.
fn weights() -> Tensors {
    let mut random = fastrand::Rng::with_seed(3);
    let mut tensors = Tensors::new();
    let mut put = |name: String, shape: &[usize], centre: f32, spread: f32| {
        let len = shape.iter().product::<usize>();
        let data = (0..len).map(|_| centre + spread * (random.f32() + random.f32() + random.f32() - 1.5)).collect();
        tensors.insert(name, (shape.to_vec(), data));
    };
    for (name, rows) in [("word", 9), ("position", 17), ("token_type", 2)] {
        put(format!("embeddings.{name}_embeddings.weight"), &[rows, 24], 0.0, 0.5);
    }
    let mut norms = vec!["embeddings".to_string()];
    for i in 0..2 {
        let at = format!("encoder.layer.{i}");
        for (name, outputs, inputs) in [
            ("attention.self.query", 24, 24),
            ("attention.self.key", 24, 24),
            ("attention.self.value", 24, 24),
            ("attention.output.dense", 24, 24),
            ("intermediate.dense", 36, 24),
            ("output.dense", 24, 36),
        ] {
            put(format!("{at}.{name}.weight"), &[outputs, inputs], 0.0, 0.4);
            put(format!("{at}.{name}.bias"), &[outputs], 0.0, 0.1);
        }
        norms.extend([format!("{at}.attention.output"), format!("{at}.output")]);
    }
    for norm in norms {
        put(format!("{norm}.LayerNorm.weight"), &[24], 1.0, 0.3);
        put(format!("{norm}.LayerNorm.bias"), &[24], 0.0, 0.1);
    }
    tensors
}

fn file(tensors: &Tensors) -> Vec<u8> {
    let bytes: BTreeMap<&String, (Vec<usize>, Vec<u8>)> = tensors
        .iter()
        .map(|(name, (shape, data))| (name, (shape.clone(), data.iter().flat_map(|v| v.to_le_bytes()).collect())))
        .collect();
    let view = |(shape, data)| TensorView::new(safetensors::Dtype::F32, Vec::clone(shape), data).unwrap();
    safetensors::serialize(bytes.iter().map(|(name, (shape, data))| (name, view((shape, data)))), None).unwrap()
}

/// A text of this many tokens.
pub(crate) fn text(tokens: usize) -> String {
    (0..tokens).map(|i| WORDS[1 + (i * i + tokens) % 8]).collect::<Vec<_>>().join(" ")
}

fn try_import(weights: &[u8], config: &str, tokenizer: &str) -> Result<Artifact, Error> {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    put("model.safetensors", weights);
    put("config.json", config.as_bytes());
    put("tokenizer.json", tokenizer.as_bytes());
    put("lines.txt", (1..=17).flat_map(|n| [text(n), text(18 - n)]).collect::<Vec<_>>().join("\n").as_bytes());
    let out = folder.path().join("tiny.pvna");
    let options = ImportOptions {
        source: folder.path().into(),
        family: None,
        name: Some("tiny".into()),
        calibration: Some(folder.path().join("lines.txt")),
        context: None,
        out: out.clone(),
    };
    import(&options, &mut |_| ())?;
    Artifact::open(Path::new(&out))
}

pub(crate) fn tiny() -> Artifact {
    try_import(&file(&weights()), CONFIG, TOKENIZER).unwrap()
}

#[test]
fn every_length_of_an_awkward_shape_has_the_same_bits_everywhere_and_points_where_floats_do() {
    let artifact = Arc::new(tiny());
    let request = Request::Embed { texts: (1..=17).map(text).collect() };
    let expected = reference::run(&artifact, &request).unwrap();
    for engine in [Some(Engine::new(AdapterChoice::Cpu).unwrap()), gpu()].into_iter().flatten() {
        let found = engine.load(artifact.clone()).unwrap().run(&request).unwrap();
        assert!(found == expected, "{}", engine.adapter().name);
    }
    let ModelRecipe::Bert(recipe) = &artifact.recipe().model else { panic!("not an encoder") };
    let weights = Weights::from_safetensors(file(&weights())).unwrap();
    let model = FloatBert::new(&weights, recipe, 2, 1e-12).unwrap();
    let tokenizer = Tokenizer::new(artifact.tokenizer(), recipe.vocabulary, recipe.max_tokens).unwrap();
    let Response::Embed { vectors, .. } = expected else { panic!("an encoder gave no vectors") };
    let tokens: Vec<Vec<u32>> = (0..17).map(|i| tokenizer.encode(i, &text(i + 1)).unwrap()).collect();
    let floats = model.embed(&tokens, &mut |_, _| (), &mut |_| ()).unwrap();
    assert_eq!(floats.len(), vectors.len());
    for (i, (vector, float)) in vectors.iter().zip(&floats).enumerate() {
        let ints: Vec<f32> = vector.iter().map(|v| f32::from(*v)).collect();
        assert!(cosine(&ints, float) > 0.99, "{} tokens: {}", i + 1, cosine(&ints, float));
    }
}

#[test]
fn embed_rejects_what_the_tokenizer_gives_nothing_or_too_much_for() {
    let artifact = tiny();
    let run = |text: String| reference::run(&artifact, &Request::Embed { texts: vec![text] });
    assert!(matches!(run(text(18)), Err(Error::InputTooLong { index: 0, tokens: 18, limit: 17 })));
    assert!(matches!(run(" ".into()), Err(Error::Tokenizer(reason)) if reason == "text 0 gives no token"));
}

#[test]
fn import_rejects_missing_and_damaged_tensors_of_an_encoder_by_name() {
    for name in weights().keys() {
        let mut tensors = weights();
        let (shape, data) = tensors.remove(name).unwrap();
        let error = try_import(&file(&tensors), CONFIG, TOKENIZER).unwrap_err();
        assert!(matches!(&error, Error::ImportTensor { name: n, .. } if n == name), "{name}: {error}");
        let mut damaged = data;
        damaged[0] = f32::NAN;
        tensors.insert(name.clone(), (shape, damaged));
        let error = try_import(&file(&tensors), CONFIG, TOKENIZER).unwrap_err();
        assert!(matches!(&error, Error::ImportTensor { name: n, .. } if n == name), "{name}: {error}");
    }
}

#[test]
fn import_rejects_encoders_that_it_cannot_honour() {
    let weights = file(&weights());
    for (from, to, reason) in [
        ("\"gelu\"", "\"relu\"", "hidden_act \"relu\" is not supported"),
        ("1e-12", "1e-3", "layer_norm_eps"),
        ("\"vocab_size\": 9", "\"vocab\": 9", "lacks \"vocab_size\""),
        ("\"hidden_size\": 24", "\"hidden_size\": 36", "must have [36, 36]"),
        ("\"type_vocab_size\": 2", "\"type_vocab_size\": 0", "type_vocab_size is 0"),
        ("\"max_position_embeddings\": 17", "\"max_position_embeddings\": 0", "positions"),
        ("\"num_attention_heads\": 3", "\"num_attention_heads\": 5", "do not divide"),
        ("\"num_attention_heads\": 3", "\"num_attention_heads\": 0", "heads"),
        ("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", "encoder.layer.2"),
        ("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 4000000000", "layers"),
    ] {
        let error = try_import(&weights, &CONFIG.replacen(from, to, 1), TOKENIZER).unwrap_err();
        assert!(matches!(error, Error::Import(_) | Error::ImportTensor { .. } | Error::Artifact(_)), "{error:?}");
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn import_rejects_tokenizers_that_do_not_fit() {
    let weights = file(&weights());
    for tokenizer in ["", "{}", "not json", &TOKENIZER.replace("\"h\": 8", "\"h\": 9")] {
        let error = try_import(&weights, CONFIG, tokenizer).unwrap_err();
        assert!(matches!(error, Error::Tokenizer(_)), "{error:?}");
    }
}

/// The artifact with one tensor replaced by other words, or left out.
pub(crate) fn rebuilt(artifact: &Artifact, name: &str, with: Option<&[i32]>) -> Artifact {
    rebuilt_with(artifact, artifact.tokenizer().to_vec(), name, with)
}

/// The same with another tokenizer, too.
pub(crate) fn rebuilt_with(artifact: &Artifact, tokenizer: Vec<u8>, name: &str, with: Option<&[i32]>) -> Artifact {
    let mut builder = ArtifactBuilder::new();
    builder.tokenizer(tokenizer);
    for (_, tensor) in artifact.tensors() {
        match tensor.dtype {
            _ if tensor.name == name => with.into_iter().for_each(|words| builder.i32(name, words)),
            Dtype::I8 => {
                let rows = (0..tensor.rows).flat_map(|r| tensor.i8_row(r)[..tensor.cols].to_vec()).collect::<Vec<_>>();
                builder.i8(tensor.name, tensor.rows, tensor.cols, &rows);
            }
            Dtype::I16 => {
                let values = (0..tensor.rows).flat_map(|r| tensor.i16_row(r)).map(|v| v as i16).collect::<Vec<_>>();
                builder.i16(tensor.name, tensor.rows, tensor.cols, &values);
            }
            Dtype::I32 => builder.i32(tensor.name, &tensor.i32s()),
            Dtype::Scale => builder.scales(tensor.name, &tensor.scales()),
        }
    }
    builder.build(artifact.recipe().clone()).unwrap()
}

#[test]
fn load_rejects_an_artifact_without_one_of_its_tensors() {
    let artifact = tiny();
    assert_eq!(rebuilt(&artifact, "no such tensor", None).content_root(), artifact.content_root());
    for (_, tensor) in artifact.tensors() {
        let error = Prepared::new(&rebuilt(&artifact, tensor.name, None)).map(drop).unwrap_err();
        let expected = matches!(&error, Error::Tensor { name, reason } if name == tensor.name && reason == "missing");
        assert!(expected, "{}: {error}", tensor.name);
        let error = Prepared::new(&rebuilt(&artifact, tensor.name, Some(&[7; 5]))).map(drop).unwrap_err();
        assert!(matches!(&error, Error::Tensor { name, .. } if name == tensor.name), "{}: {error}", tensor.name);
    }
}

#[test]
fn an_encoder_with_hostile_numbers_gives_the_same_nonsense_everywhere() {
    let artifact = tiny();
    let mut random = fastrand::Rng::with_seed(5);
    let request = Request::Embed { texts: [1, 5, 17].map(text).to_vec() };
    let Some(engine) = gpu() else { return };
    for round in 0..4 {
        let mut bytes = artifact.bytes().to_vec();
        // Padding must stay zero, so only bytes inside tensors change.
        for (_, tensor) in artifact.tensors() {
            let at = tensor.bytes.as_ptr() as usize - artifact.bytes().as_ptr() as usize;
            bytes[at..at + tensor.bytes.len()].iter_mut().for_each(|b| *b = random.u8(..));
        }
        let hostile = Arc::new(Artifact::from_bytes(bytes).unwrap());
        let expected = reference::run(&hostile, &request).unwrap();
        let found = engine.load(hostile).unwrap().run(&request).unwrap();
        assert!(found == expected, "round {round}");
    }
}
