// Packed dot products of values in registers: the measure that matrix products are held against.
struct Params {
    // Rounds of 64 packed dot products, which are 256 multiplications and additions.
    rounds: u32,
    seed: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
// One word per invocation.
@group(0) @binding(1) var<storage, read_write> out: array<i32>;

fn products(a: vec4u, b: vec4u) -> vec4i {
    return vec4i(
        dot4I8Packed(a.x, b.x) + dot4I8Packed(a.x, b.y) + dot4I8Packed(a.x, b.z) + dot4I8Packed(a.x, b.w),
        dot4I8Packed(a.y, b.x) + dot4I8Packed(a.y, b.y) + dot4I8Packed(a.y, b.z) + dot4I8Packed(a.y, b.w),
        dot4I8Packed(a.z, b.x) + dot4I8Packed(a.z, b.y) + dot4I8Packed(a.z, b.z) + dot4I8Packed(a.z, b.w),
        dot4I8Packed(a.w, b.x) + dot4I8Packed(a.w, b.y) + dot4I8Packed(a.w, b.z) + dot4I8Packed(a.w, b.w),
    );
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    var a = vec4u(id.x, id.x + params.seed, id.x ^ params.seed, params.seed) * 0x9e3779b9u;
    let b = vec4u(params.seed, id.x, params.seed + 1u, id.x + 2u) * 0x85ebca6bu;
    let c = b ^ vec4u(0x5bd1e995u);
    let d = a ^ vec4u(0x27d4eb2fu);
    var sum = vec4i(0);
    for (var round = 0u; round < params.rounds; round++) {
        sum += products(a, b) + products(a, c) + products(a, d) + products(d, a);
        // Without this the compiler could move the products out of the loop.
        a += vec4u(1u);
    }
    out[id.x] = sum.x + sum.y + sum.z + sum.w;
}
