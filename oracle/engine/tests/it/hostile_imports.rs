//! Float models that lie: every one is an error that says what is wrong, none a panic, and nothing is written.

use std::{collections::BTreeMap, path::Path};

use provena_engine::{
    Error,
    artifact::Family,
    format::Weights,
    import::{ImportOptions, import},
};
use safetensors::{Dtype, tensor::TensorView};

use crate::assets::own;

type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// A classifier 2 - 3 - 2 with small weights.
fn model() -> Tensors {
    let tensor = |shape: &[usize]| {
        let len = shape.iter().product::<usize>();
        (shape.to_vec(), (0..len).map(|i| i as f32 * 0.25 - 0.5).collect())
    };
    [
        ("layers.0.weight", [3, 2].as_slice()),
        ("layers.0.bias", &[3]),
        ("layers.1.weight", &[2, 3]),
        ("layers.1.bias", &[2]),
    ]
    .into_iter()
    .map(|(name, shape)| (name.into(), tensor(shape)))
    .collect()
}

fn file(tensors: &Tensors) -> Vec<u8> {
    let bytes: BTreeMap<&String, (Vec<usize>, Vec<u8>)> = tensors
        .iter()
        .map(|(name, (shape, data))| (name, (shape.clone(), data.iter().flat_map(|v| v.to_le_bytes()).collect())))
        .collect();
    let views =
        bytes.iter().map(|(name, (shape, data))| (name, TensorView::new(Dtype::F32, shape.clone(), data).unwrap()));
    safetensors::serialize(views, None).unwrap()
}

const CONFIG: &str =
    r#"{"model_type": "mlp", "activation": "relu", "input_scale": 16.0, "widths": [2, 3, 2], "activation_max": [2.0]}"#;

/// Imports a model with this file and this config.
fn try_import(weights: &[u8], config: &str) -> Result<(), Error> {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("model");
    std::fs::create_dir(&source).unwrap();
    std::fs::write(source.join("model.safetensors"), weights).unwrap();
    std::fs::write(source.join("config.json"), config).unwrap();
    let out = folder.path().join("out/model.pvna");
    let options = ImportOptions {
        source,
        family: None,
        name: Some("model".into()),
        calibration: None,
        context: None,
        out: out.clone(),
    };
    let result = import(&options, &mut |_| ()).map(drop);
    assert_eq!(result.is_ok(), out.exists(), "a failed import wrote something");
    assert!(result.is_ok() || !out.parent().unwrap().exists());
    result
}

fn import_reason(weights: &[u8], config: &str) -> String {
    match try_import(weights, config) {
        Err(error @ (Error::Import(_) | Error::ImportTensor { .. })) => error.to_string(),
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn import_accepts_the_honest_model() {
    try_import(&file(&model()), CONFIG).unwrap();
}

#[test]
fn import_rejects_every_truncation_of_safetensors() {
    let bytes = file(&model());
    for len in 0..bytes.len() {
        import_reason(&bytes[..len], CONFIG);
    }
    assert!(import_reason(&bytes[..bytes.len() - 1], CONFIG).contains("damaged or truncated"));
    assert!(import_reason(&bytes[..20], CONFIG).contains("truncated"));
}

#[test]
fn import_rejects_huge_headers() {
    let mut bytes = file(&model());
    bytes[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(import_reason(&bytes, CONFIG).contains("more than 16777216"));
    bytes[..8].copy_from_slice(&(16u64 << 20).to_le_bytes());
    assert!(import_reason(&bytes, CONFIG).contains("truncated"));
}

/// A file with this header and so many bytes of data.
fn with_header(header: &str, data: usize) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &vec![0; data]].concat()
}

#[test]
fn import_rejects_tensors_that_overlap_leave_gaps_or_lie_about_their_length() {
    for (header, data) in [
        (
            r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#,
            12,
        ),
        (
            r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]}}"#,
            20,
        ),
        (r#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#, 8),
        (r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, 8),
        (r#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#, 0),
        (r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 16),
        (r#"{"a":{"dtype":"F99","shape":[2],"data_offsets":[0,8]}}"#, 8),
        ("not json", 8),
        ("{", 0),
    ] {
        let result = Weights::from_safetensors(with_header(header, data));
        assert!(matches!(result, Err(Error::Import(_))), "{header}: {result:?}");
    }
}

#[test]
fn n20_a_repeated_name_in_a_header_is_refused_by_name() {
    // The library believes the last of them.
    let tensor = r#"{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#;
    for (header, name) in [
        (format!(r#"{{"twice":{tensor},"twice":{tensor}}}"#), "twice"),
        (r#"{"a":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]}}"#.into(), "shape"),
        (format!(r#"{{"__metadata__":{{"k":"1","k":"2"}},"a":{tensor}}}"#), "k"),
    ] {
        let error = Weights::from_safetensors(with_header(&header, 8)).unwrap_err().to_string();
        assert!(error.contains(&format!("the key {name:?} is there twice")), "{error}");
    }
    let config = CONFIG.replacen("\"widths\"", "\"widths\": [2, 3], \"widths\"", 1);
    assert!(import_reason(&file(&model()), &config).contains("the key \"widths\" is there twice"));
}

#[test]
fn import_rejects_types_that_it_does_not_know_by_the_tensors_name() {
    let header = r#"{"strange":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}"#;
    let error = Weights::from_safetensors(with_header(header, 8)).unwrap_err();
    assert!(matches!(&error, Error::ImportTensor { name, .. } if name == "strange"), "{error}");
}

#[test]
fn import_rejects_nan_and_infinity_by_the_tensors_name() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for name in model().keys() {
            let mut tensors = model();
            let data = &mut tensors.get_mut(name).unwrap().1;
            let last = data.len() - 1;
            data[last] = bad;
            let reason = import_reason(&file(&tensors), CONFIG);
            assert!(reason.contains(name.as_str()) && reason.contains("not a finite number"), "{reason}");
        }
    }
}

#[test]
fn import_rejects_missing_and_misshapen_tensors_by_name() {
    for name in model().keys() {
        let mut tensors = model();
        tensors.remove(name);
        let reason = import_reason(&file(&tensors), CONFIG);
        assert!(reason.contains(name.as_str()) && reason.contains("missing"), "{reason}");
        let mut tensors = model();
        tensors.get_mut(name).unwrap().0.push(1);
        let reason = import_reason(&file(&tensors), CONFIG);
        assert!(reason.contains(name.as_str()) && reason.contains("shape"), "{reason}");
    }
}

#[test]
fn import_rejects_configs_that_it_cannot_honour() {
    let weights = file(&model());
    for (from, to, reason) in [
        ("\"mlp\"", "\"gpt2\"", "unknown model family \"gpt2\""),
        ("\"relu\"", "\"tanh\"", "is not supported"),
        ("16.0", "16.5", "not a whole number"),
        ("16.0", "1e9", "not a whole number"),
        ("[2, 3, 2]", "[2]", "no layer widths"),
        ("[2, 3, 2]", "[2, 0, 2]", "no layer widths"),
        ("[2.0]", "[]", "calibration"),
        ("[2.0]", "[-1.0]", "calibration"),
        ("{", "", "config.json"),
    ] {
        let found = import_reason(&weights, &CONFIG.replacen(from, to, 1));
        assert!(found.contains(reason), "{found}");
    }
}

#[test]
fn import_copes_with_extreme_but_finite_weights() {
    for extreme in [f32::MAX, f32::MIN_POSITIVE, 0.0, -1e30, 1e-40] {
        for name in model().keys() {
            let mut tensors = model();
            tensors.get_mut(name).unwrap().1.fill(extreme);
            // Either it works or it says why not.
            match try_import(&file(&tensors), CONFIG) {
                Ok(()) | Err(Error::Import(_) | Error::ImportTensor { .. }) => (),
                Err(other) => panic!("{name} of {extreme}: {other:?}"),
            }
        }
    }
}

#[test]
fn import_names_the_file_that_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let options = ImportOptions {
        source: folder.path().join("nowhere"),
        family: Some(Family::Mlp),
        name: None,
        calibration: None,
        context: None,
        out: folder.path().join("a.pvna"),
    };
    let error = import(&options, &mut |_| ()).unwrap_err();
    assert!(
        matches!(&error, Error::File { action: "read", path, .. } if path.ends_with("nowhere/config.json")),
        "{error}"
    );
}

#[test]
fn import_rejects_calibration_that_does_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let calibration = folder.path().join("images.csv");
    let mut options = ImportOptions {
        source: own("models/digits"),
        family: None,
        name: None,
        calibration: Some(calibration.clone()),
        context: None,
        out: folder.path().join("a.pvna"),
    };
    let good = vec!["3"; 64].join(",");
    for (content, reason) in [
        (String::new(), "needs images"),
        ("1,2,3".into(), "line 1: not 64 values"),
        (good.replacen('3', "17", 1), "line 1: not 64 values of 0 to 16"),
        (good.replacen('3', "x", 1), "line 1: \"x\""),
        (format!("{good},5\n{good}"), "labels for all or for none"),
    ] {
        std::fs::write(&calibration, content).unwrap();
        let error = import(&options, &mut |_| ()).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
    std::fs::write(&calibration, format!("{good},5\n{good},6\n")).unwrap();
    let report = import(&options, &mut |_| ()).unwrap();
    assert!(report.quality.iter().any(|f| f.name == "accuracy of int-v1"), "{report:?}");
    options.out = Path::new("/dev/null/a.pvna").into();
    assert!(matches!(import(&options, &mut |_| ()), Err(Error::File { action: "write", .. })));
}
