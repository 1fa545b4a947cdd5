//! GGUF files that lie: every one is an error that says what is wrong, none a panic, and nothing is written.

use provena_engine::{
    Error,
    format::Checkpoint,
    import::{ImportOptions, import},
};

use super::gguf_files::{File, Meta, decoder};

/// Why these bytes are refused.
#[track_caller]
fn reason(bytes: Vec<u8>) -> String {
    match Checkpoint::from_gguf_bytes(bytes) {
        Err(error @ (Error::Import(_) | Error::ImportTensor { .. })) => error.to_string(),
        other => panic!("not refused: {other:?}"),
    }
}

#[track_caller]
fn assert_reason(file: &File, why: &str) {
    let reason = reason(file.bytes());
    assert!(reason.contains(why), "{reason}");
}

#[test]
fn import_rejects_every_truncation_of_gguf() {
    let bytes = decoder("llama").bytes();
    Checkpoint::from_gguf_bytes(bytes.clone()).unwrap();
    for len in 0..bytes.len() {
        let reason = reason(bytes[..len].to_vec());
        assert!(reason.contains("truncated"), "{len}: {reason}");
    }
    // As a file, nothing is left of the attempt.
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("model.gguf");
    std::fs::write(&source, &bytes[..bytes.len() - 1]).unwrap();
    let out = folder.path().join("out/model.pvna");
    let options =
        ImportOptions { source, family: None, name: None, calibration: None, context: None, out: out.clone() };
    let error = import(&options, &mut |_| ()).unwrap_err().to_string();
    assert!(error.contains("\"output_norm.weight\": ends past the end of the file"), "{error}");
    assert!(!out.parent().unwrap().exists());
}

#[test]
fn import_rejects_other_files_and_versions() {
    let bytes = decoder("llama").bytes();
    let patched = |at: usize, with: &[u8]| [&bytes[..at], with, &bytes[at + with.len()..]].concat();
    for (bytes, why) in [
        (patched(0, b"GGML"), "is no GGUF file: it does not begin with GGUF"),
        (patched(4, &1u32.to_le_bytes()), "is GGUF of version 1, supported are 2 and 3"),
        (patched(4, &4u32.to_le_bytes()), "is GGUF of version 4"),
        (patched(4, &0u32.to_le_bytes()), "is GGUF of version 0"),
        (patched(4, &3u32.to_be_bytes()), "is a big-endian GGUF file"),
        (patched(8, &u64::MAX.to_le_bytes()), "18446744073709551615 tensors are more than 65536"),
        (patched(8, &65_536u64.to_le_bytes()), "a tensor's name has 0 bytes"),
        (patched(8, &13u64.to_le_bytes()), "a tensor's name has 0 bytes"),
        (patched(16, &u64::MAX.to_le_bytes()), "18446744073709551615 entries of metadata are more than 65536"),
        (patched(16, &65_536u64.to_le_bytes()), ""),
        (patched(24, &u64::MAX.to_le_bytes()), "the name of a metadata entry needs 18446744073709551615 bytes"),
        (patched(24, &0u64.to_le_bytes()), "a metadata entry's name has 0 bytes"),
        (patched(32, b"\xff"), "the name of a metadata entry is not UTF-8"),
    ] {
        let reason = reason(bytes);
        assert!(reason.contains(why), "{reason}");
    }
    // The older version is the same but for its number.
    Checkpoint::from_gguf_bytes(patched(4, &2u32.to_le_bytes())).unwrap();
}

#[test]
fn import_rejects_metadata_that_lies() {
    let list = |kind: u32, count: u64, rest: &[u8]| {
        Meta::Raw(9, [&kind.to_le_bytes(), count.to_le_bytes().as_slice(), rest].concat())
    };
    let mut deep = vec![];
    (0..8).for_each(|_| deep.extend([9u32.to_le_bytes().as_slice(), &1u64.to_le_bytes()].concat()));
    for (value, why) in [
        (Meta::Raw(13, vec![]), "\"strange\" has the unknown type 13"),
        (Meta::Raw(u32::MAX, vec![]), "\"strange\" has the unknown type 4294967295"),
        (Meta::Raw(7, vec![2]), "the bool \"strange\" is 2"),
        (Meta::Raw(8, [&2u64.to_le_bytes()[..], &[0xc3, 0x28]].concat()), "strange is not UTF-8"),
        (Meta::Raw(8, u64::MAX.to_le_bytes().to_vec()), "strange needs 18446744073709551615 bytes"),
        (list(13, 0, &[]), "\"strange\" has elements of the unknown type 13"),
        (list(4, u64::MAX, &[]), "strange needs 18446744073709551615 bytes"),
        (list(0, 1 << 40, &[]), "strange needs 1099511627776 bytes"),
        (list(8, 1 << 20, &[]), "strange needs 8388608 bytes"),
        (list(10, 1, &u64::MAX.to_le_bytes()), "holds 18446744073709551615, which is too large"),
        (Meta::Raw(9, deep), "lies too deep in other lists"),
    ] {
        let mut file = decoder("llama");
        file.set("strange", value);
        assert_reason(&file, why);
    }
    let mut file = decoder("llama");
    file.metadata.push(("llama.block_count".into(), Meta::U32(1)));
    assert_reason(&file, "the metadata entry \"llama.block_count\" is repeated");
    for align in [0, 3, 48, u32::MAX] {
        let mut file = decoder("llama");
        file.set("general.alignment", Meta::U32(align));
        assert_reason(&file, &format!("an alignment of {align} is no power of two"));
    }
    // Any other is followed, and what nobody needs may be anything that is well formed.
    for align in [1, 8, 64, 4_096] {
        let mut file = decoder("llama");
        file.set("general.alignment", Meta::U32(align));
        file.set("general.note", list(9, 1, &[4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0]));
        let checkpoint = Checkpoint::from_gguf_bytes(file.bytes()).unwrap();
        assert_eq!(checkpoint.weights.read("model.norm.weight", &[8]).unwrap()[0], 0.5);
    }
}

#[test]
fn import_rejects_a_tensor_table_that_lies() {
    type Spoil = fn(&mut File);
    let cases: [(Spoil, &str); 20] = [
        (|f| f.find("output_norm.weight").name = String::new(), "a tensor's name has 0 bytes"),
        (|f| f.find("output_norm.weight").name = "x".repeat(257), "a tensor's name has 257 bytes"),
        (|f| f.find("output_norm.weight").name = "token_embd.weight".into(), "is in the file twice"),
        (|f| f.find("output_norm.weight").dims = vec![], "has 0 dimensions"),
        (|f| f.find("output_norm.weight").dims = vec![1; 5], "has 5 dimensions, allowed are 1 to 4"),
        (|f| f.find("output_norm.weight").dims = vec![0], "has a dimension of 0"),
        (|f| f.find("output_norm.weight").dims = vec![1 << 62], "is too large"),
        (|f| f.find("output_norm.weight").dims = vec![1 << 32, 1 << 32], "has a dimension of 4294967296"),
        (|f| f.find("output_norm.weight").dims = vec![1 << 40], "ends past the end of the file (truncated?)"),
        (|f| f.find("output_norm.weight").kind = 4, "type 4 (unknown), which is not supported: supported are F32, F16"),
        (|f| f.find("output_norm.weight").kind = 10, "type 10 (Q2_K), which is not supported"),
        (|f| f.find("output_norm.weight").kind = 28, "(of integers or F64)"),
        (|f| f.find("output_norm.weight").kind = 8, "has rows of 8 elements of type Q8_0, which come in blocks of 32"),
        (
            |f| {
                f.find("output_norm.weight").dims = vec![32];
                f.find("output_norm.weight").kind = 8;
            },
            "has rows of 32 elements of type Q8_0",
        ),
        (
            |f| {
                f.find("blk.0.ffn_up.weight").dims = vec![288, 1];
                f.find("blk.0.ffn_up.weight").kind = 14;
            },
            "has rows of 288 elements of type Q6K, which come in blocks of 256",
        ),
        (|f| f.find("output_norm.weight").offset = Some(0), "overlaps the tensor"),
        (|f| f.find("output_norm.weight").offset = Some(33), "starts at byte 33 of the data, no multiple of 32"),
        (|f| f.find("output_norm.weight").offset = Some(u64::MAX - 31), "ends past the end of the file"),
        (|f| f.find("output_norm.weight").offset = Some(1 << 40), "ends past the end of the file"),
        (|f| f.find("blk.0.attn_q.weight").dims = vec![8, 7], "has 7 rows, which are no whole heads of 4"),
    ];
    for (spoil, why) in cases {
        let mut file = decoder("llama");
        spoil(&mut file);
        assert_reason(&file, why);
    }
    // Order and gaps are the writer's own business.
    let mut file = decoder("llama");
    let norm = file.tensors.pop().unwrap();
    file.tensors.insert(0, norm);
    Checkpoint::from_gguf_bytes([file.bytes(), vec![1; 77]].concat()).unwrap();
}

#[test]
fn import_names_what_is_missing_of_a_gguf_model() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    let error = Checkpoint::open(&path).unwrap_err();
    assert!(matches!(&error, Error::File { action: "read", .. }), "{error:?}");
    // A folder may have the name of a file.
    std::fs::create_dir(&path).unwrap();
    let error = Checkpoint::open(&path).unwrap_err();
    assert!(matches!(&error, Error::File { path, .. } if path.ends_with("config.json")), "{error:?}");
    std::fs::write(path.join("config.json"), "{}").unwrap();
    let error = Checkpoint::open(&path).unwrap_err().to_string();
    assert!(error.contains("model.safetensors.index.json nor a .gguf file"), "{error}");
    std::fs::create_dir(path.join("inner.gguf")).unwrap();
    let error = Checkpoint::open(&path).unwrap_err().to_string();
    assert!(error.contains("inner.gguf is not a file"), "{error}");
}

#[test]
fn import_rejects_files_that_are_too_long() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["model.gguf", "model.safetensors"] {
        let path = folder.path().join(name);
        // A hole takes no room on disk.
        std::fs::File::create(&path).unwrap().set_len((64 << 30) + 1).unwrap();
        let error = Checkpoint::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("has 68719476737 bytes, more than 68719476736"), "{error}");
        std::fs::remove_file(path).unwrap();
    }
    std::fs::copy(crate::assets::own("models/digits/model.safetensors"), folder.path().join("model.safetensors"))
        .unwrap();
    for (name, most) in [("config.json", 1 << 20), ("tokenizer.json", 64 << 20), ("tokenizer_config.json", 16 << 20)] {
        std::fs::write(folder.path().join("config.json"), "{}").unwrap();
        std::fs::File::create(folder.path().join(name)).unwrap().set_len(most + 1).unwrap();
        let error = Checkpoint::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains(&format!("{name} has more than {most} bytes")), "{error}");
        std::fs::remove_file(folder.path().join(name)).unwrap();
    }
}
