// Attention of each row to the tokens of its own sequence that it sees, whose keys and values lie in pages.
// One workgroup per row and head: its invocations share the tokens, then the columns.
//
// Scores become weights once the largest is known. Those of the first CHUNK tokens wait in shared memory; longer
// contexts compute theirs a second time. Sums are exact, so neither the chunks nor the lanes can show in a bit.
#import shared/bytes
#import shared/pages
#import shared/reduce

struct Params {
    // Heads that ask.
    heads: u32,
    // Heads that ask the same head of keys and values.
    group: u32,
    // Words of a head: a quarter of its depth.
    words: u32,
    // Vectors of two words from one row of the queries to the next, of which the first half are the high bytes.
    query_stride: u32,
    // Words from one slot to the next.
    slot_stride: u32,
    // Pages of the longest sequence.
    pages: u32,
    // How many tokens a row sees, itself included; 0 for all.
    window: u32,
    // Entries of the exponential's table.
    table_len: u32,
    // Words from one row of `out` to the next.
    stride: u32,
}

override LANES: u32 = 64u;
// Tokens whose weights are in shared memory at a time.
const CHUNK: u32 = 1024u;
// Weights of up to 16,383 times bytes: so many of them sum up in 32 bits.
const EXACT: u32 = 1024u;
// Words of the widest head, and invocations at most.
const MAX_ENTRIES: u32 = 128u;

@group(0) @binding(0) var<storage, read> params: Params;
// Split [rows][heads * depth], eight columns to a vector
@group(0) @binding(1) var<storage, read> queries: array<vec2u>;
// u32 [rows][4]: token, position, slot, sequence
@group(0) @binding(2) var<storage, read> rows: array<u32>;
// u32 [sequences][pages]
@group(0) @binding(3) var<storage, read> pages: array<u32>;
// i8 [slots][kv_heads * depth], eight to a vector
@group(0) @binding(4) var<storage, read> keys: array<vec2u>;
// i8 [slots][kv_heads * depth], four to a word
@group(0) @binding(5) var<storage, read> values: array<u32>;
// Scale [heads]
@group(0) @binding(6) var<storage, read> score_scale: array<u32>;
// i32 [table_len]
@group(0) @binding(7) var<storage, read> exp_table: array<i32>;
// Scale [heads * depth]
@group(0) @binding(8) var<storage, read> context_scale: array<u32>;
// i8 [rows][heads * depth], or split values, four to a word, padded with zeros
@group(0) @binding(9) var<storage, read_write> out: array<u32>;

var<workgroup> weights: array<i32, CHUNK>;
// The sums of a word of columns over a share of the tokens, each written by one invocation.
var<workgroup> sums: array<WideSum4, MAX_ENTRIES>;

// The product of a head's query, from vector `query` on, with the key from vector `key` on.
fn score(query: u32, key: u32) -> i32 {
    let plane = params.query_stride / 2u;
    var high = 0;
    var low = 0;
    for (var c = 0u; c < params.words / 2u; c++) {
        let k = keys[key + c];
        let h = queries[query + c];
        let l = queries[query + plane + c];
        high += dot4I8Packed(h.x, k.x) + dot4I8Packed(h.y, k.y);
        low += dot4I8Packed(l.x, k.x) + dot4I8Packed(l.y, k.y);
    }
    return shift_left(high, 8u) + low;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let head = group.x;
    let row = group.y;
    let tokens = seen(row, params.window, params.pages);
    let count = tokens.count;
    let query = row * params.query_stride + head * params.words / 2u;
    // Words from a slot's start to the head's keys and values.
    let at = head / params.group * params.words;

    // As unsigned numbers in the same order, so that one reduction serves all.
    var part = 0u;
    for (var i = lane; i < count; i += LANES) {
        let s = score(query, (slot(tokens, i) * params.slot_stride + at) / 2u);
        part = max(part, bitcast<u32>(s) ^ 0x80000000u);
        if i < CHUNK {
            weights[i] = s;
        }
    }
    let largest = bitcast<i32>(reduce_max(lane, part) ^ 0x80000000u);

    // Where invocations outnumber words, several share a word's tokens.
    let shares = max(LANES / params.words, 1u);
    let entries = shares * params.words;
    for (var entry = lane; entry < entries; entry += LANES) {
        sums[entry] = WideSum4(vec4u(0u), vec4i(0));
    }
    let scale = score_scale[head];
    var total = 0u;
    for (var start = 0u; start < count; start += CHUNK) {
        let length = min(CHUNK, count - start);
        for (var i = lane; i < length; i += LANES) {
            var s = weights[i];
            if start != 0u {
                s = score(query, (slot(tokens, start + i) * params.slot_stride + at) / 2u);
            }
            let weight = exp_table[exp_index(largest - s, scale, params.table_len)];
            weights[i] = weight;
            total += bitcast<u32>(weight);
        }
        workgroupBarrier();
        for (var entry = lane; entry < entries; entry += LANES) {
            let word = at + entry % params.words;
            var i = entry / params.words;
            while i < length {
                let end = min(length, i + EXACT * shares);
                var partial = vec4i(0);
                for (; i < end; i += shares) {
                    let v = values[slot(tokens, start + i) * params.slot_stride + word];
                    partial += weights[i] * unpack_i8(v);
                }
                sums[entry] = wide_add(sums[entry], partial);
            }
        }
        workgroupBarrier();
    }
    let inverse = reciprocal(reduce_sum(lane, total));

    for (var word = lane; word < params.words; word += LANES) {
        var sum = sums[word];
        for (var share = 1u; share < shares; share++) {
            sum = wide_merge(sum, sums[share * params.words + word]);
        }
        var columns = vec4i(0);
        for (var b = 0u; b < 4u; b++) {
            let context = context_wide(WideSum(sum.low[b], sum.high[b]), inverse);
            let c = 4u * (head * params.words + word) + b;
            columns[b] = clamp_bytes(scale_apply(context_scale[c], context));
        }
        store_bytes(row, params.stride, head * params.words + word, columns);
    }
    if head + 1u == params.heads {
        for (var word = params.heads * params.words + lane; word < column_words(params.stride); word += LANES) {
            store_bytes(row, params.stride, word, vec4i(0));
        }
    }
}
