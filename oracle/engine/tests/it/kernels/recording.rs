//! What a recording refuses, keeps and shares.

use std::sync::Arc;

use provena_engine::artifact::ArtifactBuilder;
use provena_engine::gpu::{Error, Gpu, Selection};
use provena_engine::kernels::self_test;
use provena_engine::plan::{Element, Op, Plan};
use provena_engine::recording::{GpuModel, MAX_RECORDED};
use provena_engine::values::Values;

use super::support::{build, gpu};

/// A model without tensors, unless the GPU is not to be tested.
fn model() -> Option<GpuModel> {
    gpu().map(|gpu| GpuModel::load(gpu, Arc::new(build(ArtifactBuilder::new()))).unwrap())
}

fn sum(rows: usize, width: usize) -> Plan {
    let mut plan = Plan::default();
    let x = plan.buffer("x", Element::I32, rows, width);
    let out = plan.buffer("out", Element::I32, 1, width);
    plan.push(Op::SumRows { x, out });
    plan.inputs = vec![x];
    plan.outputs = vec![out];
    plan
}

#[test]
fn execute_rejects_an_input_that_does_not_fill_its_buffer() {
    let Some(model) = model() else { return };
    let error = model.execute(&sum(2, 3), &[Values::I32(vec![1; 5])], &mut model.state(&[]).unwrap()).unwrap_err();
    assert!(matches!(error, Error::Length { expected: 24, found: 20, .. }), "{error}");
}

#[test]
fn record_rejects_shapes_that_contradict_each_other_and_names_the_operation() {
    let mut plan = sum(2, 3);
    plan.buffers[1].cols = 4;
    let Some(model) = model() else { return };
    let error = model.prepare(&plan).unwrap_err();
    assert_eq!(error.to_string(), "operation 0 (sum_rows): length of the sum: 4 and 3 differ");
}

#[test]
fn record_rejects_a_buffer_beyond_one_binding() {
    let Some(model) = model() else { return };
    let error = model.prepare(&sum(1 << 15, 1 << 11)).unwrap_err();
    assert!(matches!(error, Error::BindingTooLarge { bytes: 268_435_456, .. }), "{error}");
}

#[test]
fn record_rejects_a_grid_beyond_what_a_dispatch_covers() {
    let mut plan = Plan::default();
    let x = plan.buffer("x", Element::I32, 70_000, 1);
    let out = plan.buffer("out", Element::I32, 70_000, 1);
    plan.push(Op::Unit { x, out });
    plan.inputs = vec![x];
    let Some(model) = model() else { return };
    let error = model.prepare(&plan).unwrap_err();
    assert_eq!(error.to_string(), "operation 0 (unit): 70000 workgroups along one side; at most 65535 fit");
}

#[test]
fn more_plans_than_are_kept_still_give_right_answers() {
    let Some(model) = model() else { return };
    for round in 0..2 {
        for rows in 1..=MAX_RECORDED + 3 {
            let input = Values::I32((0..rows as i32 * 5).map(|value| value + round).collect());
            self_test::compare(&model, &sum(rows, 5), &[input], &[]).unwrap();
        }
    }
}

#[test]
fn threads_share_a_model() {
    let Some(model) = model() else { return };
    std::thread::scope(|scope| {
        for thread in 0..4usize {
            let model = &model;
            scope.spawn(move || {
                for turn in 0..20usize {
                    // Half of the turns use the plan of all threads, half one of their own.
                    let rows = if turn % 2 == 0 { 7 } else { 8 + thread };
                    let value = (thread * 1000 + turn) as i32;
                    let sums = model
                        .execute(&sum(rows, 3), &[Values::I32(vec![value; rows * 3])], &mut model.state(&[]).unwrap())
                        .unwrap();
                    assert_eq!(sums, [Values::I32(vec![value * rows as i32; 3])]);
                }
            });
        }
    });
}

#[test]
fn buffers_are_used_again_once_their_model_is_gone() {
    if gpu().is_none() {
        return;
    }
    let gpu = Gpu::open(&Selection::Best).unwrap();
    let artifact = Arc::new(build(ArtifactBuilder::new()));
    assert_eq!(gpu.pool().idle_bytes(), 0);
    let model = GpuModel::load(&gpu, artifact.clone()).unwrap();
    model.prepare(&sum(100, 100)).unwrap();
    drop(model);
    let idle = gpu.pool().idle_bytes();
    assert!(idle >= 40_000, "{idle}");
    GpuModel::load(&gpu, artifact).unwrap().prepare(&sum(100, 100)).unwrap();
    assert_eq!(gpu.pool().idle_bytes(), idle);
}
