//! Start, stop, and everything that is refused before a start.

use std::{net::TcpListener, time::Duration};

use solana_signer::Signer;
use solana_system_interface::instruction::transfer;

use crate::support::{Localnet, command, funded, refused, send};

#[test]
fn ready_line_is_all_of_stdout_and_sigterm_ends_with_zero() {
    let chain = Localnet::start(&[]);
    assert!(chain.client().get_health().is_ok());
    let address = chain.rpc_url.strip_prefix("http://").expect("an http address").to_owned();
    let (status, rest) = chain.signal("TERM");
    assert_eq!(status.code(), Some(0));
    assert_eq!(rest, "", "nothing follows the ready line");
    TcpListener::bind(&address).expect("the port is free again");
}

#[test]
fn ctrl_c_ends_with_zero() {
    let (status, _) = Localnet::start(&[]).signal("INT");
    assert_eq!(status.code(), Some(0));
}

#[test]
fn it_ends_with_whoever_holds_its_input_if_that_was_asked_for() {
    let chain = Localnet::start_held(&["--verbose"]);
    let address = chain.rpc_url.strip_prefix("http://").expect("an http address").to_owned();
    // An open input ends nothing, and neither do lines that nobody reads.
    let client = chain.client();
    let payer = funded(&client);
    send(&client, &payer, &[], &[transfer(&payer.pubkey(), &payer.pubkey(), 1)]);
    assert_eq!(chain.let_go().code(), Some(0));
    TcpListener::bind(&address).expect("the port is free again");
    // Without the option an input that is closed from the start means nothing: services have none.
    let chain = Localnet::start(&[]);
    std::thread::sleep(Duration::from_millis(500));
    assert!(chain.client().get_health().is_ok());
}

#[test]
fn refuses_a_taken_port_by_number_and_flag() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let message = refused(&["--rpc-port", &port, "--ws-port", "0"]);
    assert!(message.contains(&port) && message.contains("--rpc-port"), "{message}");
    let message = refused(&["--rpc-port", "0", "--ws-port", &port]);
    assert!(message.contains(&port) && message.contains("--ws-port"), "{message}");
}

#[test]
fn refuses_one_port_for_both() {
    let message = refused(&["--rpc-port", "40123", "--ws-port", "40123"]);
    assert!(message.contains("give each its own"), "{message}");
}

#[test]
fn refuses_a_host_that_is_not_ours() {
    let message = refused(&["--host", "192.0.2.1", "--rpc-port", "0", "--ws-port", "0"]);
    assert!(message.contains("192.0.2.1") && message.contains("--host"), "{message}");
}

#[test]
fn opens_no_port_but_its_two() {
    let chain = Localnet::start(&[]);
    let listening = listening_ports_of(&chain);
    let mut expected: Vec<u16> = [&chain.rpc_url, &chain.ws_url]
        .iter()
        .map(|url| url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port"))
        .collect();
    expected.sort_unstable();
    assert_eq!(listening, expected);
}

#[test]
fn help_names_every_flag() {
    let output = command().arg("--help").output().expect("the binary runs");
    let help = String::from_utf8(output.stdout).expect("help is UTF-8");
    for flag in [
        "--host",
        "--rpc-port",
        "--ws-port",
        "--program",
        "--upgrade-authority",
        "--state",
        "--slot-ms",
        "--until-stdin-closes",
    ] {
        assert!(help.contains(flag), "{flag} is not in the help");
    }
}

/// The TCP ports that the process listens on, from the kernel's own tables.
fn listening_ports_of(chain: &Localnet) -> Vec<u16> {
    let sockets: Vec<String> = std::fs::read_dir(format!("/proc/{}/fd", chain.pid()))
        .expect("the process's files")
        .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .filter_map(|target| Some(target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let mut ports = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let table = std::fs::read_to_string(table).unwrap_or_default();
        for line in table.lines().skip(1) {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let (local, state, inode) = (columns[1], columns[3], columns[9]);
            if state == "0A" && sockets.iter().any(|socket| socket == inode) {
                let port = local.rsplit(':').next().expect("a port");
                ports.push(u16::from_str_radix(port, 16).expect("hexadecimal"));
            }
        }
    }
    ports.sort_unstable();
    ports.dedup();
    ports
}
