// out[r][c] = x[picks[r]][c].
// One invocation per column.
struct Params {
    width: u32,
}

@group(0) @binding(0) var<storage, read> params: Params;
// i32 [rows][width]
@group(0) @binding(1) var<storage, read> x: array<i32>;
// u32 [picked][1]
@group(0) @binding(2) var<storage, read> picks: array<u32>;
// i32 [picked][width]
@group(0) @binding(3) var<storage, read_write> out: array<i32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x < params.width {
        out[id.y * params.width + id.x] = x[picks[id.y] * params.width + id.x];
    }
}
