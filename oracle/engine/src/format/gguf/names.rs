//! Names and layouts of a GGUF file's tensors, as the `transformers` library has them.

use std::collections::BTreeMap;

use super::{
    super::weights::{Order, Place},
    table::Line,
};
use crate::error::Error;

/// The factors by which the plain frequencies of rotation are divided.
pub(super) const ROPE_FACTORS: &str = "rope_freqs.weight";

/// Tensors outside the layers.
const WHOLE: [(&str, &str); 3] = [
    ("token_embd.weight", "model.embed_tokens.weight"),
    ("output_norm.weight", "model.norm.weight"),
    ("output.weight", "lm_head.weight"),
];

/// Tensors of a layer, without ".weight" and ".bias".
const LAYER: [(&str, &str); 9] = [
    ("attn_norm", "input_layernorm"),
    ("attn_q", "self_attn.q_proj"),
    ("attn_k", "self_attn.k_proj"),
    ("attn_v", "self_attn.v_proj"),
    ("attn_output", "self_attn.o_proj"),
    ("ffn_norm", "post_attention_layernorm"),
    ("ffn_gate", "mlp.gate_proj"),
    ("ffn_up", "mlp.up_proj"),
    ("ffn_down", "mlp.down_proj"),
];

/// The name that the `transformers` library has for a tensor; `None` for one that no such model has.
fn published(name: &str) -> Option<String> {
    if let Some((_, published)) = WHOLE.iter().find(|(gguf, _)| *gguf == name) {
        return Some((*published).into());
    }
    let (layer, rest) = name.strip_prefix("blk.")?.split_once('.')?;
    let (part, kind) = rest.rsplit_once('.').filter(|(_, kind)| ["weight", "bias"].contains(kind))?;
    let (_, published) = LAYER.iter().find(|(gguf, _)| *gguf == part)?;
    // One spelling per number, so that no two tensors get the same name.
    let number: u32 = layer.parse().ok().filter(|number: &u32| number.to_string() == layer)?;
    Some(format!("model.layers.{number}.{published}.{kind}"))
}

/// Where each tensor lies, by its published name; [`ROPE_FACTORS`], which is configuration there, keeps its own.
///
/// `interleaved` is the width of a head where the file has the rows of queries and keys in pairs.
///
/// # Errors
/// [`Error::ImportTensor`] for a tensor that no such model has, or queries and keys that are no whole heads.
pub(super) fn places(
    lines: &BTreeMap<String, Line>,
    architecture: &str,
    interleaved: Option<usize>,
) -> Result<BTreeMap<String, Place>, Error> {
    let mut places = BTreeMap::new();
    for (name, line) in lines {
        let known = if name == ROPE_FACTORS { Some(name.clone()) } else { published(name) };
        let Some(published) = known else {
            let reason = format!("is not known in models of the architecture {architecture:?}");
            return Err(Error::import_tensor(name, reason));
        };
        let rotates = ["self_attn.q_proj", "self_attn.k_proj"].iter().any(|part| published.contains(part));
        let order = match interleaved.filter(|_| rotates) {
            Some(depth) if depth < 2 || !depth.is_multiple_of(2) || !line.shape[0].is_multiple_of(depth) => {
                let reason = format!("has {} rows, which are no whole heads of {depth}", line.shape[0]);
                return Err(Error::import_tensor(name, reason));
            }
            Some(depth) => Order::Interleaved { depth },
            None => Order::Straight,
        };
        let place = Place { source: 0, offset: line.offset, encoding: line.encoding, shape: line.shape.clone(), order };
        places.insert(published, place);
    }
    Ok(places)
}
