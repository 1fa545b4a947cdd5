//! Whether matrix units add up bytes exactly on a device: without that nothing offers them.
//!
//! They multiply floats, see [`crate::gpu::matrix`]. What they are given reaches the largest sums there are, of either
//! sign, with odd products before and after, so that a unit which keeps less than 24 bits of a sum, in whatever order it
//! adds, gives itself away.

use std::collections::HashMap;
use std::sync::Arc;

use provena_arith::receipt::ENGINE_CLASS_INT_V1;

use super::{compare, fixture::Random};
use crate::artifact::{Artifact, ArtifactBuilder, Dtype, MlpLayer, MlpRecipe, ModelRecipe, Recipe, Source};
use crate::error::Error as EngineError;
use crate::gpu::{Error, Gpu, matrix::EXACT};
use crate::kernels::{Choices, Shape, Tile, Tuning};
use crate::plan::{Element, LinearOutput, Op, Plan, i8_stride};
use crate::recording::GpuModel;
use crate::values::Values;

/// Columns of x: more than are added up in floats, and no multiple of anything.
const INPUTS: usize = EXACT + 150;
/// Rows of the weight, and rows of bytes of x: more than one workgroup has.
const ROWS: usize = 70;

/// Multiplies by the matrix units that the device's caps name and compares each sum with the reference's.
///
/// # Errors
///
/// [`Error::Mismatch`] where one differs, other errors where the driver refuses the kernel or fails; [`Error::Plan`] for a
/// device without matrix units.
pub fn prove(gpu: &Gpu) -> Result<(), Error> {
    let wrong = |reason| Error::Plan { op: "matrix units".into(), reason };
    let matrix = gpu.caps().matrix.clone().map_err(wrong)?;
    let mut random = Random(2);
    let artifact = Arc::new(artifact(&mut random).map_err(|error| wrong(error.to_string()))?);
    for (element, planes) in [(Element::I8, 1), (Element::Split, 2)] {
        let (plan, input) = case(&artifact, element, planes, &mut random).map_err(|error| wrong(error.to_string()))?;
        let Op::Linear { x, weight, .. } = plan.ops[0] else { return Err(wrong("no product".into())) };
        let shape = Shape::of(plan.get(x), &artifact, weight).ok_or_else(|| wrong("no shape".into()))?;
        for tile in Tile::matrices(matrix, shape.planes) {
            let choices = Choices { tiles: HashMap::from([(shape, tile)]), ..Choices::default() };
            let model = GpuModel::load_tuned(gpu, artifact.clone(), Tuning::SOFTWARE)?.with_choices(choices);
            compare(&model, &plan, std::slice::from_ref(&input), &[])?;
        }
    }
    Ok(())
}

/// Rows of bytes, each of which reaches some extreme or is random.
fn extremes(random: &mut Random, rows: usize) -> Vec<i8> {
    let mut bytes = vec![0; rows * i8_stride(INPUTS)];
    for (row, values) in bytes.chunks_exact_mut(i8_stride(INPUTS)).enumerate() {
        for (k, value) in values[..INPUTS].iter_mut().enumerate() {
            let any = random.next();
            *value = match row % 8 {
                0 => -128,
                1 => 127,
                // The largest sum comes first and something odd last, or the other way round.
                2 if k % EXACT == EXACT - 1 => -1,
                2 => -128,
                3 if k % EXACT < 2 => 1,
                3 => 127,
                // Signs take turns, quickly or once.
                4 => [-128, 127][k % 2],
                5 => [-128, 127][usize::from(k % EXACT >= EXACT / 2)],
                6 => [-128, 127][any as usize % 2],
                _ => any as i8,
            };
        }
    }
    bytes
}

fn artifact(random: &mut Random) -> Result<Artifact, EngineError> {
    let mut builder = ArtifactBuilder::new();
    let rows = extremes(random, ROWS);
    let weight: Vec<i8> = rows.chunks_exact(i8_stride(INPUTS)).flat_map(|row| &row[..INPUTS]).copied().collect();
    builder.i8("weight", ROWS, INPUTS, &weight);
    builder.i32("bias", &[0; ROWS]);
    builder.build(Recipe {
        name: "matrix units".into(),
        engine_class: ENGINE_CLASS_INT_V1,
        model: ModelRecipe::Mlp(MlpRecipe { inputs: 1, max_value: 1, layers: vec![MlpLayer { outputs: 1 }] }),
        tokenizer_sha256: None,
        source: Source::default(),
    })
}

/// The sums of one product whose x has so many rows of bytes for each.
fn case(
    artifact: &Artifact,
    element: Element,
    planes: usize,
    random: &mut Random,
) -> Result<(Plan, Values), EngineError> {
    let mut plan = Plan::default();
    let x = plan.buffer("x", element, ROWS / planes, INPUTS);
    let out = plan.buffer("sums", Element::I32, ROWS / planes, ROWS);
    let weight = artifact.find("weight", Dtype::I8, ROWS, INPUTS)?;
    let (bias, _) = artifact.find_table("bias", Dtype::I32)?;
    plan.push(Op::Linear { x, weight, bias, output: LinearOutput::Raw { out } });
    plan.inputs = vec![x];
    plan.outputs = vec![out];
    Ok((plan, Values::I8(extremes(random, ROWS))))
}
