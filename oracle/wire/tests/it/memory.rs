//! What decoding costs, measured in processes of their own: what others allocate meanwhile would count, too.

use std::process::Command;

use provena_wire::{MAX_ITEMS, MAX_REQUEST_LEN, Request, Response};

/// Set for the other process: which bytes it decodes.
const CHILD: &str = "PROVENA_TEST_DECODE";

/// A list of as many empty items as the longest request can name, after the number of its kind.
fn empty_items(kind: &[u8]) -> Vec<u8> {
    let items = (MAX_REQUEST_LEN - kind.len() - 4) / 4;
    let mut bytes = kind.to_vec();
    bytes.extend_from_slice(&u32::try_from(items).unwrap().to_le_bytes());
    bytes.resize(MAX_REQUEST_LEN, 0);
    bytes
}

/// The most memory that this process ever had, in KiB.
fn most() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// The other process. It is no test: without the setting of those that start it, it does nothing.
#[test]
fn a_process_of_its_own() {
    let Ok(what) = std::env::var(CHILD) else { return };
    // Chat messages come after the tags of a request to generate and of a conversation, stop texts after a prompt and how
    // tokens are chosen.
    let stops = [&[2, 0][..], &[0; 4], &[0; 4], &[0; 20]].concat();
    let bytes = match what.as_str() {
        "pictures" => empty_items(&[0]),
        "texts" => empty_items(&[1]),
        "messages" => empty_items(&[2, 1]),
        "stops" => empty_items(&stops),
        "vectors" => empty_items(&[1]),
        _ => Request::Classify { images: vec![vec![1; 60]; MAX_ITEMS - 1] }.to_bytes(),
    };
    let before = most();
    let refused = match what.as_str() {
        "vectors" => Response::from_bytes(&bytes).map(drop),
        _ => Request::from_bytes(&bytes).map(|request| assert_eq!(request.to_bytes(), bytes)),
    };
    let refused = refused.err().map(|error| error.to_string()).unwrap_or_default();
    println!("\ngrew={}\nrefused={refused}", most() - before);
}

/// Decodes in another process; KiB that this took, and why it was refused.
fn decode(what: &str) -> (u64, String) {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "memory::a_process_of_its_own", "--nocapture"])
        .env(CHILD, what)
        .output()
        .unwrap();
    let said = String::from_utf8(child.stdout).unwrap();
    let line = |name: &str| said.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{said}"));
    (line("grew=").parse().unwrap(), line("refused=").to_owned())
}

/// 16 MiB of empty strings took more than 100 MB before anything looked at them.
#[test]
fn a_request_of_nothing_but_empty_items_costs_no_memory() {
    for what in ["pictures", "texts", "messages", "stops", "vectors"] {
        let (grew, refused) = decode(what);
        eprintln!("{what}: {grew} KiB, {refused}");
        assert!(refused.contains("items are more than 262144"), "{what}: {refused}");
        assert!(grew < 4 << 10, "{what} took {grew} KiB");
    }
}

/// The longest honest one takes about as much again as its bytes, beside the bytes that it is compared with here.
#[test]
fn the_longest_request_is_decoded_in_proportion() {
    let (grew, refused) = decode("full");
    eprintln!("{grew} KiB");
    assert_eq!(refused, "");
    assert!(grew < 64 << 10, "it took {grew} KiB");
}
