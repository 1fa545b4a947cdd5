//! What the VM cannot do fails the build, with the function's name, and leaves no file behind.

use provena_sbf::{Arch, BuildOptions};

use crate::programs;

/// Builds the program with one feature, and returns the error.
fn refusal(feature: &str, arch: Arch) -> String {
    let out_dir = programs::out_dir(&format!("refused-{feature}-{arch}"));
    // A file of an earlier run would not prove anything.
    let _ = std::fs::remove_dir_all(&out_dir);
    let options = BuildOptions {
        features: vec![feature.to_owned()],
        archs: vec![arch],
        out_dir: Some(out_dir.clone()),
        ..programs::options("refused")
    };
    let error = provena_sbf::build(&options).expect_err("the build has to fail");
    let files: Vec<_> = out_dir.read_dir().into_iter().flatten().collect();
    assert!(files.is_empty(), "a refused program leaves {files:?}");
    format!("{error:#}")
}

fn assert_mentions(error: &str, parts: &[&str]) {
    for part in parts {
        assert!(error.contains(part), "`{part}` is not in: {error}");
    }
}

#[test]
fn the_program_itself_is_good() {
    let built = programs::build("refused", Arch::V0);
    assert!(built.bytes > 0 && built.path.is_file());
}

#[test]
fn build_rejects_floats() {
    for arch in [Arch::V0, Arch::V3] {
        let error = refusal("floats", arch);
        assert_mentions(
            &error,
            &["refused cannot become a program", "BPF backend refused", "divides_floats", "__divdf3"],
        );
    }
}

#[test]
fn build_rejects_recursion_with_six_arguments() {
    let error = refusal("recursive-arguments", Arch::V0);
    assert_mentions(&error, &["more than 5 registers of arguments", "refused::takes_six_and_recurs"]);
}

#[test]
fn build_rejects_six_arguments_through_a_pointer() {
    let error = refusal("pointer-arguments", Arch::V0);
    assert_mentions(&error, &["refused::pointer::takes_six_one_way", "refused::pointer::takes_six_another_way"]);
}

#[test]
fn build_rejects_a_frame_larger_than_the_stack() {
    for arch in [Arch::V0, Arch::V3] {
        assert_mentions(&refusal("large-frame", arch), &["stack", "keeps_too_much_on_the_stack"]);
    }
}

#[test]
fn build_rejects_what_the_compiler_rejects() {
    assert_mentions(&refusal("type-error", Arch::V0), &["cargo could not build refused"]);
}

#[test]
fn build_rejects_an_unknown_symbol() {
    for arch in [Arch::V0, Arch::V3] {
        assert_mentions(&refusal("unknown-symbol", arch), &["nobody_defines_this"]);
    }
}
