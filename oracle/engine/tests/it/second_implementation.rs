//! int-v1 a second time, in another language and written from `docs/INT_V1.md` alone: it must give the same answers.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use provena_arith::sampling::{Params, random_word, temperature_scale, top_p};
use provena_engine::{
    artifact::{Activations, Artifact, LlamaRecipe, ModelRecipe},
    models::llama::{Llama, PAGE, Shape},
    reference,
    tokenizer::Tokenizer,
    values::Values,
};
use provena_wire::{Request, Response};
use serde_json::{Value, json};

use crate::{
    assets::{DIGITS, digits, own},
    cnn, tiny_encoder, tiny_llama,
};

/// What the second implementation answers.
fn second(what: &str, path: &Path, request: &Value) -> Value {
    let mut child = Command::new("python3")
        .args([own("tests/second/int_v1.py").as_path(), Path::new(what), path])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3, which the README asks for");
    child.stdin.take().unwrap().write_all(request.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The answer for an artifact, which goes through a file.
fn second_on(artifact: &Artifact, what: &str, request: &Value) -> Value {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), artifact.bytes()).unwrap();
    second(what, file.path(), request)
}

#[test]
fn the_document_is_enough_for_every_known_answer() {
    let known = provena_arith::fixed::known::answers().count();
    assert_eq!(second("known", &own("../../docs/INT_V1.md"), &json!({})), json!({ "checked": known }));
}

#[test]
fn the_document_is_enough_for_a_classifier() {
    let images = digits().images[..12].to_vec();
    let Response::Classify { labels, logits } =
        reference::run(&DIGITS.artifact, &Request::Classify { images: images.clone() }).unwrap()
    else {
        panic!("not a classifier");
    };
    let found = second_on(&DIGITS.artifact, "classify", &json!({ "images": images }));
    assert_eq!(found, json!({ "labels": labels, "logits": logits }));
}

/// Both implementations on a convolutional classifier.
fn convolutional(artifact: &Artifact, images: &[Vec<u8>]) {
    let Response::Classify { labels, logits } =
        reference::run(artifact, &Request::Classify { images: images.to_vec() }).unwrap()
    else {
        panic!("not a classifier");
    };
    let found = second_on(artifact, "classify", &json!({ "images": images }));
    assert_eq!(found, json!({ "labels": labels, "logits": logits }));
}

#[test]
fn the_document_is_enough_for_convolutional_classifiers() {
    convolutional(&cnn::DIGITS_CNN, &digits().images[..3]);
    for (seed, shape) in cnn::Shape::awkward().into_iter().enumerate() {
        let images = shape.images(2, seed as u64);
        convolutional(&shape.model(seed as u64).import(None).unwrap(), &images);
    }
}

#[test]
fn the_document_is_enough_for_an_encoder() {
    let artifact = tiny_encoder::tiny();
    let texts: Vec<String> = [3, 1, 11].map(tiny_encoder::text).into();
    let request = Request::Embed { texts: texts.clone() };
    let Response::Embed { vectors, .. } = reference::run(&artifact, &request).unwrap() else {
        panic!("not an encoder");
    };
    let tokenizer = Tokenizer::new(artifact.tokenizer(), 9, 17).unwrap();
    let tokens: Vec<Vec<u32>> = texts.iter().map(|text| tokenizer.encode(0, text).unwrap()).collect();
    assert_eq!(second_on(&artifact, "embed", &json!({ "tokens": tokens })), json!({ "vectors": vectors }));
}

/// An answer of `count` tokens, one token per execution of the reference.
fn generate(artifact: &Artifact, recipe: &LlamaRecipe, request: &Value) -> Vec<u64> {
    let llama = Llama::new(artifact, recipe).unwrap();
    let number = |name: &str| request[name].as_u64().unwrap();
    let mut tokens: Vec<u32> = serde_json::from_value(request["tokens"].clone()).unwrap();
    let (prompt, total) = (tokens.len(), tokens.len() + number("count") as usize);
    let (pages, slots) = (total.div_ceil(PAGE), (total.div_ceil(PAGE) + 1) * PAGE);
    let mut state: Vec<Values> = llama.state(slots).iter().map(Values::zeros).collect();
    let scale = temperature_scale(llama.unit(), number("temperature_milli") as u32);
    let plan = llama.plan(Shape { rows: 1, sequences: 1, pages, picks: 1, slots, logits: false });
    for position in 0..total - 1 {
        let step = (position + 1).saturating_sub(prompt) as u32;
        let params = Params {
            scale,
            top_k: number("top_k") as u32,
            top_p: top_p(number("top_p_milli") as u32),
            random: random_word(number("seed"), step),
        };
        let inputs = [
            Values::U32(vec![tokens[position], position as u32, (PAGE + position) as u32, 0]),
            Values::U32((1..=pages as u32).collect()),
            Values::U32(vec![0]),
            Values::U32(params.words().to_vec()),
        ];
        let outputs = reference::outputs(artifact, &plan, &inputs, &mut state);
        if position + 1 >= prompt {
            tokens.push(outputs[0].as_u32()[0]);
        }
    }
    tokens[prompt..].iter().map(|token| u64::from(*token)).collect()
}

#[test]
fn the_document_is_enough_for_a_decoder() {
    for (activations, window, tied) in [(Activations::Split, 0, false), (Activations::Bytes, 5, true)] {
        let recipe = LlamaRecipe { activations, window, tied, ..tiny_llama::recipe() };
        let artifact = tiny_llama::random(&recipe, 21);
        assert!(matches!(&artifact.recipe().model, ModelRecipe::Llama(found) if *found == recipe));
        for (temperature, top_k, top_p) in [(0, 0, 1_000), (1_300, 0, 1_000), (900, 40, 800)] {
            let request = json!({
                "tokens": [0, 17, 5, 96, 33, 8, 8, 2, 71, 64, 12, 90, 41, 3, 3, 55, 19, 7],
                "count": 8, "temperature_milli": temperature, "top_k": top_k, "top_p_milli": top_p, "seed": 99,
            });
            let expected = generate(&artifact, &recipe, &request);
            assert_eq!(second_on(&artifact, "generate", &request), json!({ "tokens": expected }), "{request}");
        }
    }
}
