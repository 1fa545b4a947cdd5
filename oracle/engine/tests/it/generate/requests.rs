//! Requests to generate that do not fit.

use std::sync::Arc;

use provena_engine::{
    AdapterChoice, Engine, Error, Model,
    artifact::{Artifact, LlamaRecipe},
    generate::Options,
    reference,
};
use provena_wire::{Generate, Prompt, Request, Sampling, Units};

use super::support::{chat, continued, quietly, words};
use crate::{tiny_encoder::rebuilt_with, tiny_llama};

fn artifact(recipe: &LlamaRecipe) -> Arc<Artifact> {
    Arc::new(tiny_llama::random(recipe, 31))
}

fn load(artifact: &Arc<Artifact>, options: &Options) -> Result<Model, Error> {
    Engine::new(AdapterChoice::Cpu).unwrap().load_with(artifact.clone(), options)
}

/// The one error that preparing, running, streaming and the reference all give.
fn refused(artifact: &Arc<Artifact>, request: &Generate) -> Error {
    let model = load(artifact, &Options::default()).unwrap();
    let error = model.generate(request, &mut quietly).unwrap_err();
    let request = Request::Generate(request.clone());
    for other in [
        model.prepare(&request).map(drop).unwrap_err(),
        model.run(&request).map(drop).unwrap_err(),
        reference::run(artifact, &request).map(drop).unwrap_err(),
    ] {
        assert_eq!(other.to_string(), error.to_string());
    }
    error
}

#[test]
fn generate_rejects_settings_beyond_their_range() {
    let artifact = artifact(&tiny_llama::recipe());
    let sampled = |temperature_milli, top_p_milli| Generate {
        sampling: Sampling { temperature_milli, top_p_milli, top_k: 0, seed: 0 },
        ..continued("w2", 1)
    };
    for (request, reason) in [
        (continued("w2", 0), "the most tokens to generate are 0, not at least 1"),
        (sampled(100_001, 1_000), "the temperature is 100001 thousandths, above 100000"),
        (sampled(u32::MAX, 1_000), "the temperature is 4294967295 thousandths, above 100000"),
        (sampled(1_000, 1_001), "top-p is 1001 thousandths, above 1000"),
        (Generate { stop: vec!["a".into(); 17], ..continued("w2", 1) }, "17 texts end the answer, allowed are 16"),
        (
            Generate { stop: vec!["a".into(), String::new()], ..continued("w2", 1) },
            "a text that ends the answer has 0 bytes, not 1 to 1024",
        ),
        (
            Generate { stop: vec!["a".repeat(1_025)], ..continued("w2", 1) },
            "a text that ends the answer has 1025 bytes, not 1 to 1024",
        ),
        (continued("", 1), "the prompt is empty"),
        (Generate { prompt: Prompt::Chat(vec![]), ..continued("", 1) }, "the conversation has no messages"),
    ] {
        let error = refused(&artifact, &request);
        assert!(matches!(&error, Error::Request(found) if found == reason), "{error}");
    }
}

#[test]
fn generate_accepts_settings_at_the_ends_of_their_range() {
    let model = load(&artifact(&tiny_llama::recipe()), &Options::default()).unwrap();
    for (temperature_milli, top_p_milli, top_k) in [(100_000, 1_000, u32::MAX), (1, 0, 0), (1, 1, 1), (100_000, 0, 97)]
    {
        let sampling = Sampling { temperature_milli, top_p_milli, top_k, seed: u64::MAX };
        assert!(model.generate(&Generate { sampling, ..continued("w2", 3) }, &mut quietly).is_ok());
    }
    let most = model.prepare(&Request::Generate(continued("w2 w3", u32::MAX))).unwrap().units();
    assert_eq!(most, Units::new(2, 99));
}

#[test]
fn generate_rejects_a_prompt_without_tokens_or_beyond_the_context() {
    let artifact = artifact(&tiny_llama::recipe());
    let error = refused(&artifact, &continued("   ", 1));
    assert!(matches!(&error, Error::Tokenizer(reason) if reason == "text 0 gives no token"), "{error}");
    let error = refused(&artifact, &continued(&words(1, 101), 1));
    assert!(matches!(error, Error::InputTooLong { index: 0, tokens: 101, limit: 100 }), "{error}");
    let error = refused(&artifact, &continued(&"x".repeat(1 << 20), 1));
    assert!(matches!(error, Error::InputTooLong { index: 0, .. }), "{error}");
}

#[test]
fn generate_rejects_a_conversation_that_the_model_has_no_words_for() {
    let conversation = |role: &str| Generate { prompt: Prompt::Chat(chat(&[(role, "w5")])), ..continued("", 1) };
    let none = artifact(&LlamaRecipe { chat_template: String::new(), ..tiny_llama::recipe() });
    let error = refused(&none, &conversation("user"));
    assert_eq!(error.to_string(), "chat template: the model has none; send a text instead of a conversation");
    let strict = "{% for m in messages %}{% if m.role not in ['user', 'assistant'] %}\
                  {{ raise_exception('Unknown role: ' ~ m.role) }}{% endif %}{{ m.content }}{% endfor %}";
    let strict = artifact(&LlamaRecipe { chat_template: strict.into(), ..tiny_llama::recipe() });
    let error = refused(&strict, &conversation("wizard"));
    assert_eq!(error.to_string(), "chat template: refuses the conversation: Unknown role: wizard");
    assert!(load(&strict, &Options::default()).unwrap().generate(&conversation("user"), &mut quietly).is_ok());
}

#[test]
fn a_decoder_rejects_another_models_request() {
    let artifact = artifact(&tiny_llama::recipe());
    let model = load(&artifact, &Options::default()).unwrap();
    for request in [Request::Embed { texts: vec!["a".into()] }, Request::Classify { images: vec![] }] {
        for error in [model.run(&request).unwrap_err(), reference::run(&artifact, &request).unwrap_err()] {
            assert!(matches!(&error, Error::Request(reason) if reason == "this model generates text"), "{error}");
        }
    }
    let digits = Engine::new(AdapterChoice::Cpu).unwrap().load(crate::assets::DIGITS.artifact.clone()).unwrap();
    let error = digits.generate(&continued("w2", 1), &mut quietly).unwrap_err();
    assert!(matches!(&error, Error::Request(reason) if reason == "this model does not generate text"), "{error}");
}

#[test]
fn a_cache_that_is_too_small_is_named() {
    let artifact = artifact(&tiny_llama::recipe());
    let model = load(&artifact, &Options { cache_tokens: Some(20), ..Options::default() }).unwrap();
    // Two pages. The last token of an answer needs no room.
    assert!(model.generate(&continued(&words(1, 30), 3), &mut quietly).is_ok());
    let request = continued(&words(1, 30), 4);
    for error in [
        model.generate(&request, &mut quietly).map(drop).unwrap_err(),
        model.prepare(&Request::Generate(request.clone())).map(drop).unwrap_err(),
    ] {
        assert!(matches!(error, Error::CacheTooSmall { tokens: 33, room: 32 }), "{error}");
    }
}

#[test]
fn load_rejects_options_beyond_their_range() {
    let artifact = artifact(&tiny_llama::recipe());
    let options = Options::default;
    for (options, reason) in [
        (Options { chunk: 0, ..options() }, "chunk is 0, not 1 to 4096"),
        (Options { sequences: 5_000, ..options() }, "sequences is 5000, not 1 to 4096"),
        (Options { cache_tokens: Some(0), ..options() }, "the cache holds 0 tokens, not 1 to 8388592"),
        (Options { cache_tokens: Some(1 << 30), ..options() }, "the cache holds 1073741824 tokens, not 1 to 8388592"),
    ] {
        let error = load(&artifact, &options).map(drop).unwrap_err();
        assert!(matches!(&error, Error::Options(found) if found == reason), "{error}");
    }
}

#[test]
fn a_tokenizer_that_gives_what_the_model_does_not_know_is_an_error() {
    let whole = artifact(&tiny_llama::recipe());
    let with = |tokenizer: String| Arc::new(rebuilt_with(&whole, tokenizer.into_bytes(), "no such tensor", None));
    let strange = with(tiny_llama::tokenizer().replace("\"w50\": 50", "\"w50\": 97"));
    let error = refused(&strange, &continued("w2 w50", 1));
    assert!(
        matches!(&error, Error::Tokenizer(reason) if reason == "text 0 gives token 97; the model has 97"),
        "{error}"
    );
    for (damaged, expected) in [("", "the artifact has none"), ("{}", ""), ("\u{7f}", "")] {
        let error = load(&with(damaged.into()), &Options::default()).map(drop).unwrap_err();
        assert!(matches!(&error, Error::Tokenizer(reason) if reason.starts_with(expected)), "{error}");
    }
}
