//! The engine as others use it: one adapter, checked against known answers, and the models loaded on it.

mod prepared;
mod self_test;

use std::{
    ops::ControlFlow,
    str::FromStr,
    sync::{Arc, OnceLock},
};

use provena_wire::{Generate, Request, Response, Units};
use serde::Serialize;

use crate::{
    artifact::{Artifact, ModelRecipe},
    backend::Backend,
    cpu::Level,
    error::Error,
    generate::{self, Generator, Options, Token},
    gpu::{self, Gpu, Selection},
    models::{self, Plans, Prepared, llama::Llama},
    plan::SealedPlan,
    values::Values,
};
pub use prepared::PreparedRequest;
use prepared::Ready;
pub use self_test::SelfTestReport;

/// What computes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AdapterChoice {
    /// The fastest: the best GPU of this machine, or the CPU where there is none, or only a driver that computes on the CPU.
    #[default]
    Best,
    /// The best graphics adapter, software drivers included, or the CPU on a machine without any.
    Graphics,
    /// The CPU.
    Cpu,
    /// The best GPU whose name contains this, whatever the case.
    Named(String),
}

impl FromStr for AdapterChoice {
    type Err = std::convert::Infallible;

    /// "best", "gpu", "cpu", or a part of a GPU's name.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Ok(match name {
            "best" | "" => Self::Best,
            "gpu" => Self::Graphics,
            "cpu" => Self::Cpu,
            name => Self::Named(name.into()),
        })
    }
}

/// The adapter that an engine uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AdapterInfo {
    /// Its name, as its driver gives it.
    pub name: String,
    /// "wgpu" or "cpu".
    pub backend: &'static str,
    /// The driver and its version.
    pub driver: String,
    /// `discrete`, `integrated`, `virtual`, `software`, `cpu` or `other`.
    pub device_type: String,
}

/// One adapter. Cloning is cheap and shares it.
#[derive(Clone)]
pub struct Engine {
    gpu: Option<Gpu>,
    /// Used where there is no GPU.
    cpu: Level,
    info: AdapterInfo,
    /// Kept, because an adapter is tested once and used often.
    tested: Arc<OnceLock<SelfTestReport>>,
}

impl Engine {
    /// Opens an adapter. Nothing is loaded on it before [`Engine::self_test`] has passed.
    ///
    /// # Errors
    /// [`Error::Gpu`] when the adapter that was asked for is not there or cannot be opened. `Best` and `Graphics` fall
    /// back to the CPU only as they say; an adapter that is there and fails is an error. [`Error::Cpu`] when the
    /// environment asks for instructions that the processor lacks, see [`Level::from_env`].
    pub fn new(choice: AdapterChoice) -> Result<Self, Error> {
        let gpu = match choice {
            AdapterChoice::Cpu => None,
            AdapterChoice::Named(name) => Some(Gpu::open(&Selection::Named(name))?),
            AdapterChoice::Graphics => graphics(&Selection::Best)?,
            // The CPU backend is several times faster than a software driver on the same processor.
            AdapterChoice::Best => graphics(&Selection::Hardware)?,
        };
        let cpu = Level::from_env()?;
        let info = gpu.as_ref().map_or_else(
            || cpu_info(cpu),
            |gpu| AdapterInfo {
                name: gpu.caps().name.clone(),
                backend: "wgpu",
                driver: gpu.caps().driver.clone(),
                device_type: gpu.caps().device_type.into(),
            },
        );
        Ok(Self { gpu, cpu, info, tested: Arc::default() })
    }

    /// What computes.
    pub fn adapter(&self) -> AdapterInfo {
        self.info.clone()
    }

    /// Checks the adapter against known answers; the first success is remembered.
    ///
    /// # Errors
    /// [`Error::SelfTest`] when the processor, or [`Error::Gpu`] when the GPU computes something else.
    pub fn self_test(&self) -> Result<SelfTestReport, Error> {
        if let Some(report) = self.tested.get() {
            return Ok(report.clone());
        }
        let report = self_test::run(&self.info, self.gpu.as_ref(), self.cpu)?;
        Ok(self.tested.get_or_init(|| report).clone())
    }

    /// Makes a model ready to run, after the self test.
    ///
    /// # Errors
    /// Those of [`Engine::self_test`]; [`Error::Tensor`] and [`Error::Tokenizer`] when the artifact's parts do not fit
    /// its recipe; [`Error::Gpu`] when it does not fit the adapter.
    pub fn load(&self, artifact: Arc<Artifact>) -> Result<Model, Error> {
        self.load_with(artifact, &Options::default())
    }

    /// The same with a say in how texts are generated. The options mean nothing to models that do not generate.
    ///
    /// # Errors
    /// Those of [`Engine::load`], and [`Error::Options`] for options beyond their range.
    pub fn load_with(&self, artifact: Arc<Artifact>, options: &Options) -> Result<Model, Error> {
        self.self_test()?;
        let backend = |artifact: &Arc<Artifact>| match &self.gpu {
            Some(gpu) => Backend::new(artifact.clone(), Some(gpu)),
            None => Backend::cpu(artifact.clone(), self.cpu),
        };
        let work = if let ModelRecipe::Llama(recipe) = &artifact.recipe().model {
            let llama = Arc::new(Llama::new(&artifact, recipe)?);
            let backend = Arc::new(backend(&artifact)?);
            Work::Generate(Box::new(Generator::new(&artifact, llama, backend, options)?))
        } else {
            let prepared = Prepared::new(&artifact)?;
            Work::Plans(prepared, Plans::default(), backend(&artifact)?)
        };
        Ok(Model { artifact, work })
    }
}

/// The graphics adapter that a selection names, where there is one.
fn graphics(selection: &Selection) -> Result<Option<Gpu>, Error> {
    match Gpu::open(selection) {
        Ok(gpu) => Ok(Some(gpu)),
        Err(gpu::Error::NoAdapter) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn cpu_info(level: Level) -> AdapterInfo {
    let (arch, threads) = (std::env::consts::ARCH, rayon::current_num_threads());
    AdapterInfo {
        name: format!("{arch} ({}, {threads} threads)", level.name()),
        backend: "cpu",
        driver: concat!("provena-engine ", env!("CARGO_PKG_VERSION")).into(),
        device_type: "cpu".into(),
    }
}

/// A model on an adapter. Any number of threads may ask it at once.
pub struct Model {
    artifact: Arc<Artifact>,
    work: Work,
}

/// How a model answers.
enum Work {
    /// By plans that know nothing of each other.
    Plans(Prepared, Plans, Backend),
    /// Token by token.
    Generate(Box<Generator<Arc<Backend>>>),
}

impl Model {
    /// The model's artifact.
    pub fn artifact(&self) -> &Arc<Artifact> {
        &self.artifact
    }

    /// Checks a request, its kind, sizes and token counts, and makes it ready to be answered, without computing.
    ///
    /// # Errors
    /// [`Error::Request`], [`Error::InputTooLong`], [`Error::ChatTemplate`], [`Error::Preparation`], [`Error::CacheTooSmall`]
    /// or [`Error::Tokenizer`].
    pub fn prepare(&self, request: &Request) -> Result<PreparedRequest, Error> {
        let (units, ready) = match &self.work {
            Work::Plans(prepared, ..) => (request.units(), Ready::Inputs(prepared.inputs(request)?)),
            Work::Generate(generator) => {
                let prompt = generator.prompt(generate::asked(request)?)?;
                (prompt.units(), Ready::Prompt(prompt))
            }
        };
        Ok(PreparedRequest { model: self.artifact.content_root(), units, ready })
    }

    /// Answers a request that was prepared for this model, and shows each token of a text as [`Model::generate`] does. The
    /// answer has the same bytes on every adapter.
    ///
    /// # Errors
    /// [`Error::Request`] when it was prepared for another model, [`Error::Cancelled`] when `show` broke off, [`Error::Gpu`] when
    /// the adapter fails, perhaps within [`Error::Shared`].
    pub fn answer(
        &self,
        request: &PreparedRequest,
        show: &mut dyn FnMut(Token) -> ControlFlow<()>,
    ) -> Result<Response, Error> {
        match (&self.work, &request.ready) {
            _ if request.model != self.artifact.content_root() => {
                Err(Error::Request("it was prepared for another model".into()))
            }
            (Work::Plans(prepared, plans, backend), Ready::Inputs(inputs)) => {
                let mut execute = |plan: &SealedPlan, input: &Values| {
                    backend.execute(plan, std::slice::from_ref(input), &mut backend.state(&[])?)
                };
                models::answer(prepared, plans, inputs, &mut execute)
            }
            (Work::Generate(generator), Ready::Prompt(prompt)) => generator.answer(prompt.clone(), show),
            (Work::Plans(..), Ready::Prompt(_)) | (Work::Generate(_), Ready::Inputs(_)) => {
                Err(Error::Request("it was prepared for another kind of model".into()))
            }
        }
    }

    /// The first picture or sentence of a prepared request alone; `None` of a text.
    pub fn first_of(&self, request: &PreparedRequest) -> Option<PreparedRequest> {
        let (Work::Plans(prepared, ..), Ready::Inputs(inputs)) = (&self.work, &request.ready) else { return None };
        let first = prepared.first(inputs.first()?);
        Some(PreparedRequest { model: request.model, units: Units::new(1, 0), ready: Ready::Inputs(vec![first]) })
    }

    /// Answers a request. The answer has the same bytes on every adapter.
    ///
    /// # Errors
    /// Those of [`Model::prepare`] and of [`Model::answer`].
    pub fn run(&self, request: &Request) -> Result<Response, Error> {
        self.answer(&self.prepare(request)?, &mut |_| ControlFlow::Continue(()))
    }

    /// Continues a text and shows each token as soon as it is there. Callers on several threads are served together.
    /// When `show` breaks off, nothing more is computed for this text and its memory is free for others.
    ///
    /// # Errors
    /// Those of [`Model::prepare`]; [`Error::Cancelled`] when `show` broke off; [`Error::Gpu`] when the adapter fails, perhaps
    /// within [`Error::Shared`].
    pub fn generate(
        &self,
        request: &Generate,
        show: &mut dyn FnMut(Token) -> ControlFlow<()>,
    ) -> Result<Response, Error> {
        match &self.work {
            Work::Plans(..) => Err(Error::Request("this model does not generate text".into())),
            Work::Generate(generator) => generator.generate(request, show),
        }
    }

    /// Pages of the key-value cache that could be given to somebody now; 0 for a model that does not generate.
    pub fn available_pages(&self) -> usize {
        match &self.work {
            Work::Plans(..) => 0,
            Work::Generate(generator) => generator.available_pages(),
        }
    }
}
