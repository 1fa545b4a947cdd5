//! Checkpoints as they are published: half precision and shards give what one file of F32 gives, and those that lie are
//! errors that say what is wrong.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use provena_engine::{
    Error,
    artifact::Artifact,
    format::Weights,
    import::{ImportOptions, import},
};
use safetensors::Dtype;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::{
    assets::{DIGITS, MINILM, fetched, own},
    checkpoint_files::{Raw, Raws, dealt, f16_value, file, index, nearest_f16, raw, shard_name, tensors, write_shards},
};

const INDEX: &str = "model.safetensors.index.json";

/// One tensor "half" of these bits.
fn halves(dtype: Dtype, bits: &[u16]) -> Raws {
    let bytes = bits.iter().flat_map(|b| b.to_le_bytes()).collect();
    Raws::from([("half".into(), Raw { dtype, shape: vec![bits.len()], bytes })])
}

#[test]
fn every_f16_is_converted_to_the_same_value_or_refused_by_the_tensors_name() {
    let (finite, other): (Vec<u16>, Vec<u16>) = (0..=u16::MAX).partition(|bits| f16_value(*bits).is_finite());
    assert_eq!((finite.len(), other.len()), (63_488, 2_048));
    let read = Weights::from_safetensors(file(&halves(Dtype::F16, &finite))).unwrap();
    for (bits, found) in finite.iter().zip(read.read("half", &[finite.len()]).unwrap()) {
        // As F64 neither side is rounded; the bits also tell the two zeros apart.
        assert_eq!(f64::from(found).to_bits(), f16_value(*bits).to_bits(), "{bits:#06x}");
    }
    for bits in other {
        let weights = Weights::from_safetensors(file(&halves(Dtype::F16, &[0x3c00, bits]))).unwrap();
        let error = weights.read("half", &[2]).unwrap_err();
        let Error::ImportTensor { name, reason } = &error else { panic!("{bits:#06x}: {error}") };
        let what = if f16_value(bits).is_nan() { "NaN" } else { "inf" };
        assert!(name == "half" && reason.starts_with("element 1 is") && reason.contains(what), "{error}");
    }
}

proptest! {
    #[test]
    fn a_file_may_mix_every_type_of_float(values in prop::collection::vec(any::<u16>(), 1..50)) {
        let shape = [values.len()];
        let f16: Vec<u16> = values.iter().map(|v| if f16_value(*v).is_finite() { *v } else { v & 0x83ff }).collect();
        let bf16: Vec<u16> = values.iter().map(|v| if v & 0x7f80 == 0x7f80 { v & 0x807f } else { *v }).collect();
        let f32: Vec<f32> = bf16.iter().map(|v| f32::from_bits(u32::from(*v) << 16 | 0x1234)).collect();
        let mut raws = halves(Dtype::F16, &f16);
        raws.insert("brain".into(), halves(Dtype::BF16, &bf16).remove("half").unwrap());
        raws.insert("single".into(), raw(Dtype::F32, &shape, &f32));
        raws.insert("ids".into(), Raw { dtype: Dtype::I64, shape: vec![2], bytes: vec![7; 16] });
        let read = Weights::from_safetensors(file(&raws)).unwrap();
        for (found, bits) in read.read("half", &shape).unwrap().iter().zip(&f16) {
            prop_assert_eq!(f64::from(*found), f16_value(*bits));
        }
        for (found, bits) in read.read("brain", &shape).unwrap().iter().zip(&bf16) {
            prop_assert_eq!(found.to_bits(), u32::from(*bits) << 16);
        }
        for (found, value) in read.read("single", &shape).unwrap().iter().zip(&f32) {
            prop_assert_eq!(found.to_bits(), value.to_bits());
        }
        prop_assert!(read.shape("ids").is_none());
    }
}

/// A folder with all of a model but its weights.
fn folder_like(model: &Path) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["config.json", "tokenizer.json"] {
        if model.join(name).exists() {
            std::fs::copy(model.join(name), folder.path().join(name)).unwrap();
        }
    }
    folder
}

fn imported(source: &Path, name: &str) -> Artifact {
    let out = tempfile::tempdir().unwrap();
    let out = out.path().join("model.pvna");
    let source = source.to_owned();
    let options =
        ImportOptions { source, family: None, name: Some(name.into()), calibration: None, context: None, out };
    import(&options, &mut |_| ()).unwrap();
    Artifact::open(&options.out).unwrap()
}

/// The bytes of an artifact, but for the hash that says which files its weights came from.
fn but_for_source(artifact: &Artifact) -> Vec<u8> {
    let hash = artifact.recipe().source.weights_sha256.clone().into_bytes();
    assert_eq!(hash.len(), 64);
    let mut bytes = artifact.bytes().to_vec();
    let at: Vec<usize> = (0..=bytes.len() - 64).filter(|i| bytes[*i..].starts_with(&hash)).collect();
    assert_eq!(at.len(), 1, "the hash is there once");
    bytes[at[0]..at[0] + 64].fill(b'-');
    bytes
}

fn assert_same(found: &Artifact, expected: &Artifact) {
    assert_ne!(found.recipe().source, expected.recipe().source);
    assert!(but_for_source(found) == but_for_source(expected), "other bytes than the hash of the weights differ");
}

#[test]
fn digits_in_three_shards_give_the_bytes_that_one_file_gives() {
    let model = own("models/digits");
    let folder = folder_like(&model);
    let shards = dealt(&tensors(&std::fs::read(model.join("model.safetensors")).unwrap()), 3);
    write_shards(folder.path(), &shards);
    let artifact = imported(folder.path(), "digits");
    assert_same(&artifact, &DIGITS.artifact);
    // The hash is what two calls of sha256sum give.
    let hex = |bytes: &[u8]| Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect::<String>();
    let line = |name: &str| format!("{}  {name}\n", hex(&std::fs::read(folder.path().join(name)).unwrap()));
    let list: String = [INDEX].into_iter().chain(shards.iter().map(|(name, _)| name.as_str())).map(line).collect();
    assert_eq!(artifact.recipe().source.weights_sha256, hex(list.as_bytes()));
}

#[test]
fn minilm_in_three_shards_gives_the_bytes_that_one_file_gives() {
    let model = fetched("minilm");
    let folder = folder_like(&model);
    write_shards(folder.path(), &dealt(&tensors(&std::fs::read(model.join("model.safetensors")).unwrap()), 3));
    assert_same(&imported(folder.path(), "minilm"), &MINILM.artifact);
}

/// The tensors with every value rounded to the nearest F16, in F32 and in F16.
fn rounded(raws: &Raws) -> [Raws; 2] {
    let round = |raw: &Raw| -> Vec<f32> {
        assert_eq!(raw.dtype, Dtype::F32);
        raw.bytes.chunks_exact(4).map(|b| nearest_f16(f32::from_le_bytes(b.try_into().unwrap())).1).collect()
    };
    [Dtype::F32, Dtype::F16].map(|dtype| {
        raws.iter().map(|(name, tensor)| (name.clone(), raw(dtype, &tensor.shape, &round(tensor)))).collect()
    })
}

#[test]
fn digits_in_f16_give_the_bytes_that_the_same_values_in_f32_give() {
    let model = own("models/digits");
    let [single, half] = rounded(&tensors(&std::fs::read(model.join("model.safetensors")).unwrap()));
    let folders = [(); 4].map(|()| folder_like(&model));
    std::fs::write(folders[0].path().join("model.safetensors"), file(&single)).unwrap();
    std::fs::write(folders[1].path().join("model.safetensors"), file(&half)).unwrap();
    write_shards(folders[2].path(), &dealt(&half, 3));
    // Some of each, as checkpoints often have it.
    let mixed = half.iter().zip(single).enumerate();
    let mixed =
        mixed.map(|(i, ((name, half), (_, single)))| (name.clone(), if i % 2 == 0 { half.clone() } else { single }));
    let mut mixed = dealt(&mixed.collect(), 3);
    mixed[1].1.insert("position_ids".into(), Raw { dtype: Dtype::I64, shape: vec![1], bytes: vec![0; 8] });
    write_shards(folders[3].path(), &mixed);
    let [expected, others @ ..] = folders.each_ref().map(|folder| imported(folder.path(), "digits"));
    assert!(but_for_source(&expected) != but_for_source(&DIGITS.artifact), "rounding changes some weight");
    others.iter().for_each(|found| assert_same(found, &expected));
}

#[test]
fn minilm_in_f16_gives_the_bytes_that_the_same_values_in_f32_give() {
    let model = fetched("minilm");
    // Its buffer of position ids is no weight.
    let mut raws = tensors(&std::fs::read(model.join("model.safetensors")).unwrap());
    raws.retain(|_, raw| raw.dtype == Dtype::F32);
    let [single, half] = rounded(&raws);
    let folders = [(); 2].map(|()| folder_like(&model));
    std::fs::write(folders[0].path().join("model.safetensors"), file(&single)).unwrap();
    write_shards(folders[1].path(), &dealt(&half, 3));
    let [expected, found] = folders.each_ref().map(|folder| imported(folder.path(), "minilm"));
    assert_same(&found, &expected);
}

/// The digits model in three shards, to be spoilt: the folder and its shards.
fn digits_in_shards() -> (TempDir, Vec<(String, Raws)>) {
    let model = own("models/digits");
    let folder = folder_like(&model);
    let shards = dealt(&tensors(&std::fs::read(model.join("model.safetensors")).unwrap()), 3);
    write_shards(folder.path(), &shards);
    (folder, shards)
}

/// Why the model of this folder is refused; nothing may have been written.
fn reason(folder: &Path) -> String {
    let out = tempfile::tempdir().unwrap();
    let options = ImportOptions {
        source: folder.into(),
        family: None,
        name: Some("digits".into()),
        calibration: None,
        context: None,
        out: out.path().join("out/model.pvna"),
    };
    let error = import(&options, &mut |_| ()).unwrap_err();
    assert!(matches!(error, Error::Import(_) | Error::ImportTensor { .. }), "{error:?}");
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0, "a failed import wrote something");
    error.to_string()
}

#[track_caller]
fn assert_reason(folder: &Path, parts: &[&str]) {
    let reason = reason(folder);
    assert!(parts.iter().all(|part| reason.contains(part)), "{reason}");
}

fn write_index(folder: &Path, text: impl AsRef<[u8]>) {
    std::fs::write(folder.join(INDEX), text).unwrap();
}

#[test]
fn import_rejects_shard_names_that_are_no_plain_file_names() {
    let (folder, shards) = digits_in_shards();
    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().join("a.safetensors");
    std::fs::write(&target, file(&shards[0].1)).unwrap();
    std::fs::create_dir(folder.path().join("sub")).unwrap();
    std::fs::write(folder.path().join("sub/a.safetensors"), file(&shards[0].1)).unwrap();
    // Even where the file is there, and is the right one, it is not opened.
    let up = Path::new("..").join(outside.path().file_name().unwrap()).join("a.safetensors");
    for (name, why) in [
        (target.to_str().unwrap(), "is an absolute path"),
        ("C:\\a.safetensors", "is an absolute path"),
        ("C:a.safetensors", "is an absolute path"),
        ("\\\\server\\a.safetensors", "is an absolute path"),
        (up.to_str().unwrap(), "contains a path separator"),
        ("sub/a.safetensors", "contains a path separator"),
        ("sub\\a.safetensors", "contains a path separator"),
        ("./a.safetensors", "contains a path separator"),
        ("..", "contains \"..\""),
        ("..a.safetensors", "contains \"..\""),
        ("model:a.safetensors", "contains a colon"),
        ("a\0.safetensors", "contains a control character"),
        ("a\u{1b}[2J.safetensors", "contains a control character"),
        ("", "does not end in .safetensors"),
        (".", "does not end in .safetensors"),
        ("config.json", "does not end in .safetensors"),
    ] {
        let mut named = shards.clone();
        named[0].0 = name.into();
        write_index(folder.path(), index(&named));
        assert_reason(folder.path(), &[why, &format!("{name:?}"), INDEX]);
    }
}

#[test]
fn import_rejects_a_missing_shard() {
    for missing in 0..3 {
        let (folder, shards) = digits_in_shards();
        std::fs::remove_file(folder.path().join(&shards[missing].0)).unwrap();
        assert_reason(folder.path(), &[&shards[missing].0, "is missing"]);
    }
}

#[test]
fn import_rejects_a_shard_that_is_not_a_file() {
    let (folder, shards) = digits_in_shards();
    std::fs::remove_file(folder.path().join(&shards[1].0)).unwrap();
    std::fs::create_dir(folder.path().join(&shards[1].0)).unwrap();
    assert_reason(folder.path(), &[&shards[1].0, "is not a file"]);
}

#[test]
fn import_rejects_a_tensor_that_its_shard_lacks() {
    let (folder, mut shards) = digits_in_shards();
    let listed = index(&shards);
    let (name, raw) = shards[0].1.pop_first().unwrap();
    std::fs::write(folder.path().join(&shards[0].0), file(&shards[0].1)).unwrap();
    assert_reason(folder.path(), &[&name, &shards[0].0, "is missing from the shard"]);
    // It is no better in another shard.
    shards[1].1.insert(name.clone(), raw);
    write_shards(folder.path(), &shards);
    write_index(folder.path(), listed);
    assert_reason(folder.path(), &[&name, &shards[0].0, &shards[1].0, "is missing from the shard"]);
}

#[test]
fn import_rejects_a_tensor_in_two_shards() {
    let (folder, mut shards) = digits_in_shards();
    let listed = index(&shards);
    let (name, raw) = shards[0].1.first_key_value().map(|(name, raw)| (name.clone(), raw.clone())).unwrap();
    shards[2].1.insert(name.clone(), raw);
    write_shards(folder.path(), &shards);
    write_index(folder.path(), listed);
    assert_reason(folder.path(), &[&name, &shards[0].0, &shards[2].0, "in two shards"]);
}

#[test]
fn import_rejects_an_index_that_puts_a_tensor_in_two_shards() {
    let (folder, shards) = digits_in_shards();
    let name = shards[0].1.first_key_value().unwrap().0;
    let again = format!("\"weight_map\":{{\"{name}\":\"{}\",", shards[2].0);
    write_index(folder.path(), index(&shards).replace("\"weight_map\":{", &again));
    assert_reason(folder.path(), &[name, &shards[0].0, &shards[2].0, "is put in two shards"]);
}

#[test]
fn import_rejects_a_tensor_that_the_index_does_not_name() {
    let (folder, mut shards) = digits_in_shards();
    let listed = index(&shards);
    shards[1].1.insert("stray".into(), raw(Dtype::F32, &[1], &[1.0]));
    write_shards(folder.path(), &shards);
    write_index(folder.path(), listed);
    assert_reason(folder.path(), &["\"stray\"", &shards[1].0, "does not name it"]);
}

#[test]
fn import_rejects_an_index_that_is_none() {
    let (folder, shards) = digits_in_shards();
    let honest = index(&shards);
    for len in 0..honest.len() {
        write_index(folder.path(), &honest[..len]);
        assert_reason(folder.path(), &[INDEX, "is not an index"]);
    }
    let deep = format!("{{\"weight_map\":{}", "[".repeat(1 << 20));
    for text in [
        "not json",
        "[]",
        "{}",
        "\"weight_map\"",
        r#"{"weight_map": []}"#,
        r#"{"weight_map": {"a": 1}}"#,
        r#"{"weight_map": {"a": ["b.safetensors"]}}"#,
        r#"{"weight_map": {}, "weight_map": {}}"#,
        r#"{"weight_map": {}} trailing"#,
        &deep,
    ] {
        write_index(folder.path(), text);
        assert_reason(folder.path(), &[INDEX, "is not an index"]);
    }
    write_index(folder.path(), b"{\"weight_map\": {\"\xff\": \"a.safetensors\"}}");
    assert_reason(folder.path(), &[INDEX, "is not an index"]);
    write_index(folder.path(), r#"{"metadata": {}, "weight_map": {}}"#);
    assert_reason(folder.path(), &[INDEX, "names no tensor"]);
}

#[test]
fn import_rejects_an_index_that_is_too_long() {
    let (folder, shards) = digits_in_shards();
    let mut text = index(&shards).into_bytes();
    text.resize(16 << 20, b' ');
    write_index(folder.path(), &text);
    imported(folder.path(), "digits");
    text.push(b' ');
    write_index(folder.path(), &text);
    assert_reason(folder.path(), &[INDEX, "has 16777217 bytes, more than 16777216"]);
}

#[test]
fn import_rejects_too_many_shards() {
    let (folder, shards) = digits_in_shards();
    let mut many = shards.clone();
    many.extend((3..128).map(|i| {
        let stray = raw(Dtype::F32, &[1], &[1.0]);
        (shard_name(i, 128), Raws::from([(format!("stray.{i}"), stray)]))
    }));
    write_shards(folder.path(), &many);
    imported(folder.path(), "digits");
    many.push((shard_name(128, 128), Raws::from([("stray".into(), raw(Dtype::F32, &[1], &[1.0]))])));
    write_shards(folder.path(), &many);
    assert_reason(folder.path(), &[INDEX, "names 129 shards, more than 128"]);
}

#[test]
fn import_rejects_shards_that_are_too_long_together() {
    let (folder, shards) = digits_in_shards();
    for (name, _) in &shards {
        // Holes take no room on disk.
        std::fs::File::options().write(true).open(folder.path().join(name)).unwrap().set_len(22 << 30).unwrap();
    }
    assert_reason(folder.path(), &["in shards has 70866960384 bytes, more than 68719476736"]);
}

#[test]
fn import_rejects_headers_that_are_too_long_together() {
    let (folder, shards) = digits_in_shards();
    let pad = |name: &str, to: usize| {
        let path = folder.path().join(name);
        let bytes = std::fs::read(&path).unwrap();
        let (len, rest) = bytes.split_at(8);
        let (header, data) = rest.split_at(u64::from_le_bytes(len.try_into().unwrap()) as usize);
        let blanks = vec![b' '; to - header.len()];
        std::fs::write(path, [&(to as u64).to_le_bytes(), header, &blanks, data].concat()).unwrap();
    };
    pad(&shards[0].0, 8 << 20);
    pad(&shards[1].0, 4 << 20);
    pad(&shards[2].0, 4 << 20);
    imported(folder.path(), "digits");
    pad(&shards[2].0, (4 << 20) + 1);
    assert_reason(folder.path(), &[&shards[2].0, "have 16777217 bytes, more than 16777216 together"]);
}

#[test]
fn import_rejects_every_truncation_of_a_shard() {
    let (folder, shards) = digits_in_shards();
    let (name, raws) = &shards[2];
    let whole = file(raws);
    for len in (0..whole.len()).step_by(37).chain([whole.len() - 1]) {
        std::fs::write(folder.path().join(name), &whole[..len]).unwrap();
        assert_reason(folder.path(), &["truncated", name]);
    }
}

#[test]
fn import_rejects_nan_and_infinity_in_a_shard_by_the_tensors_name() {
    for bits in [0x7c00u16, 0xfc00, 0x7e00, 0x7c01] {
        let (folder, mut shards) = digits_in_shards();
        let (name, tensor) = shards[1].1.pop_first().unwrap();
        let count: usize = tensor.shape.iter().product();
        let bytes = [&vec![0; 2 * (count - 1)], bits.to_le_bytes().as_slice()].concat();
        shards[1].1.insert(name.clone(), Raw { dtype: Dtype::F16, shape: tensor.shape, bytes });
        write_shards(folder.path(), &shards);
        assert_reason(folder.path(), &[&name, &format!("element {}", count - 1), "not a finite number"]);
    }
}

#[test]
fn import_rejects_a_folder_without_weights() {
    let folder = folder_like(&own("models/digits"));
    assert_reason(folder.path(), &["has neither model.safetensors nor model.safetensors.index.json"]);
}

#[test]
fn one_file_wins_over_an_index() {
    let (folder, _) = digits_in_shards();
    let whole: PathBuf = folder.path().join("model.safetensors");
    std::fs::copy(own("models/digits/model.safetensors"), &whole).unwrap();
    write_index(folder.path(), "not json");
    let artifact = imported(folder.path(), "digits");
    assert_eq!(artifact.content_root(), DIGITS.artifact.content_root());
    // Nor does a damaged file give way to a good index.
    let (folder, _) = digits_in_shards();
    std::fs::write(folder.path().join("model.safetensors"), "short").unwrap();
    assert_reason(folder.path(), &["model.safetensors", "truncated"]);
}
