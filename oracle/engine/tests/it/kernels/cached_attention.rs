//! Attention to cached tokens: several sequences, pages out of order, shared heads, windows, long contexts.

use proptest::prelude::*;
use provena_arith::fixed::{EXP_ONE, Scale};
use provena_engine::artifact::{ArtifactBuilder, Dtype};
use provena_engine::plan::{Cache, Element, Op, Plan, ROW_FIELDS};
use provena_engine::values::Values;

use super::support::{build, byte_rows, check_with, hostile_scales, scales};

/// What is attended to what.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub rows: usize,
    pub sequences: usize,
    /// Pages of the longest sequence.
    pub pages: usize,
    pub page: usize,
    pub kv_heads: usize,
    /// Heads that ask the same head.
    pub group: usize,
    pub depth: usize,
    pub window: usize,
    pub split: bool,
}

/// How nasty the data is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Data {
    /// As an importer would choose it.
    Usual,
    /// Any scales, any weights below 2^14.
    Hostile,
    /// All weights as large as they can be and all values the same, so that no sum can be larger.
    Largest,
}

/// Attends and gives the number of elements compared. The first row asks from the last position of its sequence.
pub(super) fn attend(shape: Shape, data: Data, seed: u64) -> usize {
    let mut random = fastrand::Rng::with_seed(seed);
    let Shape { rows, sequences, pages: longest, page, kv_heads, group, depth, window, split } = shape;
    let (heads, entries) = (kv_heads * group, random.usize(1..600));
    let width = heads * depth;
    let mut builder = ArtifactBuilder::new();
    let falling = |at: usize| EXP_ONE * (entries - 1 - at) as i32 / entries as i32;
    let (score, context, table): (Vec<Scale>, Vec<Scale>, Vec<i32>) = match data {
        Data::Usual => {
            let context = scales(&mut random, width, if split { 0 } else { 7 });
            (scales(&mut random, heads, 14), context, (0..entries).map(falling).collect())
        }
        Data::Hostile => {
            let table = (0..entries).map(|_| random.i32(0..=EXP_ONE)).collect();
            (hostile_scales(&mut random, heads), hostile_scales(&mut random, width), table)
        }
        Data::Largest => {
            (scales(&mut random, heads, 14), vec![Scale::new(0x7fff, 0, 1); width], vec![EXP_ONE; entries])
        }
    };
    builder.scales("score", &score);
    builder.scales("context", &context);
    builder.i32("exp", &table);
    let artifact = build(builder);
    let vector = |name: &str, dtype| artifact.find_table(name, dtype).unwrap().0;

    let slots = (sequences * longest + 1) * page;
    let mut plan = Plan::default();
    let queries = plan.buffer("queries", Element::Split, rows, width);
    let fields = plan.buffer("rows", Element::U32, rows, ROW_FIELDS);
    let pages = plan.buffer("pages", Element::U32, sequences, longest);
    let [keys, values] = ["keys", "values"].map(|name| plan.buffer(name, Element::I8, slots, kv_heads * depth));
    let out = plan.buffer("out", if split { Element::Split } else { Element::I8 }, rows, width);
    plan.push(Op::CachedAttention {
        queries,
        rows: fields,
        pages,
        cache: Cache { keys, values, kv_heads, depth, page },
        heads,
        window,
        score_scale: vector("score", Dtype::Scale),
        exp_table: vector("exp", Dtype::I32),
        context_scale: vector("context", Dtype::Scale),
        out,
    });
    plan.inputs = vec![queries, fields, pages];
    plan.state = vec![keys, values];

    // Two rows of bytes are the rows of high and of low bytes.
    let queries = byte_rows(&mut random, 2 * rows, width);
    let mut numbers: Vec<u32> = (1..=(sequences * longest) as u32).collect();
    random.shuffle(&mut numbers);
    let tokens = (longest * page) as u32;
    let fields = (0..rows).flat_map(|row| {
        let position = if row == 0 { tokens - 1 } else { random.u32(..tokens) };
        [random.u32(..), position, random.u32(..), random.u32(..sequences as u32)]
    });
    let fields = fields.collect();
    let mut state = [(); 2].map(|()| byte_rows(&mut random, slots, kv_heads * depth));
    if data == Data::Largest {
        state[1].iter_mut().filter(|value| **value != 0).for_each(|value| *value = -128);
    }
    let inputs = [Values::I8(queries), Values::U32(fields), Values::U32(numbers)];
    check_with(artifact, &plan, &inputs, &state.map(Values::I8))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cached_attention_is_its_scalar_twin(
        rows in 1usize..40, sequences in 1usize..5, pages in 1usize..12, page in 0usize..3, kv_heads in 1usize..4,
        group in 1usize..5, eighths in 1usize..=16, window in 0usize..60, split: bool, hostile: bool, seed: u64
    ) {
        let shape = Shape {
            rows,
            sequences,
            pages,
            // Each size of a page is a pipeline of its own.
            page: [16, 1, 5][page],
            kv_heads,
            group,
            depth: 8 * eighths,
            // Half of the cases see everything.
            window: window.saturating_sub(30),
            split,
        };
        attend(shape, if hostile { Data::Hostile } else { Data::Usual }, seed);
    }
}

const LONG: Shape =
    Shape { rows: 2, sequences: 1, pages: 70, page: 16, kv_heads: 1, group: 3, depth: 64, window: 0, split: true };

#[test]
fn sums_over_long_contexts_are_exact() {
    // Just around the number of tokens whose products fit 32 bits, and three times as many.
    for (pages, seed) in [(63, 1), (64, 2), (65, 3), (200, 4)] {
        attend(Shape { pages, ..LONG }, Data::Largest, seed);
    }
    attend(Shape { pages: 200, window: 2_500, depth: 24, ..LONG }, Data::Largest, 5);
    attend(Shape { pages: 130, split: false, ..LONG }, Data::Usual, 6);
    attend(Shape { pages: 130, depth: 512, group: 1, ..LONG }, Data::Hostile, 7);
}

#[test]
fn cached_attention_of_a_decoders_shapes() {
    let small = Shape { kv_heads: 3, depth: 64, ..LONG };
    attend(Shape { rows: 1, pages: 16, ..small }, Data::Usual, 1);
    attend(Shape { rows: 32, sequences: 8, pages: 4, ..small }, Data::Usual, 2);
    attend(Shape { rows: 1, pages: 8, kv_heads: 4, group: 8, depth: 128, ..LONG }, Data::Usual, 3);
}
