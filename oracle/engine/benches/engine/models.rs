//! Whole requests, from the caller's input to the answer, on the device and on the reference.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use provena_engine::artifact::Artifact;
use provena_engine::import::{ImportOptions, import};
use provena_engine::io::Request;
use provena_engine::places::assets;
use provena_engine::{AdapterChoice, Engine};

use crate::report::{Model, Start};
use crate::timing::{millis, sample};

/// Measures the committed digits classifier and, from the fetched weights, MiniLM.
pub fn measure() -> Result<(Vec<Model>, Start), Box<dyn Error>> {
    let digits = artifact(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models/digits"))?;
    let minilm = artifact(&assets().ok_or("there is no home; set PROVENA_ASSETS")?.join("minilm"))?;
    let (open, device) = millis(|| Engine::new(AdapterChoice::Best));
    let device = device?;
    let (self_test, report) = millis(|| device.self_test());
    report?;
    let (load, model) = millis(|| device.load(minilm.clone()));
    let model = model?;
    let (first, answer) = millis(|| model.run(&Request::Embed { texts: vec![text(30)] }));
    answer?;
    let (other_length, answer) = millis(|| model.run(&Request::Embed { texts: vec![text(31)] }));
    answer?;
    drop(model);
    let start = Start { open, self_test, load, first, other_length };

    let reference = Engine::new(AdapterChoice::Cpu)?;
    let mut models = Vec::new();
    let requests = [1, 32, 256].map(|count| (format!("{count} images"), Request::Classify { images: images(count) }));
    measure_model("digits", &device, &reference, &digits, &requests, 40, &mut models)?;

    let requests =
        [8, 32, 128, 256].map(|tokens| (format!("{tokens} tokens"), Request::Embed { texts: vec![text(tokens)] }));
    measure_model("minilm", &device, &reference, &minilm, &requests, 15, &mut models)?;
    Ok((models, start))
}

fn measure_model(
    model: &'static str,
    device: &Engine,
    reference: &Engine,
    artifact: &Arc<Artifact>,
    requests: &[(String, Request)],
    samples: usize,
    models: &mut Vec<Model>,
) -> Result<(), Box<dyn Error>> {
    let on_device = device.load(artifact.clone())?;
    let on_reference = reference.load(artifact.clone())?;
    for (name, request) in requests {
        // A figure for wrong answers would be worth nothing.
        if on_device.run(request)? != on_reference.run(request)? {
            return Err(format!("{model}, {name}: the device and the reference differ").into());
        }
        let (median, best) = sample(samples, || drop(on_device.run(request)));
        let (reference_median, _) = sample(samples, || drop(on_reference.run(request)));
        models.push(Model {
            model,
            request: name.clone(),
            millis: median.as_secs_f64() * 1e3,
            best_millis: best.as_secs_f64() * 1e3,
            reference_millis: reference_median.as_secs_f64() * 1e3,
        });
    }
    Ok(())
}

/// Imports the float model in `source` into a folder that goes away again.
fn artifact(source: &Path) -> Result<Arc<Artifact>, Box<dyn Error>> {
    if !source.join("model.safetensors").exists() {
        return Err(format!("{} is missing: run `cargo xtask fetch`", source.display()).into());
    }
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("model.pvna");
    let options = ImportOptions { source: source.to_owned(), family: None, name: None, calibration: None, out };
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
