// Queries and keys turned by their positions: queries go to `out` as split values, keys and values as bytes into their
// slots. In each head the columns c and c + depth / 2 are a pair. The importing kernel binds `rows`, `table`, `keys`,
// `values` and `out` and has the sizes in `params`, as rotate_store does. Positions and slots come from the host, which
// keeps them in range; here nothing counts on it.
#import shared/pack
#import shared/wide

struct Pair {
    a: vec4i,
    b: vec4i,
}

// Four neighbouring entries of the table, the first at word `at`.
fn entries(at: u32) -> vec4i {
    let last = arrayLength(&table) - 1u;
    let x = table[min(at, last)];
    let y = table[min(at + 1u, last)];
    return vec4i(half_i16(x, 0u), half_i16(x, 1u), half_i16(y, 0u), half_i16(y, 1u));
}

// Each pair turned by its angle, whose cosine and sine have 15 fraction bits; each part rounded once.
fn rotate(pair: Pair, cos: vec4i, sin: vec4i) -> Pair {
    let x = pair.a * cos - pair.b * sin;
    let y = pair.b * cos + pair.a * sin;
    return Pair((x + vec4i(16384)) >> vec4u(15u), (y + vec4i(16384)) >> vec4u(15u));
}

// Four values as the cache holds them.
fn cached(v: vec4i) -> u32 {
    return pack_i8(clamp((v + vec4i(128)) >> vec4u(8u), vec4i(-127), vec4i(127)));
}

fn store_query(row: u32, word: u32, turned: vec4i) {
    let v = clamp(turned, vec4i(-32639), vec4i(32639));
    out[row * params.stride + word] = pack_high(v);
    out[row * params.stride + params.stride / 2u + word] = pack_i8(v);
}

// Puts four neighbouring columns of the first half of a head and their partners where they belong; of the columns that the
// product gave, `head` counts queries, keys and values, and `word` the fours in half a head.
fn store_turned(row: u32, head: u32, word: u32, given: Pair) {
    var pair = given;
    let position = rows[4u * row + 1u];
    let slot = rows[4u * row + 2u] * params.slot_stride;
    if head >= params.heads + params.kv_heads {
        let to = slot + (head - params.heads - params.kv_heads) * 2u * params.half + word;
        let last = arrayLength(&values) - 1u;
        values[min(to, last)] = cached(pair.a);
        values[min(to + params.half, last)] = cached(pair.b);
        return;
    }
    // A row of the table has depth / 2 words: the cosines of a word of columns are two of them.
    let angle = position * 4u * params.half + 2u * word;
    pair = rotate(pair, entries(angle), entries(angle + 2u * params.half));
    if head >= params.heads {
        let to = slot + (head - params.heads) * 2u * params.half + word;
        let last = arrayLength(&keys) - 1u;
        keys[min(to, last)] = cached(pair.a);
        keys[min(to + params.half, last)] = cached(pair.b);
        return;
    }
    let to = head * 2u * params.half + word;
    store_query(row, to, pair.a);
    store_query(row, to + params.half, pair.b);
    if head == 0u && word == 0u {
        for (var rest = params.heads * 2u * params.half; rest < params.stride / 2u; rest++) {
            store_query(row, rest, vec4i(0));
        }
    }
}
