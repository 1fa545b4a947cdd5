//! How long a warm answer may take on the slowest adapter we support, a software driver on two cores. The quickest of
//! several runs counts, because the machines that test are shared.

use std::time::{Duration, Instant};

use provena_engine::io::Request;
use provena_engine::{AdapterChoice, Engine, Model};

use super::support::gpu;
use crate::assets::{DIGITS, MINILM, digits};

/// Runs that are timed after the first.
const RUNS: usize = 12;

fn quickest(model: &Model, request: &Request) -> Duration {
    model.run(request).unwrap();
    let time = |_| {
        let start = Instant::now();
        model.run(request).unwrap();
        start.elapsed()
    };
    (0..RUNS).map(time).min().unwrap()
}

#[test]
fn a_digit_takes_at_most_ten_milliseconds() {
    if gpu().is_none() {
        return;
    }
    let model = Engine::new(AdapterChoice::Best).unwrap().load(DIGITS.artifact.clone()).unwrap();
    let took = quickest(&model, &Request::Classify { images: digits().images[..1].to_vec() });
    println!("one digit: {took:.2?}");
    assert!(took <= Duration::from_millis(10), "{took:?}");
}

#[test]
fn a_sentence_of_32_tokens_takes_at_most_a_second() {
    if gpu().is_none() {
        return;
    }
    let model = Engine::new(AdapterChoice::Best).unwrap().load(MINILM.artifact.clone()).unwrap();
    // Thirty words of one token each; the tokenizer marks the beginning and the end.
    let text =
        ["the river runs to the sea and then back"; 4].join(" ").split(' ').take(30).collect::<Vec<_>>().join(" ");
    let took = quickest(&model, &Request::Embed { texts: vec![text] });
    println!("32 tokens: {took:.2?}");
    assert!(took <= Duration::from_secs(1), "{took:?}");
}
