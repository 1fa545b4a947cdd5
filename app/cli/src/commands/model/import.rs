//! `provena model import`.

mod workplace;

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::Result;
use clap::ValueEnum;
use provena_engine::{
    Error,
    artifact::Family,
    import::{self, ImportOptions, ImportReport},
};
use serde::Serialize;

use crate::{
    context::Context,
    failure::{Exit, Failure},
    output::{Report, progress::Progress, style::Style, table::facts, text::printable},
    stop,
};
use workplace::{Places, Workplace};

/// Arguments of `provena model import`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena model import oracle/engine/models/digits --out digits.pvna\n  provena model import ~/.cache/provena/assets/minilm --name MiniLM --out minilm.pvna\n  provena model import ~/.cache/provena/assets/smollm2/model.gguf --name SmolLM2 --out smollm2.pvna"
)]
pub(super) struct Args {
    /// A folder as models are published (safetensors, config.json, for models of text tokenizer.json), or a .gguf file.
    ///
    /// Weights in safetensors may be F32, BF16 or F16, in model.safetensors or in the shards, at most 128, that
    /// model.safetensors.index.json names; those in GGUF also Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K and Q6_K. All must be finite. A
    /// language model brings its tokenizer and its chat template along: in tokenizer_config.json or
    /// chat_template.jinja, or in the .gguf file itself.
    source: PathBuf,
    /// The artifact to write (.pvna); its card is written beside it. Ctrl-c leaves nothing behind.
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
    /// What kind of model it is [default: what the model says].
    #[arg(long, value_enum)]
    family: Option<FamilyName>,
    /// The model's name [default: the folder's or file's].
    #[arg(long)]
    name: Option<String>,
    /// Typical inputs to measure ranges on: lines of text, or lines of pixels [default: those that come with the engine].
    #[arg(long, value_name = "FILE")]
    calibration: Option<PathBuf>,
    /// The longest context of a language model, in tokens [default: the model's own, at most 4096].
    ///
    /// A longer one takes more memory when the model is loaded.
    #[arg(long, value_name = "TOKENS", value_parser = clap::value_parser!(u32).range(1..))]
    context: Option<u32>,
    /// Replace an artifact and a card that are there already.
    #[arg(long)]
    force: bool,
}

/// The families that can be imported.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum FamilyName {
    /// A classifier of small pictures.
    Mlp,
    /// A classifier of pictures, by convolutions.
    Cnn,
    /// A sentence encoder.
    Bert,
    /// A language model: Llama, Mistral, Qwen2, SmolLM2, TinyLlama.
    Llama,
}

#[derive(Serialize)]
#[serde(transparent)]
struct Imported {
    report: ImportReport,
    /// How it is minted from here.
    #[serde(skip)]
    mint: String,
}

impl Report for Imported {
    fn text(&self, style: Style) -> String {
        let Self { report, mint } = self;
        let mut rows = vec![
            ("artifact", style.strong(&report.artifact.display().to_string())),
            ("card", report.card.display().to_string()),
            ("content root", report.summary.content_root.clone()),
            ("size", format!("{} bytes", report.summary.bytes)),
        ];
        let names: Vec<String> = report.quality.iter().map(|figure| printable(&figure.name)).collect();
        rows.extend(names.iter().zip(&report.quality).map(|(name, figure)| (name.as_str(), number(figure.value))));
        let table = facts(&rows, style);
        let chat = match report.summary.family {
            Family::Llama => format!("provena model chat {}\n      ", report.artifact.display()),
            _ => String::new(),
        };
        table + &style.next(&format!("{chat}{mint}"))
    }
}

/// A figure as people read it: counts without decimals.
fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() > 1.0 { format!("{value:.0}") } else { format!("{value:.4}") }
}

/// Imports and reports. Ctrl-c and SIGTERM end it with nothing written.
pub(super) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let Args { source, out, family, name, calibration, context: longest, force } = args;
    let family = family.map(|family| match family {
        FamilyName::Mlp => Family::Mlp,
        FamilyName::Cnn => Family::Cnn,
        FamilyName::Bert => Family::Bert,
        FamilyName::Llama => Family::Llama,
    });
    check(&source, &out, force)?;
    let places = Places::new(&out, &source, calibration.as_deref(), force)?;
    let workplace = Workplace::new(&out, context.output)?;
    let bar = Progress::spinner(context.output, "importing");
    let stop = Arc::new(AtomicBool::new(false));
    let options = ImportOptions { source, family, name, calibration, context: longest, out: workplace.artifact() };
    let stopped = Arc::clone(&stop);
    let mut working = tokio::task::spawn_blocking(move || {
        let mut progress = |step: import::Progress| {
            bar.message(step.stage);
            bar.position(step.done as u64, step.total as u64);
            if stopped.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let report = import::import_unless_cancelled(&options, &mut progress);
        bar.finish();
        (report, options.source)
    });
    let stopping = async {
        stop::requested().await;
        stop.store(true, Ordering::Relaxed);
        context.output.note("stopping; what was written so far is removed");
        std::future::pending::<()>().await;
    };
    let (report, source) = tokio::select! {
        done = &mut working => done?,
        () = stopping => unreachable!("it waits for ever"),
    };
    let mut report = match report {
        Ok(report) => report,
        Err(error) => {
            workplace.remove()?;
            if matches!(error, Error::Cancelled) {
                let kept = Failure::new(Exit::Interrupted, format!("stopped; nothing was kept of {}", out.display()));
                return Err(kept.hint("the same command begins again").into());
            }
            let source = printable(&source.display().to_string());
            return Err(anyhow::Error::from(error).context(format!("{source} cannot be imported")));
        }
    };
    places.take(&mut report)?;
    workplace.remove()?;
    let mint = format!("provena model mint {}{}", report.artifact.display(), context.local());
    context.output.data(&Imported { report, mint: context.output.command(&mint) })
}

/// Checks what is there and what is not, with words for both.
fn check(source: &Path, out: &Path, force: bool) -> Result<()> {
    let shown = printable(&source.display().to_string());
    if !source.exists() {
        let missing = Failure::usage(format!("there is no {shown}"));
        return Err(missing.hint("name a folder with a published model, or a .gguf file").into());
    }
    let gguf = source.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gguf"));
    if !source.is_dir() && !gguf {
        let wrong = Failure::usage(format!("{shown} is neither a folder nor a .gguf file"));
        return Err(wrong.hint("name the folder that it lies in").into());
    }
    if source.is_dir() && !source.join("config.json").exists() {
        let wrong = Failure::usage(format!("the folder {shown} holds no model: there is no config.json in it"));
        return Err(wrong.hint("name a folder as models are published: config.json, model.safetensors").into());
    }
    if out.is_file() && !force {
        let out = out.display();
        let there = Failure::usage(format!("{out} exists already"));
        return Err(there.hint("use it as it is, name another file, or replace this one with --force").into());
    }
    Ok(())
}
