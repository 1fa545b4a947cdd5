//! `cargo xtask test`: every check, in the order in which a mistake is cheapest to learn of.

use crate::{
    build, deny, fetch, idl, paths,
    run::{cargo, output, program, run as must},
    tidy,
};
use anyhow::{Context, Result};
use std::time::{Duration, Instant};

type Step = (&'static str, fn() -> Result<()>);

const STEPS: [Step; 12] = [
    ("format", || must(&mut cargo(["fmt", "--all", "--check"]))),
    ("tidy", tidy::run),
    ("licences and sources of dependencies", deny::check),
    ("fetch the published model and data", || fetch::run(true).map(drop)),
    ("programs, bytecode v0 and v3", || build::programs(true)),
    ("embedded chain", build::localnet),
    ("clippy", clippy),
    ("documentation", documentation),
    ("IDL matches the programs", || idl::run(&idl::Args::CHECK)),
    ("tests", tests),
    ("bytecode v3 under a newer chain", v3),
    ("limits on warm answers", limits),
];

pub(crate) fn run() -> Result<()> {
    let mut times = Vec::new();
    for (name, step) in STEPS {
        eprintln!("\n== {name}");
        let start = Instant::now();
        step().with_context(|| format!("step `{name}` failed"))?;
        times.push((name, start.elapsed()));
    }
    eprintln!();
    for (name, time) in &times {
        eprintln!("{:>6} s  {name}", time.as_secs());
    }
    let total: Duration = times.iter().map(|(_, time)| *time).sum();
    eprintln!("{:>6} s  in all", total.as_secs());
    println!("{} passed, 0 failed", times.len());
    Ok(())
}

fn clippy() -> Result<()> {
    must(&mut cargo(["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

/// Every link in a doc comment leads somewhere.
///
/// Naming the examples makes Cargo choose the dependencies' features with the tests' own counted in, as clippy does:
/// so what clippy checked is used and no dependency is checked again.
fn documentation() -> Result<()> {
    let mut doc = cargo(["doc", "--locked", "--workspace", "--no-deps", "--lib", "--bins", "--examples"]);
    must(doc.env("RUSTDOCFLAGS", "-D warnings"))
}

/// Crate by crate sharing one build; the embedded chain's own tests run in its own workspace.
fn tests() -> Result<()> {
    let mut workspace = cargo(["test", "--locked", "--workspace"]);
    // The program tests record every transaction, for the step that repeats them on v3.
    workspace.env("PROVENA_LOCALNET", paths::localnet_binary()).env("PROVENA_RECORD", "1");
    must(&mut workspace)?;
    let mut localnet = cargo(["test", "--locked", "--manifest-path", "tools/localnet/Cargo.toml"]);
    must(localnet.env("CARGO_TARGET_DIR", paths::localnet_target()))
}

/// Not among the tests: it measures time. Profile and workspace are the tests' own, so no dependency is compiled again.
fn limits() -> Result<()> {
    must(&mut cargo(["bench", "--locked", "--profile", "dev", "--workspace", "--bench", "engine", "--", "--limits"]))
}

/// Real clusters ask for v3. The VM that runs it needs a newer Rust than the one this repository pins.
fn v3() -> Result<()> {
    let Some(version) = output(&mut program("rustup", ["run", "nightly", "rustc", "--version"])) else {
        eprintln!("not run: it needs Rust 1.97 or newer as the toolchain `nightly`, and there is none here");
        return Ok(());
    };
    if minor(&version).is_none_or(|minor| minor < 97) {
        eprintln!("not run: it needs Rust 1.97 or newer as the toolchain `nightly`; here it is {version}");
        return Ok(());
    }
    build::differential()?;
    let mut suite = program("rustup", ["run", "nightly", "cargo", "test", "--locked", "--ignore-rust-version"]);
    suite.args(["--manifest-path", "tools/sbf/v3/Cargo.toml", "--", "--nocapture"]);
    must(suite.env("CARGO_TARGET_DIR", paths::target().join("v3-suite")))
}

/// The minor number in `rustc 1.97.0-nightly (...)`.
fn minor(version: &str) -> Option<u32> {
    version.split_whitespace().nth(1)?.split('.').nth(1)?.parse().ok()
}

#[cfg(test)]
mod unit {
    #[test]
    fn reads_the_minor_version() {
        assert_eq!(super::minor("rustc 1.97.0-nightly (e50aa6fba 2026-05-19)"), Some(97));
        assert_eq!(super::minor("error: no toolchain"), None);
    }
}
