// acc[r][n] = bias[n] + sum over k of x[r][k] * weight[n][k], and at once what becomes of it: without a feature the
// accumulator itself; SCALED scales it, and then clamps to bytes, or to 16 bits with INT16, or to 26 bits with WIDE;
// RELU drops negative values; TABLE looks an activation up. SPLIT: x has high and low bytes, summed apart and joined.
//
// One invocation holds a tile of GROUPS * PER rows by 4 * QUADS neighbouring columns in registers, so that four bytes of
// output are one word and every loaded word is used several times. There is no shared memory and no barrier.
//
// BROADCAST: a workgroup is one subgroup. All its invocations need the same rows of x, so each loads one (of high bytes,
// or of low ones) and gets the others from its neighbours. A software driver loads lane by lane, so that loads are what
// costs there, and this leaves one for PER rows. WORDS64: weights are loaded eight bytes at a time, for the same reason.
#import shared/fixed
#import shared/pack

struct Params {
    rows: u32,
    // Rows of the weight, of which `weight` may hold a part of the tensor.
    outputs: u32,
    // Columns to write: those of padding, too.
    columns: u32,
    // The column of the output that is the weight's first row.
    first: u32,
    // Vectors of sixteen bytes in a row of the weight.
    depth: u32,
    // Elements (words for signed bytes) from one row of the output to the next.
    stride: u32,
    // Entries of the activation's table.
    table_len: u32,
}

override LANES: u32 = 32u;

@group(0) @binding(0) var<storage, read> params: Params;
// i8 [rows][inputs], sixteen to a vector, padded with zeros; with SPLIT a row of high and one of low bytes for each
@group(0) @binding(1) var<storage, read> x: array<vec4u>;
// i8 [outputs][inputs], sixteen to a vector, padded with zeros
#if WORDS64
@group(0) @binding(2) var<storage, read> weight: array<vec2<u64>>;
#else
@group(0) @binding(2) var<storage, read> weight: array<vec4u>;
#endif
// i32 [outputs of the whole tensor]
@group(0) @binding(3) var<storage, read> bias: array<i32>;
#if OUT32
// i32 [rows][outputs of the whole tensor]
@group(0) @binding(4) var<storage, read_write> out: array<i32>;
#else
// i8 [rows][outputs of the whole tensor], four to a word, padded with zeros
@group(0) @binding(4) var<storage, read_write> out: array<u32>;
#endif
#if SCALED
// Scale [outputs of the whole tensor]
@group(0) @binding(5) var<storage, read> scale: array<u32>;
#endif
#if TABLE
// i32 [table_len]
@group(0) @binding(6) var<storage, read> table: array<i32>;
// Scale [outputs of the whole tensor]
@group(0) @binding(7) var<storage, read> out_scale: array<u32>;
#endif

fn weights(at: u32) -> vec4u {
#if WORDS64
    let words = weight[at];
    return vec4u(u32(words.x), u32(words.x >> 32u), u32(words.y), u32(words.y >> 32u));
#else
    return weight[at];
#endif
}

fn dot16(a: vec4u, b: vec4u) -> i32 {
    return dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y) + dot4I8Packed(a.z, b.z) + dot4I8Packed(a.w, b.w);
}

// The products of one vector of x with the four columns' vectors.
fn step(v: vec4u, w0: vec4u, w1: vec4u, w2: vec4u, w3: vec4u) -> vec4i {
    return vec4i(dot16(v, w0), dot16(v, w1), dot16(v, w2), dot16(v, w3));
}

fn finish(sum: i32, n: u32) -> i32 {
    let acc = sum + bias[n];
#if TABLE
    let entry = table[table_index(scale_apply(scale[n], acc), params.table_len)];
    return clamp_i8(scale_apply(out_scale[n], entry));
#else
#if SCALED
    let scaled = scale_apply(scale[n], acc);
#if OUT32
#if WIDE
    return clamp(scaled, -67108863, 67108863);
#else
    return clamp_i16(scaled);
#endif
#else
#if RELU
    return clamp_i8(max(scaled, 0));
#else
    return clamp_i8(scaled);
#endif
#endif
#else
    return acc;
#endif
#endif
}

// Writes the four columns from `column` of the weight on; `outputs` may end among them.
fn store(row: u32, column: u32, acc: vec4i) {
    if row >= params.rows || column >= params.columns {
        return;
    }
    let n = params.first + column;
#if OUT32
    let at = row * params.stride + n;
    for (var b = 0u; b < 4u; b++) {
        if column + b < params.outputs {
            out[at + b] = finish(acc[b], n + b);
        }
    }
#else
    var bytes = vec4i(0);
    for (var b = 0u; b < 4u; b++) {
        if column + b < params.outputs {
            bytes[b] = finish(acc[b], n + b);
        }
    }
    out[row * params.stride + n / 4u] = pack_i8(bytes);
#endif
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    // A name for what a loop reads: a software driver would load it again in every turn.
    let depth = params.depth;
    let column = 4u * $QUADSu * (group.x * LANES + lane);
    let row = $GROUPSu * $PERu * group.y;
    // Rows and columns beyond the last are computed from the last and not stored.
    let last = params.outputs - 1u;
    let bottom = params.rows - 1u;
#repeat q QUADS
    let w$q_0 = min(column + 4u * $qu, last) * depth;
    let w$q_1 = min(column + 4u * $qu + 1u, last) * depth;
    let w$q_2 = min(column + 4u * $qu + 2u, last) * depth;
    let w$q_3 = min(column + 4u * $qu + 3u, last) * depth;
#end
#repeat g GROUPS
#if BROADCAST
    // Of the rows that the subgroup shares, this invocation's: first the high bytes of all, then the low bytes.
    let x$g = (min(row + $PERu * $gu + lane % $PERu, bottom) * $PLANESu + lane / $PERu % $PLANESu) * depth;
#else
    let x$g = min(row + $gu, bottom) * $PLANESu * depth;
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
        let m$g = x[x$g + k];
#endif
#repeat r PER
#if BROADCAST
        let h$g_$r = subgroupBroadcast(m$g, $ru);
#if SPLIT
        let l$g_$r = subgroupBroadcast(m$g, $PERu + $ru);
#endif
#else
        let h$g_$r = x[x$g + k];
#if SPLIT
        let l$g_$r = x[x$g + depth + k];
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
#repeat g GROUPS
#repeat r PER
#repeat q QUADS
#if SPLIT
    // The high sums are in units of 256, the low ones are rounded to them.
    a$g_$r_$q += (b$g_$r_$q + vec4i(128)) >> vec4u(8u);
#endif
    store(row + $PERu * $gu + $ru, column + 4u * $qu, a$g_$r_$q);
#end
#end
#end
}
