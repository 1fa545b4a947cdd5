//! What stops people in their first hour, and what they are told.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::localnet::{Localnet, nobody};

#[test]
fn setting_up_again_changes_nothing_costs_nothing_and_says_so() {
    let net = Localnet::start(5);
    let stranger = net.wallet("stranger.json", "1").0;
    let again = ["deploy", "--init-only", "--protocol-fee", "3%", "--min-stake", "2"];
    let read = net.read(&again).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(read.contains("unchanged: the protocol's fee is 1%, not 3%"), "{read}");
    assert!(read.contains("the least stake is 1 SOL, not 2 SOL"), "{read}");
    let of_stranger = |option: &[&str]| net.run(&[&["--keypair", stranger.as_str()], option].concat()).ok().json();
    let before = of_stranger(&["balance"])["amount"].clone();
    let done = of_stranger(&["deploy", "--init-only"]);
    let sent = |one: &Value| one["signature"].is_string();
    assert!(!done["initialised"].as_array().unwrap().iter().any(sent), "{done}");
    assert_eq!(of_stranger(&["balance"])["amount"], before, "a stranger pays for no lookup table that nobody uses");
}

#[test]
fn an_empty_wallet_is_told_how_it_gets_its_money() {
    let net = Localnet::start(5);
    let (poor, poor_address) = net.wallet("poor.json", "0");
    let asset = net.dataset("numbers.csv", &["--holder", &format!("{poor_address}=40%")]);
    let pool = net.run(&["asset", "show", &asset]).ok().json()["pool"].as_str().unwrap().to_owned();
    net.run(&["airdrop", "0.001", "--to", &pool]).ok();
    net.run(&["royalty", "collect", &asset]).ok();
    let as_poor = ["royalty", "claim", "@numbers-csv", "--keypair", &poor];
    net.run(&as_poor).fails(1, &["is empty", "claim @numbers-csv --for", &poor_address, "OTHER_WALLET"]);
    // Too little for a wallet that does not exist yet.
    let claim = ["royalty", "claim", "@numbers-csv", "--for", "@poor"];
    net.run(&claim).fails(1, &["less than an empty wallet has to hold", "wait until more has come in"]);
    net.run(&["airdrop", "0.01", "--to", &pool]).ok();
    net.run(&["royalty", "collect", &asset]).ok();
    net.run(&claim).ok();
    assert_eq!(net.balance_of(&poor_address), 4_400_000);
    net.refuses(&[(&["airdrop", "0.0005", "--to", &nobody()], 2, &["at least 0.00089088 SOL", "airdrop 1"])]);
}

#[test]
fn a_key_that_consents_to_nothing_is_a_mistake() {
    let net = Localnet::start(5);
    let other = net.wallet("other.json", "0").0;
    let asset = net.dataset("numbers.csv", &["--derivative-share", "10%"]);
    let child = net.file("child.csv", "child\n");
    let parent = format!("{asset}=10%");
    let mint = ["dataset", "mint", &child, "--parent", &parent, "--consent", &other];
    net.refuses(&[(&mint, 2, &["other.json", "owns none of the parents"])]);
    let model = ["offer", "create", &asset, "--price", "1", "--max-input", "1", "--max-output", "0"];
    net.refuses(&[(&model, 1, &["is a dataset", "a dataset built on", "--title NAME --parent"])]);
}

#[cfg(unix)]
#[test]
fn a_minting_that_is_stopped_says_how_to_go_on() {
    let net = Localnet::start(5);
    let file = net.file("numbers.csv", "4,5,6\n");
    let mut minting = net.command(&["dataset", "mint", &file]);
    let minting = minting.stderr(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while net.run(&["asset", "pending"]).ok().json()[0]["stage"] != "pool" {
        assert!(begun.elapsed() < Duration::from_secs(30), "the minting does not get as far as its pool");
    }
    std::process::Command::new("kill").args(["-INT", &minting.id().to_string()]).status().unwrap();
    let ended = crate::provena::ended(minting.wait_with_output().unwrap());
    ended.fails(130, &["nothing is lost", "the same command goes on from here", "asset pending"]);
    net.run(&["dataset", "mint", &file]).ok();
}
