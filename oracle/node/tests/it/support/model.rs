//! A small classifier that the real engine runs: one matrix product, 64 pixels to 10 classes.

use provena_arith::receipt::ENGINE_CLASS_INT_V1;
use provena_engine::artifact::{Artifact, ArtifactBuilder, MlpLayer, MlpRecipe, ModelRecipe, Recipe, Source};
use provena_wire::Request;

/// The same bytes each time.
pub(crate) fn artifact() -> Artifact {
    classifier(3)
}

/// Another one for each number.
pub(crate) fn another(number: u8) -> Artifact {
    classifier(100 + i32::from(number))
}

fn classifier(bias: i32) -> Artifact {
    let weights: Vec<i8> = (0..640i32).map(|i| i8::try_from((i * 37 + i / 7) % 251 - 125).expect("in range")).collect();
    let mut builder = ArtifactBuilder::new();
    builder.i8("layer.0.weight", 10, 64, &weights);
    builder.i32("layer.0.bias", &[bias, -1, 4, -1, 5, -9, 2, -6, 5, -3]);
    let recipe = Recipe {
        name: "test classifier".to_owned(),
        engine_class: ENGINE_CLASS_INT_V1,
        model: ModelRecipe::Mlp(MlpRecipe { inputs: 64, max_value: 16, layers: vec![MlpLayer { outputs: 10 }] }),
        tokenizer_sha256: None,
        source: Source::default(),
    };
    builder.build(recipe).expect("the artifact is sound")
}

/// `count` images.
pub(crate) fn request(count: usize) -> Request {
    request_from(0, count)
}

/// `count` images, of which the first has this number.
pub(crate) fn request_from(first: usize, count: usize) -> Request {
    let pixel = |image: usize, at: usize| u8::try_from((image * 31 + at * 7) % 17).expect("in range");
    let images = (first..first + count).map(|image| (0..64).map(|at| pixel(image, at)).collect());
    Request::Classify { images: images.collect() }
}
