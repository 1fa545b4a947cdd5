// acc[r][n] = bias[n] + sum over k of x[r][k] * weight[n][k], and at once what becomes of it, see shared/linear, for few
// rows. SPLIT: x has high and low bytes, summed apart and joined.
//
// A workgroup computes GROUPS rows by SPANS fours of columns. Its invocations lie along the rows of the weight, so that
// they read neighbouring bytes, and each sums every LANES-th vector; then they add up what they have. SUBGROUP: first
// without shared memory. Integers add up to the same in any order. PAIRED: to each four columns belong four that are
// their partners, for which QUADS is 2; without it, QUADS is 1.
#import shared/linear

override LANES: u32 = 64u;

// One sum for each invocation, or with SUBGROUP for each subgroup, of which there are at most as many.
#repeat r GROUPS
#repeat s SPANS
#repeat q QUADS
var<workgroup> high$r_$s_$q: array<vec4i, LANES>;
#if SPLIT
var<workgroup> low$r_$s_$q: array<vec4i, LANES>;
#endif
#end
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
    let first = $SPANSu * group.x;
#if PAIRED
    let next = apart();
#else
    let next = 4u;
#endif
    let row = $GROUPSu * group.y;
    // Rows and columns beyond the last are computed from the last and not stored.
    let last = params.outputs - 1u;
    let bottom = params.rows - 1u;
#if NORMED
    // Every workgroup needs the rows, and the first of them keeps what somebody else reads.
#repeat r GROUPS
    take_row(lane, min(row + $ru, bottom), $ru, group.x == 0u);
#end
    workgroupBarrier();
    let above = min(row, bottom);
#else
    let above = 0u;
#endif
#repeat s SPANS
#if PAIRED
    let column$s = pair_column(first + $su);
#else
    let column$s = 4u * (first + $su);
#endif
#repeat q QUADS
    let w$s_$q_0 = min(column$s + next * $qu, last) * depth;
    let w$s_$q_1 = min(column$s + next * $qu + 1u, last) * depth;
    let w$s_$q_2 = min(column$s + next * $qu + 2u, last) * depth;
    let w$s_$q_3 = min(column$s + next * $qu + 3u, last) * depth;
#end
#end
#repeat r GROUPS
    let x$r = (min(row + $ru, bottom) - above) * $PLANESu * depth;
#repeat s SPANS
#repeat q QUADS
    var a$r_$s_$q = vec4i(0);
#if SPLIT
    var b$r_$s_$q = vec4i(0);
#endif
#end
#end
#end
    for (var k = lane; k < depth; k += LANES) {
#repeat r GROUPS
        let h$r = inputs(x$r + k);
#if SPLIT
        let l$r = inputs(x$r + depth + k);
#endif
#end
#repeat s SPANS
#repeat q QUADS
        let v$s_$q_0 = weights(w$s_$q_0 + k);
        let v$s_$q_1 = weights(w$s_$q_1 + k);
        let v$s_$q_2 = weights(w$s_$q_2 + k);
        let v$s_$q_3 = weights(w$s_$q_3 + k);
#repeat r GROUPS
        a$r_$s_$q += step(h$r, v$s_$q_0, v$s_$q_1, v$s_$q_2, v$s_$q_3);
#if SPLIT
        b$r_$s_$q += step(l$r, v$s_$q_0, v$s_$q_1, v$s_$q_2, v$s_$q_3);
#endif
#end
#end
#end
    }
#if SUBGROUP
    let slot = subgroup;
    let slots = subgroups;
    let writes = place == 0u;
#repeat r GROUPS
#repeat s SPANS
#repeat q QUADS
    a$r_$s_$q = subgroupAdd(a$r_$s_$q);
#if SPLIT
    b$r_$s_$q = subgroupAdd(b$r_$s_$q);
#endif
#end
#end
#end
#else
    let slot = lane;
    let slots = LANES;
    let writes = true;
#endif
    if writes {
#repeat r GROUPS
#repeat s SPANS
#repeat q QUADS
        high$r_$s_$q[slot] = a$r_$s_$q;
#if SPLIT
        low$r_$s_$q[slot] = b$r_$s_$q;
#endif
#end
#end
#end
    }
    workgroupBarrier();
    // One invocation for each row and span adds up and writes.
#repeat r GROUPS
#repeat s SPANS
    if lane == $ru * $SPANSu + $su {
#repeat q QUADS
        var sum$q = vec4i(0);
        for (var i = 0u; i < slots; i++) {
            sum$q += high$r_$s_$q[i];
        }
#if SPLIT
        var low$q = vec4i(0);
        for (var i = 0u; i < slots; i++) {
            low$q += low$r_$s_$q[i];
        }
        // The high sums are in units of 256, the low ones are rounded to them.
        sum$q += (low$q + vec4i(128)) >> vec4u(8u);
#endif
#end
#if PAIRED
        store_pair(row + $ru, first + $su, sum0, sum1);
#else
        store(row + $ru, column$s, sum0, columns_at(column$s));
#endif
    }
#end
#end
}
