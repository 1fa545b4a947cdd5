// out[0][c] = sum over rows of x[r][c].
// One invocation per column.
struct Params {
    rows: u32,
    width: u32,
}

@group(0) @binding(0) var<storage, read> params: Params;
// i32 [rows][width]
@group(0) @binding(1) var<storage, read> x: array<i32>;
// i32 [1][width]
@group(0) @binding(2) var<storage, read_write> out: array<i32>;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= params.width {
        return;
    }
    var sum = 0;
    for (var r = 0u; r < params.rows; r++) {
        sum += x[r * params.width + id.x];
    }
    out[id.x] = sum;
}
