//! What the tests of generation share.

use std::ops::ControlFlow;

use provena_engine::{AdapterChoice, Engine, generate::Token};
use provena_wire::{Finish, Generate, Message, Prompt, Response, Sampling};

/// A request to continue a text, greedily.
pub(super) fn continued(text: &str, max_tokens: u32) -> Generate {
    Generate { prompt: Prompt::Text(text.into()), max_tokens, sampling: Sampling::GREEDY, stop: vec![] }
}

/// A conversation of these roles and texts.
pub(super) fn chat(messages: &[(&str, &str)]) -> Vec<Message> {
    messages.iter().map(|(role, content)| Message { role: (*role).into(), content: (*content).into() }).collect()
}

/// Sampling that leaves much to chance.
pub(super) fn warm(seed: u64) -> Sampling {
    Sampling { temperature_milli: 1_500, top_k: 40, top_p_milli: 950, seed }
}

/// A text of the tiny vocabulary: `len` words, the same ones for the same seed.
pub(super) fn words(seed: u64, len: usize) -> String {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..len).map(|_| format!("w{}", random.u32(2..crate::tiny_llama::VOCABULARY))).collect::<Vec<_>>().join(" ")
}

/// The parts of an answer.
pub(super) struct Generated {
    pub prompt_tokens: u32,
    pub tokens: Vec<u32>,
    pub text: String,
    pub finish: Finish,
}

pub(super) fn generated(response: Response) -> Generated {
    let Response::Generate { prompt_tokens, tokens, text, finish } = response else { panic!("not a text") };
    Generated { prompt_tokens, tokens, text, finish }
}

/// Goes on.
pub(super) fn quietly(_: Token) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// The processor, and the best graphics adapter, whose driver may be Mesa's.
pub(super) fn engines() -> Vec<Engine> {
    let mut engines = vec![Engine::new(AdapterChoice::Cpu).unwrap()];
    engines.extend(crate::equality::gpu());
    engines
}
