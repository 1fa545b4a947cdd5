//! What an operator or a newcomer reads when something is missing, is stopped, or does not fit the line.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    localnet::Localnet,
    provena::{Ended, Person, chain_binary, ended},
};

/// Words of Rust's and of systems that tell a person nothing.
const INSIDERS: [&str; 5] = ["os error", "invalid digit", "entity not found", "subcommand", "'-- -"];

/// Runs a command line whose stderr is a terminal of 80 columns.
#[cfg(target_os = "linux")]
fn on_a_terminal(person: &Person, line: &str) -> String {
    let provena = person.command();
    let mut script = Command::new("script");
    let program = env!("CARGO_BIN_EXE_provena");
    script.args(["-qec", &format!("stty cols 80; {program} {line}"), "/dev/null"]);
    for (name, value) in provena.get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    let output = script.stdin(Stdio::null()).output().expect("script is a part of every Linux");
    String::from_utf8(output.stdout).unwrap().replace('\r', "")
}

#[cfg(target_os = "linux")]
#[test]
fn errors_fit_a_terminal_and_what_is_copied_from_them_stays_whole() {
    let person = Person::new();
    let file = person.path("a folder with a name that is rather long/and another one in it/wallet.json");
    let quoted = format!("'{}'", file.display());
    let line = format!("balance --keypair {quoted}");
    let shown = on_a_terminal(&person, &line);
    let command = format!("provena keygen --out {}", file.display());
    let (copied, others): (Vec<&str>, Vec<&str>) = shown.lines().partition(|line| line.contains("provena keygen"));
    assert!(copied.len() == 1 && copied[0].contains(&command), "the command is on one line: {shown}");
    assert!(others.len() > 2 && others.iter().all(|line| line.chars().count() <= 80), "{shown}");
    // A usage error, which clap writes.
    let shown = on_a_terminal(&person, "airdrop 0.00000000000000000000000000000000000000000000001");
    assert!(shown.lines().count() > 3 && shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    // Programs get whole lines.
    let piped = person.run(&["balance", "--keypair", &file.display().to_string()]);
    let error = piped.stderr.lines().next().unwrap();
    assert!(error.chars().count() > 80 && error.ends_with("wallet.json"), "{}", piped.stderr);
}

#[test]
fn what_the_system_says_is_said_in_words() {
    let person = Person::new();
    person.run(&["keygen"]).ok();
    let file = person.path("file");
    fs::write(&file, "no key").unwrap();
    let (file, home) = (file.display().to_string(), person.path("").display().to_string());
    let inside = format!("{file}/inside");
    let nowhere = person.path("nowhere").display().to_string();
    let artifact = person.path("out.pvna").display().to_string();
    let refusals: [(&[&str], i32, &[&str]); 17] = [
        (&["balance", "--keypair", &inside], 1, &[&inside, "is a file, and no folder", "--keypair"]),
        (&["balance", "--keypair", &home], 1, &["it is a folder, and no file", "--keypair"]),
        (&["balance", "--keypair", &file], 1, &["is not a key file", "64 numbers"]),
        (&["balance", "--keypair", &nowhere], 1, &["there is no key file", "provena keygen --out"]),
        (&["balance", "--url", "127.0.0.1:8899"], 2, &["must start with http:// or https://"]),
        (&["balance", "--url", "devnet"], 2, &["must start with http:// or https://"]),
        (&["balance", "--ws", "127.0.0.1:8900"], 2, &["must start with ws:// or wss://"]),
        (&["model", "mint", &nowhere], 1, &["cannot be minted", "there is no such file"]),
        (&["model", "import", &nowhere, "--out", &artifact], 2, &["there is no", &nowhere, ".gguf"]),
        (&["model", "import", &home, "--out", &artifact], 2, &["holds no model", "config.json"]),
        (&["model", "import", &file, "--out", &artifact], 2, &["neither a folder nor a .gguf file"]),
        (&["node", "run", "--config", &nowhere], 1, &["there is no such file", "sample-config >"]),
        (&["node", "doctor", "--config", &home], 1, &["it is a folder, and no file"]),
        (&["node", "update", "--capacity", "many"], 2, &["write a whole number, such as 8"]),
        (&["node", "update", "--capacity", "-1"], 2, &["write a whole number, at least 0"]),
        (&["airdrop", "-1"], 2, &["`-1` is not an amount", "for example 0.25"]),
        (&["nod"], 2, &["there is no command 'nod'"]),
    ];
    for (line, code, words) in refusals {
        let ended = person.run(line);
        ended.fails(code, words);
        for insider in INSIDERS {
            assert!(!ended.stderr.contains(insider), "{line:?} says `{insider}`: {}", ended.stderr);
        }
    }
    let nothing = person.run(&["node"]);
    nothing.fails(2, &["Usage: provena node", "register", "withdraw", "sample-config"]);
}

/// A chain of ours without our programs, as any other cluster is.
struct Elsewhere(Child, String);

impl Elsewhere {
    fn start() -> Self {
        let mut chain = Command::new(chain_binary());
        let chain = chain.args(["--rpc-port", "0", "--ws-port", "0", "--until-stdin-closes"]).stdin(Stdio::piped());
        let chain = chain.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = chain.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.find_map(|line| line.unwrap().strip_prefix("ready rpc=").map(ToOwned::to_owned)).unwrap();
        Self(child, ready.split(' ').next().unwrap().to_owned())
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_chain_that_is_not_ours_is_told_from_one_that_is_not_set_up() {
    let register = ["node", "register", "--stake", "1", "--endpoint", "http://127.0.0.1:9"];
    let doctor = |run: &dyn Fn(&[&str]) -> Ended, person: &Person| {
        let sample = run(&["node", "sample-config"]).ok().stdout;
        let sample = sample.replace("#adapter = \"best\"", "adapter = \"cpu\"").replace("8700", "0");
        let file = person.path("node.toml");
        fs::write(&file, sample).unwrap();
        let file = file.display().to_string();
        let found = run(&["node", "doctor", "--config", &file]);
        (found.stdout, run(&["node", "run", "--config", &file]).stderr)
    };

    let bare = Localnet::bare(5);
    bare.refuses(&[(&register, 1, &["the market is not set up on this chain", "deploy --init-only   (or check"])]);
    let (found, ran) = doctor(&|line| bare.run(line), &bare.person);
    assert!(found.contains("not set up") && found.contains("provena deploy --init-only"), "{found}");
    assert!(ran.contains("not set up") && ran.contains("deploy --init-only"), "{ran}");

    let other = Elsewhere::start();
    let person = Person::new();
    let run = |line: &[&str]| person.run(&[line, &["--url", &other.1]].concat());
    run(&["keygen"]).ok();
    run(&["airdrop", "5"]).ok();
    run(&register).fails(1, &["programs are not on this chain", "provena --url", "deploy   (or check --url)"]);
    run(&["deploy", "--init-only"]).fails(1, &["is not on this chain", "deploy   (puts it there"]);
    let (found, ran) = doctor(&run, &person);
    assert!(found.contains("programs are not on this chain") && !found.contains("--init-only"), "{found}");
    assert!(ran.contains("programs are not on this chain") && !ran.contains("--init-only"), "{ran}");
}

#[test]
fn a_faucet_that_has_not_so_much_says_so() {
    let net = Localnet::bare(1);
    let ended = net.person.run(&["airdrop", "1844674407", "--url", net.url()]);
    ended.fails(1, &["faucet has less than 1844674407 SOL", "ask for less"]);
    assert!(!ended.stderr.contains("gives no SOL"), "{}", ended.stderr);
}

/// Waits for a process that was sent a signal.
#[cfg(unix)]
fn sent(mut child: Child, signal: &str) -> Ended {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    let status = child.wait().unwrap();
    Ended { code: status.code(), stdout: String::new(), stderr }
}

/// A chain that says what it is told to say, ready.
#[cfg(unix)]
fn chain(person: &Person, options: &[&str]) -> (Child, String) {
    try_chain(person, options).expect("the chain starts")
}

/// As [`chain`]; nothing when it does not start.
#[cfg(unix)]
fn try_chain(person: &Person, options: &[&str]) -> Option<(Child, String)> {
    let mut command = person.command();
    command.args(["localnet", "--rpc-port", "0", "--ws-port", "0", "--json"]).args(options);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    if line.is_empty() {
        child.wait().unwrap();
        return None;
    }
    let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
    Some((child, ready["url"].as_str().unwrap().to_owned()))
}

#[cfg(unix)]
#[test]
fn a_chain_that_is_stopped_says_what_becomes_of_it() {
    let person = Person::new();
    let ended = sent(chain(&person, &[]).0, "-INT");
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    assert!(ended.stderr.contains("kept in memory, and is gone"), "{}", ended.stderr);
    let state = person.path("chain.state").display().to_string();
    let ended = sent(chain(&person, &["--state", &state]).0, "-INT");
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    assert!(ended.stderr.contains("the chain is kept in"), "{}", ended.stderr);
    // A service manager stops it without an error.
    assert_eq!(sent(chain(&person, &[]).0, "-TERM").code, Some(0));
    // A terminal that is closed leaves no chain behind which holds the port, and neither does a kill.
    for signal in ["-HUP", "-KILL"] {
        let (child, url) = chain(&person, &[]);
        sent(child, signal);
        gone(&url, signal);
    }
}

/// Waits until nothing answers at a chain's address any more.
#[cfg(unix)]
fn gone(url: &str, signal: &str) {
    let address = url.trim_start_matches("http://");
    let begun = Instant::now();
    while std::net::TcpStream::connect(address).is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(10), "the chain outlives {signal} of its parent");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[cfg(unix)]
#[test]
fn a_chain_whose_parent_is_killed_keeps_its_state() {
    let person = Person::new();
    person.run(&["keygen"]).ok();
    let state = person.path("chain.state").display().to_string();
    let (child, url) = chain(&person, &["--state", &state]);
    person.run(&["airdrop", "3", "--url", &url]).ok();
    // At once: it is not the snapshot of every second that keeps this.
    sent(child, "-KILL");
    gone(&url, "-KILL");
    // The file is free as soon as the chain has written it.
    let begun = Instant::now();
    let (child, url) = loop {
        if let Some(started) = try_chain(&person, &["--state", &state]) {
            break started;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "the chain keeps its state file for itself");
    };
    let balance = person.run(&["balance", "--url", &url, "--json"]).ok().json();
    assert_eq!(balance["amount"], 3_000_000_000_u64);
    assert_eq!(sent(child, "-TERM").code, Some(0));
}

#[cfg(unix)]
#[test]
fn a_node_that_runs_is_not_closed_and_a_stopped_one_says_how_it_goes_on() {
    let net = Localnet::start(10);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let endpoint = format!("http://127.0.0.1:{port}");
    net.run(&["node", "register", "--stake", "1.123456789", "--endpoint", &endpoint]).ok();
    let sample =
        net.run(&["node", "sample-config"]).ok().stdout.replace("127.0.0.1:8700", &format!("127.0.0.1:{port}"));
    let config = net.file("node.toml", &sample.replace("#adapter = \"best\"", "adapter = \"cpu\""));
    let mut node = net.person.command();
    let node = node.args(["node", "run", "--config", &config]).stderr(Stdio::piped()).spawn().unwrap();
    let well = (0..150).any(|_| {
        std::thread::sleep(Duration::from_millis(200));
        net.run(&["node", "status"]).ok().json()["health"]["status"] == "ok"
    });
    assert!(well, "it never says that it is well");
    net.refuses(&[(&["node", "close"], 1, &["still runs", "ctrl-c", "--force"])]);
    // Money is short where it is looked at, and whole where it is counted.
    let shown = net.read(&["node", "status"]);
    assert!(shown.contains("1.1234 SOL") && !shown.contains("1.12345"), "{shown}");
    net.refuses(&[(&["node", "withdraw", "2"], 1, &["1.123456789 SOL of the stake is free"])]);

    let ended = sent(node, "-INT");
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    assert!(ended.stderr.contains("stopped; the stake stays") && ended.stderr.contains(&config), "{}", ended.stderr);
    assert!(!ended.stderr.contains("error:"), "{}", ended.stderr);
    net.run(&["node", "close"]).ok();
}

/// The folder of the repository is where the README's lines are copied to: what they leave there is no change of it.
#[test]
fn what_the_readmes_lines_write_is_ignored_by_git() {
    let repository = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let files = [
        "digits.pvna",
        "digits.card.md",
        "digits.card.json",
        "smollm2.pvna",
        "node.toml",
        "provena-node/journal.redb",
        "receipt.json",
        "ada.json",
        "holders.txt",
        "numbers.csv",
        "chain.state",
    ];
    for file in files {
        let mut git = Command::new("git");
        let output = git.args(["check-ignore", "--no-index", file]).current_dir(repository).output().unwrap();
        assert_eq!(ended(output).code, Some(0), "{file} would be committed");
    }
}
