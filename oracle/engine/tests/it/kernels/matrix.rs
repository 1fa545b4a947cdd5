//! Products by matrix units: everywhere their shader, and where an adapter has units their sums.

use std::collections::HashMap;
use std::sync::Arc;

use proptest::prelude::*;
use provena_engine::artifact::Artifact;
use provena_engine::gpu::matrix::Unit;
use provena_engine::gpu::{Gpu, Key, Matrix, Options, Selection, Switch};
use provena_engine::kernels::{Choices, Method, Shape, Tile, Tuning, lower_with, self_test, source};
use provena_engine::plan::{Op, Plan};
use provena_engine::recording::GpuModel;
use wgpu::naga::back::{pipeline_constants::process_overrides, spv};
use wgpu::naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy, Layouter};
use wgpu::naga::valid::{Capabilities, ValidationFlags, Validator};
use wgpu::naga::{AddressSpace, ShaderStage, front};

use super::linear::case;
use super::support::gpu;

/// The shape of a plan of one product.
fn shape(artifact: &Artifact, plan: &Plan) -> Shape {
    let Op::Linear { x, weight, .. } = plan.ops[0] else { panic!("no product") };
    Shape::of(plan.get(x), artifact, weight).unwrap()
}

/// This tile for this shape.
fn only(shape: Shape, tile: Tile) -> Choices {
    Choices { tiles: HashMap::from([(shape, tile)]), ..Choices::default() }
}

/// Compares one product by each of the tiles with the reference; gives the number of elements that were compared.
fn product(
    tiles: impl Fn(u32) -> Vec<Tile>,
    [rows, inputs, outputs]: [usize; 3],
    kind: u8,
    hostile: bool,
    seed: u64,
) -> usize {
    let gpu = gpu().unwrap();
    let (artifact, plan, input) = case(rows, inputs, outputs, kind, hostile, seed);
    let shape = shape(&artifact, &plan);
    let artifact = Arc::new(artifact);
    let mut compared = 0;
    for tile in tiles(shape.planes) {
        let model = GpuModel::load_tuned(gpu, artifact.clone(), Tuning::SOFTWARE).unwrap();
        let model = model.with_choices(only(shape, tile));
        let recorded = model.recorded(&plan).unwrap();
        assert!(recorded.lock().unwrap().labels()[0].starts_with("provena.linear_matrix."));
        let outcome = self_test::compare(&model, &plan, std::slice::from_ref(&input), &[]);
        compared += outcome.unwrap_or_else(|error| panic!("{tile:?}: {error}"));
    }
    compared
}

/// The larger tile of devices that keep more in registers.
fn large(matrix: Matrix, planes: u32) -> Tile {
    let Matrix { unit, subgroup } = matrix;
    Tile { lanes: 4 * subgroup, ..Tile::matrices(Matrix { unit, subgroup: 32 }, planes)[0] }
}

/// The matrix units of this machine's adapter. Where there are none, checks that nothing offers them.
fn units() -> Option<Matrix> {
    let gpu = gpu()?;
    let caps = gpu.caps();
    let offered = |tuning| {
        let all = [1, 9, 64, 500].into_iter().flat_map(move |rows| Tile::candidates(caps, &tuning, rows, 2));
        all.filter(|tile| matches!(tile.method, Method::Matrix(_))).count()
    };
    let tunings = [Tuning::SOFTWARE, Tuning::HARDWARE, Tuning::of(caps)];
    match &caps.matrix {
        Ok(matrix) => {
            assert!(caps.offers_cooperative_matrix && caps.uses(Switch::CooperativeMatrix));
            let each = Tile::matrices(*matrix, 2).len();
            assert!(tunings.into_iter().all(|tuning| offered(tuning) == 3 * each));
            Some(*matrix)
        }
        Err(reason) => {
            println!("{}: no matrix units: {reason}", caps.name);
            // Hardware may be inexact; a driver that imitates it has no reason to be, so that our kernel would be wrong.
            let unsuitable =
                ["the adapter offers none", "none of the adapter's serves", "no subgroups of a fixed size"];
            assert!(!caps.is_software() || unsuitable.iter().any(|known| reason.starts_with(known)), "{reason}");
            assert!(!reason.is_empty() && !caps.uses(Switch::CooperativeMatrix) && !caps.uses(Switch::F16));
            assert!(tunings.into_iter().all(|tuning| offered(tuning) == 0));
            None
        }
    }
}

#[test]
fn products_by_matrix_units_are_their_scalar_twins_or_nothing_offers_them() {
    let Some(matrix) = units() else { return };
    let tiles = |planes| Tile::matrices(matrix, planes);
    let mut compared = 0;
    // Awkward edges, and sums over several parts that are exact.
    for (place, shape) in
        [[1, 1, 1], [9, 15, 3], [64, 64, 64], [65, 1024, 65], [33, 1025, 63], [31, 2100, 130], [130, 576, 100]]
            .into_iter()
            .enumerate()
    {
        for kind in 0..12 {
            compared += product(tiles, shape, kind, (place + usize::from(kind)).is_multiple_of(3), kind.into());
        }
    }
    for kind in [0, 3] {
        compared += product(|planes| vec![large(matrix, planes)], [70, 1300, 70], kind, true, 1);
    }
    println!("{matrix}: {compared} outputs compared, none differs");
    let config = ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() };
    let shapes = (1usize..140, 1usize..1300, 1usize..140, 0u8..12, any::<bool>(), any::<u64>());
    proptest!(config, |((rows, inputs, outputs, kind, hostile, seed) in shapes)| {
        product(tiles, [rows, inputs, outputs], kind, hostile, seed);
    });
}

#[test]
fn without_a_measurement_matrix_units_are_for_tiles_that_they_fill_half() {
    let Some(gpu) = gpu() else { return };
    let matrix = Matrix { unit: Unit::Half16, subgroup: 32 };
    let tuning = Tuning { matrix: Some(matrix), ..Tuning::HARDWARE };
    let usual = |rows, planes| Tile::candidates(gpu.caps(), &tuning, rows, planes)[0];
    for planes in [1, 2] {
        let [large, small] = Tile::matrices(matrix, planes)[..] else { panic!("two tiles") };
        let rows = |bytes: u32| (bytes / planes) as usize;
        assert_eq!(usual(rows(500), planes), large);
        assert_eq!(usual(rows(34), planes), large);
        assert_eq!(usual(rows(32), planes), small);
        assert_eq!(usual(rows(18), planes), small);
        assert!(!matches!(usual(rows(16), planes).method, Method::Matrix(_)));
    }
    assert_eq!(Tuning::SOFTWARE.matrix, None);
    assert!(!gpu.caps().is_software() || Tuning::of(gpu.caps()).matrix.is_none());
}

#[test]
fn a_switch_turns_matrix_units_off() {
    if gpu().is_none() {
        return;
    }
    let with = |switch| {
        let options = Options { disabled: [switch].into(), ..Options::default() };
        Gpu::open_with(&Selection::Best, &options).unwrap()
    };
    let without = with(Switch::CooperativeMatrix);
    assert_eq!(without.caps().matrix.clone().unwrap_err(), "the caller turned them off");
    assert!(!without.caps().features.contains(wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX));
    let floats = with(Switch::F16);
    assert!(floats.caps().matrix.as_ref().is_err() || floats.caps().matrix.as_ref().unwrap().unit == Unit::Float8);
    assert!(with(Switch::Subgroup).caps().matrix.is_err());
}

/// The kernels of every kind of output, for whole and for split x.
fn keys(matrix: Matrix) -> Vec<Key> {
    let of_kind = |kind| {
        let (artifact, plan, _) = case(40, 70, 50, kind, false, 1);
        let shape = shape(&artifact, &plan);
        let tiles = Tile::matrices(matrix, shape.planes).into_iter();
        let lowered = tiles.map(|tile| lower_with(&plan, &artifact, Tuning::HARDWARE, &only(shape, tile)).unwrap());
        lowered.map(|lowered| lowered.dispatches[0].key.clone()).collect::<Vec<_>>()
    };
    (0..12).flat_map(of_kind).collect()
}

#[test]
fn their_shader_is_valid_for_every_unit_and_subgroup() {
    let mut checked = 0;
    for unit in Unit::ALL {
        for subgroup in [4, 8, 16, 32] {
            for key in keys(Matrix { unit, subgroup }) {
                assert_eq!(key.op, "linear_matrix");
                check(&key, unit.half());
                checked += 1;
            }
        }
    }
    // The larger subgroups have two tiles each.
    assert_eq!(checked, 3 * (1 + 1 + 2 + 2) * 12);
}

/// Validates a kernel, writes it as SPIR-V and adds up its shared memory.
fn check(key: &Key, half: bool) {
    let text = source::expand(key.op, &key.features, &key.sizes).unwrap();
    assert!(!text.contains('$') && !text.contains('#'), "{key}: {text}");
    let module = front::wgsl::parse_str(&text).unwrap_or_else(|error| panic!("{key}: {}", error.emit_to_string(&text)));
    let half = if half { Capabilities::SHADER_FLOAT16 } else { Capabilities::empty() };
    let capabilities = Capabilities::COOPERATIVE_MATRIX | Capabilities::SUBGROUP | half;
    let info = Validator::new(ValidationFlags::all(), capabilities)
        .validate(&module)
        .unwrap_or_else(|error| panic!("{key}: {}", error.emit_to_string(&text)));
    let constants = key.constants.iter().map(|&(name, value)| (name.to_owned(), f64::from(value))).collect();
    let (module, info) = process_overrides(&module, &info, Some((ShaderStage::Compute, "main")), &constants).unwrap();
    let mut layouter = Layouter::default();
    layouter.update(module.to_ctx()).unwrap();
    let shared = module.global_variables.iter().filter(|(_, global)| global.space == AddressSpace::WorkGroup);
    let bytes: u32 = shared.map(|(_, global)| layouter[global.ty].size).sum();
    assert!(bytes > 0 && bytes <= provena_engine::gpu::caps::MAX_WORKGROUP_BYTES, "{key}: {bytes} bytes");
    for policy in [BoundsCheckPolicy::Restrict, BoundsCheckPolicy::Unchecked] {
        let bounds_check_policies = BoundsCheckPolicies { index: policy, buffer: policy, ..Default::default() };
        let options = spv::Options { lang_version: (1, 5), bounds_check_policies, ..Default::default() };
        let entry = spv::PipelineOptions { shader_stage: ShaderStage::Compute, entry_point: "main".into() };
        let words = spv::write_vec(&module, &info, &options, Some(&entry)).unwrap_or_else(|e| panic!("{key}: {e}"));
        assert!(words.len() > 1000, "{key}");
    }
}
