//! What one measurement needs, and how to build it.

use std::sync::Arc;

use provena_arith::fixed::{EXP_ONE, Scale};
use provena_arith::receipt::ENGINE_CLASS_INT_V1;
use provena_engine::artifact::{Artifact, ArtifactBuilder, MlpLayer, MlpRecipe, ModelRecipe, Recipe, Source};
use provena_engine::plan::{Buffer, BufferId, Element, Plan, TensorId};
use provena_engine::values::Values;

/// An operation to be measured.
pub(super) struct Case {
    /// The tensors it reads.
    pub artifact: Arc<Artifact>,
    /// The operation alone.
    pub plan: Plan,
    /// For the plan.
    pub inputs: Vec<Values>,
    /// For people.
    pub shape: String,
    /// Multiplications and additions.
    pub operations: usize,
    /// Bytes that must be read or written once.
    pub bytes: usize,
}

impl Case {
    /// A case over random inputs whose bytes are those of all buffers and of the `weights` that are read.
    pub(super) fn new(
        artifact: Artifact,
        plan: Plan,
        shape: impl Into<String>,
        operations: usize,
        weights: usize,
    ) -> Self {
        let mut random = fastrand::Rng::with_seed(7);
        let inputs = plan.inputs.iter().map(|id| any(plan.get(*id), &mut random)).collect();
        let bytes = weights + plan.buffers.iter().map(Buffer::byte_len).sum::<usize>();
        Self { artifact: Arc::new(artifact), plan, inputs, shape: shape.into(), operations, bytes }
    }

    /// The same with other contents of one of the plan's inputs.
    pub(super) fn with(mut self, id: BufferId, values: Values) -> Self {
        if let Some(at) = self.plan.inputs.iter().position(|input| *input == id) {
            self.inputs[at] = values;
        }
        self
    }
}

/// Values that an operation may meet: bytes, a stream, ids of zero.
fn any(buffer: &Buffer, random: &mut fastrand::Rng) -> Values {
    let mut values = Values::zeros(buffer);
    let (stride, cols) = (buffer.stride(), buffer.cols);
    match &mut values {
        Values::I8(v) if buffer.element == Element::I8 => {
            v.chunks_exact_mut(stride).for_each(|row| row[..cols].fill_with(|| random.i8(-127..)));
        }
        // High bytes, then low bytes.
        Values::I8(v) => v.chunks_exact_mut(stride / 2).for_each(|row| row[..cols].fill_with(|| random.i8(-127..))),
        Values::I32(v) => v.fill_with(|| random.i32(-32_767..=32_767)),
        Values::U32(_) => (),
    }
    values
}

/// Tensors to which random ones are added.
#[derive(Default)]
pub(super) struct Tensors {
    builder: ArtifactBuilder,
    random: fastrand::Rng,
}

impl Tensors {
    /// None yet.
    pub(super) fn new() -> Self {
        Self { builder: ArtifactBuilder::new(), random: fastrand::Rng::with_seed(1) }
    }

    /// Random bytes.
    pub(super) fn i8(mut self, name: &str, rows: usize, cols: usize) -> Self {
        let values: Vec<i8> = (0..rows * cols).map(|_| self.random.i8(-127..)).collect();
        self.builder.i8(name, rows, cols, &values);
        self
    }

    /// Random words.
    pub(super) fn i16(mut self, name: &str, rows: usize, cols: usize) -> Self {
        let values: Vec<i16> = (0..rows * cols).map(|_| self.random.i16(-32_767..)).collect();
        self.builder.i16(name, rows, cols, &values);
        self
    }

    /// These numbers.
    pub(super) fn i32(mut self, name: &str, values: &[i32]) -> Self {
        self.builder.i32(name, values);
        self
    }

    /// The same factor, 0.6 / 2^right, for all.
    pub(super) fn scale(mut self, name: &str, count: usize, right: u32) -> Self {
        self.builder.scales(name, &vec![Scale::new(0x5000, right, 0); count]);
        self
    }

    /// A table that falls as an exponential's does.
    pub(super) fn exp(self, name: &str) -> Self {
        self.i32(name, &(0..1024).map(|at| EXP_ONE * (1023 - at) / 1023).collect::<Vec<_>>())
    }

    /// The artifact; its recipe says nothing.
    pub(super) fn build(self) -> Artifact {
        let recipe = Recipe {
            name: "bench".into(),
            engine_class: ENGINE_CLASS_INT_V1,
            model: ModelRecipe::Mlp(MlpRecipe { inputs: 1, max_value: 1, layers: vec![MlpLayer { outputs: 1 }] }),
            tokenizer_sha256: None,
            source: Source::default(),
        };
        self.builder.build(recipe).unwrap_or_else(|error| panic!("{error}"))
    }
}

/// The tensor of this name.
pub(super) fn tensor(artifact: &Artifact, name: &str) -> TensorId {
    let found = artifact.tensors().find(|(_, tensor)| tensor.name == name).map(|(id, _)| id);
    found.unwrap_or_else(|| panic!("there is no tensor {name}"))
}
