//! Classifiers of small images.

use super::Input;
use crate::{
    artifact::{Artifact, Dtype, MlpRecipe},
    error::Error,
    io::Response,
    plan::{Element, LinearOutput, Op, Plan, TensorId, i8_stride},
    values::Values,
};

/// Images that are computed at once.
const BATCH: usize = 256;

/// A classifier whose tensors were found.
pub struct Mlp {
    inputs: usize,
    max_value: u8,
    layers: Vec<Layer>,
}

struct Layer {
    outputs: usize,
    weight: TensorId,
    bias: TensorId,
    /// Absent on the last layer, whose accumulators are the logits.
    scale: Option<TensorId>,
}

impl Mlp {
    /// Finds the tensors `layer.<i>.{weight, bias, scale}`.
    ///
    /// # Errors
    /// [`Error::Tensor`] for the first that is missing or of another shape.
    pub fn new(artifact: &Artifact, recipe: &MlpRecipe) -> Result<Self, Error> {
        let last = recipe.layers.len() - 1;
        let mut width = recipe.inputs as usize;
        let mut layers = Vec::with_capacity(recipe.layers.len());
        for (i, layer) in recipe.layers.iter().enumerate() {
            let outputs = layer.outputs as usize;
            let find = |part: &str, dtype, rows, cols| artifact.find(&format!("layer.{i}.{part}"), dtype, rows, cols);
            layers.push(Layer {
                outputs,
                weight: find("weight", Dtype::I8, outputs, width)?,
                bias: find("bias", Dtype::I32, 1, outputs)?,
                scale: (i < last).then(|| find("scale", Dtype::Scale, 1, outputs)).transpose()?,
            });
            width = outputs;
        }
        Ok(Self { inputs: recipe.inputs as usize, max_value: recipe.max_value, layers })
    }

    /// One batch of `images` images: logits, then labels.
    pub fn plan(&self, images: usize) -> Plan {
        let mut plan = Plan::default();
        let mut x = plan.buffer("images", Element::I8, images, self.inputs);
        plan.input = Some(x);
        for (i, layer) in self.layers.iter().enumerate() {
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
        plan
    }

    /// The images in batches.
    pub(super) fn inputs(&self, images: &[Vec<u8>]) -> Result<Vec<Input>, Error> {
        if images.is_empty() {
            return Err(Error::Request("it has no images".into()));
        }
        for (i, image) in images.iter().enumerate() {
            if image.len() != self.inputs {
                return Err(Error::Request(format!("image {i} has {} values, not {}", image.len(), self.inputs)));
            }
            if let Some(value) = image.iter().find(|v| **v > self.max_value) {
                return Err(Error::Request(format!("image {i} has the value {value}, above {}", self.max_value)));
            }
        }
        Ok(images.chunks(BATCH).map(|batch| self.input(batch)).collect())
    }

    fn input(&self, batch: &[Vec<u8>]) -> Input {
        let stride = i8_stride(self.inputs);
        let mut values = vec![0i8; batch.len() * stride];
        for (to, image) in values.chunks_exact_mut(stride).zip(batch) {
            to[..self.inputs].copy_from_slice(bytemuck::cast_slice(image));
        }
        Input { size: batch.len(), values: Values::I8(values) }
    }

    pub(super) fn response(&self, outputs: &[Vec<Values>]) -> Response {
        let classes = self.layers.last().map_or(1, |layer| layer.outputs);
        let rows = outputs.iter().flat_map(|batch| batch[0].as_i32().chunks_exact(classes));
        let labels = outputs.iter().flat_map(|batch| batch[1].as_u32());
        Response::Classify { labels: labels.map(|l| *l as u8).collect(), logits: rows.map(<[i32]>::to_vec).collect() }
    }
}
