//! Classifiers of small images.

use provena_wire::Response;

use super::{
    Input,
    layers::{Layers, check_images},
};
use crate::{
    artifact::{Artifact, MlpRecipe},
    error::Error,
    plan::{Element, Plan, i8_stride},
    values::Values,
};

/// Images that are computed at once.
const BATCH: usize = 256;

/// A classifier whose tensors were found.
pub struct Mlp {
    inputs: usize,
    max_value: u8,
    layers: Layers,
}

impl Mlp {
    /// Finds the tensors `layer.<i>.{weight, bias, scale}`.
    ///
    /// # Errors
    /// [`Error::Tensor`] for the first that is missing or of another shape.
    pub fn new(artifact: &Artifact, recipe: &MlpRecipe) -> Result<Self, Error> {
        let inputs = recipe.inputs as usize;
        let layers = Layers::find(artifact, inputs, &recipe.layers)?;
        Ok(Self { inputs, max_value: recipe.max_value, layers })
    }

    /// One batch of `images` images: logits, then labels.
    pub fn plan(&self, images: usize) -> Plan {
        let mut plan = Plan::default();
        let x = plan.buffer("images", Element::I8, images, self.inputs);
        plan.inputs = vec![x];
        self.layers.plan(&mut plan, x);
        plan
    }

    /// The images in batches.
    pub(super) fn inputs(&self, images: &[Vec<u8>]) -> Result<Vec<Input>, Error> {
        check_images(images, self.inputs, self.max_value)?;
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
        self.layers.response(outputs)
    }
}
