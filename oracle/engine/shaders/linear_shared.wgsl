// acc[r][n] = bias[n] + sum over k of x[r][k] * weight[n][k], and at once what becomes of it, see shared/linear, for many
// rows. SPLIT: x has high and low bytes, summed apart and joined.
//
// A workgroup of 8 by 8 invocations computes 8 * GROUPS rows by 32 columns. It brings CHUNK vectors of each row of x and
// of the weight into shared memory, neighbouring invocations reading neighbouring bytes, and then every invocation
// multiplies GROUPS rows by four columns.
#import shared/linear

override LANES: u32 = 64u;

const CHUNK: u32 = 4u;
const COLUMNS: u32 = 32u;
const X_ROWS: u32 = 8u * $GROUPSu * $PLANESu;

// [vector of the chunk][row of bytes]
var<workgroup> xs: array<vec4u, X_ROWS * CHUNK>;
// [vector of the chunk][column]
var<workgroup> ws: array<vec4u, COLUMNS * CHUNK>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    begin();
    let depth = params.depth;
    let column = COLUMNS * group.x;
    let row = 8u * $GROUPSu * group.y;
    // Rows and columns beyond the last are computed from the last and not stored; vectors beyond the last are zeros.
    let last = params.outputs - 1u;
    let bottom = params.rows - 1u;
    let across = lane % 8u;
    let down = lane / 8u;
#repeat r GROUPS
    var a$r = vec4i(0);
#if SPLIT
    var b$r = vec4i(0);
#endif
#end
    for (var start = 0u; start < depth; start += CHUNK) {
        for (var at = lane; at < X_ROWS * CHUNK; at += LANES) {
            let part = at / CHUNK;
            let k = start + at % CHUNK;
            let base = (min(row + part / $PLANESu, bottom) * $PLANESu + part % $PLANESu) * depth;
            xs[at % CHUNK * X_ROWS + part] = select(vec4u(0u), x[base + min(k, depth - 1u)], k < depth);
        }
        for (var at = lane; at < COLUMNS * CHUNK; at += LANES) {
            let part = at / CHUNK;
            let k = start + at % CHUNK;
            let base = min(column + part, last) * depth;
            ws[at % CHUNK * COLUMNS + part] = select(vec4u(0u), weights(base + min(k, depth - 1u)), k < depth);
        }
        workgroupBarrier();
        for (var k = 0u; k < CHUNK; k++) {
            let w = k * COLUMNS + 4u * across;
            let v0 = ws[w];
            let v1 = ws[w + 1u];
            let v2 = ws[w + 2u];
            let v3 = ws[w + 3u];
#repeat r GROUPS
            let x$r = k * X_ROWS + (down + 8u * $ru) * $PLANESu;
            a$r += step(xs[x$r], v0, v1, v2, v3);
#if SPLIT
            b$r += step(xs[x$r + 1u], v0, v1, v2, v3);
#endif
#end
        }
        workgroupBarrier();
    }
    let columns = columns_at(column + 4u * across);
#repeat r GROUPS
#if SPLIT
    // The high sums are in units of 256, the low ones are rounded to them.
    a$r += (b$r + vec4i(128)) >> vec4u(8u);
#endif
    store(row + down + 8u * $ru, column + 4u * across, a$r, columns);
#end
}
