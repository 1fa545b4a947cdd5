// One token per row of logits, drawn with the row's temperature, top-k, top-p and random word.
// One workgroup per row.
//
// A logit counts by how far it lies below the largest. Top-k and top-p ask for the least distance within which there are
// so many logits, or so much weight: it is found digit by digit, four bits at a time, by exact sums. Only the last step,
// the running sum that exceeds the drawn number, goes by the vocabulary's order.
#import shared/fixed
#import shared/reduce

struct Params {
    width: u32,
    // Entries of the exponential's table.
    table_len: u32,
}

override LANES: u32 = 64u;

// A share of all weight, with 16 fraction bits.
const TOP_P_ALL: u32 = 65536u;

@group(0) @binding(0) var<storage, read> params: Params;
// i32 [rows][width]
@group(0) @binding(1) var<storage, read> logits: array<i32>;
// u32 [rows][4]: scale, top-k, top-p, random
@group(0) @binding(2) var<storage, read> chances: array<vec4u>;
// i32 [table_len]
@group(0) @binding(3) var<storage, read> exp_table: array<i32>;
// u32 [rows][1]
@group(0) @binding(4) var<storage, read_write> out: array<u32>;

// For each digit, what lies at most so far below the largest.
var<workgroup> digits: array<atomic<u32>, 16>;

// What the invocations of a row have in common, and read once: a software driver would load it again in every turn.
struct Row {
    start: u32,
    width: u32,
    largest: i32,
    scale: u32,
    table_len: u32,
}

fn below(row: Row, i: u32) -> u32 {
    return bitcast<u32>(row.largest) - bitcast<u32>(logits[row.start + i]);
}

fn weight(row: Row, distance: u32) -> u32 {
    return bitcast<u32>(exp_table[exp_index(bitcast<i32>(distance), row.scale, row.table_len)]);
}

// The weight of all logits at most `limit` below the largest.
fn weight_within(row: Row, lane: u32, limit: u32) -> u32 {
    var part = 0u;
    for (var i = lane; i < row.width; i += LANES) {
        let distance = below(row, i);
        part += select(0u, weight(row, distance), distance <= limit);
    }
    let sum = reduce_sum(lane, part);
    workgroupBarrier();
    return sum;
}

// The least distance within which there is at least `need`, which is at least one: of logits where `counting`, else of
// weight; at most `limit`, beyond which nothing counts. `bits` is a multiple of four, and no distance has more.
fn least_distance(row: Row, lane: u32, counting: bool, need: u32, limit: u32, bits: u32) -> u32 {
    var base = 0u;
    for (var shift = bits; shift != 0u;) {
        shift -= 4u;
        for (var d = lane; d < 16u; d += LANES) {
            atomicStore(&digits[d], 0u);
        }
        workgroupBarrier();
        // The largest distance of each digit.
        let step = 1u << shift;
        let first = base + (step - 1u);
        let bounds0 = vec4u(first) + vec4u(0u, 1u, 2u, 3u) * step;
        let bounds1 = bounds0 + vec4u(4u * step);
        let bounds2 = bounds0 + vec4u(8u * step);
        let bounds3 = bounds0 + vec4u(12u * step);
        var sums0 = vec4u(0u);
        var sums1 = vec4u(0u);
        var sums2 = vec4u(0u);
        var sums3 = vec4u(0u);
        for (var i = lane; i < row.width; i += LANES) {
            let distance = below(row, i);
            var amount = 1u;
            if !counting {
                amount = weight(row, distance);
            }
            amount = select(0u, amount, distance <= limit);
            let at = vec4u(distance);
            sums0 += select(vec4u(0u), vec4u(amount), at <= bounds0);
            sums1 += select(vec4u(0u), vec4u(amount), at <= bounds1);
            sums2 += select(vec4u(0u), vec4u(amount), at <= bounds2);
            sums3 += select(vec4u(0u), vec4u(amount), at <= bounds3);
        }
        for (var b = 0u; b < 4u; b++) {
            atomicAdd(&digits[b], sums0[b]);
            atomicAdd(&digits[b + 4u], sums1[b]);
            atomicAdd(&digits[b + 8u], sums2[b]);
            atomicAdd(&digits[b + 12u], sums3[b]);
        }
        workgroupBarrier();
        // Digits whose distances hold too little come before the one that is sought.
        var digit = 0u;
        for (var d = 0u; d < 15u; d++) {
            digit += select(0u, 1u, atomicLoad(&digits[d]) < need);
        }
        base += digit * step;
        workgroupBarrier();
    }
    return min(base, limit);
}

// floor(a * b / 2^32).
fn high_product(a: u32, b: u32) -> u32 {
    let low = (a & 0xffffu) * (b & 0xffffu);
    let cross = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
    let other = (a & 0xffffu) * (b >> 16u) + (cross & 0xffffu);
    return (a >> 16u) * (b >> 16u) + (cross >> 16u) + (other >> 16u);
}

// The first token whose running sum of the weights within `limit` exceeds `drawn`, or `otherwise` if there is none.
fn first_beyond(row: Row, lane: u32, limit: u32, drawn: u32, otherwise: u32) -> u32 {
    var start = 0u;
    var length = row.width;
    var before = 0u;
    var share = 0u;
    while share != 1u {
        // Each invocation sums its share of what is left; the share that reaches the drawn number is shared out again.
        share = (length + LANES - 1u) / LANES;
        let begin = min(lane * share, length);
        let end = min(begin + share, length);
        var part = 0u;
        for (var i = start + begin; i < start + end; i++) {
            let distance = below(row, i);
            part += select(0u, weight(row, distance), distance <= limit);
        }
        lane_words[lane] = part;
        workgroupBarrier();
        var place = 0u;
        for (; place < LANES; place++) {
            let sum = before + lane_words[place];
            if sum > drawn {
                break;
            }
            before = sum;
        }
        workgroupBarrier();
        if place == LANES {
            return otherwise;
        }
        start += place * share;
        length = min(share, length - place * share);
    }
    return start;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let chance = chances[group.x];
    let width = params.width;
    var row = Row(group.x * width, width, 0, chance.x, params.table_len);

    // The lowest index of the largest logit, and the least logit.
    var best = min(lane, width - 1u);
    var most = logits[row.start + best];
    var least = most;
    for (var i = lane; i < width; i += LANES) {
        let logit = logits[row.start + i];
        if logit > most {
            most = logit;
            best = i;
        }
        least = min(least, logit);
    }
    row.largest = bitcast<i32>(reduce_max(lane, bitcast<u32>(most) ^ 0x80000000u) ^ 0x80000000u);
    workgroupBarrier();
    // The lowest index is the largest complement.
    best = ~reduce_max(lane, select(0u, ~best, most == row.largest));
    workgroupBarrier();
    if chance.x == 0u {
        if lane == 0u {
            out[group.x] = best;
        }
        return;
    }
    var limit = reduce_max(lane, bitcast<u32>(row.largest) - bitcast<u32>(least));
    workgroupBarrier();
    let bits = (35u - countLeadingZeros(limit)) & ~3u;

    if chance.y != 0u && chance.y < width {
        limit = least_distance(row, lane, true, chance.y, limit, bits);
    }
    var sum = weight_within(row, lane, limit);
    if chance.z < TOP_P_ALL {
        let share = (sum >> 16u) * chance.z + (((sum & 0xffffu) * chance.z) >> 16u);
        limit = least_distance(row, lane, false, max(share, 1u), limit, bits);
        sum = weight_within(row, lane, limit);
    }
    let drawn = high_product(chance.w, sum);
    let token = first_beyond(row, lane, limit, drawn, best);
    if lane == 0u {
        out[group.x] = token;
    }
}
