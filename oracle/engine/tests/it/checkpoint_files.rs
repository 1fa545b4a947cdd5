//! Writes checkpoints as they are published: several types of elements, one file or shards with their index.

use std::{collections::BTreeMap, path::Path, sync::LazyLock};

use safetensors::{Dtype, tensor::TensorView};

/// A tensor of a file, as its bytes.
#[derive(Clone)]
pub(crate) struct Raw {
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

pub(crate) type Raws = BTreeMap<String, Raw>;

/// The value of a binary16, by its definition.
pub(crate) fn f16_value(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let fraction = f64::from(bits % 1024) / 1024.0;
    match i32::from(bits / 1024 % 32) {
        0 => sign * 2f64.powi(-14) * fraction,
        31 if fraction == 0.0 => sign * f64::INFINITY,
        31 => f64::NAN,
        exponent => sign * 2f64.powi(exponent - 15) * (1.0 + fraction),
    }
}

/// The non-negative finite binary16 numbers, which grow with their bits.
static F16_VALUES: LazyLock<Vec<f64>> = LazyLock::new(|| (0..0x7c00).map(f16_value).collect());

/// The binary16 next to a value, and that value.
pub(crate) fn nearest_f16(value: f32) -> (u16, f32) {
    let magnitude = f64::from(value.abs());
    let above = F16_VALUES.partition_point(|v| *v < magnitude).min(F16_VALUES.len() - 1);
    let below = above.saturating_sub(1);
    let nearest = if magnitude - F16_VALUES[below] < F16_VALUES[above] - magnitude { below } else { above };
    let rounded = F16_VALUES[nearest] as f32;
    (nearest as u16 | if value.is_sign_negative() { 0x8000 } else { 0 }, rounded.copysign(value))
}

/// A tensor of these values, which its type must have exactly.
pub(crate) fn raw(dtype: Dtype, shape: &[usize], values: &[f32]) -> Raw {
    let bytes = match dtype {
        Dtype::F32 => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        Dtype::BF16 => values
            .iter()
            .flat_map(|v| {
                assert_eq!(v.to_bits() & 0xffff, 0, "{v} is no BF16");
                ((v.to_bits() >> 16) as u16).to_le_bytes()
            })
            .collect(),
        Dtype::F16 => values
            .iter()
            .flat_map(|v| {
                let (bits, rounded) = nearest_f16(*v);
                assert_eq!(rounded.to_bits(), v.to_bits(), "{v} is no F16");
                bits.to_le_bytes()
            })
            .collect(),
        other => panic!("{other:?}"),
    };
    Raw { dtype, shape: shape.to_vec(), bytes }
}

/// A file of these tensors.
pub(crate) fn file<'a>(tensors: impl IntoIterator<Item = (&'a String, &'a Raw)>) -> Vec<u8> {
    let view = |raw: &'a Raw| TensorView::new(raw.dtype, raw.shape.clone(), &raw.bytes).unwrap();
    safetensors::serialize(tensors.into_iter().map(|(name, raw)| (name, view(raw))), None).unwrap()
}

/// The tensors of a file, as their bytes.
pub(crate) fn tensors(file: &[u8]) -> Raws {
    let raw =
        |view: TensorView<'_>| Raw { dtype: view.dtype(), shape: view.shape().to_vec(), bytes: view.data().to_vec() };
    let file = safetensors::SafeTensors::deserialize(file).unwrap();
    file.tensors().into_iter().map(|(name, view)| (name, raw(view))).collect()
}

/// The name of a shard, counted from 0, as the `transformers` library gives it.
pub(crate) fn shard_name(shard: usize, of: usize) -> String {
    format!("model-{:05}-of-{of:05}.safetensors", shard + 1)
}

/// Deals the tensors out into so many shards in turn: per shard its name and tensors.
pub(crate) fn dealt(tensors: &Raws, count: usize) -> Vec<(String, Raws)> {
    let mut shards: Vec<_> = (0..count).map(|i| (shard_name(i, count), Raws::new())).collect();
    for (i, (name, raw)) in tensors.iter().enumerate() {
        shards[i % count].1.insert(name.clone(), raw.clone());
    }
    shards
}

/// The index of these shards.
pub(crate) fn index(shards: &[(String, Raws)]) -> String {
    let places: BTreeMap<&String, &String> =
        shards.iter().flat_map(|(shard, tensors)| tensors.keys().map(move |tensor| (tensor, shard))).collect();
    let total: usize = shards.iter().flat_map(|(_, tensors)| tensors.values()).map(|raw| raw.bytes.len()).sum();
    serde_json::json!({"metadata": {"total_size": total}, "weight_map": places}).to_string()
}

/// Writes shards and their index into a folder.
pub(crate) fn write_shards(folder: &Path, shards: &[(String, Raws)]) {
    for (name, tensors) in shards {
        std::fs::write(folder.join(name), file(tensors)).unwrap();
    }
    std::fs::write(folder.join("model.safetensors.index.json"), index(shards)).unwrap();
}
