//! Whole requests to classifiers and encoders, from the caller's input to the answer, on the device and on the
//! processor.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use provena_engine::artifact::Artifact;
use provena_engine::import::{ImportOptions, import};
use provena_engine::places::assets;
use provena_engine::{AdapterChoice, Engine};
use provena_wire::Request;

use crate::options::Options;
use crate::report::{Answer, Start};
use crate::timing::{millis, sample};
use crate::yardstick;

/// The two that are compared.
pub(crate) struct Engines {
    /// The best adapter, where there is one.
    pub device: Option<Engine>,
    /// The processor.
    pub cpu: Engine,
}

impl Engines {
    /// Opens both.
    pub(crate) fn open() -> Result<Self, provena_engine::Error> {
        let device = Some(Engine::new(AdapterChoice::Graphics)?).filter(|device| device.adapter().backend == "wgpu");
        Ok(Self { device, cpu: Engine::new(AdapterChoice::Cpu)? })
    }
}

/// What a node waits for before and at its first answers, by way of MiniLM.
pub(crate) fn start(options: &Options) -> Result<Option<Start>, Box<dyn Error>> {
    if !options.wants("start") {
        return Ok(None);
    }
    let minilm = imported(&fetched("minilm")?)?;
    let (open, device) = millis(|| Engine::new(AdapterChoice::Graphics));
    let device = device?;
    let (self_test, report) = millis(|| device.self_test());
    report?;
    let (load, model) = millis(|| device.load(minilm.clone()));
    let model = model?;
    let (first, answer) = millis(|| model.run(&Request::Embed { texts: vec![text(30)] }));
    answer?;
    let (other_length, answer) = millis(|| model.run(&Request::Embed { texts: vec![text(31)] }));
    answer?;
    Ok(Some(Start { open, self_test, load, first, other_length }))
}

/// Measures the committed classifiers and, from the fetched weights, MiniLM.
pub(crate) fn measure(options: &Options, engines: &Engines) -> Result<Vec<Answer>, Box<dyn Error>> {
    let mut answers = Vec::new();
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    for model in ["digits", "digits-cnn"].into_iter().filter(|model| options.wants(model)) {
        let artifact = imported(&own.join(model))?;
        let request = |count: usize| (count, format!("{count} images"), Request::Classify { images: images(count) });
        let requests = [1, 32, 256].map(request);
        answers.extend(measure_model(model, engines, &artifact, &requests, options.samples(40))?);
    }
    if options.wants("minilm") {
        let artifact = imported(&fetched("minilm")?)?;
        let request =
            |tokens: usize| (tokens, format!("{tokens} tokens"), Request::Embed { texts: vec![text(tokens)] });
        let requests = [8, 32, 128, 256].map(request);
        let mut measured = measure_model("minilm", engines, &artifact, &requests, options.samples(15))?;
        // No limit looks at candle, which the profile of the tests does not optimise.
        if !options.limits {
            let candle = yardstick::Encoder::open(&fetched("minilm")?)?;
            for ((tokens, ..), answer) in requests.iter().zip(&mut measured) {
                answer.candle = Some(candle.measure(*tokens, options.samples(15))?);
            }
        }
        answers.extend(measured);
    }
    Ok(answers)
}

fn measure_model(
    model_name: &'static str,
    engines: &Engines,
    artifact: &Arc<Artifact>,
    requests: &[(usize, String, Request)],
    samples: usize,
) -> Result<Vec<Answer>, Box<dyn Error>> {
    let on_device = engines.device.as_ref().map(|device| device.load(artifact.clone())).transpose()?;
    let on_cpu = engines.cpu.load(artifact.clone())?;
    let mut answers = Vec::new();
    for (_, name, request) in requests {
        let expected = on_cpu.run(request)?;
        let device = match &on_device {
            // A figure for wrong answers would be worth nothing.
            Some(model) if model.run(request)? != expected => {
                return Err(format!("{model_name}, {name}: the device and the processor differ").into());
            }
            Some(model) => Some(sample(samples, || drop(model.run(request)))),
            None => None,
        };
        let cpu = sample(samples, || drop(on_cpu.run(request)));
        answers.push(Answer { model: model_name, request: name.clone(), device, cpu, candle: None });
    }
    Ok(answers)
}

/// A folder of the fetched models.
pub(crate) fn fetched(name: &str) -> Result<PathBuf, Box<dyn Error>> {
    let folder = assets().ok_or("there is no home; set PROVENA_ASSETS")?.join(name);
    if folder.exists() {
        Ok(folder)
    } else {
        Err(format!("{} is missing: run `cargo xtask fetch`", folder.display()).into())
    }
}

/// Imports the float model in `source` into a folder that goes away again.
pub(crate) fn imported(source: &Path) -> Result<Arc<Artifact>, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("model.pvna");
    let options =
        ImportOptions { source: source.to_owned(), family: None, name: None, calibration: None, context: None, out };
    import(&options, &mut |_| ())?;
    Ok(Arc::new(Artifact::open(&options.out)?))
}

/// Pictures of nothing in particular: what is in them takes no time.
fn images(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|image| (0..64).map(|pixel| ((image + pixel * 7) % 17) as u8).collect()).collect()
}

/// A text of so many tokens: each of these words is one, and two more mark its beginning and its end.
fn text(tokens: usize) -> String {
    let words = ["the", "river", "runs", "to", "the", "sea", "and", "back"];
    words.iter().cycle().take(tokens.saturating_sub(2)).copied().collect::<Vec<_>>().join(" ")
}
