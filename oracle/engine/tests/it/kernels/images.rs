//! Patches, pools and flattened images of awkward sizes.

use proptest::prelude::*;
use provena_engine::artifact::ArtifactBuilder;
use provena_engine::plan::{BufferId, Element, Op, Plan};
use provena_engine::values::Values;

use super::support::{build, byte_rows, check};

/// A plan with images as its input, to which `add` adds an operation.
fn images(
    count: usize,
    [height, width]: [usize; 2],
    channels: usize,
    seed: u64,
    add: impl FnOnce(&mut Plan, BufferId),
) {
    let mut plan = Plan::default();
    let rows = count * height * width;
    let x = plan.buffer("x", Element::I8, rows, channels);
    plan.inputs = vec![x];
    add(&mut plan, x);
    let values = byte_rows(&mut fastrand::Rng::with_seed(seed), rows, channels);
    check(build(ArtifactBuilder::new()), &plan, &Values::I8(values));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn patches_is_its_scalar_twin(
        count in 1usize..4, height in 1usize..14, width in 1usize..14, channels in 1usize..50,
        kernel in 1usize..6, stride in 1usize..4, pad in 0usize..4, seed: u64
    ) {
        let size = [height, width];
        // A third of the cases each with bytes, words and vectors of channels.
        let channels = if channels < 17 { channels } else if channels < 34 { channels / 4 * 4 } else { channels / 16 * 16 };
        prop_assume!(size.iter().all(|side| side + 2 * pad >= kernel));
        images(count, size, channels, seed, |plan, x| {
            let [down, across] = size.map(|side| (side + 2 * pad - kernel) / stride + 1);
            let out = plan.buffer("out", Element::I8, count * down * across, kernel * kernel * channels);
            plan.push(Op::Patches { x, size, kernel, stride, pad, out });
        });
    }

    #[test]
    fn max_pool_is_its_scalar_twin(
        count in 1usize..4, down in 1usize..6, across in 1usize..6, kernel in 1usize..5,
        rest in 0usize..5, channels in 1usize..40, seed: u64
    ) {
        let size = [down * kernel + rest % kernel, across * kernel + (rest / 2) % kernel];
        images(count, size, channels, seed, |plan, x| {
            let out = plan.buffer("out", Element::I8, count * down * across, channels);
            plan.push(Op::MaxPool { x, size, kernel, out });
        });
    }

    #[test]
    fn flatten_is_its_scalar_twin(count in 1usize..10, pixels in 1usize..50, channels in 1usize..40, seed: u64) {
        images(count, [pixels, 1], channels, seed, |plan, x| {
            let out = plan.buffer("out", Element::I8, count, pixels * channels);
            plan.push(Op::Flatten { x, out });
        });
    }
}
