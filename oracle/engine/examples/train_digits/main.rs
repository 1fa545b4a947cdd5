//! Trains the digits classifier from scratch, the same bytes on every machine.
//!
//! ```text
//! cargo xtask fetch                                                  # the data
//! cargo run -p provena-engine --example train_digits                 # writes models/digits
//! cargo run -p provena-engine --example train_digits -- --check      # trains and compares with what is committed
//! ```
//!
//! Everything that could differ between machines is pinned: one thread, our own random numbers, our own
//! exponential, and only additions, multiplications, divisions and square roots of 32-bit floats, which IEEE 754
//! rounds in one way.

mod card;
mod data;
mod net;
mod random;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use data::{Image, Set};
use net::Net;
use random::Random;

/// Units between the pixels and the ten classes.
const HIDDEN: usize = 96;
/// Passes over the training images.
const EPOCHS: usize = 160;
/// Images per step.
const BATCH: usize = 32;
/// Rate of the first step; it falls in a straight line towards zero.
const RATE: f32 = 0.004;
/// Seed of the initial weights, of the order of the images and of their shifts.
const SEED: u64 = 20_260_815;
/// What the classifier must reach on images it was not trained on.
const LEAST_ACCURACY: f64 = 0.975;

fn main() -> ExitCode {
    match run(std::env::args().any(|argument| argument == "--check")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run(check: bool) -> Result<(), String> {
    let set = Set::load(&data::path())?;
    let net = train(&set);
    let (on_training, on_test) = (accuracy(&net, &set.training), accuracy(&net, &set.test));
    eprintln!("training images: {:.2} %", on_training * 100.0);
    eprintln!("held-out images: {:.2} %", on_test * 100.0);
    if on_test < LEAST_ACCURACY {
        return Err(format!("below {:.1} %: nothing was written", LEAST_ACCURACY * 100.0));
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/digits");
    let files = [
        ("model.safetensors", net.to_safetensors()?),
        ("config.json", card::config(&net, &set).into_bytes()),
        ("MODEL_CARD.md", card::card(&set, on_training, on_test).into_bytes()),
    ];
    for (name, bytes) in files {
        let path: PathBuf = folder.join(name);
        if check {
            let committed = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            if committed != bytes {
                return Err(format!("{} is not what this training gives", path.display()));
            }
            eprintln!("{} is what this training gives", path.display());
        } else {
            std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
            std::fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))?;
            eprintln!("wrote {}", path.display());
        }
    }
    Ok(())
}

fn train(set: &Set) -> Net {
    let mut random = Random::new(SEED);
    let mut net = Net::new(&[data::PIXELS, HIDDEN, data::CLASSES], &mut random);
    let mut order: Vec<usize> = (0..set.training.len()).collect();
    let steps = EPOCHS * order.len().div_ceil(BATCH);
    let mut step = 0;
    for _ in 0..EPOCHS {
        random.shuffle(&mut order);
        for batch in order.chunks(BATCH) {
            for &index in batch {
                let image = set.training[index].shifted(random.shift(), random.shift());
                net.learn(&image.pixels, image.label);
            }
            let left = 1.0 - step as f32 / steps as f32;
            net.step(RATE * left, batch.len());
            step += 1;
        }
    }
    net
}

fn accuracy(net: &Net, images: &[Image]) -> f64 {
    let right = images.iter().filter(|image| net.classify(&image.pixels) == image.label).count();
    right as f64 / images.len() as f64
}
