// One number from those that the invocations of a workgroup hold; the importing kernel sets LANES.
//
// Every invocation calls these, each at most once in a kernel, or with a barrier between two calls. The results do not
// depend on the order, because maxima and sums of integers do not.
#import shared/fixed

var<workgroup> lane_words: array<u32, LANES>;
var<workgroup> lane_squares: array<SquareSum, LANES>;

fn reduce_max(lane: u32, part: u32) -> u32 {
    lane_words[lane] = part;
    workgroupBarrier();
    var largest = 0u;
    for (var l = 0u; l < LANES; l++) {
        largest = max(largest, lane_words[l]);
    }
    return largest;
}

fn reduce_sum(lane: u32, part: u32) -> u32 {
    lane_words[lane] = part;
    workgroupBarrier();
    var sum = 0u;
    for (var l = 0u; l < LANES; l++) {
        sum += lane_words[l];
    }
    return sum;
}

fn reduce_squares(lane: u32, part: SquareSum) -> SquareSum {
    lane_squares[lane] = part;
    workgroupBarrier();
    var sum = SquareSum(0u, 0u);
    for (var l = 0u; l < LANES; l++) {
        sum = square_merge(sum, lane_squares[l]);
    }
    return sum;
}

// |v| as an unsigned number, so that the least integer has one, too.
fn magnitude(v: i32) -> u32 {
    return select(bitcast<u32>(v), 0u - bitcast<u32>(v), v < 0);
}
