//! Whole answers of tiny decoders: the same bytes however they are computed, streamed as they come.

use std::{ops::ControlFlow, sync::Arc};

use provena_engine::{
    AdapterChoice, Engine, Error, Model,
    artifact::{Activations, Artifact, LlamaRecipe},
    generate::Options,
    reference,
};
use provena_wire::{Finish, Generate, Prompt, Request, Sampling, Units};

use super::support::{chat, continued, engines, generated, quietly, warm, words};
use crate::tiny_llama;

/// Requests of many kinds for the tiny vocabulary; several begin alike.
fn requests() -> Vec<Generate> {
    let mut requests = vec![];
    for (i, len) in [1, 15, 16, 17, 40, 63, 88, 99].into_iter().enumerate() {
        let sampling = if i % 2 == 0 { Sampling::GREEDY } else { warm(i as u64) };
        requests.push(Generate { sampling, ..continued(&words(3, len), 5 + 4 * i as u32) });
    }
    let prompt = Prompt::Chat(chat(&[("user", "w9 w8 w7"), ("assistant", "w6"), ("user", &words(4, 20))]));
    requests.push(Generate { prompt, sampling: warm(77), ..continued("", 12) });
    requests.push(Generate { sampling: warm(78), stop: vec!["w3".into(), " w5".into()], ..continued("w9", 60) });
    requests
}

fn answers(model: &Model, requests: &[Generate]) -> Vec<Vec<u8>> {
    requests.iter().map(|request| model.generate(request, &mut quietly).unwrap().to_bytes()).collect()
}

/// All requests at once, each on a thread of its own.
fn answers_at_once(model: &Model, requests: &[Generate]) -> Vec<Vec<u8>> {
    std::thread::scope(|scope| {
        let asking: Vec<_> = requests
            .iter()
            .map(|request| scope.spawn(|| model.run(&Request::Generate(request.clone())).unwrap().to_bytes()))
            .collect();
        asking.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn answers_have_the_same_bytes_however_they_are_computed() {
    let requests = requests();
    let mut compared = 0;
    for (activations, window, tied) in [(Activations::Split, 0, false), (Activations::Bytes, 9, true)] {
        let recipe = LlamaRecipe { activations, window, tied, ..tiny_llama::recipe() };
        let artifact = Arc::new(tiny_llama::random(&recipe, 21));
        let expected: Vec<Vec<u8>> = requests
            .iter()
            .map(|request| reference::run(&artifact, &Request::Generate(request.clone())).unwrap().to_bytes())
            .collect();
        for engine in engines() {
            for (sequences, chunk, prefix_cache, cache_tokens) in
                [(1, 128, false, None), (3, 5, true, Some(150)), (16, 33, true, None), (16, 1, false, Some(400))]
            {
                let options = Options { cache_tokens, chunk, sequences, prefix_cache };
                let model = engine.load_with(artifact.clone(), &options).unwrap();
                let name = engine.adapter().name;
                assert!(answers_at_once(&model, &requests) == expected, "{name}, {options:?}, at once");
                compared += expected.iter().map(Vec::len).sum::<usize>();
            }
            let model = engine.load(artifact.clone()).unwrap();
            for _ in 0..2 {
                assert!(answers(&model, &requests) == expected, "one after the other");
            }
        }
    }
    assert!(compared > 5_000, "{compared}");
}

fn artifact() -> Arc<Artifact> {
    Arc::new(tiny_llama::random(&tiny_llama::recipe(), 22))
}

fn model() -> Model {
    Engine::new(AdapterChoice::Cpu).unwrap().load(artifact()).unwrap()
}

#[test]
fn what_is_shown_is_the_answer() {
    let model = model();
    for request in requests() {
        let (mut ids, mut text) = (vec![], String::new());
        let response = model.generate(&request, &mut |token| {
            ids.push(token.id);
            text += &token.text;
            ControlFlow::Continue(())
        });
        let response = response.unwrap();
        let units = response.units();
        let answer = generated(response);
        assert_eq!((&answer.tokens, &answer.text), (&ids, &text));
        assert_eq!(units, Units::new(answer.prompt_tokens, ids.len() as u32));
        assert!(units.within(model.prepare(&Request::Generate(request)).unwrap().units()));
    }
}

#[test]
fn answers_end_where_they_must() {
    let model = model();
    let answer = |request: &Generate| generated(model.generate(request, &mut quietly).unwrap());
    let free = answer(&Generate { sampling: warm(5), ..continued(&words(1, 10), 30) });
    // By length.
    let short = answer(&Generate { sampling: warm(5), ..continued(&words(1, 10), 7) });
    assert_eq!((short.finish, &short.tokens[..]), (Finish::Length, &free.tokens[..7]));
    // Before a text, wherever it lies.
    let (at, _) = free.text.match_indices(' ').nth(4).unwrap();
    let stop = free.text[at - 1..at + 2].to_owned();
    let stopped = answer(&Generate { sampling: warm(5), stop: vec![stop.clone()], ..continued(&words(1, 10), 30) });
    assert_eq!((stopped.finish, &stopped.text[..]), (Finish::Stop, &free.text[..free.text.find(&stop).unwrap()]));
    assert!(free.tokens.starts_with(&stopped.tokens));
    // With the context: a prompt of 99 tokens leaves room for one more and for the one after it.
    for len in [99, 100] {
        let full = answer(&continued(&words(1, len), 30));
        assert_eq!((full.prompt_tokens as usize, full.tokens.len()), (len, 101 - len));
        assert_eq!(full.finish, Finish::Context);
    }
    // With the model's own token, whose text is not shown.
    let ended = (0..200).map(|seed| answer(&Generate { sampling: warm(seed), ..continued("w7", 60) }));
    let ended = ended.into_iter().find(|answer| answer.finish == Finish::Stop).expect("one that ends");
    assert_eq!(ended.tokens.last(), Some(&1));
    assert_eq!(ended.text.split_whitespace().count(), ended.tokens.iter().filter(|id| **id > 1).count());
}

#[test]
fn chance_is_the_same_for_the_same_seed_only() {
    let model = model();
    let answer = |seed| {
        generated(model.generate(&Generate { sampling: warm(seed), ..continued("w7 w8", 30) }, &mut quietly).unwrap())
    };
    assert_eq!(answer(1).tokens, answer(1).tokens);
    assert_ne!(answer(1).tokens, answer(2).tokens);
}

#[test]
fn cancelling_stops_within_a_token_and_frees_the_memory() {
    for engine in engines() {
        let options = Options { prefix_cache: false, ..Options::default() };
        let model = engine.load_with(artifact(), &options).unwrap();
        let free = model.available_pages();
        for wanted in [1, 3] {
            let mut seen = 0;
            let error = model.generate(&continued(&words(2, 50), 40), &mut |_| {
                seen += 1;
                if seen == wanted { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            assert!(matches!(error, Err(Error::Cancelled)));
            assert_eq!((seen, model.available_pages()), (wanted, free));
        }
        assert!(model.generate(&continued("w9", 3), &mut quietly).is_ok());
    }
}
