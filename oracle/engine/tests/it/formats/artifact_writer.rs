//! Artifacts written tensor by tensor are those that are built in memory, or are not there at all.

use std::path::Path;

use provena_arith::fixed::Scale;
use provena_engine::{
    Error,
    artifact::{
        Artifact, ArtifactBuilder, ArtifactWriter, Dtype, Entry, MlpLayer, MlpRecipe, ModelRecipe, Recipe, Source,
    },
};

fn recipe() -> Recipe {
    Recipe {
        name: "streamed".into(),
        engine_class: provena_arith::receipt::ENGINE_CLASS_INT_V1,
        model: ModelRecipe::Mlp(MlpRecipe { inputs: 4, max_value: 16, layers: vec![MlpLayer { outputs: 2 }] }),
        tokenizer_sha256: None,
        source: Source::default(),
    }
}

fn entries() -> Vec<Entry> {
    vec![
        Entry::new("b.weight", Dtype::I8, 3, 17),
        Entry::new("a.table", Dtype::I16, 5, 3),
        Entry::new("c.bias", Dtype::I32, 1, 7),
        Entry::new("d.scale", Dtype::Scale, 1, 2),
    ]
}

fn weights() -> Vec<i8> {
    (0..51).map(|i| i - 25).collect()
}

const SCALES: [Scale; 2] = [Scale(1), Scale(77)];

/// The same in memory.
fn built(tokenizer: &[u8]) -> Artifact {
    let mut builder = ArtifactBuilder::new();
    builder.tokenizer(tokenizer.to_vec());
    builder.i8("b.weight", 3, 17, &weights());
    builder.i16("a.table", 5, 3, &(0..15).map(|i| i * 1_000).collect::<Vec<_>>());
    builder.i32("c.bias", &[-3, -2, -1, 0, 1, 2, i32::MAX]);
    builder.scales("d.scale", &SCALES);
    builder.build(recipe()).unwrap()
}

fn begin(path: &Path) -> ArtifactWriter {
    ArtifactWriter::create(path, recipe(), b"{}".to_vec(), entries()).unwrap()
}

fn fill(writer: &mut ArtifactWriter) {
    writer.scales("d.scale", &SCALES).unwrap();
    // Rows come one after the other, other tensors between them.
    writer.i8("b.weight", &weights()[..17]).unwrap();
    let table: Vec<u8> = (0..15i16).flat_map(|i| (i * 1_000).to_le_bytes()).collect();
    writer.append("a.table", &table[..7]).unwrap();
    writer.put("c.bias", &[-3, -2, -1, 0, 1, 2, i32::MAX].map(i32::to_le_bytes).concat()).unwrap();
    writer.i8("b.weight", &weights()[17..]).unwrap();
    writer.append("a.table", &table[7..]).unwrap();
}

#[test]
fn tensors_in_any_order_and_in_pieces_give_the_bytes_that_the_builder_gives() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/folder/model.pvna");
    let mut writer = begin(&path);
    fill(&mut writer);
    assert!(!path.exists(), "it is there before it is finished");
    let root = writer.finish().unwrap();
    let expected = built(b"{}");
    assert_eq!(std::fs::read(&path).unwrap(), expected.bytes());
    assert_eq!(root, expected.content_root());
    assert_eq!(Artifact::open(&path).unwrap().content_root(), root);
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    // An older file gives way only to a finished one.
    let mut writer = ArtifactWriter::create(&path, recipe(), vec![], entries()).unwrap();
    fill(&mut writer);
    assert_eq!(std::fs::read(&path).unwrap(), expected.bytes());
    assert_eq!(writer.finish().unwrap(), built(b"").content_root());
}

#[test]
fn an_artifact_that_is_not_finished_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/model.pvna");
    let mut writer = begin(&path);
    fill(&mut writer);
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    drop(writer);
    let mut writer = begin(&path);
    writer.scales("d.scale", &SCALES).unwrap();
    let error = writer.finish().unwrap_err().to_string();
    assert!(error.contains("\"a.table\": is not complete: 0 of 30 bytes were written"), "{error}");
    let mut writer = begin(&path);
    fill(&mut writer);
    // What takes its place meanwhile stays.
    std::fs::create_dir(&path).unwrap();
    assert!(matches!(writer.finish(), Err(Error::File { action: "write", .. })));
    std::fs::remove_dir(&path).unwrap();
    std::fs::remove_dir(path.parent().unwrap()).unwrap();
    let mut writer = begin(&path);
    fill(&mut writer);
    drop(writer);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn the_writer_rejects_tensors_that_do_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = begin(&folder.path().join("model.pvna"));
    writer.i32("c.bias", &[1; 7]).unwrap();
    writer.i16("a.table", &[1; 8]).unwrap();
    for (result, why) in [
        (writer.put("strange", &[]), "is none of those that the artifact was to have"),
        (writer.put("c.bias", &[0; 28]), "was written before"),
        (writer.i32("c.bias", &[]), "was written before"),
        (writer.put("d.scale", &[0; 7]), "7 bytes were given, its shape needs 8"),
        (writer.append("d.scale", &[0; 9]), "9 bytes after the first 0 are more than 8"),
        (writer.i16("a.table", &[1; 8]), "16 bytes after the first 16 are more than 30"),
        (writer.i32("d.scale", &[1, 2]), "is Scale, I32 was given"),
        (writer.i8("c.bias", &[1]), "is I32, I8 was given"),
        (writer.i8("b.weight", &[1; 18]), "18 values are no whole rows of 17"),
        (writer.i8("b.weight", &[1; 68]), "128 bytes after the first 0 are more than 96"),
    ] {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::Tensor { .. }) && error.to_string().contains(why), "{error}");
    }
    drop(writer);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn the_writer_rejects_what_no_artifact_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/model.pvna");
    let with = |extra: Entry| ArtifactWriter::create(&path, recipe(), vec![], [entries(), vec![extra]].concat());
    let nameless = Recipe { name: String::new(), ..recipe() };
    for (result, why) in [
        (with(Entry::new("c.bias", Dtype::I8, 1, 1)), "tensor \"c.bias\" is repeated"),
        (with(Entry::new("", Dtype::I8, 1, 1)), "a tensor's name has 0 bytes"),
        (with(Entry::new("e", Dtype::I8, 0, 1)), "tensor \"e\" has the shape [0][1]"),
        (with(Entry::new("e", Dtype::I8, 1, (1 << 24) + 1)), "tensor \"e\" has the shape [1][16777217]"),
        (with(Entry::new("e", Dtype::I8, 1 << 33, 1)), "\"e\": has the shape [8589934592][1]"),
        (with(Entry::new("e", Dtype::I32, 1 << 24, 1 << 24)), "bytes are more than 17179869184"),
        (ArtifactWriter::create(&path, nameless, vec![], entries()), "the name has 0 bytes"),
    ] {
        let error = result.err().unwrap();
        assert!(
            matches!(error, Error::Artifact(_) | Error::Tensor { .. }) && error.to_string().contains(why),
            "{error}"
        );
    }
    let below = folder.path().join("file");
    std::fs::write(&below, "").unwrap();
    let result = ArtifactWriter::create(&below.join("model.pvna"), recipe(), vec![], entries());
    assert!(matches!(result, Err(Error::File { action: "write", .. })));
    std::fs::remove_file(below).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
