// Scores become weights, and the weighted sums of the values become contexts.
// One invocation per row, VECTORS * 8 columns and HEADS heads that ask the same values, which so are read once for all of
// them. Each goes through all the scores itself: that costs less than a barrier where invocations run one after the other.
#import shared/bytes
#import shared/pages

struct Params {
    rows: u32,
    // Heads that ask.
    heads: u32,
    // Heads that ask the same head of keys and values.
    group: u32,
    // Vectors of a head: an eighth of its depth.
    eighths: u32,
    // Vectors from one slot to the next.
    slot_stride: u32,
    // Pages of the longest sequence.
    pages: u32,
    // How many tokens a row sees, itself included; 0 for all.
    window: u32,
    // Scores from one head to the next.
    span: u32,
    // Entries of the exponential's table.
    table_len: u32,
    // Words from one row of `out` to the next.
    stride: u32,
}

override TILE_HEADS: u32 = 1u;
override TILE_VECTORS: u32 = 1u;

// Weights of up to 16,383 times bytes: so many of them sum up in 32 bits.
const EXACT: u32 = 1024u;

@group(0) @binding(0) var<storage, read> params: Params;
// u32 [rows][4]: token, position, slot, sequence
@group(0) @binding(1) var<storage, read> rows: array<u32>;
// u32 [sequences][pages]
@group(0) @binding(2) var<storage, read> pages: array<u32>;
// i8 [slots][kv_heads * depth], eight to a vector
@group(0) @binding(3) var<storage, read> values: array<vec2u>;
// Scale [heads]
@group(0) @binding(4) var<storage, read> score_scale: array<u32>;
// i32 [table_len]
@group(0) @binding(5) var<storage, read> exp_table: array<i32>;
// Scale [heads * depth]
@group(0) @binding(6) var<storage, read> context_scale: array<u32>;
// i32 [rows][heads][span]
@group(0) @binding(7) var<storage, read> scores: array<i32>;
// i8 [rows][heads * depth], or split values, four to a word, padded with zeros
@group(0) @binding(8) var<storage, read_write> out: array<u32>;

// Writes the contexts of four columns.
fn store(row: u32, word: u32, sum: WideSum4, total: u32) {
    let inverse = reciprocal(total);
    var columns = vec4i(0);
    for (var b = 0u; b < 4u; b++) {
        let context = context_wide(WideSum(sum.low[b], sum.high[b]), inverse);
        columns[b] = clamp_bytes(scale_apply(context_scale[4u * word + b], context));
    }
    store_bytes(row, params.stride, word, columns);
}

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let parts = params.eighths / TILE_VECTORS;
    let part = id.x % parts * TILE_VECTORS;
    let tiles = params.heads / TILE_HEADS;
    let head = id.x / parts % tiles * TILE_HEADS;
    let row = id.x / parts / tiles;
    if row >= params.rows {
        return;
    }
    // Names for what the loops read: a software driver would load it again in every turn.
    let tokens = seen(row, params.window, params.pages);
    let slot_stride = params.slot_stride;
    let table_len = params.table_len;
#repeat h HEADS
    let at$h = (row * params.heads + head + $hu) * params.span;
    let scale$h = score_scale[head + $hu];
    var largest$h = scores[at$h];
#end
    for (var i = 1u; i < tokens.count; i++) {
#repeat h HEADS
        largest$h = max(largest$h, scores[at$h + i]);
#end
    }
    let column = head / params.group * params.eighths + part;
    let nothing = WideSum4(vec4u(0u), vec4i(0));
#repeat h HEADS
    var total$h = 0u;
#repeat v VECTORS
    var left$h_$v = nothing;
    var right$h_$v = nothing;
#end
#end
    for (var start = 0u; start < tokens.count; start += EXACT) {
        let end = min(start + EXACT, tokens.count);
#repeat h HEADS
#repeat v VECTORS
        var a$h_$v = vec4i(0);
        var b$h_$v = vec4i(0);
#end
#end
        for (var i = start; i < end; i++) {
            let place = slot(tokens, i) * slot_stride + column;
#repeat v VECTORS
            let v$v = values[place + $vu];
            let x$v = unpack_i8(v$v.x);
            let y$v = unpack_i8(v$v.y);
#end
#repeat h HEADS
            let weight$h = exp_table[exp_index(largest$h - scores[at$h + i], scale$h, table_len)];
            total$h += bitcast<u32>(weight$h);
#repeat v VECTORS
            a$h_$v += weight$h * x$v;
            b$h_$v += weight$h * y$v;
#end
#end
        }
#repeat h HEADS
#repeat v VECTORS
        left$h_$v = wide_add(left$h_$v, a$h_$v);
        right$h_$v = wide_add(right$h_$v, b$h_$v);
#end
#end
    }
#repeat h HEADS
    let word$h = 2u * ((head + $hu) * params.eighths + part);
#repeat v VECTORS
    store(row, word$h + 2u * $vu, left$h_$v, total$h);
    store(row, word$h + 2u * $vu + 1u, right$h_$v, total$h);
#end
#end
    if head == 0u && part == 0u {
        for (var word = 2u * params.heads * params.eighths; word < column_words(params.stride); word++) {
            store_bytes(row, params.stride, word, vec4i(0));
        }
    }
}
