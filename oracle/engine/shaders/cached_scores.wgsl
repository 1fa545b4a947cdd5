// scores[r][h][i] = q . key of the i-th token that row r sees, exact.
// One invocation per row, token and HEADS heads that ask the same key, which so is read once for all of them.
#import shared/fixed
#import shared/pages

struct Params {
    // Heads that ask.
    heads: u32,
    // Heads that ask the same head of keys and values.
    group: u32,
    // Vectors of a head: an eighth of its depth.
    eighths: u32,
    // Vectors from one row of the queries to the next, of which the first half are the high bytes.
    query_stride: u32,
    // Vectors from one slot to the next.
    slot_stride: u32,
    // Pages of the longest sequence.
    pages: u32,
    // How many tokens a row sees, itself included; 0 for all.
    window: u32,
    // Scores from one head to the next.
    span: u32,
}

override TILE_HEADS: u32 = 1u;

@group(0) @binding(0) var<storage, read> params: Params;
// Split [rows][heads * depth], eight columns to a vector
@group(0) @binding(1) var<storage, read> queries: array<vec2u>;
// u32 [rows][4]: token, position, slot, sequence
@group(0) @binding(2) var<storage, read> rows: array<u32>;
// u32 [sequences][pages]
@group(0) @binding(3) var<storage, read> pages: array<u32>;
// i8 [slots][kv_heads * depth], eight to a vector
@group(0) @binding(4) var<storage, read> keys: array<vec2u>;
// i32 [rows][heads][span]
@group(0) @binding(5) var<storage, read_write> scores: array<i32>;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    let row = id.y;
    let head = id.z * TILE_HEADS;
    let tokens = seen(row);
    if i >= tokens.count {
        return;
    }
    let plane = params.query_stride / 2u;
    let query = row * params.query_stride + head * params.eighths;
    let key = slot(tokens.sequence, tokens.first + i) * params.slot_stride + head / params.group * params.eighths;
#repeat h HEADS
    var high$h = 0;
    var low$h = 0;
#end
    for (var c = 0u; c < params.eighths; c++) {
        let k = keys[key + c];
#repeat h HEADS
        let h$h = queries[query + $hu * params.eighths + c];
        let l$h = queries[query + $hu * params.eighths + plane + c];
        high$h += dot4I8Packed(h$h.x, k.x) + dot4I8Packed(h$h.y, k.y);
        low$h += dot4I8Packed(l$h.x, k.x) + dot4I8Packed(l$h.y, k.y);
#end
    }
    let at = (row * params.heads + head) * params.span + i;
#repeat h HEADS
    scores[at + $hu * params.span] = shift_left(high$h, 8u) + low$h;
#end
}
