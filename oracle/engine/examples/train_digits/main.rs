//! Trains the digits classifiers from scratch, the same bytes on every machine.
//!
//! ```text
//! cargo xtask fetch                                                          # the data
//! cargo run -p provena-engine --example train_digits                         # writes models/digits and models/digits-cnn
//! cargo run -p provena-engine --example train_digits -- digits --check       # trains one and compares with what is committed
//! ```
//!
//! Everything that could differ between machines is pinned: one thread, our own random numbers, our own
//! exponential, and only additions, multiplications, divisions and square roots of 32-bit floats, which IEEE 754
//! rounds in one way.

mod card;
mod data;
mod model;
mod net;
mod random;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use data::{Image, Set};
use model::{MODELS, Model};
use net::Net;
use random::Random;

fn main() -> ExitCode {
    let (options, names): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|a| a.starts_with("--"));
    match run(&names, options.iter().any(|option| option == "--check")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// Trains the models of these names, all when there are none.
fn run(names: &[String], check: bool) -> Result<(), String> {
    if let Some(name) = names.iter().find(|name| !MODELS.iter().any(|model| model.name == **name)) {
        return Err(format!("{name:?} is unknown; there are {}", MODELS.map(|model| model.name).join(" and ")));
    }
    let set = Set::load(&data::path())?;
    let mut chosen = MODELS.iter().filter(|model| names.is_empty() || names.iter().any(|name| name == model.name));
    chosen.try_for_each(|model| make(model, &set, check))
}

fn make(model: &Model, set: &Set, check: bool) -> Result<(), String> {
    let net = train(model, set);
    let (on_training, on_test) = (accuracy(&net, &set.training), accuracy(&net, &set.test));
    eprintln!("{}, training images: {:.2} %", model.name, on_training * 100.0);
    eprintln!("{}, held-out images: {:.2} %", model.name, on_test * 100.0);
    if on_test < model.least_accuracy {
        return Err(format!("below {:.1} %: nothing was written", model.least_accuracy * 100.0));
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(model.name);
    let files = [
        ("model.safetensors", net.to_safetensors()?),
        ("config.json", card::config(model, &net, set).into_bytes()),
        ("MODEL_CARD.md", card::card(model, set, on_training, on_test).into_bytes()),
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

fn train(model: &Model, set: &Set) -> Net {
    let mut random = Random::new(model.seed);
    let mut net = Net::new(data::SIDE, model.shapes, &mut random);
    let mut order: Vec<usize> = (0..set.training.len()).collect();
    let steps = model.epochs * order.len().div_ceil(model.batch);
    let mut step = 0;
    for _ in 0..model.epochs {
        random.shuffle(&mut order);
        for batch in order.chunks(model.batch) {
            for &index in batch {
                let image = set.training[index].shifted(random.shift(), random.shift());
                net.learn(&image.pixels, image.label);
            }
            let left = 1.0 - step as f32 / steps as f32;
            net.step(model.rate * left, batch.len());
            step += 1;
        }
    }
    net
}

fn accuracy(net: &Net, images: &[Image]) -> f64 {
    let right = images.iter().filter(|image| net.classify(&image.pixels) == image.label).count();
    right as f64 / images.len() as f64
}
