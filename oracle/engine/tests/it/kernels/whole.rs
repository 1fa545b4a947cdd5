//! The start-up self test.

use provena_engine::kernels::self_test;

use super::support::gpu;

#[test]
fn the_self_test_covers_every_kernel_and_passes() {
    let Some(gpu) = gpu() else { return };
    let labels = self_test::run(gpu).unwrap_or_else(|error| panic!("{error}"));
    for op in [
        "argmax",
        "attention_context",
        "attention_scores",
        "attention_weights",
        "embed",
        "linear",
        "norm",
        "sum_rows",
        "unit",
    ] {
        assert!(labels.iter().any(|label| label.starts_with(&format!("provena.{op}."))), "{op} is missing: {labels:?}");
    }
    assert_eq!(labels.iter().filter(|label| label.starts_with("provena.linear.")).count(), 10, "{labels:?}");
    assert_eq!(labels.iter().filter(|label| label.starts_with("provena.norm.")).count(), 4, "{labels:?}");
}
