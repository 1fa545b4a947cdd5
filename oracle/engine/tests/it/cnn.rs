//! Convolutional classifiers: the float model against candle, int-v1 against the float model, every backend against the
//! reference, over awkward sizes; and configurations that cannot be honoured.

mod candle;
mod configs;
mod random;

use std::sync::{Arc, LazyLock};

use provena_engine::{
    AdapterChoice, Engine, Error,
    artifact::{Artifact, CnnRecipe, ModelRecipe},
    float::{cnn::FloatCnn, mlp::likeliest},
    format::Checkpoint,
    models::Prepared,
    reference,
};
use provena_wire::{Request, Response};
pub(crate) use random::Shape;

use crate::{
    assets::{digits, imported, own},
    equality::gpu,
    tiny_encoder::rebuilt,
};

/// The convolutional classifier that this repository carries.
pub(crate) static DIGITS_CNN: LazyLock<Arc<Artifact>> =
    LazyLock::new(|| imported(own("models/digits-cnn"), "digits-cnn").artifact);

fn recipe(artifact: &Artifact) -> &CnnRecipe {
    let ModelRecipe::Cnn(recipe) = &artifact.recipe().model else { panic!("{} is no cnn", artifact.name()) };
    recipe
}

fn classify(artifact: &Artifact, images: &[Vec<u8>]) -> (Vec<u8>, Vec<Vec<i32>>) {
    match reference::run(artifact, &Request::Classify { images: images.to_vec() }).unwrap() {
        Response::Classify { labels, logits } => (labels, logits),
        other => panic!("a classifier gave {other:?}"),
    }
}

/// The CPU backend and the GPU give what the reference gives.
fn same_everywhere(artifact: &Arc<Artifact>, images: &[Vec<u8>]) {
    let request = Request::Classify { images: images.to_vec() };
    let expected = reference::run(artifact, &request).unwrap();
    let engines = [Some(Engine::new(AdapterChoice::Cpu).unwrap()), gpu()];
    for engine in engines.into_iter().flatten() {
        let found = engine.load(artifact.clone()).unwrap().run(&request).unwrap();
        assert!(found == expected, "{} differs from the reference on {}", engine.adapter().name, artifact.name());
    }
}

#[test]
fn digits_cnn_reads_held_out_digits_as_its_float_model_does() {
    let digits = digits();
    let checkpoint = Checkpoint::open(&own("models/digits-cnn")).unwrap();
    let float = FloatCnn::new(&checkpoint.weights, recipe(&DIGITS_CNN)).unwrap();
    let logits = float.activations(&digits.images).unwrap().pop().unwrap();
    let float = likeliest(&logits, 10);
    let (ints, _) = classify(&DIGITS_CNN, &digits.images);
    // Training left out every image whose number leaves 4 when divided by 5.
    let held_out: Vec<usize> = (0..ints.len()).filter(|i| i % 5 == 4).collect();
    let share = |labels: &[u8]| {
        100.0 * held_out.iter().filter(|i| labels[**i] == digits.labels[**i]).count() as f64 / held_out.len() as f64
    };
    let (float_right, ints_right) = (share(&float), share(&ints));
    let agree = ints.iter().zip(&float).filter(|(a, b)| a == b).count() as f64 / ints.len() as f64;
    println!(
        "digits-cnn, held-out: float {float_right:.2} %, int-v1 {ints_right:.2} %; agree on {:.2} %",
        100.0 * agree
    );
    assert!((float_right - ints_right).abs() <= 0.5);
    assert!(ints_right > 98.0);
    assert!(agree > 0.995);
}

#[test]
fn all_digits_have_the_same_bits_everywhere_and_in_any_batch() {
    let images = digits().images;
    same_everywhere(&DIGITS_CNN, &images);
    let (_, all) = classify(&DIGITS_CNN, &images);
    for (from, to) in [(0, 1), (100, 107), (1_000, 1_257)] {
        assert_eq!(classify(&DIGITS_CNN, &images[from..to]).1, all[from..to]);
        same_everywhere(&DIGITS_CNN, &images[from..to]);
    }
}

#[test]
fn awkward_sizes_have_the_same_bits_everywhere_and_come_near_the_float_model() {
    for (seed, shape) in Shape::awkward().into_iter().enumerate() {
        let model = shape.model(seed as u64);
        let images = shape.images(9, seed as u64);
        let artifact = model.import(Some(&images)).unwrap();
        same_everywhere(&artifact, &images);
        let (_, ints) = classify(&artifact, &images);
        let float = FloatCnn::new(&model.weights(), recipe(&artifact)).unwrap();
        let float = float.activations(&images).unwrap().pop().unwrap();
        let ints: Vec<f32> = ints.iter().flatten().map(|v| *v as f32).collect();
        // Logits have one step, so that the angle says how near they are.
        let cosine = provena_engine::float::cosine(&ints, &float);
        assert!(cosine > 0.995, "{shape:?}: cosine {cosine}");
    }
}

#[test]
fn a_model_too_large_for_one_batch_gives_what_its_images_give_alone() {
    let shape = Shape { size: [96, 80], channels: 3, convolutions: &[[24, 5, 1, 2, 2]], widths: &[4], max_value: 127 };
    let artifact = shape.model(5).import(None).unwrap();
    let images = shape.images(5, 5);
    let (labels, logits) = classify(&artifact, &images);
    for (i, image) in images.iter().enumerate() {
        assert_eq!(classify(&artifact, std::slice::from_ref(image)), (vec![labels[i]], vec![logits[i].clone()]));
    }
    same_everywhere(&artifact, &images);
}

#[test]
fn images_that_do_not_fit_are_refused() {
    for (images, reason) in [
        (vec![], "it has no images"),
        (vec![vec![0; 64], vec![0; 63]], "image 1 has 63 values, not 64"),
        (vec![vec![17; 64]], "image 0 has the value 17, above 16"),
    ] {
        let error = reference::run(&DIGITS_CNN, &Request::Classify { images }).unwrap_err();
        assert!(error.to_string().ends_with(reason), "{error}");
    }
    let error = reference::run(&DIGITS_CNN, &Request::Embed { texts: vec!["a".into()] }).unwrap_err();
    assert!(error.to_string().contains("classifies images"), "{error}");
}

#[test]
fn load_rejects_a_classifier_without_one_of_its_tensors() {
    let artifact = Shape::awkward()[1].model(3).import(None).unwrap();
    for (_, tensor) in artifact.tensors() {
        for (words, expected) in [(None, "missing"), (Some([7; 6].as_slice()), "")] {
            let error = Prepared::new(&rebuilt(&artifact, tensor.name, words)).map(drop).unwrap_err();
            let named =
                matches!(&error, Error::Tensor { name, reason } if name == tensor.name && reason.contains(expected));
            assert!(named, "{}: {error}", tensor.name);
        }
    }
}
