//! Operations that take rows apart.

use proptest::prelude::*;
use provena_engine::plan::{Element, Op, Quantise};

use super::support::Case;

const KINDS: [Element; 2] = [Element::I8, Element::Split];

fn embed(seed: u64, tokens: usize, width: usize) {
    let mut case = Case::new(seed);
    let ids: Vec<u32> = (0..tokens).map(|_| case.random.u32(..9)).collect();
    let ids = case.numbers(1, ids);
    for (name, rows) in [("words", 9), ("positions", tokens + 2)] {
        let values: Vec<i16> = (0..rows * width).map(|_| case.random.i16(..)).collect();
        case.builder.i16(name, rows, width, &values);
    }
    let out = case.out(Element::I32, tokens, width);
    case.plan.outputs = vec![out];
    case.check(|tensors, plan| {
        plan.push(Op::Embed { ids, words: tensors.matrix("words"), positions: tensors.matrix("positions"), out });
    });
}

fn norms(seed: u64, rows: usize, width: usize, hostile: bool) {
    let mut case = Case::new(seed);
    let bits = if hostile { 32 } else { 15 };
    let (x, residual) = (case.words(rows, width, bits), case.words(rows, width, bits));
    case.scales("gain", width, hostile, 4);
    case.scales("scale", width, hostile, 7);
    case.i32s("bias", width, if hostile { 32 } else { 10 });
    let outs = [0, 1, 2].map(|_| case.out(Element::I32, rows, width));
    let bytes = case.out(Element::I8, rows, width);
    case.plan.outputs = vec![outs[0], outs[1], bytes];
    case.check(|tensors, plan| {
        let (gain, bias) = (tensors.vector("gain"), tensors.vector("bias"));
        let quantised = Some(Quantise { scale: tensors.vector("scale"), out: bytes });
        plan.push(Op::Norm { x, residual: None, gain, bias, out: outs[0], quantised: None });
        plan.push(Op::Norm { x, residual: Some(residual), gain, bias, out: outs[1], quantised });
        plan.push(Op::Unit { x, out: outs[2] });
    });
}

fn rms_norms(seed: u64, rows: usize, width: usize, hostile: bool) {
    let mut case = Case::new(seed);
    let bits = if hostile { 32 } else { 26 };
    let (x, residual) = (case.words(rows, width, bits), case.words(rows, width, bits));
    case.scales("gain", width, hostile, 4);
    case.i32s("epsilon", 2, if hostile { 32 } else { 12 });
    let sum = case.out(Element::I32, rows, width);
    let outs = [0, 1, 0, 1].map(|i| case.out(KINDS[i], rows, width));
    case.plan.outputs = outs.to_vec();
    case.check(|tensors, plan| {
        let (gain, epsilon) = (tensors.vector("gain"), tensors.vector("epsilon"));
        for (i, out) in outs.into_iter().enumerate() {
            let residual = (i > 0).then_some(residual);
            let sum = (i == 3).then_some(sum);
            plan.push(Op::RmsNorm { x, residual, gain, epsilon, sum, out });
        }
    });
}

fn gates(seed: u64, rows: usize, inner: usize, bits: u32, hostile: bool) {
    let mut case = Case::new(seed);
    let x = case.words(rows, 2 * inner, if hostile { 32 } else { 15 });
    case.i32s("table", (1 << bits) + 1, if hostile { 32 } else { 15 });
    case.scales("scale", inner, hostile, 12);
    let outs = KINDS.map(|kind| case.out(kind, rows, inner));
    case.plan.outputs = outs.to_vec();
    case.check(|tensors, plan| {
        let (table, out_scale) = (tensors.vector("table"), tensors.vector("scale"));
        outs.into_iter().for_each(|out| plan.push(Op::Gate { x, table, out_scale, out }));
    });
}

fn lookups(seed: u64, rows: usize, width: usize, hostile: bool) {
    let mut case = Case::new(seed);
    let fields: Vec<u32> = (0..4 * rows).map(|_| case.random.u32(..11)).collect();
    let fields = case.numbers(4, fields);
    case.weight("words", 11, width);
    case.scales("scale", 11, hostile, 3);
    let picks: Vec<u32> = (0..7).map(|_| case.random.u32(..rows as u32)).collect();
    let picks = case.numbers(1, picks);
    let (stream, picked) = (case.out(Element::I32, rows, width), case.out(Element::I32, 7, width));
    let (sums, best) = (case.out(Element::I32, 1, width), case.out(Element::U32, 7, 1));
    case.plan.outputs = vec![picked, best, sums];
    case.check(|tensors, plan| {
        let (weight, scale) = (tensors.matrix("words"), tensors.vector("scale"));
        plan.push(Op::Lookup { rows: fields, weight, scale, out: stream });
        plan.push(Op::Gather { x: stream, picks, out: picked });
        plan.push(Op::SumRows { x: stream, out: sums });
        plan.push(Op::Argmax { x: picked, out: best });
    });
}

fn samples(seed: u64, rows: usize, width: usize) {
    let mut case = Case::new(seed);
    let logits = case.words(rows, width, if seed.is_multiple_of(2) { 26 } else { 3 });
    let mut params = Vec::new();
    for row in 0..rows {
        let random = &mut case.random;
        let scale = if row % 3 == 0 { 0 } else { random.u32(..) & 0x1f1f_7fff };
        params.extend([scale, random.u32(..12), random.u32(..80_000), random.u32(..)]);
    }
    let params = case.numbers(4, params);
    case.falling("table", 64);
    let out = case.out(Element::U32, rows, 1);
    case.plan.outputs = vec![out];
    case.check(|tensors, plan| {
        plan.push(Op::Sample { logits, params, exp_table: tensors.vector("table"), out });
    });
}

fn images(seed: u64, images: usize, size: [usize; 2], channels: usize, kernel: usize, stride: usize, pad: usize) {
    let mut case = Case::new(seed);
    let x = case.bytes(Element::I8, images * size[0] * size[1], channels);
    let count = |side: usize| (side + 2 * pad - kernel) / stride + 1;
    let patches = case.out(Element::I8, images * count(size[0]) * count(size[1]), kernel * kernel * channels);
    let pooled = case.out(Element::I8, images * (size[0] / kernel) * (size[1] / kernel), channels);
    let flat = case.out(Element::I8, images, size[0] * size[1] * channels);
    case.plan.outputs = vec![patches, pooled, flat];
    case.check(|_, plan| {
        plan.push(Op::Patches { x, size, kernel, stride, pad, out: patches });
        plan.push(Op::MaxPool { x, size, kernel, out: pooled });
        plan.push(Op::Flatten { x, out: flat });
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_of_any_shape_are_the_references(seed: u64, rows in 1usize..40, cols in 1usize..200, hostile: bool) {
        embed(seed, rows, cols);
        norms(seed, rows, cols, hostile);
        rms_norms(seed, rows, cols, hostile);
        gates(seed, rows, cols, 2 + (seed % 9) as u32, hostile);
        lookups(seed, rows, cols, hostile);
        samples(seed, rows, cols);
    }

    #[test]
    fn images_of_any_shape_are_the_references(
        seed: u64, count in 1usize..4, height in 5usize..12, width in 5usize..12, channels in 1usize..20,
        kernel in 1usize..5, stride in 1usize..3, pad in 0usize..3,
    ) {
        images(seed, count, [height, width], channels, kernel, stride, pad);
    }
}

#[test]
fn many_wide_rows_are_the_references() {
    norms(1, 70, 768, false);
    rms_norms(2, 70, 2_048, false);
    gates(3, 20, 5_000, 12, false);
    samples(5, 5, 32_000);
}
