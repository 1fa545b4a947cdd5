// out[t][c] = clamp_i16(words[ids[t]][c] + positions[t][c]).
// One invocation per pair of columns.
#import shared/fixed
#import shared/pack

struct Params {
    tokens: u32,
    // Even.
    width: u32,
}

@group(0) @binding(0) var<storage, read> params: Params;
// u32 [tokens]
@group(0) @binding(1) var<storage, read> ids: array<u32>;
// i16 [vocabulary][width], two to a word
@group(0) @binding(2) var<storage, read> words: array<u32>;
// i16 [longest input][width], two to a word
@group(0) @binding(3) var<storage, read> positions: array<u32>;
// i32 [tokens][width]
@group(0) @binding(4) var<storage, read_write> out: array<i32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let pairs = params.width / 2u;
    let pair = id.x;
    let token = id.y;
    if pair >= pairs {
        return;
    }
    let word = words[ids[token] * pairs + pair];
    let position = positions[token * pairs + pair];
    let at = token * params.width + 2u * pair;
    out[at] = clamp_i16(half_i16(word, 0u) + half_i16(position, 0u));
    out[at + 1u] = clamp_i16(half_i16(word, 1u) + half_i16(position, 1u));
}
