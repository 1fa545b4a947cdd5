//! The embedded chain as a child process: where its binary and the programs are, how it starts and stops.

mod find;

use std::{path::PathBuf, process::Stdio, time::Duration};

use anyhow::{Context as _, Result};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStdin, Command},
};

use crate::failure::Failure;

pub(crate) use find::deploy_folder;
use find::{binary, programs};

/// What the embedded chain is started with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// Port of the RPC service; 0 takes any free one.
    pub rpc_port: u16,
    /// Port of the WebSocket service; 0 takes any free one.
    pub ws_port: u16,
    /// Where to keep the state; in memory when `None`.
    pub state: Option<PathBuf>,
    /// Who may upgrade the loaded programs; nobody when `None`.
    pub upgrade_authority: Option<String>,
    /// Folder of the programs' `.so` files; searched for when `None`.
    pub programs: Option<PathBuf>,
    /// Milliseconds between slots; the chain's default when `None`.
    pub slot_ms: Option<u64>,
    /// Let the chain print its own log.
    pub verbose: bool,
}

/// A running embedded chain. Dropping it kills the process; where this one is killed itself, the chain stops by itself.
pub(crate) struct Localnet {
    child: Child,
    /// The other end of the chain's standard input, which the system closes with this process. It is not left to the child,
    /// because waiting for that closes it.
    _lifeline: ChildStdin,
    /// RPC address.
    pub url: String,
    /// WebSocket address.
    pub ws: String,
}

impl Localnet {
    /// Starts the chain and waits until it answers.
    ///
    /// # Errors
    /// The binary or the programs are not built, a port is taken, or the chain did not get ready in a minute.
    pub(crate) async fn start(options: &Options) -> Result<Self> {
        let mut command = command(options)?;
        // A chain in its own process group does not get the terminal's ctrl-c: whoever started it stops it.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start the embedded chain")?;
        let lifeline = child.stdin.take().context("the embedded chain has no input")?;
        let stdout = child.stdout.take().context("the embedded chain has no output")?;
        let stderr = child.stderr.take().context("the embedded chain has no error output")?;
        let verbose = options.verbose;
        // The task ends with the child's output: it owns nothing else.
        let complaints = tokio::spawn(async move {
            let mut lines = BufReader::new(stderr).lines();
            let mut last = Vec::new();
            while let Ok(Some(line)) = lines.next_line().await {
                if verbose {
                    eprintln!("{line}");
                }
                last.push(line);
                if last.len() > 20 {
                    last.remove(0);
                }
            }
            last
        });
        let mut lines = BufReader::new(stdout).lines();
        let ready = tokio::time::timeout(Duration::from_secs(60), async {
            while let Some(line) = lines.next_line().await? {
                if let Some(endpoints) = parse_ready(&line) {
                    return Ok(Some(endpoints));
                }
            }
            anyhow::Ok(None)
        });
        match ready.await {
            Ok(Ok(Some((url, ws)))) => {
                // Keeps reading so that the chain never blocks on a full pipe; ends with the child's output.
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                Ok(Self { child, _lifeline: lifeline, url, ws })
            }
            Ok(Ok(None)) => {
                child.wait().await?;
                let said = complaints.await.unwrap_or_default().join("\n");
                let hint = hint(&said, options);
                Err(Failure::failed(format!(
                    "the embedded chain did not start: {}",
                    said.trim_start_matches("error: ")
                ))
                .hint(hint)
                .into())
            }
            Ok(Err(error)) => Err(error),
            Err(_) => {
                child.kill().await?;
                Err(Failure::failed("the embedded chain was not ready within a minute").into())
            }
        }
    }

    /// Asks the chain to stop and waits for it; kills it after five seconds.
    pub(crate) async fn stop(mut self) -> Result<()> {
        stop(&mut self.child).await
    }

    /// Waits until the chain ends by itself.
    pub(crate) async fn ended(&mut self) -> Result<std::process::ExitStatus> {
        Ok(self.child.wait().await?)
    }
}

/// Stops a child politely (SIGTERM), then by force after five seconds.
pub(crate) async fn stop(child: &mut Child) -> Result<()> {
    #[cfg(unix)]
    if let Some(pid) = child.id() {
        // `kill` is in every POSIX system; calling it avoids unsafe code for one signal.
        let polite = Command::new("kill").arg(pid.to_string()).stderr(Stdio::null()).status().await;
        if polite.is_ok_and(|status| status.success())
            && tokio::time::timeout(Duration::from_secs(5), child.wait()).await.is_ok()
        {
            return Ok(());
        }
    }
    Ok(child.kill().await?)
}

/// What to do about a chain that did not start, by what it said.
fn hint(said: &str, options: &Options) -> &'static str {
    let state = options.state.as_ref().and_then(|file| file.file_name());
    if said.contains("--until-stdin-closes") {
        return "cargo xtask build   (the embedded chain that was built is older than this program)";
    }
    if said.contains("in use by another local chain") {
        return "stop that chain, or name another --state";
    }
    if state.is_some_and(|name| said.contains(&*name.to_string_lossy())) {
        return "name a file that `provena localnet --state` wrote, or one that is not there yet, which it makes";
    }
    if said.contains("-port") {
        return "choose other ports with --rpc-port and --ws-port, or stop what uses them";
    }
    "run it again with -v to see its own log"
}

fn command(options: &Options) -> Result<Command> {
    let binary = binary()?;
    let mut command = Command::new(&binary);
    // Whatever ends this process ends the chain, too.
    command.arg("--until-stdin-closes");
    command.args(["--rpc-port", &options.rpc_port.to_string(), "--ws-port", &options.ws_port.to_string()]);
    for (id, file) in programs(options.programs.as_deref())? {
        let mut argument = std::ffi::OsString::from(format!("{id}="));
        argument.push(file);
        command.arg("--program").arg(argument);
    }
    if let Some(state) = &options.state {
        command.arg("--state").arg(state);
    }
    if let Some(authority) = &options.upgrade_authority {
        command.args(["--upgrade-authority", authority]);
    }
    if let Some(slot_ms) = options.slot_ms {
        command.args(["--slot-ms", &slot_ms.to_string()]);
    }
    if options.verbose {
        command.arg("--verbose");
    }
    Ok(command)
}

/// Reads `ready rpc=http://... ws=ws://...`.
fn parse_ready(line: &str) -> Option<(String, String)> {
    let rest = line.strip_prefix("ready ")?;
    let mut url = None;
    let mut ws = None;
    for word in rest.split_whitespace() {
        match word.split_once('=') {
            Some(("rpc", value)) => url = Some(value.to_owned()),
            Some(("ws", value)) => ws = Some(value.to_owned()),
            _ => {}
        }
    }
    Some((url?, ws?))
}

#[cfg(test)]
mod tests {
    use super::{Options, hint, parse_ready};

    #[test]
    fn the_hint_is_about_what_the_chain_complains_of() {
        let options = Options { state: Some("kept.state".into()), ..Options::default() };
        let port = "port 8899 on 127.0.0.1 is taken: another program listens there. Stop it, or choose another port with --rpc-port";
        assert!(hint(port, &options).contains("--ws-port"));
        let old = "error: unexpected argument '--until-stdin-closes' found";
        assert!(hint(old, &options).starts_with("cargo xtask build"));
        let state = "/x/kept.state is not a state file of this local chain: name another with --state";
        assert!(hint(state, &options).starts_with("name a file"), "{}", hint(state, &options));
        let used = "state file /x/kept.state is in use by another local chain: stop that one";
        assert!(hint(used, &options).starts_with("stop that chain"));
        assert!(hint("cannot read program p.so", &options).contains("-v"));
    }

    #[test]
    fn reads_the_ready_line_and_no_other() {
        let ready = parse_ready("ready rpc=http://127.0.0.1:8899 ws=ws://127.0.0.1:8900");
        assert_eq!(ready, Some(("http://127.0.0.1:8899".into(), "ws://127.0.0.1:8900".into())));
        assert_eq!(parse_ready("ready rpc=http://127.0.0.1:8899"), None);
        assert_eq!(parse_ready("starting"), None);
    }
}
