// The x of a matrix product that is still to be normalised: each workgroup normalises its rows for itself, into shared
// memory, with what shared/root needs bound. The importing kernel has the sizes in `params`.
#import shared/pack
#import shared/root

// Words of the workgroup's rows: each has four to a vector, first the high bytes where there are two planes.
override WORDS: u32 = 4u;

// As x lies in memory where an operation of its own has normalised it.
var<workgroup> normed: array<u32, WORDS>;

// Normalises a row of x into the workgroup's row `place`; every invocation calls it. `keeps`: see `root_of`.
fn take_row(lane: u32, row: u32, place: u32, keeps: bool) {
    let width = params.width;
    let words = 4u * params.depth;
    let start = row * width;
    let root = root_of(lane, start, width, vec2u(params.epsilon_low, params.epsilon_high), keeps);
    let to = place * $PLANESu * words;
    for (var word = lane; word < words; word += LANES) {
        let v = normalised(start, width, word, root);
#if SPLIT
        let clamped = clamp(v, vec4i(-32639), vec4i(32639));
        normed[to + word] = pack_high(clamped);
        normed[to + words + word] = pack_i8(clamped);
#else
        normed[to + word] = pack_i8(clamp(v, vec4i(-127), vec4i(127)));
#endif
    }
}

// A vector of the workgroup's rows.
fn inputs(at: u32) -> vec4u {
    let first = 4u * at;
    return vec4u(normed[first], normed[first + 1u], normed[first + 2u], normed[first + 3u]);
}
