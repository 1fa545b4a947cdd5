//! Artifacts that lie: every one is an error, none a panic.

use provena_engine::{
    Error,
    artifact::{Artifact, ArtifactFile},
    models::Prepared,
};

use crate::assets::DIGITS;

/// Opens an artifact and looks up all that a model needs.
fn load(bytes: Vec<u8>) -> Result<(), Error> {
    Prepared::new(&Artifact::from_bytes(bytes)?).map(drop)
}

/// Opens an artifact that stays in its file.
fn stay(bytes: &[u8]) -> Result<ArtifactFile, Error> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    ArtifactFile::open(file.path())
}

/// Why an artifact is refused, in memory and in a file alike.
fn reason(bytes: Vec<u8>) -> String {
    let file = stay(&bytes).map(drop);
    let file = file.map_err(|error| if let Error::Artifact(reason) = error { reason } else { error.to_string() });
    match load(bytes) {
        Err(Error::Artifact(reason)) if file.as_ref() == Err(&reason) => reason,
        other => panic!("not refused as an artifact: {other:?}, from a file {file:?}"),
    }
}

#[test]
fn artifact_rejects_every_truncation() {
    let bytes = DIGITS.artifact.bytes();
    load(bytes.to_vec()).unwrap();
    for len in (0..1_500).chain((1_500..bytes.len()).step_by(61)) {
        reason(bytes[..len].to_vec());
    }
    assert!(reason(bytes[..bytes.len() - 1].to_vec()).contains("past the end"));
}

#[test]
fn artifact_rejects_trailing_bytes() {
    let bytes = [DIGITS.artifact.bytes(), &[0]].concat();
    assert_eq!(reason(bytes), "1 bytes follow the last tensor");
}

#[test]
fn artifact_rejects_another_magic_version_or_header_length() {
    let patched = |at: usize, with: &[u8]| {
        let mut bytes = DIGITS.artifact.bytes().to_vec();
        bytes[at..at + with.len()].copy_from_slice(with);
        reason(bytes)
    };
    assert_eq!(patched(0, b"X"), "it does not begin with PVNA");
    assert!(patched(4, &[2]).starts_with("format version 2 is unknown"));
    assert!(patched(8, &u32::MAX.to_le_bytes()).starts_with("the header's length is 4294967295"));
    assert!(patched(8, &[0; 4]).starts_with("header: "));
    // The recipe's length, far beyond the file.
    assert!(patched(12, &u32::MAX.to_le_bytes()).starts_with("header: "));
}

#[test]
fn artifact_survives_every_changed_byte_of_its_header() {
    let bytes = DIGITS.artifact.bytes();
    let header = 12 + u32::from_le_bytes(bytes[8..12].try_into().unwrap()) as usize;
    let mut accepted = 0;
    for at in 0..header.next_multiple_of(64) {
        for with in [0, 1, 0x7f, 0xff, bytes[at] ^ 0x80, bytes[at].wrapping_add(1)] {
            let mut changed = bytes.to_vec();
            changed[at] = with;
            // A name or a source may change; whatever is accepted must be another artifact, or the same bytes.
            if at % 7 == 0 {
                assert_eq!(stay(&changed).is_ok(), Artifact::from_bytes(changed.clone()).is_ok(), "{at} {with}");
            }
            if let Ok(artifact) = Artifact::from_bytes(changed) {
                accepted += 1;
                let same = artifact.bytes() == bytes;
                assert_eq!(same, artifact.content_root() == DIGITS.artifact.content_root());
                let _ = Prepared::new(&artifact);
            }
        }
    }
    assert!(accepted > 0);
}

#[test]
fn artifact_roots_cover_content_and_recipe() {
    let mut bytes = DIGITS.artifact.bytes().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    let changed = Artifact::from_bytes(bytes).unwrap();
    assert_ne!(changed.content_root(), DIGITS.artifact.content_root());
    assert_eq!(changed.recipe_root(), DIGITS.artifact.recipe_root());
}

#[test]
fn artifact_with_hostile_numbers_still_computes() {
    // Weights, biases and scales of any bits have a meaning: nothing panics and the answer has its shape.
    let mut random = fastrand::Rng::with_seed(11);
    let bytes = DIGITS.artifact.bytes();
    let header = 12 + u32::from_le_bytes(bytes[8..12].try_into().unwrap()) as usize;
    let start = header.next_multiple_of(64);
    for _ in 0..20 {
        let mut changed = bytes.to_vec();
        for byte in &mut changed[start..] {
            *byte = random.u8(..);
        }
        let Ok(artifact) = Artifact::from_bytes(changed) else { continue };
        let request = provena_wire::Request::Classify { images: vec![vec![16; 64]; 3] };
        let answer = provena_engine::reference::run(&artifact, &request).unwrap();
        assert!(matches!(answer, provena_wire::Response::Classify { labels, .. } if labels.len() == 3));
    }
}
