//! The matrix products, with ReLU between, by which classifiers end.

use provena_wire::Response;

use crate::{
    artifact::{Artifact, Dtype, MlpLayer},
    error::Error,
    plan::{BufferId, Element, LinearOutput, Op, Plan, TensorId},
    values::Values,
};

/// Matrix products whose tensors were found.
pub(super) struct Layers(Vec<Layer>);

struct Layer {
    outputs: usize,
    weight: TensorId,
    bias: TensorId,
    /// Absent on the last layer, whose accumulators are the logits.
    scale: Option<TensorId>,
}

impl Layers {
    /// Finds the tensors `layer.<i>.{weight, bias, scale}` for rows of `width` values.
    ///
    /// # Errors
    /// [`Error::Tensor`] for the first that is missing or of another shape.
    pub(super) fn find(artifact: &Artifact, mut width: usize, layers: &[MlpLayer]) -> Result<Self, Error> {
        let mut found = Vec::with_capacity(layers.len());
        for (i, layer) in layers.iter().enumerate() {
            let outputs = layer.outputs as usize;
            let find = |part: &str, dtype, rows, cols| artifact.find(&format!("layer.{i}.{part}"), dtype, rows, cols);
            found.push(Layer {
                outputs,
                weight: find("weight", Dtype::I8, outputs, width)?,
                bias: find("bias", Dtype::I32, 1, outputs)?,
                scale: (i + 1 < layers.len()).then(|| find("scale", Dtype::Scale, 1, outputs)).transpose()?,
            });
            width = outputs;
        }
        Ok(Self(found))
    }

    /// Adds the layers over the bytes `x`, one row per image, and what the host reads: logits, then labels.
    pub(super) fn plan(&self, plan: &mut Plan, mut x: BufferId) {
        let images = plan.get(x).rows;
        for (i, layer) in self.0.iter().enumerate() {
            let element = if layer.scale.is_some() { Element::I8 } else { Element::I32 };
            let out = plan.buffer(format!("layer.{i}"), element, images, layer.outputs);
            let output =
                layer.scale.map_or(LinearOutput::Raw { out }, |scale| LinearOutput::Int8 { scale, relu: true, out });
            plan.push(Op::Linear { x, weight: layer.weight, bias: layer.bias, output });
            x = out;
        }
        let labels = plan.buffer("labels", Element::U32, images, 1);
        plan.push(Op::Argmax { x, out: labels });
        plan.outputs = vec![x, labels];
    }

    /// The answer, from the outputs of each batch.
    pub(super) fn response(&self, outputs: &[Vec<Values>]) -> Response {
        let classes = self.0.last().map_or(1, |layer| layer.outputs);
        let rows = outputs.iter().flat_map(|batch| batch[0].as_i32().chunks_exact(classes));
        let labels = outputs.iter().flat_map(|batch| batch[1].as_u32());
        Response::Classify { labels: labels.map(|l| *l as u8).collect(), logits: rows.map(<[i32]>::to_vec).collect() }
    }
}

/// Checks that there are images, each of so many values of at most `max_value`.
///
/// # Errors
/// [`Error::Request`] that names the first image that does not fit.
pub(super) fn check_images(images: &[Vec<u8>], values: usize, max_value: u8) -> Result<(), Error> {
    if images.is_empty() {
        return Err(Error::Request("it has no images".into()));
    }
    for (i, image) in images.iter().enumerate() {
        if image.len() != values {
            return Err(Error::Request(format!("image {i} has {} values, not {values}", image.len())));
        }
        if let Some(value) = image.iter().find(|v| **v > max_value) {
            return Err(Error::Request(format!("image {i} has the value {value}, above {max_value}")));
        }
    }
    Ok(())
}
