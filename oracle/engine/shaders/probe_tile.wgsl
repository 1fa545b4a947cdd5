// Packed dot products of a tile in registers: sixteen sums, each of its own pair of operands, as in a matrix product. The
// measure that matrix products are held against: what they could do if loads cost nothing.
//
// `probe_dot` gives a larger number on drivers whose compiler sees that a * b + a * c is a * (b + c), because its sums
// share operands: it then counts products that nobody multiplies.
struct Params {
    // Rounds of 64 packed dot products, which are 256 multiplications and additions.
    rounds: u32,
    seed: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
// One word per invocation.
@group(0) @binding(1) var<storage, read_write> out: array<i32>;

fn row(a: u32, b: vec4u) -> vec4i {
    return vec4i(dot4I8Packed(a, b.x), dot4I8Packed(a, b.y), dot4I8Packed(a, b.z), dot4I8Packed(a, b.w));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let rounds = params.rounds;
    var a = vec4u(id.x, id.x + params.seed, id.x ^ params.seed, params.seed) * 0x9e3779b9u;
    var b = vec4u(params.seed, id.x, params.seed + 1u, id.x + 2u) * 0x85ebca6bu;
    var s0 = vec4i(0);
    var s1 = vec4i(0);
    var s2 = vec4i(0);
    var s3 = vec4i(0);
    for (var round = 0u; round < rounds; round++) {
#repeat step STEPS
        s0 += row(a.x, b);
        s1 += row(a.y, b);
        s2 += row(a.z, b);
        s3 += row(a.w, b);
        // New operands for the next products, as a matrix product has them.
        a += vec4u(0x01010101u);
        b ^= a;
#end
    }
    let sum = (s0 ^ s1) ^ (s2 ^ s3);
    out[id.x] = (sum.x ^ sum.y) ^ (sum.z ^ sum.w);
}
