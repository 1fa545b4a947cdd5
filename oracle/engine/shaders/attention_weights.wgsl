// weights[h][i][j] = exp_table[exp_index(max over j of scores[h][i] - scores[h][i][j])], in place of the scores, and
// totals[h][i] = the sum of the row's weights. The largest is found first, in integers: nothing is ever rescaled.
// One invocation per row of one head.
#import shared/fixed

struct Params {
    tokens: u32,
    heads: u32,
    // Entries of the exponential's table.
    table_len: u32,
}

@group(0) @binding(0) var<storage, read> params: Params;
// i32 [heads][tokens][tokens]
@group(0) @binding(1) var<storage, read_write> scores: array<i32>;
// Scale [heads]
@group(0) @binding(2) var<storage, read> score_scale: array<u32>;
// i32 [table_len]
@group(0) @binding(3) var<storage, read> exp_table: array<i32>;
// u32 [heads][tokens]
@group(0) @binding(4) var<storage, read_write> totals: array<u32>;

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let row = id.x;
    if row >= params.heads * params.tokens {
        return;
    }
    let start = row * params.tokens;
    var largest = scores[start];
    for (var j = 1u; j < params.tokens; j++) {
        largest = max(largest, scores[start + j]);
    }
    let scale = score_scale[row / params.tokens];
    var total = 0u;
    for (var j = 0u; j < params.tokens; j++) {
        let weight = exp_table[exp_index(largest - scores[start + j], scale, params.table_len)];
        scores[start + j] = weight;
        total += bitcast<u32>(weight);
    }
    totals[row] = total;
}
