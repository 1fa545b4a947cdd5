//! The adapter, opened once, and plans of one operation.

use std::sync::{Arc, OnceLock};

use provena_arith::fixed::Scale;
use provena_arith::receipt::ENGINE_CLASS_INT_V1;
use provena_engine::artifact::{Artifact, ArtifactBuilder, MlpLayer, MlpRecipe, ModelRecipe, Recipe, Source};
use provena_engine::gpu::{Gpu, Selection};
use provena_engine::kernels::{Tuning, self_test};
use provena_engine::plan::{Plan, i8_stride};
use provena_engine::recording::GpuModel;
use provena_engine::values::Values;

/// The best adapter of this machine; a machine without one (a software driver counts) fails the tests, unless it says
/// `PROVENA_TEST_GPU=none`.
pub(crate) fn gpu() -> Option<&'static Gpu> {
    static GPU: OnceLock<Gpu> = OnceLock::new();
    if std::env::var("PROVENA_TEST_GPU").is_ok_and(|value| value == "none") {
        eprintln!("PROVENA_TEST_GPU=none: the GPU is not tested");
        return None;
    }
    Some(GPU.get_or_init(|| Gpu::open(&Selection::Best).unwrap_or_else(|error| panic!("{error}"))))
}

/// Finishes an artifact that holds nothing but tensors.
pub(crate) fn build(builder: ArtifactBuilder) -> Artifact {
    let recipe = Recipe {
        name: "test".into(),
        engine_class: ENGINE_CLASS_INT_V1,
        model: ModelRecipe::Mlp(MlpRecipe { inputs: 1, max_value: 1, layers: vec![MlpLayer { outputs: 1 }] }),
        tokenizer_sha256: None,
        source: Source::default(),
    };
    builder.build(recipe).unwrap()
}

/// Compares what every operation of the plan writes with the reference's, under all tunings; gives the number of
/// elements that were compared.
pub(crate) fn check(artifact: Artifact, plan: &Plan, input: &Values) -> usize {
    check_with(artifact, plan, std::slice::from_ref(input), &[])
}

/// The same for a plan with several inputs and with state.
pub(crate) fn check_with(artifact: Artifact, plan: &Plan, inputs: &[Values], state: &[Values]) -> usize {
    let Some(gpu) = gpu() else { return 0 };
    let artifact = Arc::new(artifact);
    let mut compared = 0;
    for tuning in [Tuning::SOFTWARE, Tuning::HARDWARE, Tuning::of(gpu.caps())] {
        let model = GpuModel::load_tuned(gpu, artifact.clone(), tuning).unwrap();
        let outcome = self_test::compare(&model, plan, inputs, state);
        compared += outcome.unwrap_or_else(|error| panic!("{tuning:?}: {error}"));
    }
    compared
}

/// Rows of signed bytes of any value, padded with zeros.
pub(crate) fn byte_rows(random: &mut fastrand::Rng, rows: usize, cols: usize) -> Vec<i8> {
    let mut bytes = vec![0i8; rows * i8_stride(cols)];
    for row in bytes.chunks_exact_mut(i8_stride(cols)) {
        row[..cols].iter_mut().for_each(|value| *value = random.i8(-127..));
    }
    bytes
}

/// Scales of any bits, as a hostile artifact may hold them.
pub(crate) fn hostile_scales(random: &mut fastrand::Rng, count: usize) -> Vec<Scale> {
    (0..count).map(|_| Scale(random.u32(..))).collect()
}

/// Scales that divide by roughly 2^shift.
pub(crate) fn scales(random: &mut fastrand::Rng, count: usize, shift: u32) -> Vec<Scale> {
    (0..count).map(|_| Scale::new(random.i16(0x4000..), shift, random.u32(0..2))).collect()
}
