//! Imports sentence encoders.

mod quantiser;

use super::{
    Figure, Imported, Job,
    calibration::{self, Ranges},
};
use crate::{
    artifact::{Artifact, BertRecipe},
    error::Error,
    float::{
        bert::{FloatBert, Site},
        cosine,
    },
    io::{Request, Response},
    reference,
    tokenizer::Tokenizer,
};

pub fn import(job: &mut Job<'_>) -> Result<Imported, Error> {
    let (recipe, types, epsilon) = job.config.bert()?;
    let model = FloatBert::new(&job.checkpoint.weights, &recipe, types, epsilon)?;
    // Read where there is one; where there is none, this says so.
    let missing = || Error::read(job.options.source.join("tokenizer.json"))(std::io::ErrorKind::NotFound.into());
    let json = job.checkpoint.tokenizer.take().ok_or_else(missing)?;
    let tokenizer = Tokenizer::new(&json, recipe.vocabulary, recipe.max_tokens)?;
    let texts = calibration::texts(job.options.calibration.as_deref())?;
    // Every other text measures; the rest never calibrate.
    let (seen, held): (Vec<_>, Vec<_>) = texts.into_iter().enumerate().partition(|(i, _)| i % 2 == 0);
    let mut ranges = Ranges::default();
    for (done, (i, text)) in seen.iter().enumerate() {
        job.report("calibrating", done, seen.len());
        let ids = tokenizer.encode(*i, text)?;
        model.embed(&ids, &mut |site, rows| ranges.see(site, columns(&recipe, site), rows));
    }
    job.report("quantising", 0, 1);
    let artifact = quantiser::quantise(job, &model, &ranges, json)?;
    job.report("quantising", 1, 1);
    let held: Vec<String> = held.into_iter().map(|(_, text)| text).collect();
    let quality = compare(job, &model, &tokenizer, &artifact, &held)?;
    Ok(Imported { artifact, quality })
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

fn compare(
    job: &mut Job<'_>,
    model: &FloatBert,
    tokenizer: &Tokenizer,
    artifact: &Artifact,
    texts: &[String],
) -> Result<Vec<Figure>, Error> {
    let Response::Embed { vectors, .. } = reference::run(artifact, &Request::Embed { texts: texts.to_vec() })? else {
        return Err(Error::Import("an encoder gave no vectors".into()));
    };
    let mut cosines = Vec::with_capacity(texts.len());
    for (i, (text, vector)) in texts.iter().zip(&vectors).enumerate() {
        job.report("comparing", i, texts.len());
        let float = model.embed(&tokenizer.encode(i, text)?, &mut |_, _| ());
        let ints: Vec<f32> = vector.iter().map(|v| f32::from(*v)).collect();
        cosines.push(cosine(&float, &ints));
    }
    let figure = |name: &str, value| Figure { name: name.into(), value };
    Ok(vec![
        figure("texts", cosines.len() as f64),
        figure("mean cosine of int-v1 to float", cosines.iter().sum::<f64>() / cosines.len() as f64),
        figure("least cosine of int-v1 to float", cosines.iter().copied().fold(1.0, f64::min)),
    ])
}
