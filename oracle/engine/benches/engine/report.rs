//! The figures, as tables for people and as JSON for programs.

use serde::Serialize;

use crate::peaks::Peak;
use crate::timing::Sample;

/// Everything one run measured.
#[derive(Serialize)]
pub(crate) struct Report {
    /// The adapter's name, "none" where there is none: then only the processor is measured.
    pub adapter: String,
    /// Its driver.
    pub driver: Option<String>,
    /// Its matrix units, or why there are none to use.
    pub matrix: Option<String>,
    /// The processor's name, as far as the system tells.
    pub processor: String,
    /// Threads that the CPU backend and candle use.
    pub threads: usize,
    /// Whether the compiler optimised everything (`release`) or only what computes (`dev`).
    pub profile: &'static str,
    /// The processor's own limits.
    pub host: Peak,
    /// The adapter's own limits.
    pub device: Option<Peak>,
    /// One operation each.
    pub kernels: Vec<Kernel>,
    /// Whole requests to classifiers and encoders.
    pub answers: Vec<Answer>,
    /// Decoders with random weights.
    pub decoders: Vec<Decoder>,
    /// A published decoder that answers.
    pub chat: Option<Chat>,
    /// What a node waits for before and at its first answers.
    pub start: Option<Start>,
}

/// Milliseconds from nothing to the first answers of MiniLM.
#[derive(Serialize)]
pub(crate) struct Start {
    /// Opening the adapter.
    pub open: f64,
    /// The self test, which compiles every kernel.
    pub self_test: f64,
    /// Uploading the model's tensors and reading its tokenizer.
    pub load: f64,
    /// The first answer.
    pub first: f64,
    /// The first answer to a text of another length.
    pub other_length: f64,
}

/// One operation at one shape.
#[derive(Serialize)]
pub(crate) struct Kernel {
    /// The operation.
    pub op: &'static str,
    /// The first pipeline's label, where there is an adapter.
    pub label: Option<String>,
    /// The shape, for people.
    pub shape: String,
    /// On the adapter.
    pub device: Option<Speed>,
    /// Billions of operations on the adapter per second of a processor's time, for software drivers.
    pub busy_gops: Option<f64>,
    /// On the processor.
    pub cpu: Speed,
}

/// How quick an operation is.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct Speed {
    /// Microseconds; the least of several runs.
    pub micros: f64,
    /// Billions of operations per second; one multiplication and one addition are two.
    pub gops: f64,
    /// Billions of bytes per second that the operation has to touch.
    pub gbytes: f64,
}

/// One request.
#[derive(Serialize)]
pub(crate) struct Answer {
    /// The model's name.
    pub model: &'static str,
    /// The request, for people.
    pub request: String,
    /// On the adapter, warm.
    pub device: Option<Sample>,
    /// On the processor, warm.
    pub cpu: Sample,
    /// By candle in floats on the processor, without the tokenizer.
    pub candle: Option<Sample>,
}

/// A decoder.
#[derive(Serialize)]
pub(crate) struct Decoder {
    /// Its name.
    pub model: &'static str,
    /// Logits that were compared between backends, parts of prompts and batches; all were equal.
    pub compared: usize,
    /// Bytes of weights that each step reads.
    pub weight_bytes: usize,
    /// On the adapter.
    pub device: Option<DecoderSpeed>,
    /// On the processor.
    pub cpu: DecoderSpeed,
    /// By candle in floats on the processor, four bytes per weight.
    pub candle: Option<DecoderSpeed>,
}

/// How quick a decoder is.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct DecoderSpeed {
    /// Tokens of the prompt.
    pub prompt: usize,
    /// Tokens of a prompt per second.
    pub prefill: f64,
    /// Tokens generated per second for one sequence; the median step.
    pub decode: f64,
    /// Tokens generated per second for eight sequences together, all of them counted; 0 where that was not measured.
    pub together: f64,
    /// Billions of bytes of weights per second in the quickest step of one sequence, as the copy's is its quickest.
    pub gbytes: f64,
}

/// A published decoder that answers.
#[derive(Serialize)]
pub(crate) struct Chat {
    /// Its name.
    pub model: &'static str,
    /// How long its import took.
    pub import_seconds: f64,
    /// Tokens of the prompt.
    pub prompt_tokens: u32,
    /// Tokens of the answer.
    pub tokens: usize,
    /// On the adapter.
    pub device: Option<Pace>,
    /// On the processor.
    pub cpu: Pace,
}

/// How an answer comes.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct Pace {
    /// Milliseconds until the first token.
    pub first_millis: f64,
    /// Tokens per second after it.
    pub tokens_per_second: f64,
}

/// The processor's name, where Linux tells it.
pub(crate) fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':').map(|(_, name)| name));
    name.map_or_else(|| std::env::consts::ARCH.into(), |name| name.trim().to_owned())
}

impl Report {
    /// Writes the tables.
    pub(crate) fn print(&self) {
        println!("adapter    {} ({})", self.adapter, self.driver.as_deref().unwrap_or("no driver"));
        if let Some(matrix) = &self.matrix {
            println!("matrix     {matrix}");
        }
        println!("processor  {}, {} threads; profile {}", self.processor, self.threads, self.profile);
        for (name, peak) in [("device", self.device), ("cpu", Some(self.host))] {
            if let Some(peak) = peak {
                print!("{name:<10} {:.1} GOP/s {}, {:.1} GB/s copy", peak.gops, peak.dot, peak.copy_gbytes);
                println!(
                    "{}",
                    peak.shared_gops.map_or_else(String::new, |v| format!(" ({v:.1} GOP/s of shared operands)"))
                );
            }
        }
        self.print_kernels();
        self.print_answers();
        self.print_decoders();
        self.print_chat();
        if let Some(Start { open, self_test, load, first, other_length }) = self.start {
            println!("\nstart      open {open:.0} ms, self test {self_test:.0} ms, load MiniLM {load:.0} ms");
            println!("           first answer {first:.0} ms, first of another length {other_length:.0} ms");
        }
    }

    fn print_kernels(&self) {
        if self.kernels.is_empty() {
            return;
        }
        println!(
            "\n{:<16} {:<22} {:>10} {:>8} {:>6} {:>6} {:>7} {:>6} {:>10} {:>8} {:>6} {:>7} {:>6}",
            "kernel",
            "shape",
            "us",
            "GOP/s",
            "%peak",
            "%busy",
            "GB/s",
            "%copy",
            "cpu us",
            "GOP/s",
            "%peak",
            "GB/s",
            "%copy"
        );
        let percent = |part: f64, whole: f64| format!("{:.1}", 100.0 * part / whole);
        for kernel in &self.kernels {
            let mut line = format!("{:<16} {:<22}", kernel.op, kernel.shape);
            for (speed, peak) in [(kernel.device, self.device), (Some(kernel.cpu), Some(self.host))] {
                let (Some(speed), Some(peak)) = (speed, peak) else { continue };
                line += &format!(" {:>10.1} {:>8.2} {:>6}", speed.micros, speed.gops, percent(speed.gops, peak.gops));
                if let Some((busy, peak)) = kernel.busy_gops.zip(peak.busy_gops) {
                    line += &format!(" {:>6}", percent(busy, peak));
                } else if peak.shared_gops.is_some() {
                    line += &format!(" {:>6}", "-");
                }
                line += &format!(" {:>7.2} {:>6}", speed.gbytes, percent(speed.gbytes, peak.copy_gbytes));
            }
            println!("{line}");
        }
    }

    fn print_answers(&self) {
        if self.answers.is_empty() {
            return;
        }
        println!(
            "\n{:<11} {:<12} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10} {:>11}",
            "model", "request", "ms", "best", "cpu ms", "best", "candle ms", "best", "candle/cpu"
        );
        for answer in &self.answers {
            let mut line = format!("{:<11} {:<12}", answer.model, answer.request);
            for sample in [answer.device, Some(answer.cpu), answer.candle] {
                line += &sample.map_or_else(
                    || format!(" {:>10} {:>10}", "-", "-"),
                    |sample| format!(" {:>10.2} {:>10.2}", sample.millis, sample.best_millis),
                );
            }
            if let Some(candle) = answer.candle {
                line += &format!(" {:>11.2}", candle.millis / answer.cpu.millis);
            }
            println!("{line}");
        }
    }

    fn print_decoders(&self) {
        if self.decoders.is_empty() {
            return;
        }
        println!(
            "\n{:<12} {:<7} {:>7} {:>12} {:>12} {:>12} {:>8} {:>6}",
            "decoder", "on", "prompt", "prompt tok/s", "tok/s", "8 together", "GB/s", "%copy"
        );
        for decoder in &self.decoders {
            let on_host = [("cpu", Some(decoder.cpu)), ("candle", decoder.candle)];
            let rows = std::iter::once(("device", decoder.device, self.device))
                .chain(on_host.map(|(name, speed)| (name, speed, Some(self.host))));
            for (name, speed, peak) in rows {
                let (Some(speed), Some(peak)) = (speed, peak) else { continue };
                println!(
                    "{:<12} {:<7} {:>7} {:>12.1} {:>12.2} {:>12.2} {:>8.2} {:>6.1}",
                    decoder.model,
                    name,
                    speed.prompt,
                    speed.prefill,
                    speed.decode,
                    speed.together,
                    speed.gbytes,
                    100.0 * speed.gbytes / peak.copy_gbytes
                );
            }
        }
        let compared: usize = self.decoders.iter().map(|decoder| decoder.compared).sum();
        println!("{compared} logits compared between backends, parts of prompts and batches: all equal");
    }

    fn print_chat(&self) {
        let Some(chat) = &self.chat else { return };
        let Chat { model, import_seconds, prompt_tokens, tokens, .. } = chat;
        println!("\n{model}: import {import_seconds:.0} s, prompt {prompt_tokens} tokens, answer {tokens} tokens");
        for (name, pace) in [("device", chat.device), ("cpu", Some(chat.cpu))] {
            if let Some(Pace { first_millis, tokens_per_second }) = pace {
                println!("{name:<10} first token {first_millis:.0} ms, then {tokens_per_second:.1} tokens/s");
            }
        }
    }
}
