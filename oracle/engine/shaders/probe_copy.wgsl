// to = from, as fast as the machine can: the measure that kernels which move data are held against.
// One invocation per vector of sixteen bytes.
@group(0) @binding(0) var<storage, read> source: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> to: array<vec4u>;

@compute @workgroup_size(128)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x < arrayLength(&to) {
        to[id.x] = source[id.x];
    }
}
