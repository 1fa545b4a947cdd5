// scores[h][i][j] = q[i] . k[j] in head h.
// One invocation per tile of four queries by four keys of one head.
struct Params {
    tokens: u32,
    // Words from one row of qkv to the next.
    stride: u32,
    // Words of one head in a row: a quarter of the head's width.
    head: u32,
    // Words from a row's queries to its keys: a quarter of the model's width.
    keys: u32,
}

@group(0) @binding(0) var<storage, read> params: Params;
// i8 [tokens][3 * width], four to a word
@group(0) @binding(1) var<storage, read> qkv: array<u32>;
// i32 [heads][tokens][tokens]
@group(0) @binding(2) var<storage, read_write> scores: array<i32>;

fn store(row: u32, i: u32, j: u32, score: vec4i) {
    if i >= params.tokens {
        return;
    }
    let at = (row + i) * params.tokens + j;
    scores[at] = score.x;
    if j + 1u < params.tokens {
        scores[at + 1u] = score.y;
    }
    if j + 2u < params.tokens {
        scores[at + 2u] = score.z;
    }
    if j + 3u < params.tokens {
        scores[at + 3u] = score.w;
    }
}

@compute @workgroup_size(8, 4)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let j = 4u * id.x;
    let i = 4u * id.y;
    let h = id.z;
    if i >= params.tokens || j >= params.tokens {
        return;
    }
    // Tokens beyond the last are computed from the last and not stored.
    let last = params.tokens - 1u;
    let q0 = min(i, last) * params.stride + h * params.head;
    let q1 = min(i + 1u, last) * params.stride + h * params.head;
    let q2 = min(i + 2u, last) * params.stride + h * params.head;
    let q3 = min(i + 3u, last) * params.stride + h * params.head;
    let k0 = min(j, last) * params.stride + params.keys + h * params.head;
    let k1 = min(j + 1u, last) * params.stride + params.keys + h * params.head;
    let k2 = min(j + 2u, last) * params.stride + params.keys + h * params.head;
    let k3 = min(j + 3u, last) * params.stride + params.keys + h * params.head;
    var s0 = vec4i(0);
    var s1 = vec4i(0);
    var s2 = vec4i(0);
    var s3 = vec4i(0);
    for (var c = 0u; c < params.head; c++) {
        let key = vec4u(qkv[k0 + c], qkv[k1 + c], qkv[k2 + c], qkv[k3 + c]);
        s0 += products(qkv[q0 + c], key);
        s1 += products(qkv[q1 + c], key);
        s2 += products(qkv[q2 + c], key);
        s3 += products(qkv[q3 + c], key);
    }
    let row = h * params.tokens;
    store(row, i, j, s0);
    store(row, i + 1u, j, s1);
    store(row, i + 2u, j, s2);
    store(row, i + 3u, j, s3);
}

fn products(q: u32, key: vec4u) -> vec4i {
    return vec4i(dot4I8Packed(q, key.x), dot4I8Packed(q, key.y), dot4I8Packed(q, key.z), dot4I8Packed(q, key.w));
}
