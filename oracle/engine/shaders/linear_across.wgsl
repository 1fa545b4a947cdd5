// acc[r][n] = bias[n] + sum over k of x[r][k] * weight[n][k], and at once what becomes of it, see shared/linear, for few
// rows. SPLIT: x has high and low bytes, summed apart and joined.
//
// A workgroup computes GROUPS rows by four columns. Its invocations lie along the rows of the weight, so that they read
// neighbouring bytes, and each sums every LANES-th vector; then they add up what they have. SUBGROUP: first without
// shared memory. Integers add up to the same in any order. PAIRED: four columns and four that are their partners, for
// which QUADS is 2; without it, QUADS is 1.
#import shared/linear

override LANES: u32 = 64u;

// One sum for each invocation, or with SUBGROUP for each subgroup, of which there are at most as many.
#repeat r GROUPS
#repeat q QUADS
var<workgroup> high$r_$q: array<vec4i, LANES>;
#if SPLIT
var<workgroup> low$r_$q: array<vec4i, LANES>;
#endif
#end
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
    begin();
    let depth = params.depth;
#if PAIRED
    let column = pair_column(group.x);
    let next = apart();
#else
    let column = 4u * group.x;
    let next = 4u;
#endif
    let row = $GROUPSu * group.y;
    // Rows and columns beyond the last are computed from the last and not stored.
    let last = params.outputs - 1u;
    let bottom = params.rows - 1u;
#repeat q QUADS
    let w$q_0 = min(column + next * $qu, last) * depth;
    let w$q_1 = min(column + next * $qu + 1u, last) * depth;
    let w$q_2 = min(column + next * $qu + 2u, last) * depth;
    let w$q_3 = min(column + next * $qu + 3u, last) * depth;
#end
#repeat r GROUPS
    let x$r = min(row + $ru, bottom) * $PLANESu * depth;
#repeat q QUADS
    var a$r_$q = vec4i(0);
#if SPLIT
    var b$r_$q = vec4i(0);
#endif
#end
#end
    for (var k = lane; k < depth; k += LANES) {
#repeat q QUADS
        let v$q_0 = weights(w$q_0 + k);
        let v$q_1 = weights(w$q_1 + k);
        let v$q_2 = weights(w$q_2 + k);
        let v$q_3 = weights(w$q_3 + k);
#end
#repeat r GROUPS
        let h$r = x[x$r + k];
#if SPLIT
        let l$r = x[x$r + depth + k];
#endif
#repeat q QUADS
        a$r_$q += step(h$r, v$q_0, v$q_1, v$q_2, v$q_3);
#if SPLIT
        b$r_$q += step(l$r, v$q_0, v$q_1, v$q_2, v$q_3);
#endif
#end
#end
    }
#if SUBGROUP
    let slot = subgroup;
    let slots = subgroups;
    let writes = place == 0u;
#repeat r GROUPS
#repeat q QUADS
    a$r_$q = subgroupAdd(a$r_$q);
#if SPLIT
    b$r_$q = subgroupAdd(b$r_$q);
#endif
#end
#end
#else
    let slot = lane;
    let slots = LANES;
    let writes = true;
#endif
    if writes {
#repeat r GROUPS
#repeat q QUADS
        high$r_$q[slot] = a$r_$q;
#if SPLIT
        low$r_$q[slot] = b$r_$q;
#endif
#end
#end
    }
    workgroupBarrier();
    // One invocation for each row adds up and writes.
#repeat r GROUPS
    if lane == $ru {
#repeat q QUADS
        var sum$q = vec4i(0);
        for (var s = 0u; s < slots; s++) {
            sum$q += high$r_$q[s];
        }
#if SPLIT
        var low$q = vec4i(0);
        for (var s = 0u; s < slots; s++) {
            low$q += low$r_$q[s];
        }
        // The high sums are in units of 256, the low ones are rounded to them.
        sum$q += (low$q + vec4i(128)) >> vec4u(8u);
#endif
#end
#if PAIRED
        store_pair(row + $ru, group.x, sum0, sum1);
#else
        store(row + $ru, column, sum0, columns_at(column));
#endif
    }
#end
}
