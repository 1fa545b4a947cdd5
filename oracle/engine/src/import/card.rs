//! The model card that goes with an artifact.

use serde::Serialize;

use super::Figure;
use crate::artifact::Summary;

#[derive(Serialize)]
struct Card<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    quality: &'a [Figure],
}

/// The card for programs.
pub(super) fn json(summary: &Summary, quality: &[Figure]) -> Vec<u8> {
    serde_json::to_vec_pretty(&Card { summary, quality }).expect("a card has only plain values")
}

/// The card for people.
pub(super) fn markdown(summary: &Summary, quality: &[Figure]) -> String {
    let row = |(name, value): (&str, String)| format!("| {name} | {value} |\n");
    let facts: String = [
        ("family", summary.family.to_string()),
        ("arithmetic", summary.class.into()),
        ("content root", format!("`{}`", summary.content_root)),
        ("recipe root", format!("`{}`", summary.recipe_root)),
        ("bytes", summary.bytes.to_string()),
        ("parameters", summary.parameters.to_string()),
        ("longest input", summary.max_input.to_string()),
        ("values per answer", summary.outputs.to_string()),
        ("float weights (SHA-256)", format!("`{}`", summary.source.weights_sha256)),
        ("imported by", summary.source.importer.clone()),
    ]
    .into_iter()
    .map(row)
    .collect();
    let figures: String = quality.iter().map(|f| row((&f.name, format!("{:.5}", f.value)))).collect();
    let figures = if figures.is_empty() {
        "No inputs were given to compare with.\n".into()
    } else {
        format!("| measure | value |\n|---|---|\n{figures}")
    };
    format!("# {}\n\n| | |\n|---|---|\n{facts}\n## Compared with the float model\n\n{figures}", summary.name)
}
