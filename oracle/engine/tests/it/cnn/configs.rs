//! Configurations and weights that cannot be honoured: each is an error that says what is wrong.

use provena_engine::Error;
use serde_json::{Value, json};

use super::random::{Model, Shape};

fn model() -> Model {
    let shape = Shape {
        size: [6, 5],
        channels: 2,
        convolutions: &[[4, 3, 1, 1, 2], [3, 2, 1, 0, 1]],
        widths: &[5, 3],
        max_value: 16,
    };
    shape.model(1)
}

fn reason(model: &Model) -> String {
    match model.import(None) {
        Err(error @ (Error::Import(_) | Error::ImportTensor { .. })) => error.to_string(),
        other => panic!("not refused: {:?}", other.map(|artifact| artifact.summary())),
    }
}

#[test]
fn the_honest_model_is_imported() {
    model().import(None).unwrap();
}

#[test]
fn import_rejects_configs_of_cnns_that_it_cannot_honour() {
    for (field, value, expected) in [
        ("activation", json!("tanh"), "is not supported, only relu"),
        ("input_scale", json!(16.5), "not a whole number of 1 to 127"),
        ("input_scale", Value::Null, "expected f64"),
        ("image_size", json!([6]), "config.json"),
        ("image_size", json!([0, 5]), "the height is 0"),
        ("image_size", json!([6, 100_000]), "the width is 100000"),
        ("image_size", json!([1, 5]), "does not fit an image"),
        ("channels", json!(0), "the number of channels is 0"),
        ("convolutions", json!([]), "the number of convolutions is 0"),
        ("convolutions", json!([{"channels": 4}]), "kernel"),
        ("convolutions", json!([{"channels": 4, "kernel": 0}]), "a convolution's kernel is 0"),
        ("convolutions", json!([{"channels": 4, "kernel": 3, "stride": 0}]), "a convolution's stride is 0"),
        ("convolutions", json!([{"channels": 4, "kernel": 3, "padding": 4}]), "a convolution's padding is 4"),
        ("convolutions", json!([{"channels": 4, "kernel": 3, "pool": 0}]), "a pooling's kernel is 0"),
        ("convolutions", json!([{"channels": 4, "kernel": 3, "pool": 9}]), "does not fit an image"),
        ("convolutions", json!([{"channels": 4, "kernel": -3}]), "config.json"),
        ("convolutions", json!([{"channels": 9_999, "kernel": 1}]), "a convolution's number of channels is 9999"),
        ("widths", json!([]), "the number of layers is 0"),
        ("widths", json!([5, 0]), "a layer's width is 0"),
        ("widths", json!([5, 300]), "the number of classes is 300"),
        ("activation_max", json!([1.0]), "activation_max"),
        ("activation_max", json!([1.0, -1.0, 1.0]), "activation_max"),
    ] {
        let mut model = model();
        model.config[field] = value.clone();
        let found = reason(&model);
        assert!(found.contains(expected), "{field} {value}: {found}");
    }
}

#[test]
fn import_rejects_convolutions_that_need_too_much_memory() {
    let mut model = model();
    model.config["image_size"] = json!([1_024, 1_024]);
    model.config["convolutions"] = json!([{"channels": 4_096, "kernel": 64, "padding": 64}]);
    assert!(reason(&model).contains("too much memory"));
}

#[test]
fn import_rejects_missing_and_misshapen_tensors_of_cnns_by_name() {
    for name in model().tensors.keys() {
        let mut without = model();
        without.tensors.remove(name);
        let found = reason(&without);
        assert!(found.contains(name.as_str()) && found.contains("missing"), "{found}");
        let mut misshapen = model();
        misshapen.tensors.get_mut(name).unwrap().0.push(1);
        let found = reason(&misshapen);
        assert!(found.contains(name.as_str()) && found.contains("shape"), "{found}");
    }
}

#[test]
fn import_copes_with_extreme_but_finite_weights_of_cnns() {
    for extreme in [f32::MAX, f32::MIN_POSITIVE, 0.0, -1e30, 1e-40] {
        for name in model().tensors.keys() {
            let mut model = model();
            model.tensors.get_mut(name).unwrap().1.fill(extreme);
            // Either it works or it says why not.
            match model.import(None) {
                Ok(_) | Err(Error::Import(_) | Error::ImportTensor { .. }) => (),
                Err(other) => panic!("{name} of {extreme}: {other:?}"),
            }
        }
    }
}
