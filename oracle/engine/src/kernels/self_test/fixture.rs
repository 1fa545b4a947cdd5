//! The self test's data: the same on every machine and in every version.

mod decoder;
mod encoder;
mod fused;
mod images;

use provena_arith::fixed::Scale;
use provena_arith::receipt::ENGINE_CLASS_INT_V1;

use crate::artifact::{Artifact, ArtifactBuilder, Dtype, MlpLayer, MlpRecipe, ModelRecipe, Recipe, Source};
use crate::error::Error;
use crate::plan::{Plan, TensorId};
use crate::values::Values;

/// An artifact with plans for it.
pub(crate) struct Fixture {
    pub(crate) artifact: Artifact,
    pub(crate) cases: Vec<Case>,
}

/// A plan, what its inputs are and what its state holds before.
pub(crate) struct Case {
    pub(crate) plan: Plan,
    pub(crate) inputs: Vec<Values>,
    pub(crate) state: Vec<Values>,
}

impl Fixture {
    pub(crate) fn new() -> Result<Self, Error> {
        let mut random = Random(1);
        let mut builder = ArtifactBuilder::new();
        encoder::tensors(&mut builder, &mut random);
        decoder::tensors(&mut builder, &mut random);
        let artifact = builder.build(Recipe {
            name: "self test".into(),
            engine_class: ENGINE_CLASS_INT_V1,
            model: ModelRecipe::Mlp(MlpRecipe { inputs: 1, max_value: 1, layers: vec![MlpLayer { outputs: 1 }] }),
            tokenizer_sha256: None,
            source: Source::default(),
        })?;
        let mut cases = encoder::cases(&artifact)?;
        cases.extend(decoder::cases(&artifact)?);
        cases.extend(fused::cases(&artifact)?);
        cases.extend(images::cases());
        Ok(Self { artifact, cases })
    }
}

/// The artifact's tensors by name.
struct Tensors<'a>(&'a Artifact);

impl Tensors<'_> {
    fn vector(&self, name: &str, dtype: Dtype) -> Result<TensorId, Error> {
        self.0.find_table(name, dtype).map(|(id, _)| id)
    }

    /// The weight and the bias of a matrix product.
    fn linear(&self, name: &str, outputs: usize, inputs: usize) -> Result<(TensorId, TensorId), Error> {
        let weight = self.0.find(&format!("{name}.weight"), Dtype::I8, outputs, inputs)?;
        Ok((weight, self.vector(&format!("{name}.bias"), Dtype::I32)?))
    }
}

/// SplitMix64.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z >> 32) as u32
    }

    fn i8s(&mut self, count: usize) -> Vec<i8> {
        (0..count).map(|_| (self.next() % 255) as i8).map(|v| v.max(-127)).collect()
    }

    /// Rows of `cols` signed bytes, each padded with zeros to `stride`.
    fn i8_rows(&mut self, rows: usize, cols: usize, stride: usize) -> Vec<i8> {
        let mut values = vec![0; rows * stride];
        for row in values.chunks_exact_mut(stride) {
            row[..cols].copy_from_slice(&self.i8s(cols));
        }
        values
    }

    fn i16s(&mut self, count: usize) -> Vec<i16> {
        (0..count).map(|_| (self.next() as i16) / 2).collect()
    }

    fn i32s(&mut self, count: usize, bound: u32) -> Vec<i32> {
        (0..count).map(|_| (self.next() % (2 * bound + 1)) as i32 - bound as i32).collect()
    }

    /// Scales that divide by roughly 2^shift, of either sign.
    fn scales(&mut self, count: usize, shift: u32) -> Vec<Scale> {
        let scale = |bits: u32| {
            let multiplier = 0x4000 + (bits & 0x3fff) as i16;
            Scale::new(if bits & 0x8000 == 0 { multiplier } else { -multiplier }, shift - 1, bits >> 16 & 1)
        };
        (0..count).map(|_| scale(self.next())).collect()
    }
}
