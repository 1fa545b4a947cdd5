//! Classifiers of images by convolutions.
//!
//! A convolution is [`Op::Patches`], then a matrix product whose weight has a row per output channel and the columns of
//! a patch: `weight[n][(ky * kernel + kx) * channels + c]`. All images of a batch go through one product.

use provena_wire::Response;

use super::{
    Input,
    layers::{Layers, check_images},
};
use crate::{
    artifact::{Artifact, CnnRecipe, Convolution, Dtype},
    error::Error,
    plan::{Element, LinearOutput, Op, Plan, TensorId, i8_stride},
    values::Values,
};

/// The most images that are computed at once.
const BATCH: usize = 256;
/// Bytes that the largest buffer of a batch should not exceed.
const BATCH_BYTES: usize = 16 << 20;

/// A classifier whose tensors were found.
pub struct Cnn {
    max_value: u8,
    /// Height, width and channels before each convolution, and after the last.
    sizes: Vec<[usize; 3]>,
    stages: Vec<Stage>,
    layers: Layers,
}

struct Stage {
    convolution: Convolution,
    weight: TensorId,
    bias: TensorId,
    scale: TensorId,
}

impl Stage {
    /// Height or width of what the convolution gives, before the pooling, for a side of `length` pixels.
    fn side(&self, length: usize) -> usize {
        let Convolution { kernel, stride, pad, .. } = self.convolution;
        (length + 2 * pad as usize - kernel as usize) / stride as usize + 1
    }

    /// Whether a patch is a pixel, so that the image is its own patches.
    fn is_pointwise(&self) -> bool {
        let Convolution { kernel, stride, pad, .. } = self.convolution;
        [kernel, stride, pad] == [1, 1, 0]
    }
}

impl Cnn {
    /// Finds the tensors `convolution.<i>.{weight, bias, scale}` and `layer.<i>.{weight, bias, scale}`.
    ///
    /// # Errors
    /// [`Error::Tensor`] for the first that is missing or of another shape, [`Error::Artifact`] for a recipe whose
    /// convolutions do not fit its image.
    pub fn new(artifact: &Artifact, recipe: &CnnRecipe) -> Result<Self, Error> {
        let sizes = recipe.sizes().map_err(|reason| Error::Artifact(format!("recipe: {reason}")))?;
        let mut stages = Vec::with_capacity(recipe.convolutions.len());
        for (i, (convolution, [_, _, channels])) in recipe.convolutions.iter().zip(&sizes).enumerate() {
            let outputs = convolution.outputs as usize;
            let patch = (convolution.kernel as usize).pow(2) * channels;
            let find =
                |part: &str, dtype, rows, cols| artifact.find(&format!("convolution.{i}.{part}"), dtype, rows, cols);
            stages.push(Stage {
                convolution: convolution.clone(),
                weight: find("weight", Dtype::I8, outputs, patch)?,
                bias: find("bias", Dtype::I32, 1, outputs)?,
                scale: find("scale", Dtype::Scale, 1, outputs)?,
            });
        }
        let flat = sizes.last().map_or(0, |size| size.iter().product());
        let layers = Layers::find(artifact, flat, &recipe.layers)?;
        Ok(Self { max_value: recipe.max_value, sizes, stages, layers })
    }

    /// One batch of `images` images: logits, then labels.
    pub fn plan(&self, images: usize) -> Plan {
        let mut plan = Plan::default();
        let [height, width, channels] = self.sizes[0];
        let mut x = plan.buffer("images", Element::I8, images * height * width, channels);
        plan.inputs = vec![x];
        for (i, (stage, sizes)) in self.stages.iter().zip(self.sizes.windows(2)).enumerate() {
            let ([height, width, channels], [pooled_height, pooled_width, outputs]) = (sizes[0], sizes[1]);
            let Convolution { kernel, stride, pad, pool, .. } = stage.convolution;
            let [kernel, stride, pad, pool] = [kernel, stride, pad, pool].map(|v| v as usize);
            let sides = [stage.side(height), stage.side(width)];
            let rows = images * sides[0] * sides[1];
            if !stage.is_pointwise() {
                let out = plan.buffer(format!("patches.{i}"), Element::I8, rows, kernel * kernel * channels);
                plan.push(Op::Patches { x, size: [height, width], kernel, stride, pad, out });
                x = out;
            }
            let out = plan.buffer(format!("convolution.{i}"), Element::I8, rows, outputs);
            let output = LinearOutput::Int8 { scale: stage.scale, relu: true, out };
            plan.push(Op::Linear { x, weight: stage.weight, bias: stage.bias, output });
            x = out;
            if pool > 1 {
                let out = plan.buffer(format!("pool.{i}"), Element::I8, images * pooled_height * pooled_width, outputs);
                plan.push(Op::MaxPool { x, size: sides, kernel: pool, out });
                x = out;
            }
        }
        let flat = self.sizes.last().map_or(0, |size| size.iter().product());
        let out = plan.buffer("flat", Element::I8, images, flat);
        plan.push(Op::Flatten { x, out });
        self.layers.plan(&mut plan, out);
        plan
    }

    /// The images in batches, as many at once as keep each buffer within bounds.
    pub(super) fn inputs(&self, images: &[Vec<u8>]) -> Result<Vec<Input>, Error> {
        check_images(images, self.sizes[0].iter().product(), self.max_value)?;
        let largest = self.plan(1).buffers.iter().map(crate::plan::Buffer::byte_len).max().unwrap_or(1);
        let batch = (BATCH_BYTES / largest.max(1)).clamp(1, BATCH);
        Ok(images.chunks(batch).map(|batch| self.input(batch)).collect())
    }

    fn input(&self, batch: &[Vec<u8>]) -> Input {
        let channels = self.sizes[0][2];
        let stride = i8_stride(channels);
        let mut values = vec![0i8; batch.len() * batch[0].len() / channels * stride];
        let pixels = batch.iter().flat_map(|image| image.chunks_exact(channels));
        for (to, pixel) in values.chunks_exact_mut(stride).zip(pixels) {
            to[..channels].copy_from_slice(bytemuck::cast_slice(pixel));
        }
        Input { size: batch.len(), values: Values::I8(values) }
    }

    pub(super) fn response(&self, outputs: &[Vec<Values>]) -> Response {
        self.layers.response(outputs)
    }
}
