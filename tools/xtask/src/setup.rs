//! What this machine must have. Installs what a package manager it knows can install, and names the rest.

use crate::{
    deny, paths,
    run::{output, program, run as must},
};
use anyhow::{Result, bail};
use std::path::Path;

/// When to say that everything is there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Report {
    Always,
    OnlyProblems,
}

/// What a verb is about to do; who builds alone needs less than who checks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum For {
    Builds,
    Checks,
}

/// One thing that is needed: for what, how to see it, how to get it.
struct Need {
    by: For,
    what: &'static str,
    why: &'static str,
    present: fn() -> bool,
    install: Install,
}

enum Install {
    Rustup(&'static str),
    Apt(&'static [&'static str]),
    CargoDeny,
}

const NEEDS: [Need; 6] = [
    Need {
        by: For::Builds,
        what: "Rust's own source (component rust-src)",
        why: "programs are built with their own copy of the standard library",
        present: has_rust_src,
        install: Install::Rustup("rust-src"),
    },
    Need {
        by: For::Builds,
        what: "a C compiler and pkg-config",
        why: "a few crates build C code",
        present: || has("cc") && has("pkg-config"),
        install: Install::Apt(&["build-essential", "pkg-config"]),
    },
    Need {
        by: For::Builds,
        what: "OpenSSL's headers",
        why: "the embedded chain links to them",
        present: || output(&mut program("pkg-config", ["--exists", "openssl"])).is_some(),
        install: Install::Apt(&["libssl-dev"]),
    },
    Need {
        by: For::Builds,
        what: "Python 3 with pip",
        why: "the published model and data that tests use are Python packages",
        present: || output(&mut program("python3", ["-m", "pip", "--version"])).is_some(),
        install: Install::Apt(&["python3", "python3-pip"]),
    },
    Need {
        by: For::Builds,
        what: "a Vulkan loader and a driver",
        why: "models run in compute shaders; without a GPU, Mesa's software driver runs them",
        present: has_vulkan,
        install: Install::Apt(&["mesa-vulkan-drivers", "libvulkan1"]),
    },
    Need {
        by: For::Checks,
        what: "cargo-deny",
        why: "it checks licences and sources of dependencies",
        present: deny::present,
        install: Install::CargoDeny,
    },
];

/// Checks everything, installs what it can, fails with one list of what remains to be done by hand.
pub(crate) fn run(verb: For, report: Report) -> Result<()> {
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| need.by <= verb && !(need.present)()).collect();
    let mut by_hand = Vec::new();
    for need in &missing {
        eprintln!("setup: {} is missing ({})", need.what, need.why);
        if let Err(reason) = need.install.run() {
            by_hand.push(format!("  - {}: {} ({reason})", need.what, need.install.command()));
        } else if !(need.present)() {
            by_hand.push(format!("  - {}: still not found after {}", need.what, need.install.command()));
        }
    }
    if !by_hand.is_empty() {
        bail!("install this, then try again:\n{}", by_hand.join("\n"));
    }
    if report == Report::Always {
        println!("everything that is needed is here; built files go to {}", paths::target().display());
    }
    Ok(())
}

impl Install {
    fn command(&self) -> String {
        match self {
            Self::Rustup(component) => format!("rustup component add {component}"),
            Self::Apt(packages) => format!("apt-get install -y --no-install-recommends {}", packages.join(" ")),
            Self::CargoDeny => deny::command(),
        }
    }

    fn run(&self) -> Result<()> {
        match self {
            Self::Rustup(component) => must(&mut program("rustup", ["component", "add", component])),
            Self::Apt(packages) => {
                if !has("apt-get") {
                    bail!("no apt-get here: use this system's own packages of those names");
                }
                let sudo: &[&str] = if is_root() { &[] } else { &["sudo", "-n"] };
                apt(sudo, &["update", "-qq"])?;
                apt(sudo, &[&["install", "-y", "-qq", "--no-install-recommends"], *packages].concat())
            }
            Self::CargoDeny => deny::install(),
        }
    }
}

fn apt(sudo: &[&str], args: &[&str]) -> Result<()> {
    let words = [sudo, &["apt-get"], args].concat();
    let (first, rest) = words.split_first().map_or(("apt-get", &[][..]), |(first, rest)| (*first, rest));
    let mut command = program(first, rest);
    // What apt prints is not ours: it must not mix with a verb's own standard output.
    command.env("DEBIAN_FRONTEND", "noninteractive").stdout(std::io::stderr());
    must(&mut command)
}

fn is_root() -> bool {
    output(&mut program("id", ["-u"])).is_some_and(|id| id == "0")
}

fn has(name: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(name).is_file())
}

fn has_rust_src() -> bool {
    output(&mut program("rustc", ["--print", "sysroot"]))
        .is_some_and(|sysroot| Path::new(&sysroot).join("lib/rustlib/src/rust/library/std/Cargo.toml").is_file())
}

fn has_vulkan() -> bool {
    if !cfg!(target_os = "linux") {
        return true; // Metal and Direct3D come with the system.
    }
    let loader = output(&mut program("ldconfig", ["-p"]))
        .or_else(|| output(&mut program("/sbin/ldconfig", ["-p"])))
        .is_some_and(|libraries| libraries.contains("libvulkan.so.1"));
    let drivers = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d"];
    let driver = std::env::var_os("VK_DRIVER_FILES").is_some()
        || drivers.iter().any(|folder| std::fs::read_dir(folder).is_ok_and(|mut files| files.next().is_some()));
    loader && driver
}
