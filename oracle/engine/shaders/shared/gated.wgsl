// A gated activation of a product that is still in registers: the weight's first half of rows gives what the activation
// takes, the second half what it gates, and a pair is four columns of each.
// out[r][i] = clamp(out_scale[i].apply(interpolate(table, v[r][i]) * v[r][inner + i])).
#import shared/bytes
#import shared/interpolate

// Columns from the first four of a pair to the others.
fn apart() -> u32 {
    return params.outputs / 2u;
}

// The first column of a pair.
fn pair_column(pair: u32) -> u32 {
    return 4u * pair;
}

fn store_pair(row: u32, pair: u32, first: vec4i, second: vec4i) {
    if row >= params.rows || pair >= params.pairs {
        return;
    }
    let inner = params.outputs / 2u;
    let gates = finish4(first, columns_at(4u * pair));
    let gated = finish4(second, columns_at(inner + 4u * pair));
    var values = vec4i(0);
    for (var b = 0u; b < 4u; b++) {
        let i = 4u * pair + b;
        if i < inner {
            values[b] = clamp_bytes(scale_apply(out_scale[i], interpolate(gates[b], params.bits) * gated[b]));
        }
    }
    store_bytes(row, params.stride, pair, values);
}
