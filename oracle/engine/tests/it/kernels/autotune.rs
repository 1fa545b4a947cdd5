//! What is measured changes how quickly an answer comes, and never the answer.

use std::collections::HashMap;
use std::sync::Arc;

use provena_engine::artifact::{Artifact, ArtifactBuilder, Dtype};
use provena_engine::gpu::{Gpu, Options, Selection, Switch};
use provena_engine::kernels::{Choices, Shape, Tile, Tuning, self_test};
use provena_engine::plan::{Element, LinearOutput, Op, Plan};
use provena_engine::recording::GpuModel;
use provena_engine::values::Values;

use super::support::{build, byte_rows, gpu};

const INPUTS: usize = 500;
const OUTPUTS: usize = 300;

fn product(artifact: &Artifact, rows: usize, element: Element) -> Plan {
    let mut plan = Plan::default();
    let x = plan.buffer("x", element, rows, INPUTS);
    let out = plan.buffer("out", Element::I32, rows, OUTPUTS);
    let weight = artifact.find("weight", Dtype::I8, OUTPUTS, INPUTS).unwrap();
    let bias = artifact.find_table("bias", Dtype::I32).unwrap().0;
    plan.push(Op::Linear { x, weight, bias, output: LinearOutput::Raw { out } });
    plan.inputs = vec![x];
    plan.outputs = vec![out];
    plan
}

fn artifact() -> Arc<Artifact> {
    let mut random = fastrand::Rng::with_seed(5);
    let mut builder = ArtifactBuilder::new();
    let weight: Vec<i8> = (0..OUTPUTS * INPUTS).map(|_| random.i8(-127..)).collect();
    builder.i8("weight", OUTPUTS, INPUTS, &weight);
    builder.i32("bias", &vec![7; OUTPUTS]);
    Arc::new(build(builder))
}

fn run(model: &GpuModel, plan: &Plan, input: &Values) -> Vec<Values> {
    model.execute(plan, std::slice::from_ref(input), &mut model.state(&[]).unwrap()).unwrap()
}

#[test]
fn a_measured_choice_gives_the_same_bytes_and_is_remembered() {
    if gpu().is_none() {
        return;
    }
    let artifact = artifact();
    let open = |disabled: &[Switch]| {
        let options = Options { disabled: disabled.iter().copied().collect(), ..Options::default() };
        Gpu::open_with(&Selection::Best, &options).unwrap()
    };
    let (tuned, plain) = (open(&[]), open(&Switch::ALL.map(|(_, switch)| switch)));
    let with = GpuModel::load(&tuned, artifact.clone()).unwrap();
    let without = GpuModel::load(&plain, artifact.clone()).unwrap();
    let mut random = fastrand::Rng::with_seed(6);
    for (rows, element) in [(1, Element::I8), (4, Element::Split), (19, Element::I8)] {
        let plan = product(&artifact, rows, element);
        let bytes = byte_rows(&mut random, if element == Element::Split { 2 * rows } else { rows }, INPUTS);
        let input = Values::I8(bytes);
        assert_eq!(run(&with, &plan, &input), run(&without, &plan, &input));
    }
    assert!(plain.autotune().chosen().quickest.tiles.is_empty());
    let chosen = tuned.autotune().chosen();
    // What is small or there was no time for takes the usual tile.
    assert!(chosen.quickest.tiles.len() >= 2 || chosen.left.is_zero(), "{chosen:?}");
}

#[test]
fn every_candidate_computes_the_same() {
    let Some(gpu) = gpu() else { return };
    let artifact = artifact();
    let mut random = fastrand::Rng::with_seed(8);
    let mut tried = 0;
    for (rows, element) in [(1, Element::I8), (1, Element::Split), (7, Element::Split), (21, Element::I8)] {
        let plan = product(&artifact, rows, element);
        let bytes = byte_rows(&mut random, if element == Element::Split { 2 * rows } else { rows }, INPUTS);
        let input = [Values::I8(bytes)];
        let weight = artifact.find("weight", Dtype::I8, OUTPUTS, INPUTS).unwrap();
        let shape = Shape::of(&plan.buffers[0], &artifact, weight).unwrap();
        for tuning in [Tuning::SOFTWARE, Tuning::HARDWARE, Tuning::of(gpu.caps())] {
            for tile in Tile::candidates(gpu.caps(), &tuning, rows, shape.planes) {
                let model = GpuModel::load_tuned(gpu, artifact.clone(), tuning).unwrap();
                let model = model.with_choices(Choices { tiles: HashMap::from([(shape, tile)]), ..Choices::default() });
                self_test::compare(&model, &plan, &input, &[]).unwrap_or_else(|error| panic!("{tile:?}: {error}"));
                tried += 1;
            }
        }
    }
    assert!(tried > 15, "{tried}");
}
