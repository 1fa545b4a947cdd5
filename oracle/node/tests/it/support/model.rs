//! A small classifier that the real engine runs: one matrix product, 64 pixels to 10 classes.

use std::path::Path;

use provena_arith::receipt::ENGINE_CLASS_INT_V1;
use provena_client::store::Root;
use provena_engine::artifact::{Artifact, ArtifactBuilder, MlpLayer, MlpRecipe, ModelRecipe, Recipe, Source};
use provena_node::compute::{Adapter, Asked, Computation, Compute, ComputeError, EngineCompute, Spent};
use provena_wire::Request;
use tokio_util::sync::CancellationToken;

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

/// The real engine, which takes its thread with it when it prepares a request of so many images.
pub(crate) struct Fragile {
    engine: EngineCompute,
    images: usize,
}

impl Fragile {
    pub(crate) fn new(images: usize) -> Self {
        Self { engine: EngineCompute::open("cpu", 1 << 30).expect("the processor computes"), images }
    }
}

impl Compute for Fragile {
    fn adapter(&self) -> Adapter {
        self.engine.adapter()
    }
    fn self_test(&self) -> Result<(), ComputeError> {
        self.engine.self_test()
    }
    fn is_loaded(&self, root: &Root) -> bool {
        self.engine.is_loaded(root)
    }
    fn load(&self, root: &Root, recipe_root: &Root, artifact: &Path) -> Result<(), ComputeError> {
        self.engine.load(root, recipe_root, artifact)
    }
    fn check(&self, root: &Root, bytes: &[u8]) -> Result<Asked, ComputeError> {
        assert_ne!(bytes, request(self.images).to_bytes(), "this request kills");
        self.engine.check(root, bytes)
    }
    fn warm_up(&self, root: &Root, request: &[u8]) -> Result<Spent, ComputeError> {
        self.engine.warm_up(root, request)
    }
    fn run(&self, root: &Root, request: &[u8], given_up: &CancellationToken) -> Result<Computation, ComputeError> {
        self.engine.run(root, request, given_up)
    }
}
