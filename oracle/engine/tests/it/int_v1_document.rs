//! `docs/INT_V1.md` lists the known answers, and they are the ones that the self test checks.

use provena_arith::fixed::known;

#[test]
fn the_document_lists_exactly_the_known_answers() {
    let path = crate::assets::own("../../docs/INT_V1.md");
    let text = std::fs::read_to_string(path).unwrap();
    let squeeze = |s: &str| s.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    let listed: Vec<(String, i64)> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .filter_map(|(call, rest)| Some((squeeze(call), rest.trim_end_matches(" |").parse().ok()?)))
        .collect();
    let known: Vec<(String, i64)> = known::answers().map(|k| (squeeze(k.call), k.found)).collect();
    assert_eq!(listed, known);
}
