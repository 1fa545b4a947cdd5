//! Imports that are stopped, and files that are in the way.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use provena_engine::places;

use crate::provena::{Person, ended};

const DIGITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../oracle/engine/models/digits");

/// Names of what is in a folder, hidden files too.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Bytes of all that is in a folder.
fn bytes_in(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => bytes_in(&entry.path()),
            _ => entry.metadata().map_or(0, |file| file.len()),
        })
        .sum()
}

/// Imports `SmolLM2` into a folder until parts of it are there, and sends a signal.
#[cfg(target_os = "linux")]
fn stopped(person: &Person, folder: &Path, signal: &str) -> crate::provena::Ended {
    let source = places::assets().unwrap().join("smollm2/model.gguf");
    let mut import = person
        .command()
        .args(["model", "import", source.to_str().unwrap(), "--out", folder.join("words.pvna").to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while bytes_in(folder) < 1 << 20 {
        assert!(import.try_wait().unwrap().is_none(), "the import ended by itself");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(Command::new("kill").args([signal, &import.id().to_string()]).status().unwrap().success());
    ended(import.wait_with_output().unwrap())
}

#[cfg(target_os = "linux")]
#[test]
fn n19_an_import_that_is_stopped_leaves_nothing() {
    for signal in ["-INT", "-TERM"] {
        let person = Person::new();
        // A folder that was not there goes, too.
        let folder = person.path("models/new");
        let ended = stopped(&person, &folder, signal);
        ended.fails(130, &["stopped; nothing was kept of", "words.pvna", "begins again"]);
        assert!(!person.path("models").exists(), "{:?}", names(&person.path("models")));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn n19_what_a_killed_import_left_is_removed_by_the_next() {
    let person = Person::new();
    let folder = person.path("models");
    assert_eq!(stopped(&person, &folder, "-KILL").code, None);
    assert_eq!(names(&folder).len(), 1, "{:?}", names(&folder));
    let out = folder.join("words.pvna");
    let again = person.run(&["model", "import", DIGITS, "--out", out.to_str().unwrap()]).ok();
    assert!(again.stderr.contains("removed what an import that was killed had left"), "{}", again.stderr);
    assert_eq!(names(&folder), ["words.card.json", "words.card.md", "words.pvna"]);
}

#[test]
fn n19_an_import_replaces_nothing_unless_it_is_told_to() {
    let person = Person::new();
    let out = person.path("digits.pvna");
    let import = ["model", "import", DIGITS, "--out", out.to_str().unwrap()];
    person.run(&import).ok();
    let first = fs::read(&out).unwrap();
    fs::write(&out, "mine").unwrap();
    person.run(&import).fails(2, &["digits.pvna exists already", "--force"]);
    assert_eq!(fs::read(&out).unwrap(), b"mine");
    person.run(&[&import[..], &["--force"]].concat()).ok();
    assert_eq!(fs::read(&out).unwrap(), first);
    // A card of somebody else's is not replaced either.
    fs::remove_file(&out).unwrap();
    person.run(&import).fails(2, &["digits.card.md exists already"]);
    assert!(!out.exists());
}

#[test]
fn n19_an_import_replaces_neither_its_source_nor_a_device() {
    let person = Person::new();
    let source = person.path("model");
    fs::create_dir(&source).unwrap();
    for file in ["model.safetensors", "config.json"] {
        fs::copy(Path::new(DIGITS).join(file), source.join(file)).unwrap();
    }
    let weights = source.join("model.safetensors");
    let before = fs::read(&weights).unwrap();
    let import = |out: &Path| {
        person.run(&["model", "import", source.to_str().unwrap(), "--force", "--out", out.to_str().unwrap()])
    };
    import(&weights).fails(2, &["is never replaced", "name another file"]);
    assert_eq!(fs::read(&weights).unwrap(), before);
    import(&source).fails(2, &["is a folder"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        import(Path::new("/dev/null")).fails(2, &["is not a regular file"]);
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    }
    assert_eq!(names(&source), ["config.json", "model.safetensors"]);
    // An artifact beside its weights is no weights.
    import(&source.join("digits.pvna")).ok();
    import(&source.join("digits.pvna")).ok();
}

#[test]
fn n2_chat_with_an_artifact_that_explodes_is_an_error() {
    let person = Person::new();
    let artifact = crate::tiny_llama::random(&crate::tiny_llama::recipe(), 31);
    let replaced = format!(
        r#""normalizer": {{"type": "Replace", "pattern": {{"String": "w"}}, "content": "{}"}}"#,
        "w".repeat(1_000_000)
    );
    let tokenizer = crate::tiny_llama::tokenizer().replace(r#""normalizer": null"#, &replaced);
    let path = person.path("bomb.pvna");
    fs::write(&path, with_tokenizer(&artifact, tokenizer.into_bytes())).unwrap();
    let chat = ["model", "chat", path.to_str().unwrap(), "--adapter", "cpu", "--plain", "--prompt"];
    let ended = person.run(&[&chat[..], &[&"w".repeat(90_000)]].concat());
    ended.fails(1, &["the model cannot be loaded", "1000000 times as long"]);
}

/// The artifact's bytes with another tokenizer.
fn with_tokenizer(artifact: &provena_engine::artifact::Artifact, tokenizer: Vec<u8>) -> Vec<u8> {
    use provena_engine::artifact::{ArtifactBuilder, Dtype};
    let mut builder = ArtifactBuilder::new();
    builder.tokenizer(tokenizer);
    for (_, tensor) in artifact.tensors() {
        let (name, rows, cols) = (tensor.name, tensor.rows, tensor.cols);
        match tensor.dtype {
            Dtype::I8 => {
                let values: Vec<i8> = (0..rows).flat_map(|row| tensor.i8_row(row)[..cols].to_vec()).collect();
                builder.i8(name, rows, cols, &values);
            }
            Dtype::I16 => {
                let values: Vec<i16> =
                    (0..rows).flat_map(|row| tensor.i16_row(row)).map(|value| value as i16).collect();
                builder.i16(name, rows, cols, &values);
            }
            Dtype::I32 => builder.i32(name, &tensor.i32s()),
            Dtype::Scale => builder.scales(name, &tensor.scales()),
        }
    }
    builder.build(artifact.recipe().clone()).unwrap().bytes().to_vec()
}
