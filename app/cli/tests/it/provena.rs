//! Runs the built binary in a home folder of its own.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use provena_engine::places;
use tempfile::TempDir;

/// A person with an empty home folder.
pub(crate) struct Person {
    home: TempDir,
}

/// How a command ended.
pub(crate) struct Ended {
    /// Exit code.
    pub(crate) code: Option<i32>,
    /// Data.
    pub(crate) stdout: String,
    /// Everything else.
    pub(crate) stderr: String,
}

impl Person {
    /// An empty home folder.
    pub(crate) fn new() -> Self {
        Self { home: TempDir::new().expect("a temporary folder") }
    }

    /// A path under the home folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// `provena` with nothing of the surrounding environment that could change what it does.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_provena"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PROVENA_") && name != "PROVENA_LOCALNET")
        {
            if name != "PROVENA_ASSETS" && name != "PROVENA_PROGRAMS" {
                command.env_remove(name);
            }
        }
        // Found before HOME is replaced.
        if let Some(assets) = places::assets() {
            command.env("PROVENA_ASSETS", assets);
        }
        if let (None, Some(binary)) = (std::env::var_os("PROVENA_LOCALNET"), localnet()) {
            command.env("PROVENA_LOCALNET", binary);
        }
        command
            // The chains of these tests are private.
            .env("PROVENA_LOCAL", "1")
            .env("HOME", self.home.path())
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_DATA_HOME")
            .env_remove("RUST_LOG")
            .env("NO_COLOR", "1");
        command
    }

    /// Runs a command line to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        let output = self.command().args(arguments).output().expect("provena runs");
        ended(output)
    }
}

/// Puts a process's output into text.
pub(crate) fn ended(output: Output) -> Ended {
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

impl Ended {
    /// The JSON object on stdout.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {:?}; stderr: {}", self.stdout, self.stderr))
    }

    /// Asserts an exit code and words on stderr, and that no data was written.
    pub(crate) fn fails(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "stderr: {}", self.stderr);
        for word in words {
            assert!(self.stderr.contains(word), "`{word}` is missing in: {}", self.stderr);
        }
        assert_eq!(self.stdout, "");
    }

    /// Asserts that everything on stdout fits a terminal of 80 columns.
    pub(crate) fn fits(&self) {
        for line in self.stdout.lines() {
            assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
        }
    }

    /// Asserts success and hands the result on.
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "stderr: {}\nstdout: {}", self.stderr, self.stdout);
        self
    }
}

/// The embedded chain's binary.
pub(crate) fn chain_binary() -> PathBuf {
    let named = std::env::var_os("PROVENA_LOCALNET").map(PathBuf::from);
    named.or_else(localnet).expect("the embedded chain is built: cargo xtask build")
}

/// Where `cargo xtask build` leaves the embedded chain, when this test's own target folder has none.
fn localnet() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_BIN_EXE_provena")).parent()?.parent()?.join("localnet/debug/provena-localnet");
    let cached = places::cache()?.join("target/localnet/debug/provena-localnet");
    [own, cached].into_iter().find(|path| path.is_file())
}
