//! Commands against a private chain, as a person would use them one after the other.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
};

use serde_json::Value;

use crate::provena::Person;

/// `provena localnet`, stopped at the end of the test.
struct Localnet {
    child: Child,
    url: String,
}

impl Localnet {
    fn start(person: &Person) -> Self {
        let mut child = person
            .command()
            .args(["localnet", "--rpc-port", "0", "--ws-port", "0", "--json"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("provena runs");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).expect("the ready line is JSON");
        Self { child, url: ready["url"].as_str().unwrap().to_owned() }
    }
}

impl Drop for Localnet {
    fn drop(&mut self) {
        // SIGTERM, so that the chain behind it stops, too.
        let _ = std::process::Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

#[test]
fn a_dataset_is_minted_shown_and_its_royalties_listed() {
    let person = Person::new();
    let localnet = Localnet::start(&person);
    let run = |arguments: &[&str]| {
        let all = [arguments, &["--url", &localnet.url, "--json"]].concat();
        person.run(&all)
    };
    let wallet = run(&["keygen"]).ok().json()["address"].as_str().unwrap().to_owned();
    let holder = run(&["keygen", "--out", person.path("holder.json").to_str().unwrap()]).ok().json();
    let holder = holder["address"].as_str().unwrap().to_owned();
    assert_eq!(run(&["airdrop", "5"]).ok().json()["balance"], 5_000_000_000u64);

    // Nothing is set up yet: each command says what is missing.
    let data = person.path("data.csv");
    std::fs::write(&data, "1,2,3\n").unwrap();
    let mint = ["dataset", "mint", data.to_str().unwrap(), "--title", "Numbers"];
    let share = format!("{holder}=25%");
    run(&["node", "register", "--stake", "1", "--endpoint", "http://127.0.0.1:1"]).fails(1, &["not set up"]);
    let first = run(&["deploy", "--init-only"]).ok().json();
    assert!(first["initialised"].as_array().unwrap().iter().all(|one| one["signature"].is_string()));
    let again = run(&["deploy", "--init-only"]).ok().json();
    assert!(again["initialised"].as_array().unwrap().iter().all(|one| one["signature"].is_null()));

    let minted = run(&[&mint[..], &["--holder", &share, "--derivative-share", "10%"]].concat()).ok().json();
    let asset = minted["asset"].as_str().unwrap();
    assert_eq!(minted["owner"], wallet.as_str());
    let shown = run(&["model", "show", asset]).ok().json();
    assert_eq!((&shown["title"], &shown["kind"]), (&"Numbers".into(), &"dataset".into()));
    assert_eq!((&shown["version"], &shown["derivative_basis_points"]), (&1.into(), &1000.into()));
    assert_eq!(shown["content_root"], minted["content_root"]);

    let royalties = run(&["royalty", "show", asset]).ok().json();
    let holders = royalties["mints"][0]["holders"].as_array().unwrap();
    let basis_points: Vec<u64> = holders.iter().map(|holder| holder["basis_points"].as_u64().unwrap()).collect();
    assert_eq!(basis_points, [7_500, 2_500]);
    assert_eq!(holders[1]["address"], holder.as_str());
    assert_eq!(run(&["royalty", "claim", asset]).ok().json()["claimed"], Value::Array(Vec::new()));

    // What is refused, and by whom.
    run(&["offer", "create", asset, "--price", "1"]).fails(1, &["not"]);
    run(&["royalty", "show", &holder]).fails(1, &["has no royalty pool"]);
    run(&["model", "show", &holder]).fails(1, &["is no asset on this chain"]);
    let stranger = person.path("stranger.json");
    run(&["keygen", "--out", stranger.to_str().unwrap()]).ok();
    run(&["royalty", "claim", asset, "--keypair", stranger.to_str().unwrap()]).fails(1, &["holds no shares"]);
    let parent = format!("{asset}=5%");
    let child = run(&["dataset", "mint", data.to_str().unwrap(), "--title", "Child", "--parent", &parent]);
    child.fails(1, &["asks for 10% of what is built on it, not 5%", "=10%"]);

    // The same content again is another asset: nothing of the first minting is left pending.
    let second = run(&mint).ok().json();
    assert_ne!(second["asset"], minted["asset"]);
    assert_eq!(second["content_root"], minted["content_root"]);

    a_minting_that_was_cut_off_goes_on(&person, &run, &holder);
}

/// A minting that fails half-way keeps the NFT's key, and goes on with it as long as the terms are the same.
fn a_minting_that_was_cut_off_goes_on(person: &Person, run: &dyn Fn(&[&str]) -> crate::provena::Ended, holder: &str) {
    let data = person.path("other.csv");
    std::fs::write(&data, "4,5,6\n").unwrap();
    let share = format!("{holder}=25%");
    let mint = ["dataset", "mint", data.to_str().unwrap(), "--holder", &share];
    // The pool exists when this is refused: a mint that nobody allowed.
    run(&[&mint[..], &["--pay-in", holder]].concat()).fails(1, &["is not on the allow list"]);
    let pending: Vec<_> = std::fs::read_dir(person.path(".config/provena/pending")).unwrap().flatten().collect();
    assert_eq!(pending.len(), 1);
    let key: Vec<u8> = serde_json::from_slice(&std::fs::read(pending[0].path()).unwrap()).unwrap();
    let key = solana_pubkey::Pubkey::try_from(&key[32..]).unwrap().to_string();

    run(&["dataset", "mint", data.to_str().unwrap()]).fails(1, &["was interrupted, with other shares", "pending"]);
    let minted = run(&mint).ok().json();
    assert_eq!(minted["asset"], key);
    assert_eq!(minted["title"], "other.csv");
    assert_eq!(std::fs::read_dir(person.path(".config/provena/pending")).unwrap().count(), 0);
}
