//! The GPU and the CPU backend against the reference, bit for bit.

use std::{sync::Arc, time::Instant};

use provena_engine::{AdapterChoice, Engine, artifact::Artifact, models::Prepared, reference};
use provena_wire::{Request, Response};

use crate::assets::{DIGITS, MINILM, digits, lines};

/// An engine on a GPU; a machine without one (a software driver counts) fails the test, unless it says
/// `PROVENA_TEST_GPU=none`.
pub(crate) fn gpu() -> Option<Engine> {
    if std::env::var("PROVENA_TEST_GPU").is_ok_and(|v| v == "none") {
        eprintln!("PROVENA_TEST_GPU=none: the GPU is not tested");
        return None;
    }
    let engine = Engine::new(AdapterChoice::Graphics).unwrap();
    assert_eq!(engine.adapter().backend, "wgpu", "no adapter: install a Vulkan driver (mesa-vulkan-drivers)");
    Some(engine)
}

fn compare(artifact: &Arc<Artifact>, request: &Request) {
    let start = Instant::now();
    let expected = reference::run(artifact, request).unwrap();
    let reference_time = start.elapsed();
    let Some(engine) = gpu() else { return };
    let model = engine.load(artifact.clone()).unwrap();
    let start = Instant::now();
    let found = model.run(request).unwrap();
    println!(
        "{}: {} units, reference {reference_time:.2?}, {} {:.2?}",
        artifact.name(),
        request.units(),
        engine.adapter().name,
        start.elapsed()
    );
    assert_eq!(found.result_root(), expected.result_root());
    assert!(found == expected, "the GPU differs from the reference");
}

#[test]
fn all_digits_have_the_same_bits_everywhere() {
    let digits = digits();
    compare(&DIGITS.artifact, &Request::Classify { images: digits.images.clone() });
    // Alone, and in a batch of an awkward size, an image gets what it gets among all.
    let all = reference::run(&DIGITS.artifact, &Request::Classify { images: digits.images.clone() }).unwrap();
    let Response::Classify { logits, .. } = all else { panic!("a classifier gave no classes") };
    for (from, to) in [(0, 1), (100, 107), (1_000, 1_257)] {
        let some = Request::Classify { images: digits.images[from..to].to_vec() };
        let Response::Classify { logits: found, .. } = reference::run(&DIGITS.artifact, &some).unwrap() else {
            panic!("a classifier gave no classes")
        };
        assert_eq!(found, logits[from..to]);
        compare(&DIGITS.artifact, &some);
    }
}

#[test]
fn the_cpu_backend_gives_what_the_reference_gives() {
    let engine = Engine::new(AdapterChoice::Cpu).unwrap();
    assert_eq!(engine.adapter().backend, "cpu");
    let texts = lines("sentences.txt").into_iter().take(10).collect();
    for (artifact, request) in [
        (&DIGITS.artifact, Request::Classify { images: digits().images }),
        (&MINILM.artifact, Request::Embed { texts }),
    ] {
        let found = engine.load(artifact.clone()).unwrap().run(&request).unwrap();
        assert!(found == reference::run(artifact, &request).unwrap());
    }
}

#[test]
fn two_hundred_sentences_have_the_same_bits_everywhere() {
    let texts = lines("sentences.txt");
    let prepared = Prepared::new(&MINILM.artifact).unwrap();
    let request = Request::Embed { texts };
    let mut sizes: Vec<usize> = prepared.inputs(&request).unwrap().iter().map(|i| i.size - 2).collect();
    sizes.sort_unstable();
    println!("tokens without the special two: {} to {}", sizes[0], sizes[sizes.len() - 1]);
    assert!(sizes.len() >= 200 && sizes[0] == 1 && sizes[sizes.len() - 1] >= 190);
    sizes.dedup();
    assert!(sizes.len() >= 50, "only {} different lengths", sizes.len());
    compare(&MINILM.artifact, &request);
}

#[test]
fn the_longest_text_has_the_same_bits_everywhere() {
    // 254 one-token words and the special two.
    let text = vec!["sea"; 254].join(" ");
    compare(&MINILM.artifact, &Request::Embed { texts: vec![text] });
}

#[test]
fn a_self_test_checks_scalars_and_kernels() {
    let report = Engine::new(AdapterChoice::Cpu).unwrap().self_test().unwrap();
    assert!(report.checks.len() >= 30 && report.backend == "cpu", "{report:?}");
    if let Some(engine) = gpu() {
        let on_gpu = engine.self_test().unwrap();
        println!("{}: {} checks in {:.2} s", on_gpu.adapter, on_gpu.checks.len(), on_gpu.seconds);
        assert!(on_gpu.checks.len() > report.checks.len(), "{on_gpu:?}");
    }
}

#[test]
fn the_best_adapter_is_no_software_driver() {
    assert_ne!(Engine::new(AdapterChoice::Best).unwrap().adapter().device_type, "software");
}

#[test]
fn an_adapter_that_is_not_there_is_named() {
    let Err(error) = Engine::new(AdapterChoice::Named("no such adapter".into())) else { panic!("it was found") };
    assert!(
        error.to_string().contains("no such adapter") || error.to_string().contains("no graphics adapter"),
        "{error}"
    );
}
