//! What is written beside the weights.

use crate::data::{self, Set};
use crate::model::Model;
use crate::net::{Net, Shape};

/// The configuration that the importer reads. The largest values between the layers, on the training images, are what
/// it calibrates with.
pub(crate) fn config(model: &Model, net: &Net, set: &Set) -> String {
    let convolution = |shape: &Shape| match shape {
        Shape::Convolution { channels } => {
            Some(serde_json::json!({"channels": channels, "kernel": 3, "padding": 1, "pool": 2}))
        }
        Shape::Dense { .. } => None,
    };
    let product = |shape: &Shape| match shape {
        Shape::Convolution { .. } => None,
        Shape::Dense { outputs } => Some(*outputs),
    };
    let convolutions: Vec<_> = model.shapes.iter().filter_map(convolution).collect();
    let widths = model.shapes.iter().filter_map(product);
    let mut config = serde_json::json!({
        "activation": "relu",
        "activation_max": net.largest_hidden(set.training.iter().map(|image| image.pixels.as_slice())),
        "input_scale": data::MAX_PIXEL,
        "classes": (0..data::CLASSES).map(|class| class.to_string()).collect::<Vec<_>>(),
    });
    if convolutions.is_empty() {
        config["model_type"] = "mlp".into();
        config["widths"] = std::iter::once(data::PIXELS).chain(widths).collect();
    } else {
        config["model_type"] = "cnn".into();
        config["image_size"] = vec![data::SIDE; 2].into();
        config["convolutions"] = convolutions.into();
        config["widths"] = widths.collect();
    }
    format!("{config:#}\n")
}

/// The model card.
pub(crate) fn card(model: &Model, set: &Set, on_training: f64, on_test: f64) -> String {
    let Model { name, architecture, purpose, epochs, batch, rate, seed, .. } = model;
    let (training, test) = (set.training.len(), set.test.len());
    let (on_training, on_test) = (on_training * 100.0, on_test * 100.0);
    format!(
        "# {name}

{purpose} Licence of the weights: Apache-2.0, as the rest of this repository.

| | |
|---|---|
| Input | 8 x 8 pixels, row after row, 0 (paper) to 16 (ink), divided by 16 |
| Output | ten logits, one per digit |
| Architecture | {architecture} |
| Accuracy on the {test} held-out images | {on_test:.2} % |
| Accuracy on the {training} training images | {on_training:.2} % |

## Data

*Optical Recognition of Handwritten Digits*: 1,797 digits by 13 writers, scanned, normalised by NIST's routines and
reduced to 8 x 8 counts. E. Alpaydin and C. Kaynak, UCI Machine Learning Repository, 1998, doi 10.24432/C50P49,
CC BY 4.0. The copy used here is `sklearn/datasets/data/digits.csv.gz` from the published package scikit-learn (BSD
3-Clause, the scikit-learn developers). It is fetched and checked by hash, and not part of this repository.

Held out is every image whose number, counted from zero, leaves the remainder 4 when divided by 5: {test} images. The
other {training} train the classifier. Writers are not separated by this split, so the figure says how well the model
reads these writers' digits, not how well it reads a stranger's.

## Training

Adam, {epochs} passes, {batch} images per step, rate {rate} falling in a straight line to zero, weight decay 0.02, each
image moved by -1, 0 or 1 pixels along both axes at random, seed {seed}. These were the first settings tried: none was
chosen by its accuracy on the held-out images.

## Reproduce

```text
cargo xtask fetch
cargo run -p provena-engine --example train_digits -- {name} --check
```

The training runs on one thread and uses only operations that IEEE 754 rounds in one way, so it gives these same bytes
again; `--check` compares them.

## Limits

It knows the ten digits and nothing else: any other picture gets a digit, too. It expects digits that fill the 8 x 8
field as the data's do.
"
    )
}
