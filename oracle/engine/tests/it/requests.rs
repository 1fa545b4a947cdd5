//! Requests that do not fit their model.

use provena_engine::{
    Error,
    io::{MAX_REQUEST_LEN, Request, Response},
    reference,
};

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

#[test]
fn decoding_rejects_damaged_bytes() {
    let request = Request::Embed { texts: vec!["a sentence".into(), "another".into()] };
    let bytes = request.to_bytes();
    assert_eq!(Request::from_bytes(&bytes).unwrap(), request);
    for len in 0..bytes.len() {
        assert!(matches!(Request::from_bytes(&bytes[..len]), Err(Error::Decode { what: "request", .. })), "{len}");
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert!(matches!(Request::from_bytes(&longer), Err(Error::Decode { .. })));
    assert!(matches!(Request::from_bytes(&vec![0; MAX_REQUEST_LEN + 1]), Err(Error::Decode { .. })));
    // A count of four thousand million strings.
    assert!(matches!(Request::from_bytes(&[1, 255, 255, 255, 255]), Err(Error::Decode { .. })));
    let response = Response::Classify { labels: vec![7], logits: vec![vec![-5; 10]] };
    assert_eq!(Response::from_bytes(&response.to_bytes()).unwrap(), response);
    assert!(matches!(Response::from_bytes(&[9]), Err(Error::Decode { what: "response", .. })));
}

#[test]
fn roots_cover_every_byte() {
    let request = |text: &str| Request::Embed { texts: vec![text.into()] };
    assert_ne!(request("a").input_root(), request("b").input_root());
    assert_eq!(request("a").units(), 1);
    let response = |v: i32| Response::Classify { labels: vec![1], logits: vec![vec![v]] };
    assert_ne!(response(1).result_root(), response(2).result_root());
}
