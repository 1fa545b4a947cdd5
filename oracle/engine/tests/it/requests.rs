//! Requests that do not fit their model.

use provena_engine::{Error, reference};
use provena_wire::{Request, Response};

use crate::assets::{DIGITS, MINILM};

fn refused(artifact: &provena_engine::artifact::Artifact, request: &Request) -> Error {
    reference::run(artifact, request).expect_err("the request was accepted")
}

#[test]
fn classify_rejects_what_is_not_an_image() {
    for (images, reason) in [
        (vec![], "it has no images"),
        (vec![vec![0; 64], vec![0; 63]], "image 1 has 63 values, not 64"),
        (vec![vec![17; 64]], "image 0 has the value 17, above 16"),
    ] {
        let error = refused(&DIGITS.artifact, &Request::Classify { images });
        assert!(matches!(&error, Error::Request(r) if r == reason), "{error}");
    }
}

#[test]
fn embed_rejects_a_text_that_is_too_long() {
    let texts = vec!["short".into(), vec!["sea"; 255].join(" ")];
    let error = refused(&MINILM.artifact, &Request::Embed { texts });
    assert!(matches!(error, Error::InputTooLong { index: 1, tokens: 257, limit: 256 }), "{error}");
    let error = refused(&MINILM.artifact, &Request::Embed { texts: vec!["x".repeat(1 << 20)] });
    assert!(matches!(error, Error::InputTooLong { index: 0, .. }), "{error}");
}

#[test]
fn embed_accepts_an_empty_text_but_not_an_empty_request() {
    let Response::Embed { vectors, .. } =
        reference::run(&MINILM.artifact, &Request::Embed { texts: vec![String::new()] }).unwrap()
    else {
        panic!("an encoder gave no vectors")
    };
    assert_eq!((vectors.len(), vectors[0].len()), (1, 384));
    let error = refused(&MINILM.artifact, &Request::Embed { texts: vec![] });
    assert!(matches!(&error, Error::Request(r) if r == "it has no texts"), "{error}");
}

#[test]
fn a_model_rejects_another_models_request() {
    let error = refused(&DIGITS.artifact, &Request::Embed { texts: vec!["a".into()] });
    assert!(matches!(error, Error::Request(_)), "{error}");
    let error = refused(&MINILM.artifact, &Request::Classify { images: vec![vec![0; 64]] });
    assert!(matches!(error, Error::Request(_)), "{error}");
}
