//! The float models against an independent implementation, candle, on the published weights.

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use provena_engine::{
    artifact::ModelRecipe,
    float::{bert::FloatBert, cosine, mlp::FloatMlp},
    format::Checkpoint,
    tokenizer::Tokenizer,
};

use crate::assets::{DIGITS, MINILM, digits, fetched, lines, own};

/// The mean over tokens of what candle's encoder gives, brought to length one.
fn embed(model: &BertModel, ids: &[u32]) -> candle_core::Result<Vec<f32>> {
    let ids = Tensor::new(ids, &Device::Cpu)?.unsqueeze(0)?;
    let mean = model.forward(&ids, &ids.zeros_like()?, None)?.mean(1)?;
    mean.broadcast_div(&mean.sqr()?.sum_keepdim(1)?.sqrt()?)?.squeeze(0)?.to_vec1()
}

#[test]
fn minilm_in_floats_gives_the_vectors_that_candle_gives() {
    let folder = fetched("minilm");
    let config: Config = serde_json::from_slice(&std::fs::read(folder.join("config.json")).unwrap()).unwrap();
    let weights = std::fs::read(folder.join("model.safetensors")).unwrap();
    let weights = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu).unwrap();
    let candle = BertModel::load(weights, &config).unwrap();

    let artifact = &MINILM.artifact;
    let ModelRecipe::Bert(recipe) = &artifact.recipe().model else { panic!("MiniLM is no encoder") };
    let checkpoint = Checkpoint::open(&folder).unwrap();
    let model = FloatBert::new(&checkpoint.weights, recipe, 2, 1e-12).unwrap();
    let tokenizer = Tokenizer::new(artifact.tokenizer(), recipe.vocabulary, recipe.max_tokens).unwrap();

    let (mut least, mut farthest) = (1f64, 0f32);
    let texts = lines("sentences.txt");
    let encoded = texts.iter().map(|text| tokenizer.encode(0, text).unwrap());
    // The profile of tests leaves candle slow.
    let encoded: Vec<Vec<u32>> = encoded.filter(|ids| ids.len() <= 24).step_by(texts.len() / 8).collect();
    let ours = model.embed(&encoded, &mut |_, _| (), &mut |_| ()).unwrap();
    for (ids, ours) in encoded.iter().zip(ours) {
        let theirs = embed(&candle, ids).unwrap();
        assert_eq!(ours.len(), theirs.len());
        least = least.min(cosine(&ours, &theirs));
        farthest = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(farthest, f32::max);
    }
    println!("minilm, float and candle: least cosine {least:.9}, largest difference {farthest:.1e}");
    assert!(least > 0.999_999 && farthest < 1e-4);
}

#[test]
fn digits_in_floats_give_the_logits_that_candle_gives() {
    let checkpoint = Checkpoint::open(&own("models/digits")).unwrap();
    let ModelRecipe::Mlp(recipe) = &DIGITS.artifact.recipe().model else { panic!("digits is no classifier") };
    let widths: Vec<usize> =
        std::iter::once(recipe.inputs).chain(recipe.layers.iter().map(|l| l.outputs)).map(|w| w as usize).collect();
    let model = FloatMlp::new(&checkpoint.weights, &widths, recipe.max_value).unwrap();
    let images = digits().images;
    let ours = model.activations(&images).pop().unwrap();

    let theirs = || -> candle_core::Result<Vec<f32>> {
        let weights = std::fs::read(own("models/digits/model.safetensors")).unwrap();
        let weights = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu)?;
        let pixels: Vec<f32> = images.iter().flatten().map(|v| f32::from(*v) / f32::from(recipe.max_value)).collect();
        let mut x = Tensor::from_vec(pixels, (images.len(), widths[0]), &Device::Cpu)?;
        for (i, pair) in widths.windows(2).enumerate() {
            let layer = candle_nn::linear(pair[0], pair[1], weights.pp(format!("layers.{i}")))?;
            x = candle_nn::Module::forward(&layer, &x)?;
            if i + 2 < widths.len() {
                x = x.relu()?;
            }
        }
        x.flatten_all()?.to_vec1()
    };
    let theirs = theirs().unwrap();
    assert_eq!(ours.len(), theirs.len());
    let farthest = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0f32, f32::max);
    println!("digits, float and candle: largest difference of logits {farthest:.1e}");
    assert!(farthest < 1e-3);
}
