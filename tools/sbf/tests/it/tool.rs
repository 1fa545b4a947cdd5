//! The binary `cargo-build-sbf`, from the outside.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use crate::programs;

fn tool(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-build-sbf"));
    // Cargo puts its own name first.
    command.arg("build-sbf").args(args).env_remove("PROVENA_SBF_OFFICIAL");
    command
}

fn manifest(name: &str) -> String {
    format!("{}/tests/programs/{name}/Cargo.toml", env!("CARGO_MANIFEST_DIR"))
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn it_builds_a_program_and_its_keypair_once() {
    let out = programs::out_dir("tool");
    let _ = fs::remove_dir_all(&out);
    let target = programs::target_dir().join("sbf");
    let manifest = manifest("refused");
    let args = [
        "--manifest-path",
        &manifest,
        "--sbf-out-dir",
        out.to_str().unwrap(),
        "--target-dir",
        target.to_str().unwrap(),
    ];
    let args = [&args[..], &["--arch", "v0,v3", "--tools-version", "v1.52", "--", "--locked"]].concat();

    let first = tool(&args).output().unwrap();
    assert!(first.status.success(), "{}", stderr(&first));
    assert!(out.join("refused.so").is_file() && out.join("v3/refused.so").is_file());
    assert_ne!(fs::read(out.join("refused.so")).unwrap(), fs::read(out.join("v3/refused.so")).unwrap());
    let keypair = fs::read_to_string(out.join("refused-keypair.json")).unwrap();
    let bytes: Vec<u8> = keypair.trim_matches(['[', ']']).split(',').map(|byte| byte.parse().unwrap()).collect();
    assert!(solana_keypair::Keypair::try_from(&bytes[..]).is_ok(), "not a keypair: {} bytes", bytes.len());

    let time = out.join("refused.so").metadata().unwrap().modified().unwrap();
    let second = tool(&args).output().unwrap();
    assert!(second.status.success() && stderr(&second).contains("Unchanged"), "{}", stderr(&second));
    assert_eq!(out.join("refused.so").metadata().unwrap().modified().unwrap(), time);
    assert_eq!(fs::read_to_string(out.join("refused-keypair.json")).unwrap(), keypair);
}

#[test]
fn a_refusal_is_shown_and_is_the_exit_code() {
    let out = programs::out_dir("tool-refused");
    let target = programs::target_dir().join("sbf");
    let output = tool(&["--manifest-path", &manifest("refused"), "--features", "floats", "--quiet"])
        .args(["--sbf-out-dir", out.to_str().unwrap(), "--target-dir", target.to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = stderr(&output);
    assert!(text.contains("error: refused cannot become a program") && text.contains("divides_floats"), "{text}");
}

#[test]
fn a_missing_official_compiler_is_an_error_that_says_what_to_do() {
    for (argument, variable) in [(Some("--official"), None), (None, Some("1"))] {
        let mut command = tool(&[]);
        command.args(argument).env("PATH", "").env("HOME", "/nonexistent");
        if let Some(value) = variable {
            command.env("PROVENA_SBF_OFFICIAL", value);
        }
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains("none is on the PATH"), "{}", stderr(&output));
    }
}

#[cfg(unix)]
#[test]
fn an_installed_official_compiler_gets_all_other_arguments() {
    use std::os::unix::fs::PermissionsExt;

    let dir = programs::out_dir("official");
    fs::create_dir_all(&dir).unwrap();
    let script = dir.join("cargo-build-sbf");
    fs::write(&script, "#!/bin/sh\necho \"official $@\"\nexit 7\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::join_paths([dir.as_path(), Path::new("/bin"), Path::new("/usr/bin")]).unwrap();
    let output = tool(&["--official", "--arch", "v3", "--", "--locked"]).env("PATH", path).output().unwrap();
    assert_eq!(output.status.code(), Some(7), "{}", stderr(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "official --arch v3 -- --locked");
}

#[test]
fn a_folder_without_programs_is_named() {
    let manifest = format!("{}/Cargo.toml", env!("CARGO_MANIFEST_DIR"));
    let output = tool(&["--manifest-path", &manifest]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("none of [provena-sbf] has a library with crate-type \"cdylib\""),
        "{}",
        stderr(&output)
    );
}

#[cfg(unix)]
#[test]
fn a_missing_standard_library_source_names_the_component() {
    use std::os::unix::fs::PermissionsExt;

    // A rustc whose toolchain has no rust-src.
    let dir = programs::out_dir("bare-toolchain");
    fs::create_dir_all(&dir).unwrap();
    let rustc = dir.join("rustc");
    fs::write(&rustc, format!("#!/bin/sh\necho {}\n", dir.display())).unwrap();
    fs::set_permissions(&rustc, fs::Permissions::from_mode(0o755)).unwrap();
    let output = tool(&["--manifest-path", &manifest("refused")]).env("RUSTC", &rustc).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("rustup component add rust-src"), "{}", stderr(&output));
}
