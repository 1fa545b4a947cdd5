//! The embedded chain as a process of its own, with the real programs.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use provena_tests::programs;

/// A running chain; dropping it ends the process.
pub(crate) struct Localnet {
    process: Child,
    pub rpc_url: String,
    pub ws_url: String,
    _folder: tempfile::TempDir,
}

impl Localnet {
    /// Starts it on free ports.
    ///
    /// # Panics
    /// When the binary is missing, saying what to run.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut command = Command::new(binary());
        command.args(["--rpc-port", "0", "--ws-port", "0", "--slot-ms", "100"]);
        for program in programs::all() {
            let path = folder.path().join(format!("{}.so", program.id));
            std::fs::write(&path, &program.bytes).expect("the program is copied");
            command.arg("--program").arg(format!("{}={}", program.id, path.display()));
        }
        // A test that is killed leaves none behind.
        command.arg("--until-stdin-closes").stdin(Stdio::piped());
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the chain starts");
        let mut ready = String::new();
        let stdout = process.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut ready).expect("the chain says that it is ready");
        let value = |key: &str| {
            let found = ready.split_whitespace().find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
            found.unwrap_or_else(|| panic!("no {key} in {ready:?}")).to_owned()
        };
        Self { rpc_url: value("rpc"), ws_url: value("ws"), process, _folder: folder }
    }

    /// Ends the chain for good.
    pub(crate) fn stop(&mut self) {
        self.process.kill().expect("it runs");
        self.process.wait().expect("it ends");
    }
}

impl Drop for Localnet {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("PROVENA_LOCALNET") {
        return path.into();
    }
    let cache = provena_engine::places::cache().expect("there is a home");
    let path = cache.join("target/localnet/debug/provena-localnet");
    assert!(path.exists(), "{} is missing; run `cargo xtask build`, or set PROVENA_LOCALNET", path.display());
    path
}
