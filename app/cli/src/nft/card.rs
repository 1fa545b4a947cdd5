//! What an asset is in figures and words, for wallets: the attributes of its NFT.

use std::{fs, path::Path};

use provena_engine::artifact::{Artifact, Family};
use serde::Deserialize;

use super::Motif;

/// Most figures of quality that are shown.
const MOST_FIGURES: usize = 6;

/// What is told of an asset.
pub(crate) struct Told {
    /// The motif of its picture.
    pub motif: Motif,
    /// Its size, in a line.
    pub figures: String,
    /// Names and values.
    pub attributes: Vec<(String, String)>,
}

/// What `model import` measured, which lies beside the artifact.
#[derive(Deserialize)]
struct Card {
    content_root: String,
    #[serde(default)]
    quality: Vec<Figure>,
}

#[derive(Deserialize)]
struct Figure {
    name: String,
    value: f64,
}

/// Of a model whose artifact is `file`.
pub(crate) fn of_model(file: &Path, artifact: &Artifact, licence: &str, languages: &[String]) -> Told {
    let summary = artifact.summary();
    let (motif, task) = match artifact.family() {
        Family::Llama => (Motif::Decoder, "Text generation"),
        Family::Bert => (Motif::Encoder, "Sentence embedding"),
        _ => (Motif::Classifier, "Picture classification"),
    };
    let parameters = count(summary.parameters);
    let mut attributes = vec![
        pair("Kind", "Model"),
        pair("Task", task),
        pair("Architecture", &summary.family.to_string()),
        pair("Parameters", &parameters),
        pair("Size", &bytes(summary.bytes)),
        pair("Arithmetic", "Exact integers (int-v1)"),
    ];
    attributes.extend(spoken(licence, languages));
    for Figure { name, value } in quality(file, &summary.content_root).into_iter().take(MOST_FIGURES) {
        let value = format!("{value:.5}");
        let value = value.trim_end_matches('0').trim_end_matches('.');
        attributes.push(pair(&format!("Quality: {name}"), value));
    }
    Told { motif, figures: format!("{parameters} parameters"), attributes }
}

/// Of a dataset of so many bytes.
pub(crate) fn of_dataset(len: usize, licence: &str, languages: &[String]) -> Told {
    let size = bytes(len as u64);
    let mut attributes = vec![pair("Kind", "Dataset"), pair("Size", &size)];
    attributes.extend(spoken(licence, languages));
    Told { motif: Motif::Dataset, figures: size, attributes }
}

fn spoken(licence: &str, languages: &[String]) -> Vec<(String, String)> {
    let mut spoken = vec![pair("Licence", licence)];
    if !languages.is_empty() {
        spoken.push(pair("Languages", &languages.join(", ")));
    }
    spoken
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// The figures of the card beside an artifact, if it is of this very content.
fn quality(file: &Path, content_root: &str) -> Vec<Figure> {
    let text = fs::read_to_string(file.with_extension("card.json")).unwrap_or_default();
    let card: Option<Card> = serde_json::from_str(&text).ok();
    card.filter(|card| card.content_root == content_root).map_or(Vec::new(), |card| card.quality)
}

/// A number as people say it: 7,210, 22.7 M, 1.1 B.
fn count(number: u64) -> String {
    let scaled = |unit: f64| format!("{:.1}", number as f64 / unit);
    match number {
        0..1_000 => number.to_string(),
        1_000..1_000_000 => format!("{},{:03}", number / 1_000, number % 1_000),
        1_000_000..1_000_000_000 => format!("{} M", scaled(1e6)),
        _ => format!("{} B", scaled(1e9)),
    }
}

/// A size as people say it: 56 kB, 139.2 MB.
fn bytes(number: u64) -> String {
    let scaled = |unit: f64| format!("{:.1}", number as f64 / unit);
    match number {
        0..1_000 => format!("{number} bytes"),
        1_000..1_000_000 => format!("{} kB", scaled(1e3)),
        1_000_000..1_000_000_000 => format!("{} MB", scaled(1e6)),
        _ => format!("{} GB", scaled(1e9)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_as_people_say_them() {
        assert_eq!([999, 7_210, 22_713_728, 1_100_000_000].map(count), ["999", "7,210", "22.7 M", "1.1 B"]);
        assert_eq!([12, 56_100, 139_200_000, 2_000_000_000].map(bytes), ["12 bytes", "56.1 kB", "139.2 MB", "2.0 GB"]);
    }

    #[test]
    fn a_card_of_another_content_is_not_believed() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("digits.pvna");
        let card = r#"{"content_root": "aa", "quality": [{"name": "accuracy", "value": 0.98}]}"#;
        fs::write(file.with_extension("card.json"), card).unwrap();
        assert_eq!(quality(&file, "aa")[0].name, "accuracy");
        assert!(quality(&file, "bb").is_empty());
    }
}
