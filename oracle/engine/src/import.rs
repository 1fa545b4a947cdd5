//! Float models become artifacts: calibrated, quantised, checked against their float twin, written with a card.
//!
//! What has layers of words, decoders and encoders, is imported and measured a layer at a time, so that an import takes
//! less memory than the artifact that it writes; a test watches it. Classifiers of images are small, and lie in memory
//! as a whole.

mod balance;
mod bert;
mod calibration;
mod candidate;
mod card;
mod cnn;
mod compensate;
mod config;
mod llama;
mod memory;
mod mlp;
mod quantise;
mod scale;

use std::{
    io::Write,
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::Instant,
};

use serde::Serialize;

use crate::{
    artifact::{Artifact, Family, ModelRecipe, Recipe, Source, Summary},
    error::Error,
    format::Checkpoint,
};
pub use calibration::TEXTS as CALIBRATION_TEXTS;
use config::Config;

/// What to import, and to where.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// A folder with `model.safetensors` (or `model.safetensors.index.json` and its shards), `config.json` and, for
    /// models of text, `tokenizer.json`; or a `.gguf` file, or a folder with one. [`Checkpoint::open`] says the rest.
    pub source: PathBuf,
    /// The family; by default the one that `config.json` names.
    pub family: Option<Family>,
    /// The model's name; by default the folder's.
    pub name: Option<String>,
    /// Typical inputs: lines of text, or lines of comma-separated pixels (and perhaps the label). By default a list
    /// that the engine carries, or the ranges that `config.json` states.
    pub calibration: Option<PathBuf>,
    /// A decoder's longest context in tokens; by default the model's own, but no more than 4,096.
    pub context: Option<u32>,
    /// The artifact to write; its card is written beside it.
    pub out: PathBuf,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done, for people.
    pub stage: &'static str,
    /// Steps of it that are done.
    pub done: usize,
    /// Steps in all.
    pub total: usize,
}

/// A measured property of the artifact, compared with the float model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// The value.
    pub value: f64,
}

/// What an import gave.
#[derive(Clone, Debug, Serialize)]
pub struct ImportReport {
    /// The artifact.
    pub artifact: PathBuf,
    /// Its card, for people.
    pub card: PathBuf,
    /// What it is.
    pub summary: Summary,
    /// How near it comes to the float model.
    pub quality: Vec<Figure>,
    /// How long the import took.
    pub seconds: f64,
}

/// What a family's importer gives.
struct Imported {
    artifact: Artifact,
    quality: Vec<Figure>,
}

/// What every family's importer is given.
struct Job<'a> {
    name: String,
    checkpoint: Checkpoint,
    config: Config,
    options: &'a ImportOptions,
    progress: &'a mut dyn FnMut(Progress),
}

impl Job<'_> {
    /// How an artifact of this model is to be run, and where it comes from.
    fn recipe(&self, model: ModelRecipe) -> Recipe {
        let importer = concat!("provena-engine ", env!("CARGO_PKG_VERSION"));
        Recipe {
            name: self.name.clone(),
            engine_class: provena_arith::receipt::ENGINE_CLASS_INT_V1,
            model,
            tokenizer_sha256: None,
            source: Source { weights_sha256: self.checkpoint.sha256.clone(), importer: importer.into() },
        }
    }

    fn report(&mut self, stage: &'static str, done: usize, total: usize) {
        (self.progress)(Progress { stage, done, total });
    }

    /// Imports a model that is small enough to lie in memory as a whole, and writes it.
    fn whole(&mut self, import: fn(&mut Self) -> Result<Imported, Error>) -> Result<(Summary, Vec<Figure>), Error> {
        let Imported { artifact, quality } = import(self)?;
        self.report("writing", 0, 1);
        write(&self.options.out, artifact.bytes())?;
        Ok((artifact.summary(), quality))
    }
}

/// Imports a float model.
///
/// # Errors
/// [`Error::File`] for files that are missing or cannot be written; [`Error::Import`] and [`Error::ImportTensor`] for a
/// model that is damaged, unknown or not finite. Nothing is written unless everything succeeded.
pub fn import(options: &ImportOptions, progress: &mut dyn FnMut(Progress)) -> Result<ImportReport, Error> {
    let start = Instant::now();
    progress(Progress { stage: "reading", done: 0, total: 1 });
    let checkpoint = Checkpoint::open(&options.source)?;
    let config = Config::new(&checkpoint.config)?;
    let family = options.family.map_or_else(|| config.family(), Ok)?;
    progress(Progress { stage: "reading", done: 1, total: 1 });
    let name = options.name.clone().unwrap_or_else(|| {
        options
            .source
            .canonicalize()
            .ok()
            .and_then(|p| Some(p.file_name()?.to_string_lossy().into_owned()))
            .unwrap_or_default()
    });
    let mut job = Job { name, checkpoint, config, options, progress };
    let (summary, quality) = match family {
        Family::Mlp => job.whole(mlp::import)?,
        Family::Bert => bert::import(&mut job)?,
        Family::Cnn => job.whole(cnn::import)?,
        Family::Llama => llama::import(&mut job)?,
    };
    let card = options.out.with_extension("card.md");
    write(&card, card::markdown(&summary, &quality).as_bytes())?;
    write(&options.out.with_extension("card.json"), &card::json(&summary, &quality))?;
    job.report("writing", 1, 1);
    let seconds = start.elapsed().as_secs_f64();
    Ok(ImportReport { artifact: options.out.clone(), card, summary, quality, seconds })
}

/// The same, for somebody who may want it no more: when `progress` breaks off, what was written is removed.
///
/// # Errors
/// Those of [`import`], and [`Error::Cancelled`].
pub fn import_unless_cancelled(
    options: &ImportOptions,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<ImportReport, Error> {
    /// What is unwound with, so that every file that is being written is removed on the way.
    struct Cancelled;
    let mut told = |step: Progress| {
        if progress(step).is_break() {
            std::panic::resume_unwind(Box::new(Cancelled));
        }
    };
    // Nothing that was unwound is seen again.
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| import(options, &mut told)));
    done.unwrap_or_else(|payload| match payload.downcast::<Cancelled>() {
        Ok(_) => Err(Error::Cancelled),
        Err(payload) => std::panic::resume_unwind(payload),
    })
}

/// Writes a file so that it is there either whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(Error::write(folder))?;
    }
    let mut partial = path.as_os_str().to_owned();
    partial.push(format!(".{}.partial", std::process::id()));
    let partial = PathBuf::from(partial);
    let put = || {
        let mut file = std::fs::File::create(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&partial, path)
    };
    put().map_err(|error| {
        let _ = std::fs::remove_file(&partial);
        Error::write(path)(error)
    })
}
