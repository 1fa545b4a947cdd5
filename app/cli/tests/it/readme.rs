//! The README's first way, line by line as a newcomer copies it, from an empty home folder to a paid and checked answer.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use provena_engine::places;

use crate::localnet::Localnet;

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The lines of the first block of commands under "Use it", without their remarks.
fn lines() -> Vec<String> {
    let text = fs::read_to_string(Path::new(REPOSITORY).join("README.md")).unwrap();
    let (_, section) = text.split_once("## Use it\n").expect("the README has a section on use");
    let block =
        section.lines().skip_while(|line| !line.starts_with("    ")).take_while(|line| line.starts_with("    "));
    block.map(|line| line.split(" #").next().unwrap().trim().to_owned()).collect()
}

/// A process that runs until the end of the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

#[cfg(unix)]
#[test]
fn a_newcomer_copies_the_readmes_lines_and_none_fails() {
    let lines = lines();
    let address = |word: &str| (32..=44).contains(&word.len()) && word.parse::<solana_pubkey::Pubkey>().is_ok();
    assert!(!lines.iter().flat_map(|line| line.split_whitespace()).any(address), "an address is typed");

    let mut net = Localnet::without_wallet();
    let home = net.person.path("");
    // The repository's folders that the lines name, and the data that was fetched.
    std::os::unix::fs::symlink(Path::new(REPOSITORY).join("oracle"), home.join("oracle")).unwrap();
    let assets = places::assets().expect("the data is fetched: cargo xtask fetch");
    fs::create_dir_all(home.join(".cache/provena")).unwrap();
    std::os::unix::fs::symlink(assets, home.join(".cache/provena/assets")).unwrap();
    // Other tests run beside this one: the chain and the node answer at ports of their own.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listen = format!("127.0.0.1:{port}");

    let copied = copy(&net, &home, &listen, &lines);
    assert!(copied >= 11, "{lines:?}");

    // On the next day the chain is empty, and what else there is stays: the section says what to leave out.
    net.begin_again();
    let left_out = ["model import", "sample-config"];
    let next = lines.iter().filter(|line| !left_out.iter().any(|words| line.contains(words)));
    let next: Vec<String> = next.map(|line| line.replace("receipt.json", "receipt-2.json")).collect();
    assert_eq!(next.len(), lines.len() - left_out.len());
    assert_eq!(copy(&net, &home, &listen, &next), copied - left_out.len());
}

/// Copies the lines into shells, with a node of its own that runs until the end; says how many ended well.
fn copy(net: &Localnet, home: &Path, listen: &str, lines: &[String]) -> usize {
    let shell = |line: &str| {
        let mut shell = Command::new("sh");
        let provena = net.person.command();
        shell.args(["-c", line]).current_dir(home);
        for (name, value) in provena.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        let program = Path::new(env!("CARGO_BIN_EXE_provena")).parent().unwrap();
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
        shell.env("PATH", path).env("PROVENA_URL", net.url()).env("PROVENA_WS", net.ws());
        shell.env("PROVENA_NODE__HTTP__LISTEN", listen).env("PROVENA_NODE__ENGINE__ADAPTER", "cpu");
        // The lines say --local themselves.
        shell.env_remove("PROVENA_LOCAL");
        shell
    };
    let mut node = None;
    let mut copied = 0;
    for line in lines {
        let line = line.replace("127.0.0.1:8700", listen);
        match line.as_str() {
            "provena localnet" | "cargo xtask fetch" => {}
            line if line.starts_with("export PATH=") => {}
            line if line.starts_with("provena node run") => {
                // The shell becomes the node, so that what is stopped in the end is the node.
                node = Some(Running(shell(&format!("exec {line}")).stderr(Stdio::null()).spawn().unwrap()));
                let begun = Instant::now();
                while TcpStream::connect(listen).is_err() {
                    assert!(begun.elapsed() < Duration::from_secs(120), "the node answers no HTTP");
                    std::thread::sleep(Duration::from_millis(200));
                }
            }
            line => {
                let ended = crate::provena::ended(shell(line).output().unwrap());
                assert_eq!(ended.code, Some(0), "{line}\nstdout: {}\nstderr: {}", ended.stdout, ended.stderr);
                copied += 1;
            }
        }
    }
    assert!(node.is_some(), "{lines:?}");
    let claimed = net.person.run(&["royalty", "show", "@digits", "--url", net.url(), "--json"]).ok().json();
    assert!(claimed["mints"][0]["paid"].as_u64().unwrap() > 0, "{claimed}");
    copied
}
