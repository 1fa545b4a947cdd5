//! Imports sentence encoders, one layer at a time: what all texts make of a layer is held, never a second layer's
//! weights, neither as floats nor as integers.

mod quantiser;

use super::{
    Figure, Job, Progress,
    calibration::{self, Ranges},
    candidate::Candidate,
    memory,
};
use crate::{
    artifact::{ArtifactFile, ArtifactWriter, BertRecipe, ModelRecipe, Summary},
    error::Error,
    float::{
        bert::{FloatBert, Site},
        cosine,
    },
    layered::Encoder,
    tokenizer::Tokenizer,
};

pub(super) fn import(job: &mut Job<'_>) -> Result<(Summary, Vec<Figure>), Error> {
    let (recipe, types, epsilon) = job.config.bert()?;
    let full = job.recipe(ModelRecipe::Bert(recipe.clone()));
    let model = FloatBert::new(&job.checkpoint.weights, &recipe, types, epsilon)?;
    // Read where there is one; where there is none, this says so.
    let missing = || Error::read(job.options.source.join("tokenizer.json"))(std::io::ErrorKind::NotFound.into());
    let json = job.checkpoint.tokenizer.take().ok_or_else(missing)?;
    let tokenizer = Tokenizer::new(&json, recipe.vocabulary, recipe.max_tokens)?;
    let texts = calibration::texts(job.options.calibration.as_deref())?;
    let (mut seen, mut held) = (vec![], vec![]);
    for (i, text) in texts.iter().enumerate() {
        // Every other text measures; the rest never calibrate.
        if i % 2 == 0 { &mut seen } else { &mut held }.push(tokenizer.encode(i, text)?);
    }
    drop(tokenizer);
    memory::give_back();

    let layers = recipe.layers as usize;
    let mut report = |stage: &'static str, done: usize| (job.progress)(Progress { stage, done, total: layers });
    let mut ranges = Ranges::default();
    let mut observe = |site, rows: &[f32]| ranges.see(site, columns(&recipe, site), rows);
    model.embed(&seen, &mut observe, &mut |done| report("calibrating", done))?;
    let floats = model.embed(&held, &mut |_, _| (), &mut |done| report("measuring", done))?;
    let candidate = Candidate::new(&job.options.out, "unmeasured");
    let writer = ArtifactWriter::create(candidate.path(), full, json, quantiser::entries(&recipe))?;
    quantiser::quantise(&model, &ranges, writer, &mut |done| report("quantising", done))?;
    memory::give_back();
    let encoder = Encoder::new(ArtifactFile::open(candidate.path())?)?;
    let ints = encoder.vectors(&held, &mut |done| report("comparing", done))?;
    let summary = encoder.file().summary();
    // Closed, so that it can be moved wherever that matters.
    drop(encoder);
    candidate.keep(&job.options.out)?;
    Ok((summary, compare(&floats, &ints)))
}

/// Columns of the rows at a site.
fn columns(recipe: &BertRecipe, site: Site) -> usize {
    let width = recipe.width as usize;
    match site {
        Site::Sum(_) | Site::Added(_) | Site::Normed(_) | Site::Context(_) => width,
        Site::Qkv(_) => 3 * width,
        Site::Inner(_) | Site::Activated(_) => recipe.inner as usize,
    }
}

/// How near the integers' vectors come to the floats'.
fn compare(floats: &[Vec<f32>], ints: &[Vec<i32>]) -> Vec<Figure> {
    let cosine = |(float, ints): (&Vec<f32>, &Vec<i32>)| {
        let ints: Vec<f32> = ints.iter().map(|v| *v as f32).collect();
        cosine(float, &ints)
    };
    let cosines: Vec<f64> = floats.iter().zip(ints).map(cosine).collect();
    let figure = |name: &str, value| Figure { name: name.into(), value };
    vec![
        figure("texts", cosines.len() as f64),
        figure("mean cosine of int-v1 to float", cosines.iter().sum::<f64>() / cosines.len() as f64),
        figure("least cosine of int-v1 to float", cosines.iter().copied().fold(1.0, f64::min)),
    ]
}
