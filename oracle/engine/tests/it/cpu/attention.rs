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
    /// Whether the rows are the last tokens of the first sequence, in their order, and not any.
    prompt: bool,
    hostile: bool,
}

fn decoder(seed: u64, shape: &Decoder) {
    let Decoder { rows, kv_heads, group, depth, page, pages, sequences, window, prompt, hostile } = *shape;
    let mut case = Case::new(seed);
    let heads = kv_heads * group;
    let (positions, slots) = (pages * page, (pages * sequences + 1) * page);
    // Sequences may share pages, as those with a common beginning do.
    let table: Vec<u32> = (0..sequences * pages).map(|_| case.random.u32(..slots as u32 / page as u32)).collect();
    let mut fields = Vec::new();
    for row in 0..rows {
        let (position, sequence) = match prompt {
            true => ((positions + row).saturating_sub(rows), 0),
            false => (case.random.usize(..positions), case.random.usize(..sequences)),
        };
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

/// Queries whose bytes are any, which no rotation gives: some are no number of 16 bits.
fn any_queries(seed: u64, rows: usize, group: usize, depth: usize) {
    let mut case = Case::new(seed);
    let (kv_heads, page, pages) = (2, 16, 3);
    let heads = kv_heads * group;
    let queries = case.bytes(Element::Split, rows, heads * depth);
    let fields = case.numbers(4, (0..rows as u32).flat_map(|row| [0, row, 16 + row, 0]).collect());
    let table = case.numbers(pages, vec![1, 2, 3]);
    let (keys, values) = (case.cache(4 * page, kv_heads * depth), case.cache(4 * page, kv_heads * depth));
    case.scales("score", heads, false, 17);
    case.scales("context", heads * depth, false, 0);
    case.falling("exp", 128);
    let out = case.out(Element::Split, rows, heads * depth);
    case.plan.outputs = vec![out];
    case.check(|tensors, plan| {
        plan.push(Op::CachedAttention {
            queries,
            rows: fields,
            pages: table,
            cache: Cache { keys, values, kv_heads, depth, page },
            heads,
            window: 0,
            score_scale: tensors.vector("score"),
            exp_table: tensors.vector("exp"),
            context_scale: tensors.vector("context"),
            out,
        });
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
        window in prop::sample::select(vec![0usize, 1, 5, 30]), prompt: bool, hostile: bool,
    ) {
        let depth = 8 * eighths;
        decoder(seed, &Decoder { rows, kv_heads, group, depth, page, pages, sequences, window, prompt, hostile });
        any_queries(seed, rows, group, depth);
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
        prompt: false,
        hostile: false,
    };
    decoder(2, &shape(0, 1));
    decoder(3, &shape(1_500, 3));
    // Taken together, with pages larger than what is weighed at a time.
    decoder(4, &Decoder { rows: 40, prompt: true, page: 100, pages: 25, ..shape(0, 1) });
    decoder(5, &Decoder { rows: 9, prompt: true, ..shape(1_101, 4) });
}
