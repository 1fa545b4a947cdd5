//! The operations of int-v1.
//!
//! Shapes are `[rows][cols]`. A weight is `[outputs][inputs]`, so that every dot product reads two contiguous rows.
//! A "stream" is an `I32` buffer whose values stay within the `i16` range, a "wide stream" one whose values stay within
//! [`provena_arith::fixed::WIDE_MAX`]. "Bytes" are an `I8` or a `Split` buffer, clamped to what it holds. A `Scale`
//! tensor holds one packed [`provena_arith::fixed::Scale`] per channel.

use super::{BufferId, TensorId};

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// Embedding of tokens and positions: `out[t][c] = clamp_i16(words[ids[t]][c] + positions[t][c])`.
    Embed {
        /// `U32 [tokens][1]`, each below the vocabulary's size (the host checks).
        ids: BufferId,
        /// `I16 [vocabulary][width]`.
        words: TensorId,
        /// `I16 [longest input][width]`.
        positions: TensorId,
        /// Stream `[tokens][width]`.
        out: BufferId,
    },
    /// Layer normalisation of v = x, or `v = clamp_i16(x + residual)`:
    /// `out[t][c] = clamp_i16(gain[c].apply(normalise(v[t][c] - mean(v[t]), .., NORM_BITS)) + bias[c])`.
    Norm {
        /// Stream `[rows][width]`.
        x: BufferId,
        /// Stream `[rows][width]`.
        residual: Option<BufferId>,
        /// Scale `[width]`.
        gain: TensorId,
        /// `I32 [width]`.
        bias: TensorId,
        /// Stream `[rows][width]`.
        out: BufferId,
        /// The same values for the next matrix product.
        quantised: Option<Quantise>,
    },
    /// Matrix product: `acc[r][n] = bias[n] + sum over k of x[r][k] * weight[n][k]`, then what `output` says. A split x has
    /// one sum for its high and one for its low bytes: `acc = bias[n] + join(high, low)`.
    Linear {
        /// Bytes `[rows][inputs]`.
        x: BufferId,
        /// `I8 [outputs][inputs]`, rows padded as activations are.
        weight: TensorId,
        /// `I32 [outputs]`.
        bias: TensorId,
        /// What becomes of the accumulators.
        output: LinearOutput,
    },
    /// Attention of every token to every token, per head h of width d:
    /// `score[i][j] = q[i] . k[j]`; `below = max_j score[i] - score[i][j]`;
    /// `weight[i][j] = exp_table[exp_index(below, score_scale[h])]`; `total[i]` = sum of `weight[i]`;
    /// `out[i][c] = clamp_i8(context_scale[c].apply(context(sum over j of weight[i][j] * v[j][c], reciprocal(total[i]))))`.
    Attention {
        /// `I8 [tokens][3 * width]`: queries, keys, values; in each, head h has the columns h * d .. (h + 1) * d.
        qkv: BufferId,
        /// Number of heads; width = heads * d, and d is a multiple of 4.
        heads: usize,
        /// Scale `[heads]`.
        score_scale: TensorId,
        /// `I32 [entries]`, falling from 16,383 to 0.
        exp_table: TensorId,
        /// Scale `[width]`.
        context_scale: TensorId,
        /// `I8 [tokens][width]`.
        out: BufferId,
    },
    /// Sum of all rows: `out[0][c] = sum over r of x[r][c]`.
    SumRows {
        /// Stream `[rows][width]`.
        x: BufferId,
        /// `I32 [1][width]`.
        out: BufferId,
    },
    /// L2 normalisation of each row, to length 2^15: `m = max |x|`, `b = max(0, 17 - leading_zeros(m))`,
    /// `d = round_shift(x, b)`, `out = clamp_i16(normalise(d, .., 15))`.
    Unit {
        /// `I32 [rows][width]`.
        x: BufferId,
        /// Stream `[rows][width]`.
        out: BufferId,
    },
    /// Embedding of a decoder's tokens: `out[r][c] = clamp_wide(scale[rows[r].token].apply(weight[rows[r].token][c] * 2^14))`.
    Lookup {
        /// `U32 [rows][ROW_FIELDS]`; tokens below the vocabulary's size (the host checks).
        rows: BufferId,
        /// `I8 [vocabulary][width]`.
        weight: TensorId,
        /// Scale `[vocabulary]`.
        scale: TensorId,
        /// Wide stream `[rows][width]`.
        out: BufferId,
    },
    /// RMS normalisation of v = x, or `v = clamp_wide(x + residual)`: `b = row_shift(max |v|)`,
    /// `d = round_shift(v, b)`, squares = the sum of `d * d`, with `epsilon / 4^b` added,
    /// `out = clamp(gain[c].apply(normalise(d, inverse root of squares, NORM_BITS)))`.
    RmsNorm {
        /// Wide stream `[rows][width]`.
        x: BufferId,
        /// Wide stream `[rows][width]`.
        residual: Option<BufferId>,
        /// Scale `[width]`.
        gain: TensorId,
        /// `I32 [2]`: the low and the high word of a sum of squares below 2^48.
        epsilon: TensorId,
        /// Wide stream `[rows][width]`: v, where anything reads it.
        sum: Option<BufferId>,
        /// Bytes `[rows][width]`.
        out: BufferId,
    },
    /// RoPE: rotates queries and keys by their positions and puts keys and values into the cache.
    /// In each head the columns c and c + depth / 2 are a pair, turned by `rotate` with
    /// `cos = table[position][c]`, `sin = table[position][depth / 2 + c]`;
    /// `query[r][..] = clamp_split(turned)`; `keys[slot][..] = clamp_i8(round_shift(turned, 8))`;
    /// `values[slot][..] = clamp_i8(round_shift(qkv, 8))`.
    RotateStore {
        /// Stream `[rows][(heads + 2 * kv_heads) * depth]`: queries, keys, values.
        qkv: BufferId,
        /// `U32 [rows][ROW_FIELDS]`.
        rows: BufferId,
        /// `I16 [positions][depth]`: cosines, then sines, with 15 fraction bits.
        table: TensorId,
        /// Where keys and values go.
        cache: Cache,
        /// Split `[rows][heads * depth]`.
        queries: BufferId,
    },
    /// Attention of each row to the tokens of its own sequence, from `first` to its own position p, both included, with
    /// first = 0 or, where there is a window, max(0, p + 1 - window). Token j lies in slot
    /// `pages[sequence][j / page] * page + j % page`. Per head h, whose keys and values are those of head
    /// `h / (heads / kv_heads)`: `score[j] = q . key[j]`, exact; weights and their total as in [`Op::Attention`];
    /// `sum[c]` = the exact sum of `weight[j] * value[j][c]`;
    /// `out[r][c] = clamp(context_scale[c].apply(context_wide(sum[c], reciprocal(total))))`.
    CachedAttention {
        /// Split `[rows][heads * depth]`.
        queries: BufferId,
        /// `U32 [rows][ROW_FIELDS]`.
        rows: BufferId,
        /// `U32 [sequences][pages of the longest sequence]`.
        pages: BufferId,
        /// Where keys and values are.
        cache: Cache,
        /// Number of heads that ask; a multiple of the cache's.
        heads: usize,
        /// How many tokens a row sees, itself included; 0 for all.
        window: usize,
        /// Scale `[heads]`.
        score_scale: TensorId,
        /// `I32 [entries]`, falling from at most 16,383 to 0 (the model checks).
        exp_table: TensorId,
        /// Scale `[heads * depth]`.
        context_scale: TensorId,
        /// Bytes `[rows][heads * depth]`.
        out: BufferId,
    },
    /// SwiGLU gate, or any other gated activation:
    /// `out[r][i] = clamp(out_scale[i].apply(interpolate(table, x[r][i]) * x[r][inner + i]))`.
    Gate {
        /// Stream `[rows][2 * inner]`: what the activation takes, then what it gates.
        x: BufferId,
        /// `I32 [2^k + 1]`, each within the `i16` range (the model checks).
        table: TensorId,
        /// Scale `[inner]`.
        out_scale: TensorId,
        /// Bytes `[rows][inner]`.
        out: BufferId,
    },
    /// Gather of picked rows: `out[r][c] = x[picks[r]][c]`.
    Gather {
        /// Wide stream `[rows][width]`.
        x: BufferId,
        /// `U32 [picked][1]`, each below the number of rows (the host checks).
        picks: BufferId,
        /// Wide stream `[picked][width]`.
        out: BufferId,
    },
    /// Sampling: one token per row of logits, drawn as [`provena_arith::sampling`] says.
    Sample {
        /// Wide stream `[rows][vocabulary]`.
        logits: BufferId,
        /// `U32 [rows][SAMPLE_FIELDS]`: scale of the temperature (0 takes the largest logit), top-k (0 for all),
        /// top-p with 16 fraction bits (65,536 for all), a random word.
        params: BufferId,
        /// `I32 [entries]`, falling from at most 16,383 to 0 (the model checks).
        exp_table: TensorId,
        /// `U32 [rows][1]`.
        out: BufferId,
    },
    /// Patches of images (im2col), side by side, ready for a matrix product that makes a convolution of them:
    /// `out[(i * oh + y) * ow + x][(ky * k + kx) * channels + c]` =
    /// image i at (y * stride + ky - pad, x * stride + kx - pad), channel c, or 0 outside.
    Patches {
        /// `I8 [images * height * width][channels]`.
        x: BufferId,
        /// Height and width of an image.
        size: [usize; 2],
        /// Height and width of a patch.
        kernel: usize,
        /// Pixels from one patch to the next.
        stride: usize,
        /// Pixels of zeros around the image.
        pad: usize,
        /// `I8 [images * oh * ow][kernel * kernel * channels]`, with oh = (height + 2 * pad - kernel) / stride + 1.
        out: BufferId,
    },
    /// Max pooling: the largest value of each channel in squares of `kernel` by `kernel` pixels, which do not overlap; pixels that
    /// fill no square are left out.
    MaxPool {
        /// `I8 [images * height * width][channels]`.
        x: BufferId,
        /// Height and width of an image.
        size: [usize; 2],
        /// Height and width of a square.
        kernel: usize,
        /// `I8 [images * (height / kernel) * (width / kernel)][channels]`.
        out: BufferId,
    },
    /// Flattening, the rows of each image one after the other: `out[i][p * channels + c] = x[i * pixels + p][c]`.
    Flatten {
        /// `I8 [images * pixels][channels]`.
        x: BufferId,
        /// `I8 [images][pixels * channels]`.
        out: BufferId,
    },
    /// Argmax: `out[r][0]` = the lowest index of the largest value of row r.
    Argmax {
        /// `I32 [rows][width]`.
        x: BufferId,
        /// `U32 [rows][1]`.
        out: BufferId,
    },
}

/// Fields of a decoder's row: token, position, slot (where its key and value go) and sequence (its row of the page table).
pub const ROW_FIELDS: usize = 4;
/// Fields of a row of [`Op::Sample`]'s parameters.
pub const SAMPLE_FIELDS: usize = 4;

/// One layer's keys and values, which are state of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cache {
    /// `I8 [slots][kv_heads * depth]`.
    pub keys: BufferId,
    /// `I8 [slots][kv_heads * depth]`.
    pub values: BufferId,
    /// Heads of keys and of values.
    pub kv_heads: usize,
    /// Width of a head, a multiple of 8.
    pub depth: usize,
    /// Slots of a page.
    pub page: usize,
}

/// A second copy of a stream as `I8`: `clamp_i8(scale[c].apply(stream[r][c]))`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quantise {
    /// Scale `[width]`.
    pub scale: TensorId,
    /// `I8 [rows][width]`.
    pub out: BufferId,
}

/// What becomes of a matrix product's accumulators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinearOutput {
    /// `I32 [rows][outputs]`: the accumulators.
    Raw {
        /// `I32 [rows][outputs]`.
        out: BufferId,
    },
    /// `clamp_i8(scale[n].apply(acc))`, and max(0, .) first where `relu`.
    Int8 {
        /// Scale `[outputs]`.
        scale: TensorId,
        /// Whether negative values become zero.
        relu: bool,
        /// `I8 [rows][outputs]`.
        out: BufferId,
    },
    /// `clamp_wide(scale[n].apply(acc))`.
    Wide {
        /// Scale `[outputs]`.
        scale: TensorId,
        /// Wide stream `[rows][outputs]`.
        out: BufferId,
    },
    /// `clamp_i16(scale[n].apply(acc))`.
    Int16 {
        /// Scale `[outputs]`.
        scale: TensorId,
        /// Stream `[rows][outputs]`.
        out: BufferId,
    },
    /// `clamp_i8(out_scale[n].apply(table[table_index(in_scale[n].apply(acc), table.len())]))`.
    Table {
        /// Scale `[outputs]`, into the table's domain.
        in_scale: TensorId,
        /// `I32 [entries]`, a power of two, centred on zero.
        table: TensorId,
        /// Scale `[outputs]`, out of the table's range.
        out_scale: TensorId,
        /// `I8 [rows][outputs]`.
        out: BufferId,
    },
}
