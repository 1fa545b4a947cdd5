//! Attention, of an encoder and of a decoder.

use proptest::prelude::*;
use provena_engine::plan::{Cache, Element, Op};

use super::support::Case;

fn encoder(seed: u64, tokens: usize, heads: usize, depth: usize, hostile: bool) {
    let mut case = Case::new(seed);
    let width = heads * depth;
    let qkv = case.bytes(Element::I8, tokens, 3 * width);
    case.scales("score", heads, hostile, 8);
    case.scales("context", width, hostile, 5);
    if hostile {
        case.i32s("exp", 100, 32);
    } else {
        case.falling("exp", 100);
    }
    let out = case.out(Element::I8, tokens, width);
    case.plan.outputs = vec![out];
    case.check(|tensors, plan| {
        plan.push(Op::Attention {
            qkv,
            heads,
            score_scale: tensors.vector("score"),
            exp_table: tensors.vector("exp"),
            context_scale: tensors.vector("context"),
            out,
        });
    });
}

/// A decoder's attention.
#[derive(Debug)]
struct Decoder {
    rows: usize,
    kv_heads: usize,
    /// Query heads per head of keys.
    group: usize,
    depth: usize,
    page: usize,
    /// Pages of each sequence.
    pages: usize,
    sequences: usize,
    window: usize,
    hostile: bool,
}

fn decoder(seed: u64, shape: &Decoder) {
    let Decoder { rows, kv_heads, group, depth, page, pages, sequences, window, hostile } = *shape;
    let mut case = Case::new(seed);
    let heads = kv_heads * group;
    let (positions, slots) = (pages * page, (pages * sequences + 1) * page);
    // Sequences may share pages, as those with a common beginning do.
    let table: Vec<u32> = (0..sequences * pages).map(|_| case.random.u32(..slots as u32 / page as u32)).collect();
    let mut fields = Vec::new();
    for _ in 0..rows {
        let (position, sequence) = (case.random.usize(..positions), case.random.usize(..sequences));
        let slot = table[sequence * pages + position / page] as usize * page + position % page;
        fields.extend([0, position as u32, slot as u32, sequence as u32]);
    }
    let qkv = case.words(rows, (heads + 2 * kv_heads) * depth, if hostile { 32 } else { 15 });
    let (fields, table) = (case.numbers(4, fields), case.numbers(pages, table));
    let (keys, values) = (case.cache(slots, kv_heads * depth), case.cache(slots, kv_heads * depth));
    let angles: Vec<i16> = (0..positions * depth).map(|_| case.random.i16(..)).collect();
    case.builder.i16("rotation", positions, depth, &angles);
    case.scales("score", heads, hostile, 17);
    case.scales("context", heads * depth, hostile, 0);
    case.falling("exp", 128);
    let queries = case.out(Element::Split, rows, heads * depth);
    let outs = [Element::I8, Element::Split].map(|kind| case.out(kind, rows, heads * depth));
    case.plan.outputs = outs.to_vec();
    case.check(|tensors, plan| {
        let cache = Cache { keys, values, kv_heads, depth, page };
        plan.push(Op::RotateStore { qkv, rows: fields, table: tensors.matrix("rotation"), cache, queries });
        for out in outs {
            plan.push(Op::CachedAttention {
                queries,
                rows: fields,
                pages: table,
                cache,
                heads,
                window,
                score_scale: tensors.vector("score"),
                exp_table: tensors.vector("exp"),
                context_scale: tensors.vector("context"),
                out,
            });
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_encoders_attention_is_the_references(
        seed: u64, tokens in 1usize..70, heads in 1usize..5, quarters in 1usize..20, hostile: bool,
    ) {
        encoder(seed, tokens, heads, 4 * quarters, hostile);
    }

    #[test]
    fn a_decoders_attention_is_the_references(
        seed: u64, rows in 1usize..40, kv_heads in 1usize..4, group in 1usize..6, eighths in 1usize..12,
        page in prop::sample::select(vec![1usize, 3, 16]), pages in 1usize..5, sequences in 1usize..4,
        window in prop::sample::select(vec![0usize, 1, 5, 30]), hostile: bool,
    ) {
        let depth = 8 * eighths;
        decoder(seed, &Decoder { rows, kv_heads, group, depth, page, pages, sequences, window, hostile });
    }
}

#[test]
fn long_contexts_stay_exact() {
    encoder(1, 515, 2, 32, false);
    let shape = |window, group| Decoder {
        rows: 3,
        kv_heads: 2,
        group,
        depth: 64,
        page: 16,
        pages: 200,
        sequences: 2,
        window,
        hostile: false,
    };
    decoder(2, &shape(0, 1));
    decoder(3, &shape(1_500, 3));
}
