//! How much memory a whole import takes, by the system's own count: little beside the artifact that it writes.
//!
//! Each import runs in a process of its own, which is this test binary again: what a process held at most is known to
//! the system alone, and other tests would count, too.

#![cfg(target_os = "linux")]

use std::{path::Path, process::Command};

use provena_engine::import::{ImportOptions, import};
use serde_json::json;

use crate::{
    assets::{fetched, lines},
    llama::published::published,
};

/// In a process that is to import and to say what it took: the folder with the checkpoint.
const FOLDER: &str = "PROVENA_TEST_IMPORT_MEMORY";
/// Layers of the decoder.
const LAYERS: usize = 42;
/// What stands before the bytes in its output.
const SAID: &str = "memory for the import: ";

/// The most bytes of memory that this process ever had.
fn most() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() << 10
}

/// Imports what is in a folder and prints by how many bytes this process grew.
fn grow(folder: &Path) {
    let options = ImportOptions {
        source: folder.join("source"),
        family: None,
        name: Some("small".into()),
        calibration: Some(folder.join("lines.txt")),
        context: None,
        out: folder.join("model.pvna"),
    };
    let before = most();
    import(&options, &mut |_| ()).unwrap();
    println!("{SAID}{}", most() - before);
}

/// Lets another process run `test` on this folder; gives by how many bytes it grew, and the artifact's bytes.
fn grown(test: &str, folder: &Path) -> (u64, u64) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    // As many threads, and so as many of their stacks and pools, on every machine.
    command.args(["--exact", test, "--nocapture"]).env(FOLDER, folder).env("RAYON_NUM_THREADS", "2");
    let output = command.output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let said = printed.lines().find_map(|line| line.split_once(SAID)).map(|(_, bytes)| bytes.parse().unwrap());
    let grown = said.unwrap_or_else(|| panic!("{printed}{}", String::from_utf8_lossy(&output.stderr)));
    (grown, std::fs::metadata(folder.join("model.pvna")).unwrap().len())
}

/// Imports what is in a folder in another process, which must not grow by more than 1.2 times the artifact.
fn import_beside(test: &str, folder: &Path, least: u64) {
    let (grown, artifact) = grown(test, folder);
    println!("an artifact of {artifact} bytes was imported with {grown} bytes of memory");
    assert!(artifact >= least, "{artifact} bytes are too few to tell");
    assert!(10 * grown <= 12 * artifact, "{grown} bytes for an artifact of {artifact}");
}

#[test]
fn a_decoder_is_imported_in_less_memory_than_its_artifact_and_a_fifth() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return grow(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let mut model = published(&json!({
        "hidden_size": 256, "intermediate_size": 704, "num_hidden_layers": 1, "num_attention_heads": 4,
        "num_key_value_heads": 2,
    }));
    // All layers alike, which takes less time to make.
    model.config["num_hidden_layers"] = LAYERS.into();
    for (name, tensor) in model.tensors.clone() {
        if let Some(part) = name.strip_prefix("model.layers.0.") {
            model.tensors.extend((1..LAYERS).map(|i| (format!("model.layers.{i}.{part}"), tensor.clone())));
        }
    }
    model.put(folder.path());
    // Less to compute than in other tests: the weights are what counts here.
    std::fs::write(folder.path().join("lines.txt"), "w2 w3 w4 w5 w6 w7\nw7 w12 w11 w10 w9 w8\n".repeat(6)).unwrap();
    let test = "import_memory::a_decoder_is_imported_in_less_memory_than_its_artifact_and_a_fifth";
    import_beside(test, folder.path(), 30 << 20);
}

#[test]
fn an_encoder_is_imported_in_less_memory_than_its_artifact_and_a_fifth() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return grow(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(fetched("minilm"), folder.path().join("source")).unwrap();
    std::fs::write(folder.path().join("lines.txt"), lines("sentences.txt")[..12].join("\n")).unwrap();
    let test = "import_memory::an_encoder_is_imported_in_less_memory_than_its_artifact_and_a_fifth";
    import_beside(test, folder.path(), 30 << 20);
}
