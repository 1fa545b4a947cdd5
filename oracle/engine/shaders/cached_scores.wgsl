// scores[r][h][i] = q . key of the i-th token that row r sees, exact.
// One invocation per row, TOKENS neighbouring tokens and HEADS heads that ask the same keys: every loaded word is used
// several times, because loads are what costs where the driver does them lane by lane.
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
override TILE_TOKENS: u32 = 1u;

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

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x * TILE_TOKENS;
    let row = id.y;
    let head = id.z * TILE_HEADS;
    let tokens = seen(row, params.window, params.pages);
    if i >= tokens.count {
        return;
    }
    // Names for what the loop reads: a software driver would load it again in every turn.
    let eighths = params.eighths;
    let plane = params.query_stride / 2u;
    let query = row * params.query_stride + head * eighths;
    let column = head / params.group * eighths;
    // Tokens beyond the last are computed from the last and not stored.
    let last = tokens.count - 1u;
#repeat t TOKENS
    let key$t = slot(tokens, min(i + $tu, last)) * params.slot_stride + column;
#repeat h HEADS
    var high$t_$h = 0;
    var low$t_$h = 0;
#end
#end
    for (var c = 0u; c < eighths; c++) {
#repeat t TOKENS
        let k$t = keys[key$t + c];
#end
#repeat h HEADS
        let h$h = queries[query + $hu * eighths + c];
        let l$h = queries[query + $hu * eighths + plane + c];
#repeat t TOKENS
        high$t_$h += dot4I8Packed(h$h.x, k$t.x) + dot4I8Packed(h$h.y, k$t.y);
        low$t_$h += dot4I8Packed(l$h.x, k$t.x) + dot4I8Packed(l$h.y, k$t.y);
#end
#end
    }
    let span = params.span;
    let at = (row * params.heads + head) * span + i;
#repeat t TOKENS
    if i + $tu < tokens.count {
#repeat h HEADS
        scores[at + $hu * span + $tu] = shift_left(high$t_$h, 8u) + low$t_$h;
#end
    }
#end
}
