//! Bytes of requests and responses: damaged ones are refused, and roots cover all of them.

use provena_wire::{DecodeError, Generate, MAX_ITEMS, MAX_REQUEST_LEN, Prompt, Request, Response, Sampling};

#[test]
fn decoding_rejects_damaged_bytes() {
    let request = Request::Embed { texts: vec!["a sentence".into(), "another".into()] };
    let bytes = request.to_bytes();
    assert_eq!(Request::from_bytes(&bytes).unwrap(), request);
    for len in 0..bytes.len() {
        assert!(matches!(Request::from_bytes(&bytes[..len]), Err(DecodeError { what: "request", .. })), "{len}");
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert!(matches!(Request::from_bytes(&longer), Err(DecodeError { .. })));
    assert!(matches!(Request::from_bytes(&vec![0; MAX_REQUEST_LEN + 1]), Err(DecodeError { .. })));
    // A count of four thousand million strings.
    assert!(matches!(Request::from_bytes(&[1, 255, 255, 255, 255]), Err(DecodeError { .. })));
    let most = |count| Request::Embed { texts: vec![String::new(); count] }.to_bytes();
    assert!(Request::from_bytes(&most(MAX_ITEMS)).is_ok());
    assert_eq!(
        Request::from_bytes(&most(MAX_ITEMS + 1)).unwrap_err().to_string(),
        "cannot decode the request: 262145 items are more than 262144"
    );
    let response = Response::Classify { labels: vec![7], logits: vec![vec![-5; 10]] };
    assert_eq!(Response::from_bytes(&response.to_bytes()).unwrap(), response);
    assert!(matches!(Response::from_bytes(&[9]), Err(DecodeError { what: "response", .. })));
}

#[test]
fn roots_cover_every_byte() {
    let request = |text: &str| Request::Embed { texts: vec![text.into()] };
    assert_ne!(request("a").input_root(), request("b").input_root());
    let response = |v: i32| Response::Classify { labels: vec![1], logits: vec![vec![v]] };
    assert_ne!(response(1).result_root(), response(2).result_root());
}

#[test]
fn decoding_rejects_a_request_that_is_not_utf_8_or_damaged() {
    let request = Request::Generate(Generate {
        prompt: Prompt::Text("a prompt".into()),
        max_tokens: 9,
        sampling: Sampling::GREEDY,
        stop: vec!["end".into()],
    });
    let bytes = request.to_bytes();
    assert_eq!(Request::from_bytes(&bytes).unwrap(), request);
    for len in 0..bytes.len() {
        assert!(matches!(Request::from_bytes(&bytes[..len]), Err(DecodeError { what: "request", .. })), "{len}");
    }
    let at = bytes.windows(6).position(|window| window == b"prompt").unwrap();
    let mut damaged = bytes;
    damaged[at] = 0xff;
    assert!(matches!(Request::from_bytes(&damaged), Err(DecodeError { what: "request", .. })));
}
