//! The operations of int-v1.
//!
//! Shapes are [rows][cols]. A weight is [outputs][inputs], so that every dot product reads two contiguous rows.
//! A "stream" is an `I32` buffer whose values stay within the `i16` range. A `Scale` tensor holds one packed
//! [`provena_arith::fixed::Scale`] per channel.

use super::{BufferId, TensorId};

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// out[t][c] = clamp_i16(words[ids[t]][c] + positions[t][c]).
    Embed {
        /// `U32` [tokens][1], each below the vocabulary's size (the host checks).
        ids: BufferId,
        /// `I16` [vocabulary][width].
        words: TensorId,
        /// `I16` [longest input][width].
        positions: TensorId,
        /// Stream [tokens][width].
        out: BufferId,
    },
    /// Layer normalisation of x, or of clamp_i16(x + residual):
    /// out[t][c] = clamp_i16(gain[c].apply(normalise(v[t][c] - mean(v[t]), .., NORM_BITS)) + bias[c]).
    Norm {
        /// Stream [rows][width].
        x: BufferId,
        /// Stream [rows][width].
        residual: Option<BufferId>,
        /// Scale [width].
        gain: TensorId,
        /// `I32` [width].
        bias: TensorId,
        /// Stream [rows][width].
        out: BufferId,
        /// The same values for the next matrix product.
        quantised: Option<Quantise>,
    },
    /// acc[r][n] = bias[n] + sum over k of x[r][k] * weight[n][k], then what `output` says.
    Linear {
        /// `I8` [rows][inputs].
        x: BufferId,
        /// `I8` [outputs][inputs], rows padded as activations are.
        weight: TensorId,
        /// `I32` [outputs].
        bias: TensorId,
        /// What becomes of the accumulators.
        output: LinearOutput,
    },
    /// Attention of every token to every token, per head h of width d:
    /// score[i][j] = q[i] . k[j]; below = max_j score[i] - score[i][j];
    /// weight[i][j] = exp_table[exp_index(below, score_scale[h])]; total[i] = sum of weight[i];
    /// out[i][c] = clamp_i8(context_scale[c].apply(context(sum over j of weight[i][j] * v[j][c], reciprocal(total[i])))).
    Attention {
        /// `I8` [tokens][3 * width]: queries, keys, values; in each, head h has the columns h * d .. (h + 1) * d.
        qkv: BufferId,
        /// Number of heads; width = heads * d, and d is a multiple of 4.
        heads: usize,
        /// Scale [heads].
        score_scale: TensorId,
        /// `I32` [entries], falling from 16,383 to 0.
        exp_table: TensorId,
        /// Scale [width].
        context_scale: TensorId,
        /// `I8` [tokens][width].
        out: BufferId,
    },
    /// out[0][c] = sum over rows of x[r][c].
    SumRows {
        /// Stream [rows][width].
        x: BufferId,
        /// `I32` [1][width].
        out: BufferId,
    },
    /// Each row brought to length 2^15: m = max |x|, b = max(0, 17 - leading_zeros(m)), d = round_shift(x, b),
    /// out = clamp_i16(normalise(d, .., 15)).
    Unit {
        /// `I32` [rows][width].
        x: BufferId,
        /// Stream [rows][width].
        out: BufferId,
    },
    /// out[r][0] = the lowest index of the largest value of row r.
    Argmax {
        /// `I32` [rows][width].
        x: BufferId,
        /// `U32` [rows][1].
        out: BufferId,
    },
}

/// A second copy of a stream as `I8`: clamp_i8(scale[c].apply(stream[r][c])).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quantise {
    /// Scale [width].
    pub scale: TensorId,
    /// `I8` [rows][width].
    pub out: BufferId,
}

/// What becomes of a matrix product's accumulators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinearOutput {
    /// `I32` [rows][outputs]: the accumulators.
    Raw {
        /// `I32` [rows][outputs].
        out: BufferId,
    },
    /// clamp_i8(scale[n].apply(acc)), and max(0, .) first where `relu`.
    Int8 {
        /// Scale [outputs].
        scale: TensorId,
        /// Whether negative values become zero.
        relu: bool,
        /// `I8` [rows][outputs].
        out: BufferId,
    },
    /// clamp_i16(scale[n].apply(acc)).
    Int16 {
        /// Scale [outputs].
        scale: TensorId,
        /// Stream [rows][outputs].
        out: BufferId,
    },
    /// clamp_i8(out_scale[n].apply(table[table_index(in_scale[n].apply(acc), table.len())])).
    Table {
        /// Scale [outputs], into the table's domain.
        in_scale: TensorId,
        /// `I32` [entries], a power of two, centred on zero.
        table: TensorId,
        /// Scale [outputs], out of the table's range.
        out_scale: TensorId,
        /// `I8` [rows][outputs].
        out: BufferId,
    },
}
