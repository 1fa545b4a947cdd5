//! What is written beside the weights.

use crate::data::{self, Set};
use crate::net::Net;
use crate::{BATCH, EPOCHS, HIDDEN, RATE, SEED};

/// The configuration that the importer reads. The largest values between the layers, on the training images, are what
/// it calibrates with.
pub fn config(net: &Net, set: &Set) -> String {
    let config = serde_json::json!({
        "model_type": "mlp",
        "activation": "relu",
        "activation_max": net.largest_hidden(set.training.iter().map(|image| image.pixels.as_slice())),
        "input_scale": data::MAX_PIXEL,
        "widths": net.widths(),
        "classes": (0..data::CLASSES).map(|class| class.to_string()).collect::<Vec<_>>(),
    });
    format!("{config:#}\n")
}

/// The model card.
pub fn card(set: &Set, on_training: f64, on_test: f64) -> String {
    let (training, test) = (set.training.len(), set.test.len());
    let (on_training, on_test) = (on_training * 100.0, on_test * 100.0);
    format!(
        "# digits

A small classifier of handwritten digits. It is the model that `cargo xtask demo` mints, and the one on which the
whole path is tested with real input. Licence of the weights: Apache-2.0, as the rest of this repository.

| | |
|---|---|
| Input | 8 x 8 pixels, row after row, 0 (paper) to 16 (ink), divided by 16 |
| Output | ten logits, one per digit |
| Architecture | 64 - {HIDDEN} - 10, ReLU between |
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

Adam, {EPOCHS} passes, {BATCH} images per step, rate {RATE} falling in a straight line to zero, weight decay 0.02, each
image moved by -1, 0 or 1 pixels along both axes at random, seed {SEED}. These were the first settings tried: none was
chosen by its accuracy on the held-out images.

## Reproduce

```text
cargo xtask fetch
cargo run -p provena-engine --example train_digits -- --check
```

The training runs on one thread and uses only operations that IEEE 754 rounds in one way, so it gives these same bytes
again; `--check` compares them.

## Limits

It knows the ten digits and nothing else: any other picture gets a digit, too. It expects digits that fill the 8 x 8
field as the data's do.
"
    )
}
