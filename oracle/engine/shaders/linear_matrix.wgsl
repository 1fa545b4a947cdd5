// acc[r][n] = bias[n] + sum over k of x[r][k] * weight[n][k], and at once what becomes of it, see shared/linear, for many
// rows, by matrix units. SPLIT: x has high and low bytes, whose rows are neighbours, summed apart and joined at the end.
//
// Matrix units multiply floats: HALF ones of 16 bits, or else of 32, in squares of SIDE by SIDE. Bytes are exact in both,
// and so are sums in 32 bits of up to EXACT vectors of products, for none exceeds 2^24. Then they go on as integers.
//
// A workgroup of four subgroups computes SPAN rows of bytes by SPAN columns, each subgroup a quarter: BLOCKS by BLOCKS blocks
// of sixteen by sixteen, which are DOWN by DOWN squares. Each row's next VECTORS vectors are brought into shared memory as
// floats, while those after them are on their way.
#if HALF
enable f16;
#endif
enable wgpu_cooperative_matrix;
#import shared/linear

override LANES: u32 = 128u;

// Rows of bytes of x, and rows of the weight.
const SPAN: u32 = 32u * $BLOCKSu;
// Vectors of sixteen bytes over which sums are exact: 1,024 products of at most 2^14.
const EXACT: u32 = 64u;
const VECTORS: u32 = $VECTORSu;
// Numbers from one row to the next: sixteen bytes more than are used, so that squares meet no bank twice.
#if HALF
alias Number = f16;
const STRIDE: u32 = 16u * VECTORS + 8u;
#else
alias Number = f32;
const STRIDE: u32 = 16u * VECTORS + 4u;
#endif

alias Left = coop_mat$SIDEx$SIDE<Number, A>;
alias Right = coop_mat$SIDEx$SIDE<Number, B>;
alias Sum = coop_mat$SIDEx$SIDE<f32, C>;

// [rows of x, then of the weight][STRIDE]
var<workgroup> numbers: array<Number, 2u * SPAN * STRIDE>;
// f32 [subgroup][16][16]
var<workgroup> sums: array<f32, 4u * 256u>;

// Puts four bytes where they are multiplied.
fn spread(at: u32, word: u32) {
    let bytes = unpack4xI8(word);
    numbers[at] = Number(bytes.x);
    numbers[at + 1u] = Number(bytes.y);
    numbers[at + 2u] = Number(bytes.z);
    numbers[at + 3u] = Number(bytes.w);
}

// Vector k of a row that begins at `base`; zeros beyond the last.
fn fetch(of_x: bool, base: u32, k: u32) -> vec4u {
    let at = base + min(k, params.depth - 1u);
    var v: vec4u;
    if of_x {
        v = x[at];
    } else {
        v = weights(at);
    }
    return select(vec4u(0u), v, k < params.depth);
}

// Four of a block's sums as integers.
fn whole(at: u32) -> vec4i {
    return vec4i(vec4f(sums[at], sums[at + 1u], sums[at + 2u], sums[at + 3u]));
}

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_index) lane: u32,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(subgroup_invocation_id) invocation: u32,
) {
    begin();
    let depth = params.depth;
    let column = SPAN * group.x;
    let row = SPAN * group.y;
    // Rows and columns beyond the last are computed from the last and not stored.
    let last = params.outputs - 1u;
    let bottom = params.rows * $PLANESu - 1u;
    // This subgroup's quarter, and this invocation's place in it. There are no more; a number is limited where it indexes.
    let quarter = subgroup % 4u;
    let place = invocation % (LANES / 4u);
    let top = SPAN / 2u * (quarter / 2u);
    let left = SPAN / 2u * (quarter % 2u);
#repeat l LOADS
    let part$l = (lane + LANES * $lu) / VECTORS;
    let of_x$l = part$l < SPAN;
    let base$l = select(min(column + part$l % SPAN, last), min(row + part$l % SPAN, bottom), of_x$l) * depth;
    let ahead$l = (lane + LANES * $lu) % VECTORS;
    let slot$l = part$l * STRIDE + 16u * ahead$l;
    var next$l = fetch(of_x$l, base$l, ahead$l);
#end
    // Of each pair of rows of a block that this invocation stores, the sums of four columns.
#repeat p BLOCKS
#repeat q BLOCKS
#repeat v PAIRS
    var upper$p_$q_$v = vec4i(0);
    var lower$p_$q_$v = vec4i(0);
#end
#end
#end
    for (var start = 0u; start < depth; start += EXACT) {
#repeat p BLOCKS
#repeat q BLOCKS
#repeat r DOWN
#repeat t DOWN
        var c$p_$q_$r_$t = Sum();
#end
#end
#end
#end
        let end = min(start + EXACT, depth);
        for (var k = start; k < end; k += VECTORS) {
#repeat l LOADS
            spread(slot$l, next$l.x);
            spread(slot$l + 4u, next$l.y);
            spread(slot$l + 8u, next$l.z);
            spread(slot$l + 12u, next$l.w);
#end
            workgroupBarrier();
#repeat l LOADS
            next$l = fetch(of_x$l, base$l, k + VECTORS + ahead$l);
#end
            for (var s = 0u; s < 16u * VECTORS; s += $SIDEu) {
#repeat p BLOCKS
#repeat r DOWN
                let a$p_$r = coopLoadT<Left>(&numbers[(top + 16u * $pu + $SIDEu * $ru) * STRIDE + s], STRIDE);
                let b$p_$r = coopLoad<Right>(&numbers[(SPAN + left + 16u * $pu + $SIDEu * $ru) * STRIDE + s], STRIDE);
#end
#end
#repeat p BLOCKS
#repeat q BLOCKS
#repeat r DOWN
#repeat t DOWN
                c$p_$q_$r_$t = coopMultiplyAdd(a$p_$r, b$q_$t, c$p_$q_$r_$t);
#end
#end
#end
#end
            }
            workgroupBarrier();
        }
#repeat p BLOCKS
#repeat q BLOCKS
#repeat r DOWN
#repeat t DOWN
        coopStoreT(c$p_$q_$r_$t, &sums[256u * quarter + 16u * $SIDEu * $ru + $SIDEu * $tu], 16u);
#end
#end
        workgroupBarrier();
#repeat v PAIRS
        {
            let pair = place + LANES / 4u * $vu;
            let at = 256u * quarter + 32u * (pair / 4u) + 4u * (pair % 4u);
            upper$p_$q_$v += whole(at);
            lower$p_$q_$v += whole(at + 16u);
        }
#end
        workgroupBarrier();
#end
#end
    }
#repeat q BLOCKS
    {
        // A block is four times four columns wide, and so is what an invocation goes on by.
        let n = column + left + 16u * $qu + 4u * (place % 4u);
        let columns = columns_at(n);
#repeat p BLOCKS
#repeat v PAIRS
        let r$p_$v = row + top + 16u * $pu + 2u * ((place + LANES / 4u * $vu) / 4u);
#if SPLIT
        // The high sums are in units of 256, the low ones are rounded to them.
        store(r$p_$v / 2u, n, upper$p_$q_$v + ((lower$p_$q_$v + vec4i(128)) >> vec4u(8u)), columns);
#else
        store(r$p_$v, n, upper$p_$q_$v, columns);
        store(r$p_$v + 1u, n, lower$p_$q_$v, columns);
#endif
#end
#end
    }
#end
}
