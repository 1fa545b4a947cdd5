//! The fetched model and data, and artifacts made of them once per test run.

use std::{
    io::Read,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};

use provena_engine::{
    artifact::Artifact,
    import::{ImportOptions, ImportReport, import},
    places::assets,
};

/// A fetched file or folder.
pub(crate) fn fetched(name: &str) -> PathBuf {
    let path = assets().expect("a home directory").join(name);
    assert!(path.exists(), "{} is missing: run `cargo xtask fetch`", path.display());
    path
}

/// A file of this crate.
pub(crate) fn own(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The lines of a file below `tests/data`.
pub(crate) fn lines(name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(own("tests/data").join(name)).unwrap();
    text.lines().filter(|l| !l.is_empty()).map(Into::into).collect()
}

/// Scanned digits: 64 pixels each, with their labels.
pub(crate) struct Digits {
    pub images: Vec<Vec<u8>>,
    pub labels: Vec<u8>,
}

pub(crate) fn digits() -> Digits {
    let file = std::fs::File::open(fetched("digits/digits.csv.gz")).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let mut digits = Digits { images: vec![], labels: vec![] };
    for line in text.lines() {
        let mut values: Vec<u8> = line.split(',').map(|v| v.parse().unwrap()).collect();
        digits.labels.push(values.pop().unwrap());
        digits.images.push(values);
    }
    assert_eq!(digits.images.len(), 1_797);
    digits
}

/// An artifact and the report of its import.
pub(crate) struct Imported {
    pub artifact: Arc<Artifact>,
    pub report: ImportReport,
}

/// Imports the model in `source`.
pub(crate) fn imported(source: PathBuf, name: &str) -> Imported {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join(name).with_extension("pvna");
    let options = ImportOptions {
        source,
        family: None,
        name: Some(name.into()),
        calibration: None,
        context: None,
        out: out.clone(),
    };
    let report = import(&options, &mut |_| ()).unwrap();
    Imported { artifact: Arc::new(Artifact::open(&out).unwrap()), report }
}

/// The digits classifier that this repository carries.
pub(crate) static DIGITS: LazyLock<Imported> = LazyLock::new(|| imported(own("models/digits"), "digits"));

/// The sentence encoder.
pub(crate) static MINILM: LazyLock<Imported> = LazyLock::new(|| imported(fetched("minilm"), "minilm"));
