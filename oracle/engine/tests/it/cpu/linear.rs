//! Matrix products.

use proptest::prelude::*;
use provena_engine::plan::{Element, LinearOutput, Op};

use super::support::Case;

/// A product with each of its finishes.
fn check(seed: u64, element: Element, [rows, inputs, outputs]: [usize; 3], hostile: bool) {
    let mut case = Case::new(seed);
    let x = case.bytes(element, rows, inputs);
    case.weight("weight", outputs, inputs);
    case.i32s("bias", outputs, if hostile { 32 } else { 20 });
    for name in ["scale", "in", "out"] {
        case.scales(name, outputs, hostile, 9);
    }
    case.i32s("table", 1 << 7, if hostile { 32 } else { 12 });
    let words = [0, 1, 2].map(|_| case.out(Element::I32, rows, outputs));
    let bytes = [0, 1, 2].map(|_| case.out(Element::I8, rows, outputs));
    case.plan.outputs = words.into_iter().chain(bytes).collect();
    case.check(|tensors, plan| {
        let (weight, bias, scale) = (tensors.matrix("weight"), tensors.vector("bias"), tensors.vector("scale"));
        let (in_scale, table, out_scale) = (tensors.vector("in"), tensors.vector("table"), tensors.vector("out"));
        for output in [
            LinearOutput::Raw { out: words[0] },
            LinearOutput::Int16 { scale, out: words[1] },
            LinearOutput::Wide { scale, out: words[2] },
            LinearOutput::Int8 { scale, relu: false, out: bytes[0] },
            LinearOutput::Int8 { scale, relu: true, out: bytes[1] },
            LinearOutput::Table { in_scale, table, out_scale, out: bytes[2] },
        ] {
            plan.push(Op::Linear { x, weight, bias, output });
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn products_of_any_shape_are_the_references(
        seed: u64, split: bool, rows in 1usize..40, inputs in 1usize..200, outputs in 1usize..200, hostile: bool,
    ) {
        check(seed, if split { Element::Split } else { Element::I8 }, [rows, inputs, outputs], hostile);
    }
}

#[test]
fn products_at_the_edges_of_tiles_and_pieces_are_the_references() {
    let shapes = [
        [1, 1, 1],
        [1, 768, 700],
        [2, 2_048, 100],
        [3, 64, 2_000],
        [6, 400, 333],
        [7, 400, 333],
        [16, 64, 48],
        [17, 48, 49],
        [32, 80, 97],
        [33, 1_536, 60],
        [129, 33, 61],
        [300, 100, 70],
        [513, 16, 13],
    ];
    for (i, shape) in shapes.into_iter().enumerate() {
        for element in [Element::I8, Element::Split] {
            check(i as u64, element, shape, i % 2 == 0);
        }
    }
}

#[test]
fn sums_beyond_32_bits_wrap_as_the_references_do() {
    for rows in [1, 9] {
        // 140,000 products of -128 * -128 exceed 2^31.
        let inputs = 140_000;
        let mut case = Case::new(9);
        let x = case.bytes(Element::I8, rows, inputs);
        if let Some(provena_engine::values::Values::I8(values)) = case.inputs.first_mut() {
            values.iter_mut().for_each(|v| *v = -128);
        }
        case.builder.i8("weight", 5, inputs, &vec![-128; 5 * inputs]);
        case.i32s("bias", 5, 32);
        let out = case.out(Element::I32, rows, 5);
        case.plan.outputs = vec![out];
        case.check(|tensors, plan| {
            let (weight, bias) = (tensors.matrix("weight"), tensors.vector("bias"));
            plan.push(Op::Linear { x, weight, bias, output: LinearOutput::Raw { out } });
        });
    }
}
