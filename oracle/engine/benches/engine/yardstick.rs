//! The same work by candle in floats on the CPU, with as many threads: what a good engine without our promise takes.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use candle_core::{DType, Device, Tensor};
use candle_nn::{VarBuilder, VarMap};
use candle_transformers::models::{bert, llama};

use crate::timing::{Sample, summarise};

/// MiniLM in candle.
pub(crate) struct Encoder {
    model: bert::BertModel,
}

impl Encoder {
    /// Loads the published weights.
    pub(crate) fn open(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let config: bert::Config = serde_json::from_slice(&std::fs::read(folder.join("config.json"))?)?;
        let weights = std::fs::read(folder.join("model.safetensors"))?;
        let weights = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu)?;
        Ok(Self { model: bert::BertModel::load(weights, &config)? })
    }

    /// The vector of a text of so many tokens: the model, the mean, length one. The tokenizer is left out.
    fn embed(&self, tokens: usize) -> candle_core::Result<Tensor> {
        let ids: Vec<u32> = (0..tokens as u32).map(|i| 2_000 + i * 7).collect();
        let ids = Tensor::from_vec(ids, (1, tokens), &Device::Cpu)?;
        let hidden = self.model.forward(&ids, &ids.zeros_like()?, None)?;
        let mean = hidden.mean(1)?;
        mean.broadcast_div(&mean.sqr()?.sum_keepdim(1)?.sqrt()?)
    }

    /// How long a text of so many tokens takes.
    pub(crate) fn measure(&self, tokens: usize, samples: usize) -> candle_core::Result<Sample> {
        self.embed(tokens)?;
        let runs = (0..samples).map(|_| {
            let start = Instant::now();
            self.embed(tokens)?.to_vec2::<f32>()?;
            Ok(start.elapsed())
        });
        Ok(summarise(runs.collect::<candle_core::Result<Vec<Duration>>>()?))
    }
}

/// A decoder of some shape with random weights in candle.
pub(crate) struct Decoder {
    model: llama::Llama,
    config: llama::Config,
}

impl Decoder {
    /// One with random weights.
    pub(crate) fn random(config: llama::Config) -> candle_core::Result<Self> {
        let weights = VarMap::new();
        let builder = VarBuilder::from_varmap(&weights, DType::F32, &Device::Cpu);
        Ok(Self { model: llama::Llama::load(builder, &config)?, config })
    }

    /// How long a prompt of so many tokens takes, and then each of the tokens after it.
    pub(crate) fn measure(&self, prompt: usize, tokens: usize) -> candle_core::Result<(Duration, Sample)> {
        let mut cache = llama::Cache::new(true, DType::F32, &self.config, &Device::Cpu)?;
        let vocabulary = self.config.vocab_size as u32;
        let ids: Vec<u32> = (0..prompt as u32).map(|i| (i * 37 + 5) % vocabulary).collect();
        let start = Instant::now();
        let logits = self.model.forward(&Tensor::from_vec(ids, (1, prompt), &Device::Cpu)?, 0, &mut cache)?;
        let mut token = likeliest(&logits)?;
        let first = start.elapsed();
        let mut steps = Vec::with_capacity(tokens);
        for step in 0..tokens {
            let start = Instant::now();
            let logits =
                self.model.forward(&Tensor::from_vec(vec![token], (1, 1), &Device::Cpu)?, prompt + step, &mut cache)?;
            token = likeliest(&logits)?;
            steps.push(start.elapsed());
        }
        Ok((first, summarise(steps)))
    }
}

fn likeliest(logits: &Tensor) -> candle_core::Result<u32> {
    logits.squeeze(0)?.argmax(0)?.to_scalar::<u32>()
}
