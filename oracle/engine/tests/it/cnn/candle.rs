//! The float model against candle's convolutions.

use candle_core::{Device, Tensor};
use provena_engine::float::cnn::FloatCnn;

use super::random::{Model, Shape};

impl Model {
    fn tensor(&self, name: &str) -> Tensor {
        let (shape, values) = &self.tensors[name];
        Tensor::from_vec(values.clone(), shape.as_slice(), &Device::Cpu).unwrap()
    }

    /// Logits, image after image, from candle.
    fn logits(&self, images: &[Vec<u8>]) -> candle_core::Result<Vec<f32>> {
        let Shape { size: [height, width], channels, max_value, .. } = self.shape;
        let pixels: Vec<f32> = images.iter().flatten().map(|v| f32::from(*v) / f32::from(max_value)).collect();
        let dims = [images.len(), height as usize, width as usize, channels as usize];
        let mut x = Tensor::from_vec(pixels, &dims, &Device::Cpu)?.permute((0, 3, 1, 2))?.contiguous()?;
        for (i, [_, _, stride, pad, pool]) in self.shape.convolutions.iter().enumerate() {
            let weight = self.tensor(&format!("conv.{i}.weight"));
            let bias = self.tensor(&format!("conv.{i}.bias")).reshape((1, (), 1, 1))?;
            x = x.conv2d(&weight, *pad as usize, *stride as usize, 1, 1)?.broadcast_add(&bias)?.relu()?;
            if *pool > 1 {
                x = x.max_pool2d(*pool as usize)?;
            }
        }
        let mut x = x.flatten_from(1)?;
        for i in 0..self.shape.widths.len() {
            x = x.matmul(&self.tensor(&format!("layers.{i}.weight")).t()?)?;
            x = x.broadcast_add(&self.tensor(&format!("layers.{i}.bias")))?;
            if i + 1 < self.shape.widths.len() {
                x = x.relu()?;
            }
        }
        x.flatten_all()?.to_vec1()
    }
}

#[test]
fn the_float_model_computes_what_candle_computes() {
    for (seed, shape) in Shape::awkward().into_iter().enumerate() {
        let model = shape.model(seed as u64);
        let images = shape.images(4, seed as u64);
        let float = FloatCnn::new(&model.weights(), &shape.recipe()).unwrap();
        let found = float.activations(&images).unwrap().pop().unwrap();
        let expected = model.logits(&images).unwrap();
        assert_eq!(found.len(), expected.len());
        for (a, b) in found.iter().zip(&expected) {
            assert!((a - b).abs() <= 1e-4 * (1.0 + b.abs()), "{shape:?}: {a} and {b}");
        }
    }
}
