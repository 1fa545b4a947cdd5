//! Imports decoders built like Llama, one layer at a time: what all texts make of a layer is held, never a second
//! layer's weights.
//!
//! So it is when a layer is calibrated and quantised, and again when the artifacts are measured, which stay in their
//! files: [`Decoder`]. The most memory is what the largest layer takes as floats while it is quantised, the texts'
//! streams, and for a moment the tokenizer. An artifact of 139 MB was measured to take 74 to 83 MB in all, a small
//! program included.

mod choice;
mod compare;
mod layer;
mod sequences;
mod shared;

use std::collections::BTreeMap;

use super::{
    Figure, Job, Progress,
    calibration::{self, Ranges},
    candidate::Candidate,
    compensate::Covariance,
    memory,
};
use crate::{
    artifact::{Activations, ArtifactFile, ArtifactWriter, LlamaRecipe, ModelRecipe, Summary},
    error::Error,
    float::llama::{FloatLayer, FloatLlama, LlamaConfig, Site},
    layered::Decoder,
    tokenizer::Tokenizer,
};
use compare::{Integers, Twin};
use layer::{Deferred, LayerQuantiser};

/// What the residual streams of all sequences are, before some layer: each `[tokens][width]`.
type Streams = Vec<Vec<f32>>;

/// What an artifact is measured against.
struct Held {
    /// Texts that did not calibrate.
    tokens: Vec<Vec<u32>>,
    /// The float model's streams after the last layer.
    streams: Streams,
}

/// One of the artifacts that are made of a decoder.
struct Variant {
    recipe: LlamaRecipe,
    candidate: Candidate,
    /// The real amount of a logit's step.
    logit_step: f64,
}

pub(super) fn import(job: &mut Job<'_>) -> Result<(Summary, Vec<Figure>), Error> {
    let config = LlamaConfig::new(&job.checkpoint.config, job.options.context)?;
    let recipe = recipe(job, &config)?;
    let Some(json) = job.checkpoint.tokenizer.take() else {
        return Err(Error::Import("the model has no tokenizer.json".into()));
    };
    let tokenizer = Tokenizer::new(&json, recipe.vocabulary, u32::MAX >> 1)?;
    let texts = calibration::texts(job.options.calibration.as_deref())?;
    let (seen, held) = sequences::sequences(&tokenizer, &recipe, &texts)?;
    drop(tokenizer);
    memory::give_back();
    let (held, mut variants) = make(job, config.clone(), recipe, json, &seen, held)?;
    // An artifact whose quality nobody knows is not left behind: candidates are removed when they are dropped.
    let model = FloatLlama::new(&job.checkpoint.weights, config)?;
    memory::give_back();
    let open = |variant: &Variant| {
        let model = Decoder::new(ArtifactFile::open(variant.candidate.path())?)?;
        Ok(Integers { model, logit_step: variant.logit_step })
    };
    let artifacts = variants.iter().map(open).collect::<Result<Vec<_>, Error>>()?;
    let twin = Twin { model: &model, tokens: &held.tokens, streams: &held.streams };
    let found = twin.compare(&artifacts, &mut |done, total| {
        (job.progress)(Progress { stage: "comparing", done, total });
    })?;
    let measured = variants.iter().zip(&artifacts).zip(found);
    let mut measured: Vec<_> = measured
        .map(|((variant, artifact), found)| (variant.recipe.activations, artifact.model.file().summary(), found))
        .collect();
    // Closed, so that the files can be moved and removed wherever that matters.
    drop(artifacts);
    let of = |activations| measured.iter().position(|(found, ..)| *found == activations);
    let chosen = match (of(Activations::Bytes), of(Activations::Split)) {
        (Some(bytes), Some(split)) if choice::bytes_suffice(&measured[bytes].2, &measured[split].2) => bytes,
        (_, split) => split.unwrap_or_default(),
    };
    let pairs: Vec<_> = measured.iter().map(|(activations, _, found)| (*activations, found)).collect();
    let further = choice::figures(measured[chosen].0, &pairs);
    let (_, summary, found) = measured.swap_remove(chosen);
    variants.swap_remove(chosen).candidate.keep(&job.options.out)?;
    Ok((summary, found.figures.into_iter().chain(further).collect()))
}

/// The artifact's recipe, checked.
fn recipe(job: &Job<'_>, config: &LlamaConfig) -> Result<LlamaRecipe, Error> {
    let recipe = LlamaRecipe {
        vocabulary: config.vocabulary as u32,
        width: config.width as u32,
        layers: config.layers as u32,
        heads: config.heads as u32,
        kv_heads: config.kv_heads as u32,
        depth: config.depth as u32,
        inner: config.inner as u32,
        positions: config.positions as u32,
        window: config.window as u32,
        tied: config.tied,
        activations: Activations::Split,
        stops: job.checkpoint.stops.clone(),
        chat_template: job.checkpoint.chat_template.clone().unwrap_or_default(),
        bos: job.checkpoint.bos.clone().unwrap_or_default(),
        eos: job.checkpoint.eos.clone().unwrap_or_default(),
    };
    ModelRecipe::Llama(recipe.clone()).check().map_err(|reason| Error::Import(format!("config.json: {reason}")))?;
    Ok(recipe)
}

/// A variant that is being written.
struct Unfinished {
    recipe: LlamaRecipe,
    candidate: Candidate,
    writer: ArtifactWriter,
    deferred: Vec<Deferred>,
}

/// Calibrates, quantises and writes each variant that is tried; gives what they are measured against, too.
fn make(
    job: &mut Job<'_>,
    config: LlamaConfig,
    recipe: LlamaRecipe,
    tokenizer: Vec<u8>,
    seen: &[Vec<u32>],
    held: Vec<Vec<u32>>,
) -> Result<(Held, Vec<Variant>), Error> {
    let model = FloatLlama::new(&job.checkpoint.weights, config)?;
    let begin = |activations: &Activations| {
        let recipe = LlamaRecipe { activations: *activations, ..recipe.clone() };
        let full = job.recipe(ModelRecipe::Llama(recipe.clone()));
        let candidate = Candidate::new(&job.options.out, &format!("{}-bits", choice::bits(*activations)));
        let writer = ArtifactWriter::create(candidate.path(), full, tokenizer.clone(), shared::entries(&recipe))?;
        Ok(Unfinished { recipe, candidate, writer, deferred: vec![] })
    };
    let mut variants = choice::TRIED.iter().map(begin).collect::<Result<Vec<Unfinished>, Error>>()?;
    // The first one made the folders, and must be dropped last for them to go with it.
    variants.reverse();
    drop(tokenizer);
    let embed = |tokens: &[Vec<u32>]| tokens.iter().map(|t| model.embed(t)).collect::<Result<Streams, Error>>();
    let (mut streams, mut held_streams) = (embed(seen)?, embed(&held)?);
    for i in 0..recipe.layers as usize {
        (job.progress)(Progress { stage: "quantising", done: i, total: recipe.layers as usize });
        let layer = model.layer(i)?;
        let (ranges, inputs) = observe(&model, i, &layer, &mut streams)?;
        held_streams.iter_mut().for_each(|stream| model.forward(&layer, stream, &mut |_, _| ()));
        for Unfinished { recipe, writer, deferred, .. } in &mut variants {
            let quantiser = LayerQuantiser { recipe, ranges: &ranges, inputs: &inputs, i };
            deferred.push(quantiser.quantise(&layer, writer)?);
        }
    }
    let finish = |unfinished: Unfinished| {
        let Unfinished { recipe, candidate, mut writer, deferred } = unfinished;
        let logit_step = shared::finish(&model, &recipe, &streams, &deferred, &mut writer)?;
        writer.finish()?;
        Ok(Variant { recipe, candidate, logit_step })
    };
    let variants = variants.into_iter().map(finish).collect::<Result<_, Error>>()?;
    Ok((Held { tokens: held, streams: held_streams }, variants))
}

/// The covariance of what each matrix product of a layer reads.
type Inputs = BTreeMap<Site, Covariance>;

/// Takes the sequences through a layer and gives what was seen there.
fn observe(
    model: &FloatLlama<'_>,
    i: usize,
    layer: &FloatLayer,
    streams: &mut Streams,
) -> Result<(Ranges<Site>, Inputs), Error> {
    let mut ranges = Ranges::default();
    let inputs = [Site::Normed1, Site::Context, Site::Normed2, Site::Gated];
    let mut inputs: Inputs = inputs.map(|site| (site, Covariance::new(model.config.columns(site)))).into();
    for stream in streams {
        model.forward(layer, stream, &mut |site, rows| {
            ranges.see(site, model.config.columns(site), rows);
            if let Some(covariance) = inputs.get_mut(&site) {
                covariance.see(rows);
            }
        });
    }
    if !ranges.is_finite() {
        return Err(Error::Import(format!("layer {i} overflows floats of 32 bits on the calibration texts")));
    }
    Ok((ranges, inputs))
}
