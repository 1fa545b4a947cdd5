//! Decoders that are computed from their files, layer by layer.

use std::path::PathBuf;

use provena_engine::{
    Error,
    artifact::{Activations, Artifact, ArtifactFile, LlamaRecipe, ModelRecipe, Piece},
    layered::{Decoder, Encoder},
    plan::TensorId,
    reference,
    tokenizer::Tokenizer,
};
use provena_wire::{Request, Response};
use tempfile::TempDir;

use crate::{
    assets::DIGITS,
    llama,
    tiny_encoder::{self, rebuilt},
    tiny_llama,
};

/// A file with these bytes, which lasts as long as its folder.
fn written(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.pvna");
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn layered(artifact: &Artifact) -> (TempDir, Decoder) {
    let (folder, path) = written(artifact.bytes());
    (folder, Decoder::new(ArtifactFile::open(&path).unwrap()).unwrap())
}

#[test]
fn a_decoder_layer_by_layer_gives_the_logits_of_the_reference() {
    for (activations, window, tied) in
        [(Activations::Split, 0, false), (Activations::Bytes, 7, true), (Activations::Split, 5, true)]
    {
        let recipe = LlamaRecipe { activations, window, tied, layers: 3, ..tiny_llama::recipe() };
        let artifact = tiny_llama::random(&recipe, 21);
        let (_folder, model) = layered(&artifact);
        let texts: Vec<Vec<u32>> = [37, 0, 1, 16, 17].map(llama::tokens).into();
        let mut done = vec![];
        let streams = model.streams(&texts, &mut |layer| done.push(layer)).unwrap();
        assert_eq!(done, [0, 1, 2]);
        let words = tiny_llama::VOCABULARY as usize;
        let of = |text: &Vec<u32>| llama::logits(&artifact, text, &[text.len()]).1;
        let expected: Vec<i32> = texts.iter().filter(|text| !text.is_empty()).flat_map(of).collect();
        for range in [0..words, 0..1, 40..41, 13..90, 96..97] {
            let logits = model.logits(&streams, range.start as u32..range.end as u32).unwrap();
            let rows = expected.chunks_exact(words);
            assert!(logits == rows.flat_map(|row| &row[range.clone()]).copied().collect::<Vec<_>>(), "{range:?}");
        }
        assert!(model.logits(&streams, 5..5).unwrap().is_empty());
        let nothing = model.streams(&[vec![], vec![]], &mut |_| ()).unwrap();
        assert!(model.logits(&nothing, 0..5).unwrap().is_empty());
    }
}

#[test]
fn layer_by_layer_rejects_texts_and_files_that_do_not_fit() {
    let recipe = tiny_llama::recipe();
    let artifact = tiny_llama::random(&recipe, 22);
    let (_folder, model) = layered(&artifact);
    let error = |texts: &[Vec<u32>]| model.streams(texts, &mut |_| ()).map(drop).unwrap_err().to_string();
    assert_eq!(
        error(&[vec![1], vec![2; 101]]),
        "text 1 has 101 tokens; the model takes at most 100: split or shorten it"
    );
    assert_eq!(error(&[vec![1, 97]]), "the artifact's tensor \"embed.scale\": has 97 rows, row 97 was asked for");
    let streams = model.streams(&[vec![3, 4]], &mut |_| ()).unwrap();
    let beyond = model.logits(&streams, 90..98).unwrap_err().to_string();
    assert_eq!(beyond, "the artifact's tensor \"head.bias\": has 97 rows, row 97 was asked for");
    for name in ["layer.001.up.bias", "rotation.table", "embed.scale"] {
        let (_folder, model) = layered(&rebuilt(&artifact, name, None));
        let error = model.streams(&[vec![3]], &mut |_| ()).map(drop).unwrap_err();
        assert_eq!(error.to_string(), format!("the artifact's tensor {name:?}: missing"));
    }
    let (_folder, path) = written(DIGITS.artifact.bytes());
    let error = Decoder::new(ArtifactFile::open(&path).unwrap()).map(drop).unwrap_err();
    assert!(matches!(error, Error::Artifact(reason) if reason == "it holds a model of the family mlp"));
}

#[test]
fn an_encoder_layer_by_layer_gives_the_vectors_of_the_reference() {
    let artifact = tiny_encoder::tiny();
    let (_folder, path) = written(artifact.bytes());
    let model = Encoder::new(ArtifactFile::open(&path).unwrap()).unwrap();
    let ModelRecipe::Bert(recipe) = &artifact.recipe().model else { panic!("not an encoder") };
    let tokenizer = Tokenizer::new(artifact.tokenizer(), recipe.vocabulary, recipe.max_tokens).unwrap();
    let texts: Vec<String> = [3, 17, 1, 9].map(tiny_encoder::text).into();
    let mut tokens: Vec<Vec<u32>> = texts.iter().map(|text| tokenizer.encode(0, text).unwrap()).collect();
    let Response::Embed { vectors, .. } = reference::run(&artifact, &Request::Embed { texts }).unwrap() else {
        panic!("an encoder gave no vectors")
    };
    let mut done = vec![];
    let found = model.vectors(&tokens, &mut |layer| done.push(layer)).unwrap();
    assert_eq!(done, [0, 1]);
    assert_eq!(found, vectors.iter().map(|v| v.iter().map(|v| i32::from(*v)).collect()).collect::<Vec<Vec<i32>>>());
    assert!(model.vectors(&[], &mut |_| ()).unwrap().is_empty());

    let error = |tokens: &[Vec<u32>]| model.vectors(tokens, &mut |_| ()).unwrap_err().to_string();
    assert_eq!(error(&[vec![1], vec![]]), "the request does not fit the model: text 1 has no tokens");
    assert_eq!(error(&[vec![9]]), "the artifact's tensor \"embed.words\": has 9 rows, row 9 was asked for");
    tokens.push(vec![1; 18]);
    assert_eq!(error(&tokens), "text 4 has 18 tokens; the model takes at most 17: split or shorten it");
    for name in ["layer.001.norm1.scale", "attention.exp.table", "embed.norm.bias", "embed.positions"] {
        let (_folder, path) = written(rebuilt(&artifact, name, None).bytes());
        let model = Encoder::new(ArtifactFile::open(&path).unwrap()).unwrap();
        let error = model.vectors(&tokens[..1], &mut |_| ()).unwrap_err().to_string();
        assert_eq!(error, format!("the artifact's tensor {name:?}: missing"));
    }
    let (_folder, path) = written(DIGITS.artifact.bytes());
    let error = Encoder::new(ArtifactFile::open(&path).unwrap()).map(drop).unwrap_err();
    assert!(matches!(error, Error::Artifact(reason) if reason == "it holds a model of the family mlp"));
}

#[test]
fn a_file_gives_the_tensors_of_the_whole_artifact() {
    let artifact = tiny_llama::random(&tiny_llama::recipe(), 23);
    let (_folder, path) = written(artifact.bytes());
    let file = ArtifactFile::open(&path).unwrap();
    assert_eq!(serde_json::to_value(file.summary()).unwrap(), serde_json::to_value(artifact.summary()).unwrap());
    let names: Vec<&str> = artifact.tensors().map(|(_, tensor)| tensor.name).collect();
    assert_eq!(file.names().collect::<Vec<_>>(), names);
    let whole = file.part(&names.iter().rev().map(|name| Piece::whole(*name)).collect::<Vec<_>>()).unwrap();
    for ((_, a), (_, b)) in artifact.tensors().zip(whole.tensors()) {
        assert_eq!((a.name, a.dtype, a.rows, a.cols, a.bytes), (b.name, b.dtype, b.rows, b.cols, b.bytes));
    }
    assert_eq!((whole.content_root(), whole.recipe_root()), (artifact.content_root(), artifact.recipe_root()));
    let rows = [5, 6, 7, 0, 96, 5];
    let part = file.part(&["embed.weight", "embed.scale"].map(|name| Piece::rows(name, rows))).unwrap();
    let [scale, weight] = [TensorId(0), TensorId(1)].map(|id| part.tensor(id));
    let of = |name: &str| artifact.tensors().find(|(_, tensor)| tensor.name == name).unwrap().1;
    assert_eq!((scale.name, scale.rows, scale.cols), ("embed.scale", 1, 6));
    assert_eq!((weight.name, weight.rows, weight.cols), ("embed.weight", 6, 20));
    for (i, row) in rows.map(|row| row as usize).into_iter().enumerate() {
        assert_eq!(weight.i8_row(i), of("embed.weight").i8_row(row));
        assert_eq!(scale.scales()[i], of("embed.scale").scales()[row]);
    }
    let twice = file.part(&[Piece::whole("embed.scale"), Piece::rows("embed.scale", [1])]).unwrap_err().to_string();
    assert_eq!(twice, "the artifact's tensor \"embed.scale\": was asked for twice");
}
