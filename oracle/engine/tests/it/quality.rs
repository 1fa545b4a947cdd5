//! How near int-v1 comes to the float models.

use provena_engine::{
    artifact::ModelRecipe,
    float::{bert::FloatBert, cosine, mlp::FloatMlp},
    format::Checkpoint,
    reference,
    tokenizer::Tokenizer,
};
use provena_wire::{Request, Response};

use crate::assets::{DIGITS, MINILM, digits, fetched, lines, own};

/// Vectors of int-v1 and of the float model.
fn embed(texts: &[String]) -> (Vec<Vec<f32>>, Vec<Vec<f32>>) {
    let artifact = &MINILM.artifact;
    let ModelRecipe::Bert(recipe) = &artifact.recipe().model else { panic!("MiniLM is no encoder") };
    let weights = Checkpoint::open(&fetched("minilm")).unwrap().weights;
    let model = FloatBert::new(&weights, recipe, 2, 1e-12).unwrap();
    let tokenizer = Tokenizer::new(artifact.tokenizer(), recipe.vocabulary, recipe.max_tokens).unwrap();
    let tokens: Vec<Vec<u32>> = texts.iter().map(|t| tokenizer.encode(0, t).unwrap()).collect();
    let float = model.embed(&tokens, &mut |_, _| (), &mut |_| ()).unwrap();
    let Response::Embed { vectors, shift } =
        reference::run(artifact, &Request::Embed { texts: texts.to_vec() }).unwrap()
    else {
        panic!("an encoder gave no vectors")
    };
    assert_eq!(shift, 15);
    (vectors.iter().map(|v| v.iter().map(|v| f32::from(*v) / 32_768.0).collect()).collect(), float)
}

fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.into_iter().collect();
    values.iter().sum::<f64>() / values.len() as f64
}

/// Spearman's rank correlation; equal values share their mean rank.
fn rank_correlation(a: &[f64], b: &[f64]) -> f64 {
    let ranks = |v: &[f64]| -> Vec<f64> {
        v.iter()
            .map(|x| {
                mean([v.iter().filter(|y| *y < x).count(), v.iter().filter(|y| *y <= x).count()].map(|n| n as f64))
            })
            .collect()
    };
    let (a, b) = (ranks(a), ranks(b));
    let (ma, mb) = (mean(a.clone()), mean(b.clone()));
    let product =
        |x: &[f64], mx: f64, y: &[f64], my: f64| x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum::<f64>();
    product(&a, ma, &b, mb) / (product(&a, ma, &a, ma) * product(&b, mb, &b, mb)).sqrt()
}

#[test]
fn digits_accuracy_is_within_half_a_point_of_float() {
    let digits = digits();
    let weights = Checkpoint::open(&own("models/digits")).unwrap().weights;
    let ModelRecipe::Mlp(recipe) = &DIGITS.artifact.recipe().model else { panic!("digits is no classifier") };
    let widths: Vec<usize> =
        std::iter::once(recipe.inputs).chain(recipe.layers.iter().map(|l| l.outputs)).map(|w| w as usize).collect();
    let model = FloatMlp::new(&weights, &widths, recipe.max_value).unwrap();
    let float = model.classify(&digits.images);
    let request = Request::Classify { images: digits.images };
    let Response::Classify { labels: ints, logits } = reference::run(&DIGITS.artifact, &request).unwrap() else {
        panic!("a classifier gave no classes")
    };
    assert_eq!(logits.len(), digits.labels.len());
    // Training left out every image whose number leaves 4 when divided by 5.
    for (name, keep) in [("held-out", [4].as_slice()), ("all", &[0, 1, 2, 3, 4])] {
        let chosen = || (0..ints.len()).filter(|i| keep.contains(&(i % 5)));
        let share = |labels: &[u8]| 100.0 * mean(chosen().map(|i| f64::from(labels[i] == digits.labels[i])));
        let (float, ints) = (share(&float), share(&ints));
        println!("digits, {name} images: float {float:.2} %, int-v1 {ints:.2} %");
        assert!((float - ints).abs() <= 0.5, "{name}");
        assert!(ints > 97.0, "{name}");
    }
}

#[test]
fn minilm_vectors_point_where_floats_do() {
    let texts = lines("sentences.txt");
    assert!(texts.len() >= 200);
    let (ints, float) = embed(&texts);
    let cosines: Vec<f64> = ints.iter().zip(&float).map(|(a, b)| cosine(a, b)).collect();
    let least = cosines.iter().copied().fold(1.0, f64::min);
    let mut worst: Vec<_> = cosines.iter().zip(&texts).collect();
    worst.sort_by(|a, b| a.0.total_cmp(b.0));
    worst.iter().take(5).for_each(|(cosine, text)| println!("{cosine:.4} {text}"));
    println!("minilm, {} sentences: cosine to float, mean {:.5}, least {least:.5}", texts.len(), mean(cosines.clone()));
    assert!(mean(cosines) >= 0.98);
    assert!(least >= 0.95);
    for vector in &ints {
        let length = vector.iter().map(|v| v * v).sum::<f32>().sqrt();
        assert!((length - 1.0).abs() < 1e-3, "a vector of length {length}");
    }
}

#[test]
fn minilm_ranks_pairs_as_floats_do() {
    let pairs = lines("pairs.tsv");
    assert!(pairs.len() >= 40);
    let fields: Vec<Vec<&str>> = pairs.iter().map(|line| line.split('\t').collect()).collect();
    let grades: Vec<f64> = fields.iter().map(|f| f[0].parse().unwrap()).collect();
    let texts: Vec<String> = fields.iter().flat_map(|f| [f[1].into(), f[2].into()]).collect();
    let (ints, float) = embed(&texts);
    let similarities = |v: &[Vec<f32>]| v.chunks(2).map(|p| cosine(&p[0], &p[1])).collect::<Vec<_>>();
    let (ints, float) = (similarities(&ints), similarities(&float));
    let (same, graded_float, graded_ints) =
        (rank_correlation(&ints, &float), rank_correlation(&float, &grades), rank_correlation(&ints, &grades));
    println!(
        "minilm, {} pairs: rank correlation of int-v1 with float {same:.4}; with the grades, float {graded_float:.4}, \
         int-v1 {graded_ints:.4}",
        pairs.len()
    );
    assert!(same >= 0.98);
    assert!(graded_ints >= graded_float - 0.02);
    assert!(graded_ints >= 0.8);
    // Each sentence comes with three others: the nearest of them must stay the nearest, and the farthest the farthest.
    for (line, (ints, float)) in pairs.chunks(3).zip(ints.chunks(3).zip(float.chunks(3))) {
        let order = |v: &[f64]| {
            let mut order: Vec<usize> = (0..v.len()).collect();
            order.sort_by(|a, b| v[*b].total_cmp(&v[*a]));
            order
        };
        assert_eq!(order(ints), order(float), "{line:?}");
    }
}

#[test]
fn an_import_writes_the_same_artifact_again_and_a_card_with_its_figures() {
    let report = &MINILM.report;
    println!("{}", serde_json::to_string_pretty(report).unwrap());
    let mean = report.quality.iter().find(|f| f.name.starts_with("mean cosine")).unwrap();
    assert!(mean.value >= 0.98);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("digits.pvna");
    let options = provena_engine::import::ImportOptions {
        source: own("models/digits"),
        family: None,
        name: Some("digits".into()),
        calibration: None,
        context: None,
        out: out.clone(),
    };
    let mut stages = vec![];
    let report = provena_engine::import::import(&options, &mut |p| stages.push(p)).unwrap();
    assert_eq!(std::fs::read(&out).unwrap(), DIGITS.artifact.bytes());
    assert!(stages.last().is_some_and(|p| p.done == p.total));
    assert!(std::fs::read_to_string(report.card).unwrap().contains(&report.summary.content_root));
    let card: serde_json::Value =
        serde_json::from_slice(&std::fs::read(out.with_extension("card.json")).unwrap()).unwrap();
    assert_eq!(card["content_root"], report.summary.content_root.as_str());
    let mut names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["digits.card.json", "digits.card.md", "digits.pvna"]);
}
