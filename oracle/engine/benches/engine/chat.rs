//! A published model that answers: the wait for the first token and the pace after it, tokenizer, scheduler and
//! streaming included.

use std::error::Error;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use provena_engine::Engine;
use provena_engine::artifact::Artifact;
use provena_engine::generate::Options as Generation;
use provena_wire::{Generate, Prompt, Response, Sampling};

use crate::options::Options;
use crate::report::{Chat, Pace};
use crate::requests::{Engines, fetched, imported};
use crate::timing::millis;

/// Tokens of an answer.
const ANSWER: u32 = 32;
/// Words of the prompt; each is a token or a little more.
const WORDS: usize = 100;

/// Measures SmolLM2, where it was fetched.
pub(crate) fn measure(options: &Options, engines: &Engines) -> Result<Option<Chat>, Box<dyn Error>> {
    if !options.wants("smollm2") || options.quick {
        return Ok(None);
    }
    let (import, artifact) = millis(|| imported(&fetched("smollm2")?.join("model.gguf")));
    let artifact = artifact?;
    let (cpu, expected) = pace(&engines.cpu, &artifact)?;
    let mut device = None;
    if let Some(engine) = &engines.device {
        let (pace, found) = pace(engine, &artifact)?;
        if found != expected {
            return Err("smollm2: the device and the processor differ".into());
        }
        device = Some(pace);
    }
    let (prompt_tokens, tokens) = match expected {
        Response::Generate { prompt_tokens, tokens, .. } => (prompt_tokens, tokens.len()),
        _ => return Err("smollm2 did not generate".into()),
    };
    Ok(Some(Chat { model: "smollm2", import_seconds: import / 1e3, prompt_tokens, tokens, device, cpu }))
}

/// How an engine answers, warm but with nothing of the prompt kept.
fn pace(engine: &Engine, artifact: &Arc<Artifact>) -> Result<(Pace, Response), Box<dyn Error>> {
    let model = engine.load_with(artifact.clone(), &Generation { prefix_cache: false, ..Generation::default() })?;
    let words = ["the", "river", "runs", "to", "the", "sea", "and", "back"];
    let text = words.iter().cycle().take(WORDS).copied().collect::<Vec<_>>().join(" ");
    let request = Generate { prompt: Prompt::Text(text), max_tokens: ANSWER, sampling: Sampling::GREEDY, stop: vec![] };
    model.generate(&Generate { max_tokens: 2, ..request.clone() }, &mut |_| ControlFlow::Continue(()))?;
    let start = Instant::now();
    let mut times = vec![];
    let response = model.generate(&request, &mut |_| {
        times.push(start.elapsed().as_secs_f64());
        ControlFlow::Continue(())
    })?;
    let (first, last) = (times.first().copied().unwrap_or(0.0), times.last().copied().unwrap_or(0.0));
    let rest = times.len().saturating_sub(1) as f64;
    Ok((Pace { first_millis: first * 1e3, tokens_per_second: rest / (last - first).max(1e-9) }, response))
}
