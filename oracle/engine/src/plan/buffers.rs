//! Which buffers an operation names.

use super::{BufferId, LinearOutput, Op};

impl Op {
    /// The buffers that the operation reads or writes, but for the caches, which are state.
    pub fn buffers(&self) -> impl Iterator<Item = BufferId> {
        self.slots().into_iter().flatten()
    }

    fn slots(&self) -> [Option<BufferId>; 4] {
        match *self {
            Self::Embed { ids, out, .. } => [Some(ids), Some(out), None, None],
            Self::Norm { x, residual, out, quantised, .. } => [Some(x), residual, Some(out), quantised.map(|q| q.out)],
            Self::Linear { x, output, .. } => [Some(x), Some(output.out()), None, None],
            Self::Attention { qkv, out, .. } => [Some(qkv), Some(out), None, None],
            Self::SumRows { x, out }
            | Self::Unit { x, out }
            | Self::Argmax { x, out }
            | Self::Gate { x, out, .. }
            | Self::Patches { x, out, .. }
            | Self::MaxPool { x, out, .. }
            | Self::Flatten { x, out } => [Some(x), Some(out), None, None],
            Self::Lookup { rows, out, .. } => [Some(rows), Some(out), None, None],
            Self::RmsNorm { x, residual, sum, out, .. } => [Some(x), residual, sum, Some(out)],
            Self::RotateStore { qkv, rows, queries, .. } => [Some(qkv), Some(rows), Some(queries), None],
            Self::CachedAttention { queries, rows, pages, out, .. } => {
                [Some(queries), Some(rows), Some(pages), Some(out)]
            }
            Self::Gather { x, picks, out } => [Some(x), Some(picks), Some(out), None],
            Self::Sample { logits, params, out, .. } => [Some(logits), Some(params), Some(out), None],
        }
    }
}

impl LinearOutput {
    /// The buffer that the matrix product writes.
    #[must_use]
    pub const fn out(self) -> BufferId {
        match self {
            Self::Raw { out }
            | Self::Int8 { out, .. }
            | Self::Int16 { out, .. }
            | Self::Wide { out, .. }
            | Self::Table { out, .. } => out,
        }
    }
}
