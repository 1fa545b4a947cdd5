//! What does not fit a device is an error with a name, and the device carries on.

use std::sync::Arc;

use provena_engine::artifact::ArtifactBuilder;
use provena_engine::gpu::{Error, Gpu, Options, Selection};
use provena_engine::plan::{Element, Op, Plan};
use provena_engine::recording::GpuModel;
use provena_engine::values::Values;

use super::support::{build, gpu};

/// out = the sum of x's rows.
fn sum(rows: usize, cols: usize) -> Plan {
    let mut plan = Plan::default();
    let x = plan.buffer("the addends", Element::I32, rows, cols);
    let out = plan.buffer("the sums", Element::I32, 1, cols);
    plan.push(Op::SumRows { x, out });
    plan.inputs = vec![x];
    plan.outputs = vec![out];
    plan
}

fn works(model: &GpuModel) {
    let mut state = model.state(&[]).unwrap();
    let sums = model.execute(&sum(3, 2), &[Values::I32(vec![1, 2, 3, 4, 5, 6])], &mut state).unwrap();
    assert_eq!(sums, [Values::I32(vec![9, 12])]);
}

#[test]
fn what_does_not_fit_is_named_and_the_device_carries_on() {
    if gpu().is_none() {
        return;
    }
    let options = Options { memory: Some(4 << 20), ..Options::default() };
    let gpu = Gpu::open_with(&Selection::Best, &options).unwrap();
    let small = GpuModel::load(&gpu, Arc::new(build(ArtifactBuilder::new()))).unwrap();
    works(&small);
    let before = gpu.memory().taken();

    // The first tensor fits, the second does not: the first is free again.
    let mut builder = ArtifactBuilder::new();
    builder.i8("a.weight", 1024, 2048, &vec![1; 2 << 20]);
    builder.i8("b.weight", 1024, 4096, &vec![1; 4 << 20]);
    let error = GpuModel::load(&gpu, Arc::new(build(builder))).unwrap_err();
    let expected = "b.weight does not fit the device's memory: 4194304 bytes";
    assert_eq!(error.to_string(), expected);
    assert_eq!(gpu.memory().taken(), before);
    works(&small);

    let plan = sum(1024, 2048);
    let error = small.prepare(&plan).unwrap_err();
    assert!(matches!(&error, Error::OutOfMemory { label, bytes: 8_388_608 } if label == "the addends"), "{error}");
    let mut cache = Plan::default();
    cache.buffer("keys.000", Element::I8, 1 << 16, 64);
    let error = small.state(&cache.buffers).unwrap_err();
    assert!(matches!(&error, Error::OutOfMemory { label, bytes: 4_194_304 } if label == "keys.000"), "{error}");
    works(&small);
}

#[test]
fn an_absurd_size_is_refused_and_the_device_carries_on() {
    let Some(gpu) = gpu() else { return };
    for bytes in [1 << 40, u64::MAX >> 1] {
        let error = gpu.pool().lease("the universe", bytes).unwrap_err();
        assert!(
            matches!(&error, Error::OutOfMemory { label, bytes: found } if label == "the universe" && *found == bytes)
        );
    }
    works(&GpuModel::load(gpu, Arc::new(build(ArtifactBuilder::new()))).unwrap());
}
