// acc[r][n] = bias[n] + sum over k of x[r][k] * weight[n][k], and at once what becomes of it, see shared/linear.
// SPLIT: x has high and low bytes, summed apart and joined.
//
// One invocation holds a tile of GROUPS * PER rows by 4 * QUADS neighbouring columns in registers, so that four bytes of
// output are one word and every loaded word is used several times. There is no shared memory and no barrier.
//
// BROADCAST: a workgroup is one subgroup. All its invocations need the same rows of x, so each loads one (of high bytes,
// or of low ones) and gets the others from its neighbours. A software driver loads lane by lane, so that loads are what
// costs there, and this leaves one for PER rows. WORDS64: weights are loaded eight bytes at a time, for the same reason.
// SHORT: x, too, and a turn takes eight bytes of each row, so that the code for a large tile stays in its cache.
// PAIRED: of two QUADS, the second are not the neighbours of the first but their partners.
#import shared/linear

override LANES: u32 = 32u;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    begin();
    let depth = CHUNKS * params.depth;
#if PAIRED
    let pair = group.x * LANES + lane;
    let column = pair_column(pair);
    let next = apart();
#else
    let column = 4u * $QUADSu * (group.x * LANES + lane);
    let next = 4u;
#endif
    let row = $GROUPSu * $PERu * group.y;
    // Rows and columns beyond the last are computed from the last and not stored.
    let last = params.outputs - 1u;
    let bottom = params.rows - 1u;
#if NORMED
    // Every workgroup needs the rows, and the first of them keeps what somebody else reads.
    for (var r = 0u; r < $GROUPSu * $PERu; r++) {
        take_row(lane, min(row + r, bottom), r, group.x == 0u);
    }
    workgroupBarrier();
    let above = min(row, bottom);
#else
    let above = 0u;
#endif
#repeat q QUADS
    let w$q_0 = min(column + next * $qu, last) * depth;
    let w$q_1 = min(column + next * $qu + 1u, last) * depth;
    let w$q_2 = min(column + next * $qu + 2u, last) * depth;
    let w$q_3 = min(column + next * $qu + 3u, last) * depth;
#end
#repeat g GROUPS
#if BROADCAST
    // Of the rows that the subgroup shares, this invocation's: first the high bytes of all, then the low bytes.
    let x$g = ((min(row + $PERu * $gu + lane % $PERu, bottom) - above) * $PLANESu + lane / $PERu % $PLANESu) * depth;
#else
    let x$g = (min(row + $gu, bottom) - above) * $PLANESu * depth;
#endif
#repeat r PER
#repeat q QUADS
    var a$g_$r_$q = vec4i(0);
#if SPLIT
    var b$g_$r_$q = vec4i(0);
#endif
#end
#end
#end
    for (var k = 0u; k < depth; k++) {
#repeat q QUADS
        let v$q_0 = weights(w$q_0 + k);
        let v$q_1 = weights(w$q_1 + k);
        let v$q_2 = weights(w$q_2 + k);
        let v$q_3 = weights(w$q_3 + k);
#end
#repeat g GROUPS
#if BROADCAST
        let m$g = inputs(x$g + k);
#endif
#repeat r PER
#if BROADCAST
        let h$g_$r = subgroupBroadcast(m$g, $ru);
#if SPLIT
        let l$g_$r = subgroupBroadcast(m$g, $PERu + $ru);
#endif
#else
        let h$g_$r = inputs(x$g + k);
#if SPLIT
        let l$g_$r = inputs(x$g + depth + k);
#endif
#endif
#repeat q QUADS
        a$g_$r_$q += step(h$g_$r, v$q_0, v$q_1, v$q_2, v$q_3);
#if SPLIT
        b$g_$r_$q += step(l$g_$r, v$q_0, v$q_1, v$q_2, v$q_3);
#endif
#end
#end
#end
    }
#if PAIRED
#else
#repeat q QUADS
    let columns$q = columns_at(column + 4u * $qu);
#end
#endif
#repeat g GROUPS
#repeat r PER
#repeat q QUADS
#if SPLIT
    // The high sums are in units of 256, the low ones are rounded to them.
    a$g_$r_$q += (b$g_$r_$q + vec4i(128)) >> vec4u(8u);
#endif
#if PAIRED
#else
    store(row + $PERu * $gu + $ru, column + 4u * $qu, a$g_$r_$q, columns$q);
#endif
#end
#if PAIRED
    store_pair(row + $PERu * $gu + $ru, pair, a$g_$r_0, a$g_$r_1);
#endif
#end
#end
}
