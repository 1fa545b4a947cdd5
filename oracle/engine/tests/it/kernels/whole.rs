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
        "cached_attention",
        "cached_contexts",
        "cached_scores",
        "embed",
        "flatten",
        "gate",
        "gather",
        "linear",
        "lookup",
        "max_pool",
        "norm",
        "patches",
        "rms_norm",
        "rotate_store",
        "sample",
        "sum_rows",
        "unit",
    ] {
        assert!(labels.iter().any(|label| label.starts_with(&format!("provena.{op}."))), "{op} is missing: {labels:?}");
    }
    let variants = |op: &str| labels.iter().filter(|label| label.starts_with(&format!("provena.{op}."))).count();
    let paired = |what: &str| labels.iter().filter(|label| label.contains(&format!("_paired_{what}"))).count();
    assert_eq!([paired("gated"), paired("turned")], [12, 12], "{labels:?}");
    // Of decoders with bytes and with split values, over one row and over two, and two of a plan of all operations.
    assert_eq!(labels.iter().filter(|label| label.contains("normed_")).count(), 18, "{labels:?}");
    assert_eq!(variants("linear"), 40 + 18, "{labels:?}");
    assert_eq!(variants("norm"), 4, "{labels:?}");
    assert_eq!(variants("rms_norm"), 8, "{labels:?}");
    assert_eq!(variants("cached_attention"), 2, "{labels:?}");
    assert_eq!(variants("cached_contexts"), 2, "{labels:?}");
    assert_eq!(variants("gate"), 2, "{labels:?}");
    assert_eq!(variants("patches"), 3, "{labels:?}");
}
