//! Seeded small models in the published format, of any size.

use std::{collections::BTreeMap, sync::Arc};

use provena_engine::{
    Error,
    artifact::{Artifact, CnnRecipe, Convolution, MlpLayer},
    format::Weights,
    import::{ImportOptions, import},
};
use safetensors::{Dtype, tensor::TensorView};

/// The sizes of a model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Height and width.
    pub size: [u32; 2],
    /// Values per pixel.
    pub channels: u32,
    /// Channels, kernel, stride, padding and pooling of each convolution.
    pub convolutions: &'static [[u32; 5]],
    /// What each matrix product gives.
    pub widths: &'static [u32],
    /// Largest value of a pixel.
    pub max_value: u8,
}

impl Shape {
    /// Odd sides, strides that leave pixels out, pooling that leaves pixels out, padding as wide as the kernel, patches
    /// of one pixel, channels that fill no word, an image that is one patch.
    pub(crate) fn awkward() -> Vec<Self> {
        let shape = |size, channels, convolutions, widths| Self { size, channels, convolutions, widths, max_value: 16 };
        vec![
            shape([7, 5], 1, &[[3, 3, 1, 1, 2]], &[5]),
            shape([9, 11], 3, &[[5, 2, 2, 0, 1], [17, 3, 1, 2, 2]], &[7, 3]),
            shape([6, 6], 2, &[[9, 1, 1, 0, 3], [4, 1, 1, 0, 1]], &[11]),
            shape([5, 8], 4, &[[6, 5, 3, 5, 1]], &[2]),
            shape([4, 4], 1, &[[33, 4, 1, 0, 1]], &[1]),
            shape([13, 3], 16, &[[16, 3, 1, 1, 1], [15, 3, 2, 1, 1], [31, 2, 1, 1, 2]], &[19, 6]),
            shape([3, 10], 5, &[[2, 1, 2, 1, 1]], &[4]),
        ]
    }

    pub(crate) fn recipe(&self) -> CnnRecipe {
        let convolution = |[outputs, kernel, stride, pad, pool]: &[u32; 5]| Convolution {
            outputs: *outputs,
            kernel: *kernel,
            stride: *stride,
            pad: *pad,
            pool: *pool,
        };
        CnnRecipe {
            height: self.size[0],
            width: self.size[1],
            channels: self.channels,
            max_value: self.max_value,
            convolutions: self.convolutions.iter().map(convolution).collect(),
            layers: self.widths.iter().map(|outputs| MlpLayer { outputs: *outputs }).collect(),
        }
    }

    /// Random pictures.
    pub(crate) fn images(&self, count: usize, seed: u64) -> Vec<Vec<u8>> {
        let mut random = fastrand::Rng::with_seed(seed);
        let values = (self.size[0] * self.size[1] * self.channels) as usize;
        (0..count).map(|_| (0..values).map(|_| random.u8(0..=self.max_value)).collect()).collect()
    }

    /// Random weights, of a size that keeps activations near one.
    pub(crate) fn model(&self, seed: u64) -> Model {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut tensors = BTreeMap::new();
        let mut put = |name: String, shape: Vec<usize>| {
            let inputs = shape[1..].iter().product::<usize>();
            let bound = (6.0 / inputs.max(1) as f32).sqrt() * if shape.len() == 1 { 0.1 } else { 1.0 };
            let values = (0..shape.iter().product()).map(|_| bound * (2.0 * random.f32() - 1.0)).collect();
            tensors.insert(name, (shape, values));
        };
        let sizes = self.recipe().sizes().unwrap();
        for (i, ([outputs, kernel, ..], [.., channels])) in self.convolutions.iter().zip(&sizes).enumerate() {
            let [outputs, kernel] = [*outputs, *kernel].map(|v| v as usize);
            put(format!("conv.{i}.weight"), vec![outputs, *channels, kernel, kernel]);
            put(format!("conv.{i}.bias"), vec![outputs]);
        }
        let mut inputs = sizes.last().unwrap().iter().product();
        for (i, outputs) in self.widths.iter().enumerate() {
            put(format!("layers.{i}.weight"), vec![*outputs as usize, inputs]);
            put(format!("layers.{i}.bias"), vec![*outputs as usize]);
            inputs = *outputs as usize;
        }
        Model { shape: *self, tensors, config: self.config() }
    }

    fn config(&self) -> serde_json::Value {
        let convolution = |[channels, kernel, stride, padding, pool]: &[u32; 5]| {
            serde_json::json!({
                "channels": channels, "kernel": kernel, "stride": stride, "padding": padding, "pool": pool
            })
        };
        serde_json::json!({
            "model_type": "cnn",
            "activation": "relu",
            "activation_max": vec![4.0; self.convolutions.len() + self.widths.len() - 1],
            "image_size": self.size,
            "channels": self.channels,
            "input_scale": f64::from(self.max_value),
            "convolutions": self.convolutions.iter().map(convolution).collect::<Vec<_>>(),
            "widths": self.widths,
        })
    }
}

/// A float model.
#[derive(Clone)]
pub(crate) struct Model {
    pub shape: Shape,
    /// Dimensions and values by name.
    pub tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
    pub config: serde_json::Value,
}

impl Model {
    /// The file.
    pub(crate) fn safetensors(&self) -> Vec<u8> {
        let bytes: BTreeMap<&String, Vec<u8>> = self
            .tensors
            .iter()
            .map(|(name, (_, v))| (name, v.iter().flat_map(|v| v.to_le_bytes()).collect()))
            .collect();
        let views = self
            .tensors
            .iter()
            .map(|(name, (shape, _))| (name, TensorView::new(Dtype::F32, shape.clone(), &bytes[name]).unwrap()));
        safetensors::serialize(views, None).unwrap()
    }

    pub(crate) fn weights(&self) -> Weights {
        Weights::from_safetensors(self.safetensors()).unwrap()
    }

    /// Writes the model's folder and imports it, calibrated with these images. A failed import writes nothing.
    pub(crate) fn import(&self, images: Option<&[Vec<u8>]>) -> Result<Arc<Artifact>, Error> {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("model");
        std::fs::create_dir(&source).unwrap();
        std::fs::write(source.join("model.safetensors"), self.safetensors()).unwrap();
        std::fs::write(source.join("config.json"), self.config.to_string()).unwrap();
        let calibration = images.map(|images| {
            let line = |image: &Vec<u8>| image.iter().map(u8::to_string).collect::<Vec<_>>().join(",") + "\n";
            let path = folder.path().join("images.csv");
            std::fs::write(&path, images.iter().map(line).collect::<String>()).unwrap();
            path
        });
        let out = folder.path().join("out/model.pvna");
        let options = ImportOptions {
            source,
            family: None,
            name: Some("cnn".into()),
            calibration,
            context: None,
            out: out.clone(),
        };
        let result = import(&options, &mut |_| ());
        assert_eq!(result.is_ok(), out.exists(), "a failed import wrote something");
        assert!(result.is_ok() || !out.parent().unwrap().exists());
        result.map(|_| Arc::new(Artifact::open(&out).unwrap()))
    }
}
