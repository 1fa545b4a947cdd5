//! Decoders of real sizes with random integers for weights: a prompt at once, then token by token, alone and eight
//! together, on the device, on the processor, and by candle in floats.

mod equality;
mod run;

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use candle_transformers::models::llama::Config;
use provena_engine::artifact::{Activations, Artifact, Dtype, LlamaRecipe, ModelRecipe};
use provena_engine::backend::Backend;
use provena_engine::gpu::Gpu;
use provena_engine::models::llama::Llama;
use run::Run;

use crate::options::Options;
use crate::report::{Decoder, DecoderSpeed};
use crate::timing::{Sample, summarise};
use crate::tiny_llama;
use crate::yardstick;

/// Tokens of a prompt, where that takes no longer than [`PATIENCE`].
const PROMPT: usize = 128;
/// Tokens of a prompt on a device that is slower.
const SHORT_PROMPT: usize = 16;
/// The most that one figure should take.
const PATIENCE: Duration = Duration::from_secs(4);
/// The most tokens that are generated for a figure.
const STEPS: usize = 24;
/// Sequences that are continued together.
const BATCH: usize = 8;

/// A published model's sizes.
struct Size {
    name: &'static str,
    width: u32,
    layers: u32,
    heads: u32,
    kv_heads: u32,
    inner: u32,
    tied: bool,
    /// Whether its floats fit a small machine's memory, too.
    candle: bool,
}

const SIZES: [Size; 3] = [
    Size { name: "llama-15m", width: 288, layers: 6, heads: 6, kv_heads: 6, inner: 768, tied: true, candle: true },
    Size {
        name: "llama-110m",
        width: 768,
        layers: 12,
        heads: 12,
        kv_heads: 12,
        inner: 2_048,
        tied: true,
        candle: true,
    },
    Size {
        name: "llama-1b",
        width: 2_048,
        layers: 22,
        heads: 32,
        kv_heads: 4,
        inner: 5_632,
        tied: false,
        candle: false,
    },
];

const VOCABULARY: u32 = 32_000;
const POSITIONS: u32 = 512;

/// Measures every size that is asked for.
pub(crate) fn measure(options: &Options, gpu: Option<&Gpu>) -> Result<Vec<Decoder>, Box<dyn Error>> {
    let asked = |size: &&Size| options.wants(size.name) && !(options.quick && size.width > 1_000);
    SIZES.iter().filter(asked).map(|size| size.measure(gpu)).collect()
}

impl Size {
    fn recipe(&self) -> LlamaRecipe {
        LlamaRecipe {
            vocabulary: VOCABULARY,
            width: self.width,
            layers: self.layers,
            heads: self.heads,
            kv_heads: self.kv_heads,
            depth: self.width / self.heads,
            inner: self.inner,
            positions: POSITIONS,
            window: 0,
            tied: self.tied,
            activations: Activations::Split,
            stops: vec![],
            chat_template: String::new(),
            bos: String::new(),
            eos: String::new(),
        }
    }

    fn candle(&self) -> Config {
        Config {
            hidden_size: self.width as usize,
            intermediate_size: self.inner as usize,
            vocab_size: VOCABULARY as usize,
            num_hidden_layers: self.layers as usize,
            num_attention_heads: self.heads as usize,
            num_key_value_heads: self.kv_heads as usize,
            use_flash_attn: false,
            rms_norm_eps: 1e-5,
            rope_theta: 10_000.0,
            bos_token_id: None,
            eos_token_id: None,
            rope_scaling: None,
            max_position_embeddings: POSITIONS as usize,
            tie_word_embeddings: self.tied,
        }
    }

    fn measure(&self, gpu: Option<&Gpu>) -> Result<Decoder, Box<dyn Error>> {
        let artifact = Arc::new(tiny_llama::random(&self.recipe(), 3));
        let ModelRecipe::Llama(recipe) = &artifact.recipe().model else { return Err("not a decoder".into()) };
        let llama = Llama::new(&artifact, recipe)?;
        let weight_bytes = weight_bytes(&artifact, recipe);
        let cpu = Backend::new(artifact.clone(), None)?;
        let device = gpu.map(|gpu| Backend::new(artifact.clone(), Some(gpu))).transpose()?;
        let backends: Vec<&Backend> = std::iter::once(&cpu).chain(&device).collect();
        let compared = if self.width < 512 { equality::thorough } else { equality::brief };
        let compared = compared(self.name, &llama, &backends)?;
        let device = device.map(|device| speed(&llama, &device, weight_bytes)).transpose()?;
        let cpu = speed(&llama, &cpu, weight_bytes)?;
        let candle = self.candle.then(|| candle(self.candle())).transpose()?;
        Ok(Decoder { model: self.name, compared, weight_bytes, device, cpu, candle })
    }
}

/// Bytes of the tensors that every token reads whole.
fn weight_bytes(artifact: &Artifact, recipe: &LlamaRecipe) -> usize {
    let read = |name: &str, dtype| match name {
        "embed.weight" => recipe.tied,
        "embed.scale" | "rotation.table" => false,
        _ => dtype != Dtype::I16,
    };
    let tensors = artifact.tensors().filter(|(_, tensor)| read(tensor.name, tensor.dtype));
    tensors.map(|(_, tensor)| tensor.bytes.len()).sum()
}

fn speed(llama: &Llama, backend: &Backend, weight_bytes: usize) -> Result<DecoderSpeed, Box<dyn Error>> {
    let short = prefill(llama, backend, SHORT_PROMPT)?;
    let patient = short * (PROMPT / SHORT_PROMPT) as u32 <= 2 * PATIENCE;
    let (prompt, taken) = if patient { (PROMPT, prefill(llama, backend, PROMPT)?) } else { (SHORT_PROMPT, short) };
    let (one, many) = (decode(llama, backend, 1)?, decode(llama, backend, BATCH)?);
    Ok(DecoderSpeed {
        prompt,
        prefill: prompt as f64 / taken.as_secs_f64(),
        decode: 1e3 / one.millis,
        together: BATCH as f64 * 1e3 / many.millis,
        gbytes: weight_bytes as f64 / one.best_millis / 1e6,
    })
}

/// The time of a prompt; the better of two where that is quick.
fn prefill(llama: &Llama, backend: &Backend, tokens: usize) -> Result<Duration, Box<dyn Error>> {
    let mut run = Run::new(llama, backend, 1, tokens, false)?;
    let plan = run.plan(tokens, 1);
    let mut best = Duration::MAX;
    let begun = Instant::now();
    // The first time includes recording the plan.
    for _ in 0..4 {
        let start = Instant::now();
        run.prefill(&plan, tokens)?;
        best = best.min(start.elapsed());
        if begun.elapsed() > PATIENCE {
            break;
        }
    }
    Ok(best)
}

/// The time of a step of so many sequences, after [`PROMPT`] tokens of each.
fn decode(llama: &Llama, backend: &Backend, sequences: usize) -> Result<Sample, Box<dyn Error>> {
    let mut run = Run::new(llama, backend, sequences, PROMPT + STEPS + 1, false)?;
    let plan = run.plan(sequences, sequences);
    let mut tokens: Vec<u32> = (0..sequences as u32).map(|i| i * 911 + 7).collect();
    let (mut taken, begun) = (vec![], Instant::now());
    for position in PROMPT..=PROMPT + STEPS {
        let start = Instant::now();
        let outputs = run.step(&plan, &tokens, position)?;
        taken.push(start.elapsed());
        tokens = outputs[0].as_u32().to_vec();
        if begun.elapsed() > PATIENCE && taken.len() > 2 {
            break;
        }
    }
    // The first records the plan.
    taken.remove(0);
    Ok(summarise(taken))
}

fn candle(config: Config) -> Result<DecoderSpeed, Box<dyn Error>> {
    let (vocabulary, width) = (config.vocab_size, config.hidden_size);
    let (layers, inner) = (config.num_hidden_layers, config.intermediate_size);
    let model = yardstick::Decoder::random(config)?;
    model.measure(PROMPT, 1)?;
    let (prompt, step) = model.measure(PROMPT, STEPS)?;
    let weights = vocabulary * width + layers * (4 * width * width + 3 * width * inner);
    Ok(DecoderSpeed {
        prompt: PROMPT,
        prefill: PROMPT as f64 / prompt.as_secs_f64(),
        decode: 1e3 / step.millis,
        together: 0.0,
        gbytes: 4.0 * weights as f64 / step.best_millis / 1e6,
    })
}
