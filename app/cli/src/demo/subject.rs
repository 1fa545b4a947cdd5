//! What the demo is about: digits, sentences or a conversation.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use provena_engine::{import::CALIBRATION_TEXTS, places};
use provena_wire::{Generate, Message, Prompt, Request, Sampling};

use super::Options;
use crate::{digits, failure::Failure};

/// Which model the demo shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A small classifier of scanned handwritten digits.
    Digits,
    /// The MiniLM sentence encoder.
    Minilm,
    /// The SmolLM2 chat model.
    Smollm2,
}

/// Everything that differs between them.
pub(super) struct Subject {
    /// Which one.
    pub kind: Kind,
    /// The model's name.
    pub model_title: &'static str,
    /// The dataset's name.
    pub dataset_title: &'static str,
    /// What the dataset is, as the end of a sentence.
    pub dataset_is: String,
    /// Why the model owes something to the dataset.
    pub derived: &'static str,
    /// The dataset as one file's bytes.
    pub dataset: Vec<u8>,
    /// What is asked.
    pub request: Request,
    /// What people say the answers are, for pictures.
    pub labels: Vec<u8>,
    /// The price of one unit, in thousandths of what a picture costs.
    pub price_milli: u64,
    /// The most units of input of one job.
    pub max_input: u32,
    /// The most units of output of one job; 0 where the model answers no words.
    pub max_output: u32,
    /// What one unit of work is called.
    pub unit: &'static str,
    /// Several of them.
    pub units: &'static str,
}

const DIGITS_WEIGHTS: &[u8] = include_bytes!("../../../../oracle/engine/models/digits/model.safetensors");
const DIGITS_CONFIG: &[u8] = include_bytes!("../../../../oracle/engine/models/digits/config.json");

/// The first is the question, the others are ranked by nearness to it.
const SENTENCES: [&str; 6] = [
    "How do I get back into my account?",
    "The capital of France is Paris.",
    "I forgot my password and cannot log in.",
    "Our cat sleeps on the warm windowsill all day.",
    "Where can I change my login details?",
    "The train to the coast leaves at noon.",
];

/// What the chat model is asked, and the most tokens of its answer: few, because the reference, which takes its time,
/// computes the answer again.
const QUESTION: &str = "What is gravity?";
const ANSWER_TOKENS: u32 = 24;
/// Sentences that the chat model is measured on: few, because the float model reads every one of them.
const CHAT_SENTENCES: usize = 24;

impl Subject {
    /// Reads the real data.
    ///
    /// # Errors
    /// It was not fetched yet.
    pub(super) fn new(options: &Options) -> Result<Self> {
        match options.kind {
            Kind::Digits => Self::digits(&options.rows),
            Kind::Minilm => Self::sentences(),
            Kind::Smollm2 => Self::conversation(),
        }
    }

    fn digits(rows: &[usize]) -> Result<Self> {
        let file = asset("digits/digits.csv.gz")?;
        let all = digits::read_csv(&file)?;
        let mut images = Vec::new();
        let mut labels = Vec::new();
        for row in rows {
            let digit = all.get(*row).ok_or_else(|| {
                Failure::usage(format!("the data has no row {row}; its rows are 0 to {}", all.len().saturating_sub(1)))
            })?;
            images.push(digit.pixels.clone());
            labels.extend(digit.label);
        }
        Ok(Self {
            kind: Kind::Digits,
            model_title: "Digit reader",
            dataset_title: "Scanned digits",
            dataset_is: format!("{} scanned handwritten digits (E. Alpaydin and C. Kaynak, UCI, CC BY 4.0)", all.len()),
            derived: "It learned from that data",
            dataset: fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?,
            request: Request::Classify { images },
            labels,
            price_milli: 1_000,
            max_input: 64,
            max_output: 0,
            unit: "picture",
            units: "pictures",
        })
    }

    fn sentences() -> Result<Self> {
        asset("minilm/model.safetensors")?;
        Ok(Self {
            model_title: "MiniLM",
            derived: "The published MiniLM (Apache-2.0), made exact by measuring it on those sentences",
            request: Request::Embed { texts: SENTENCES.map(str::to_owned).to_vec() },
            price_milli: 1_000,
            max_input: 64,
            max_output: 0,
            unit: "sentence",
            units: "sentences",
            ..Self::calibrated(Kind::Minilm, usize::MAX)
        })
    }

    fn conversation() -> Result<Self> {
        asset("smollm2/model.gguf")?;
        let question = Message { role: "user".to_owned(), content: QUESTION.to_owned() };
        Ok(Self {
            model_title: "SmolLM2",
            derived: "The published SmolLM2-135M-Instruct (Apache-2.0), made exact by measuring it on them",
            request: Request::Generate(Generate {
                prompt: Prompt::Chat(vec![question]),
                max_tokens: ANSWER_TOKENS,
                sampling: Sampling::GREEDY,
                stop: Vec::new(),
            }),
            price_milli: 10,
            max_input: 1_024,
            max_output: 256,
            unit: "token (a word or a piece of one)",
            units: "tokens",
            ..Self::calibrated(Kind::Smollm2, CHAT_SENTENCES)
        })
    }

    /// What models that were measured on sentences, at most so many, have in common.
    fn calibrated(kind: Kind, most: usize) -> Self {
        let lines: Vec<&str> = CALIBRATION_TEXTS.lines().filter(|line| !line.trim().is_empty()).take(most).collect();
        Self {
            kind,
            model_title: "",
            dataset_title: "Calibration sentences",
            dataset_is: format!("{} sentences, written to measure how large a model's numbers get", lines.len()),
            derived: "",
            dataset: (lines.join("\n") + "\n").into_bytes(),
            request: Request::Embed { texts: Vec::new() },
            labels: Vec::new(),
            price_milli: 0,
            max_input: 0,
            max_output: 0,
            unit: "",
            units: "",
        }
    }

    /// The float model and, where one is used, the calibration file; `scratch` may be written to.
    ///
    /// # Errors
    /// The scratch folder cannot be written.
    pub(super) fn source(&self, scratch: &Path) -> Result<(PathBuf, Option<PathBuf>)> {
        match self.kind {
            Kind::Digits => {
                let folder = scratch.join("digits");
                fs::create_dir_all(&folder)?;
                fs::write(folder.join("model.safetensors"), DIGITS_WEIGHTS)?;
                fs::write(folder.join("config.json"), DIGITS_CONFIG)?;
                Ok((folder, None))
            }
            Kind::Minilm | Kind::Smollm2 => {
                let calibration = scratch.join("calibration.txt");
                fs::write(&calibration, &self.dataset)?;
                let model = if self.kind == Kind::Minilm { "minilm" } else { "smollm2/model.gguf" };
                Ok((asset(model)?, Some(calibration)))
            }
        }
    }
}

/// A fetched file.
fn asset(name: &str) -> Result<PathBuf> {
    let file = places::assets().map(|folder| folder.join(name)).filter(|file| file.exists());
    file.ok_or_else(|| {
        Failure::failed(format!("the demo's real data ({name}) is not on this machine yet"))
            .hint("cargo xtask fetch   (`cargo xtask demo` does it by itself)")
            .into()
    })
}
