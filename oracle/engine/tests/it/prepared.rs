//! Requests that are prepared once and answered from what was prepared.

use std::{ops::ControlFlow, sync::Arc};

use provena_engine::{AdapterChoice, Engine, Error, Model, artifact::Artifact};
use provena_wire::{Generate, Message, Prompt, Request, Response, Sampling, Units};

use crate::{assets::DIGITS, tiny_encoder, tiny_llama};

fn load(artifact: &Arc<Artifact>) -> Model {
    Engine::new(AdapterChoice::Cpu).unwrap().load(artifact.clone()).unwrap()
}

fn encoder() -> Arc<Artifact> {
    Arc::new(tiny_encoder::tiny())
}

fn decoder(seed: u64) -> Arc<Artifact> {
    Arc::new(tiny_llama::random(&tiny_llama::recipe(), seed))
}

fn continued() -> Request {
    let message = Message { role: "user".into(), content: "w9 w8 w7".into() };
    let sampling = Sampling { temperature_milli: 900, top_k: 40, top_p_milli: 950, seed: 5 };
    Request::Generate(Generate {
        prompt: Prompt::Chat(vec![message]),
        max_tokens: 12,
        sampling,
        stop: vec!["w3".into()],
    })
}

fn answer(model: &Model, request: &provena_engine::PreparedRequest) -> Result<Response, Error> {
    model.answer(request, &mut |_| ControlFlow::Continue(()))
}

#[test]
fn a_prepared_request_has_the_answer_of_the_request_as_often_as_it_is_asked() {
    let images = (0..300u16).map(|image| (0..64).map(|at| ((image * 7 + at) % 17) as u8).collect()).collect();
    let cases = [
        (DIGITS.artifact.clone(), Request::Classify { images }, Units::new(300, 0), 300),
        (encoder(), Request::Embed { texts: vec!["a b".into(), "c".into()] }, Units::new(2, 0), 3),
        (decoder(31), continued(), Units::new(0, 12), 0),
    ];
    for (artifact, request, units, size) in cases {
        let model = load(&artifact);
        let expected = provena_engine::reference::run(&artifact, &request).unwrap();
        let prepared = model.prepare(&request).unwrap();
        assert_eq!(prepared, model.prepare(&request).unwrap());
        for _ in 0..2 {
            assert!(answer(&model, &prepared).unwrap() == expected);
        }
        assert!(expected.units().within(prepared.units()));
        assert_eq!(prepared.units().output, units.output);
        if size > 0 {
            assert_eq!((prepared.units(), prepared.size()), (units, size));
        }
        // A few bytes for each of the things that it has to read.
        assert!(prepared.bytes() > prepared.size() && prepared.bytes() < 500 + 100 * prepared.size());
    }
}

#[test]
fn the_first_of_a_prepared_request_is_that_of_the_request() {
    let images: Vec<Vec<u8>> = (0..300u16).map(|image| vec![(image % 17) as u8; 64]).collect();
    let texts = vec!["b a".to_owned(), "c".to_owned()];
    for (artifact, request, first) in [
        (
            DIGITS.artifact.clone(),
            Request::Classify { images: images.clone() },
            Request::Classify { images: images[..1].to_vec() },
        ),
        (encoder(), Request::Embed { texts: texts.clone() }, Request::Embed { texts: texts[..1].to_vec() }),
    ] {
        let model = load(&artifact);
        let prepared = model.prepare(&request).unwrap();
        assert_eq!(model.first_of(&prepared), Some(model.prepare(&first).unwrap()));
    }
    let model = load(&decoder(31));
    assert_eq!(model.first_of(&model.prepare(&continued()).unwrap()), None);
}

#[test]
fn answer_rejects_what_was_prepared_for_another_model() {
    let prepared = load(&decoder(31)).prepare(&continued()).unwrap();
    for other in [decoder(32), encoder()] {
        let error = answer(&load(&other), &prepared).unwrap_err();
        assert!(matches!(&error, Error::Request(why) if why == "it was prepared for another model"), "{error}");
    }
}
