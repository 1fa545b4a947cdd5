// out[r][0] = the lowest index of the largest value of row r.
// One invocation per row.
struct Params {
    rows: u32,
    width: u32,
}

@group(0) @binding(0) var<storage, read> params: Params;
// i32 [rows][width]
@group(0) @binding(1) var<storage, read> x: array<i32>;
// u32 [rows][1]
@group(0) @binding(2) var<storage, read_write> out: array<u32>;

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= params.rows {
        return;
    }
    let start = id.x * params.width;
    var best = 0u;
    var largest = x[start];
    for (var c = 1u; c < params.width; c++) {
        let value = x[start + c];
        if value > largest {
            largest = value;
            best = c;
        }
    }
    out[id.x] = best;
}
