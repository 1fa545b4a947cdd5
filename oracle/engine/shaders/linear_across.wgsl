// acc[r][n] = bias[n] + sum over k of x[r][k] * weight[n][k], and at once what becomes of it, see shared/linear, for few
// rows. SPLIT: x has high and low bytes, summed apart and joined.
//
// A workgroup computes GROUPS rows by four columns. Its invocations lie along the rows of the weight, so that they read
// neighbouring bytes, and each sums every LANES-th vector; then they add up what they have. SUBGROUP: first without
// shared memory. Integers add up to the same in any order.
#import shared/linear

override LANES: u32 = 64u;

// One sum for each invocation, or with SUBGROUP for each subgroup, of which there are at most as many.
#repeat r GROUPS
var<workgroup> high$r: array<vec4i, LANES>;
#if SPLIT
var<workgroup> low$r: array<vec4i, LANES>;
#endif
#end

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_index) lane: u32,
#if SUBGROUP
    @builtin(subgroup_id) subgroup: u32,
    @builtin(num_subgroups) subgroups: u32,
    @builtin(subgroup_invocation_id) place: u32,
#endif
) {
    let depth = params.depth;
    let column = 4u * group.x;
    let row = $GROUPSu * group.y;
    // Rows and columns beyond the last are computed from the last and not stored.
    let last = params.outputs - 1u;
    let bottom = params.rows - 1u;
    let w0 = min(column, last) * depth;
    let w1 = min(column + 1u, last) * depth;
    let w2 = min(column + 2u, last) * depth;
    let w3 = min(column + 3u, last) * depth;
#repeat r GROUPS
    let x$r = min(row + $ru, bottom) * $PLANESu * depth;
    var a$r = vec4i(0);
#if SPLIT
    var b$r = vec4i(0);
#endif
#end
    for (var k = lane; k < depth; k += LANES) {
        let v0 = weights(w0 + k);
        let v1 = weights(w1 + k);
        let v2 = weights(w2 + k);
        let v3 = weights(w3 + k);
#repeat r GROUPS
        a$r += step(x[x$r + k], v0, v1, v2, v3);
#if SPLIT
        b$r += step(x[x$r + depth + k], v0, v1, v2, v3);
#endif
#end
    }
#if SUBGROUP
    let slot = subgroup;
    let slots = subgroups;
    let writes = place == 0u;
#repeat r GROUPS
    a$r = subgroupAdd(a$r);
#if SPLIT
    b$r = subgroupAdd(b$r);
#endif
#end
#else
    let slot = lane;
    let slots = LANES;
    let writes = true;
#endif
    if writes {
#repeat r GROUPS
        high$r[slot] = a$r;
#if SPLIT
        low$r[slot] = b$r;
#endif
#end
    }
    workgroupBarrier();
    // One invocation for each row adds up and writes.
#repeat r GROUPS
    if lane == $ru {
        var sum = vec4i(0);
        for (var s = 0u; s < slots; s++) {
            sum += high$r[s];
        }
#if SPLIT
        var low = vec4i(0);
        for (var s = 0u; s < slots; s++) {
            low += low$r[s];
        }
        // The high sums are in units of 256, the low ones are rounded to them.
        sum += (low + vec4i(128)) >> vec4u(8u);
#endif
        store(row + $ru, column, sum);
    }
#end
}
