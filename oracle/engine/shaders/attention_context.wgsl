// out[i][c] = clamp_i8(context_scale[c].apply(context(sum over j of weights[h][i][j] * v[j][c], reciprocal(totals)))).
// One invocation per eight rows by four neighbouring columns, which lie in one head, because a head's width is a
// multiple of four.
#import shared/fixed
#import shared/pack

struct Params {
    tokens: u32,
    // Words from one row of qkv to the next.
    stride: u32,
    // Words of one head in a row.
    head: u32,
    // Words from a row's queries to its values: half of the model's width.
    values: u32,
    // Columns of the output.
    width: u32,
    // Words from one row of the output to the next.
    out_stride: u32,
}

@group(0) @binding(0) var<storage, read> params: Params;
// i8 [tokens][3 * width], four to a word
@group(0) @binding(1) var<storage, read> qkv: array<u32>;
// i32 [heads][tokens][tokens]
@group(0) @binding(2) var<storage, read> weights: array<i32>;
// u32 [heads][tokens]
@group(0) @binding(3) var<storage, read> totals: array<u32>;
// Scale [width]
@group(0) @binding(4) var<storage, read> context_scale: array<u32>;
// i8 [tokens][width], four to a word, padded with zeros
@group(0) @binding(5) var<storage, read_write> out: array<u32>;

fn store(i: u32, h: u32, word: u32, sum: vec4i) {
    if i >= params.tokens {
        return;
    }
    let inverse = reciprocal(totals[h * params.tokens + i]);
    let c = 4u * word;
    let bytes = vec4i(
        clamp_i8(scale_apply(context_scale[c], context(sum.x, inverse))),
        clamp_i8(scale_apply(context_scale[c + 1u], context(sum.y, inverse))),
        clamp_i8(scale_apply(context_scale[c + 2u], context(sum.z, inverse))),
        clamp_i8(scale_apply(context_scale[c + 3u], context(sum.w, inverse))),
    );
    out[i * params.out_stride + word] = pack_i8(bytes);
}

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let word = id.x;
    let i = 8u * id.y;
    if word >= params.out_stride {
        return;
    }
    if 4u * word >= params.width {
        for (var row = i; row < min(i + 8u, params.tokens); row++) {
            out[row * params.out_stride + word] = 0u;
        }
        return;
    }
    let h = word / params.head;
    // Rows beyond the last are computed from the last and not stored.
    let last = params.tokens - 1u;
    let first = h * params.tokens;
    let r0 = (first + i) * params.tokens;
    let r1 = (first + min(i + 1u, last)) * params.tokens;
    let r2 = (first + min(i + 2u, last)) * params.tokens;
    let r3 = (first + min(i + 3u, last)) * params.tokens;
    let r4 = (first + min(i + 4u, last)) * params.tokens;
    let r5 = (first + min(i + 5u, last)) * params.tokens;
    let r6 = (first + min(i + 6u, last)) * params.tokens;
    let r7 = (first + min(i + 7u, last)) * params.tokens;
    var s0 = vec4i(0);
    var s1 = vec4i(0);
    var s2 = vec4i(0);
    var s3 = vec4i(0);
    var s4 = vec4i(0);
    var s5 = vec4i(0);
    var s6 = vec4i(0);
    var s7 = vec4i(0);
    for (var j = 0u; j < params.tokens; j++) {
        let v = unpack_i8(qkv[j * params.stride + params.values + word]);
        s0 += weights[r0 + j] * v;
        s1 += weights[r1 + j] * v;
        s2 += weights[r2 + j] * v;
        s3 += weights[r3 + j] * v;
        s4 += weights[r4 + j] * v;
        s5 += weights[r5 + j] * v;
        s6 += weights[r6 + j] * v;
        s7 += weights[r7 + j] * v;
    }
    store(i, h, word, s0);
    store(i + 1u, h, word, s1);
    store(i + 2u, h, word, s2);
    store(i + 3u, h, word, s3);
    store(i + 4u, h, word, s4);
    store(i + 5u, h, word, s5);
    store(i + 6u, h, word, s6);
    store(i + 7u, h, word, s7);
}
