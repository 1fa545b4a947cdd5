//! Starts the binary on free ports and stops it whatever the test does.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, ExitStatus, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use solana_client::rpc_client::RpcClient;
use solana_commitment_config::CommitmentConfig;
use solana_keypair::Keypair;
use solana_message::Instruction;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use solana_transaction::Transaction;

pub const SOL: u64 = 1_000_000_000;
const LIMIT: Duration = Duration::from_secs(30);

/// A running chain.
pub struct Localnet {
    child: Child,
    pub rpc_url: String,
    pub ws_url: String,
}

impl Localnet {
    /// Starts with free ports and short slots, plus `args`, and waits for the ready line.
    pub fn start(args: &[&str]) -> Self {
        Self::start_with(args, Stdio::null(), Stdio::inherit())
    }

    /// As [`Localnet::start`], held by its standard input, and with a standard error that nobody reads once it is ready.
    pub fn start_held(args: &[&str]) -> Self {
        let mut chain = Self::start_with(&[args, &["--until-stdin-closes"]].concat(), Stdio::piped(), Stdio::piped());
        drop(chain.child.stderr.take());
        chain
    }

    fn start_with(args: &[&str], stdin: Stdio, stderr: Stdio) -> Self {
        let mut child = command()
            .args(["--rpc-port", "0", "--ws-port", "0"])
            .args(args)
            .args((!args.contains(&"--slot-ms")).then_some(["--slot-ms", "50"]).into_iter().flatten())
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .expect("the binary starts");
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        stdout.read_line(&mut line).expect("stdout can be read");
        child.stdout = Some(stdout.into_inner());
        let mut words = line.split_whitespace();
        assert_eq!(words.next(), Some("ready"), "the chain did not start: {line:?}");
        let mut field = |name: &str| {
            let word = words.next().unwrap_or_default();
            word.strip_prefix(name).unwrap_or_else(|| panic!("no {name} in {line:?}")).to_owned()
        };
        let (rpc_url, ws_url) = (field("rpc="), field("ws="));
        assert!(line.ends_with('\n') && words.next().is_none(), "{line:?}");
        Self { child, rpc_url, ws_url }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn client(&self) -> RpcClient {
        RpcClient::new_with_commitment(self.rpc_url.clone(), CommitmentConfig::confirmed())
    }

    /// Sends a signal by name and waits for the end. Also returns what was left on standard output.
    pub fn signal(mut self, name: &str) -> (ExitStatus, String) {
        let sent = Command::new("kill").args([format!("-{name}"), self.child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
        let status = ended(&mut self.child);
        let mut rest = String::new();
        if let Some(mut stdout) = self.child.stdout.take() {
            stdout.read_to_string(&mut rest).expect("stdout can be read");
        }
        (status, rest)
    }

    /// Closes the standard input, as the end of whoever holds its other end does, and waits for the chain's end.
    pub fn let_go(mut self) -> ExitStatus {
        drop(self.child.stdin.take().expect("stdin is piped"));
        ended(&mut self.child)
    }

    /// Ends the chain without giving it a chance to save anything.
    pub fn kill(mut self) {
        self.child.kill().expect("the chain runs");
        ended(&mut self.child);
    }
}

impl Drop for Localnet {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The binary under test.
pub fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_provena-localnet"))
}

/// Runs the binary where it is expected to refuse.
pub fn refused(args: &[&str]) -> String {
    let Output { status, stdout, stderr } = command().args(args).output().expect("the binary runs");
    assert!(!status.success(), "{args:?} was accepted");
    assert!(stdout.is_empty(), "{args:?} wrote on standard output");
    String::from_utf8(stderr).expect("messages are UTF-8")
}

fn ended(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(status) = child.try_wait().expect("the child can be waited for") {
            return status;
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            panic!("the chain did not stop within {LIMIT:?}");
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Repeats `check` until it answers.
pub fn eventually<T>(what: &str, mut check: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(value) = check() {
            return value;
        }
        assert!(Instant::now() < deadline, "{what} did not happen within {LIMIT:?}");
        thread::sleep(Duration::from_millis(25));
    }
}

/// Asks the faucet and waits for the balance.
pub fn airdrop(client: &RpcClient, to: &Pubkey, lamports: u64) {
    let before = client.get_balance(to).expect("balance");
    client.request_airdrop(to, lamports).expect("airdrop");
    eventually("the airdrop", || (client.get_balance(to).expect("balance") == before + lamports).then_some(()));
}

/// A new key with SOL.
pub fn funded(client: &RpcClient) -> Keypair {
    let key = Keypair::new();
    airdrop(client, &key.pubkey(), 100 * SOL);
    key
}

/// Sends a transaction that `payer` and `more` sign, and waits until it is confirmed.
pub fn send(client: &RpcClient, payer: &Keypair, more: &[&Keypair], instructions: &[Instruction]) {
    let hash = client.get_latest_blockhash().unwrap();
    let signers: Vec<&Keypair> = [payer].into_iter().chain(more.iter().copied()).collect();
    let transaction = Transaction::new_signed_with_payer(instructions, Some(&payer.pubkey()), &signers, hash);
    client.send_and_confirm_transaction(&transaction).unwrap();
}
