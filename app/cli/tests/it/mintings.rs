//! Mintings that take several transactions, and mintings that were cut off.

use std::time::{Duration, Instant};

use crate::localnet::{Localnet, nobody};

#[test]
fn n12_sixty_four_holders_share_a_dataset() {
    let net = Localnet::start(3);
    let lines: Vec<String> = (0..64).map(|_| format!("{}=1.5625%", nobody())).collect();
    let file = net.file("holders.txt", &format!("# sixty-four people\n{}\n", lines.join("\n")));
    let asset = net.dataset("shared.csv", &["--holders-file", &file]);
    let shown = net.run(&["royalty", "show", &asset]).ok().json();
    let holders = shown["mints"][0]["holders"].as_array().unwrap();
    assert_eq!(holders.len(), 64);
    assert!(holders.iter().all(|holder| holder["shares"] == 15_625_000), "{shown}");
    assert_eq!(shown["total_shares"], 1_000_000_000);
    net.read(&["royalty", "show", &asset]);
    // The minting wallet kept nothing.
    net.refuses(&[(&["royalty", "claim", &asset], 1, &["holds no shares of this pool"])]);
}

/// Begins to mint `file` and is killed when the royalty pool exists.
fn cut_off(net: &Localnet, file: &str, options: &[&str]) -> String {
    let mut minting = net.command(&[&["dataset", "mint", file][..], options].concat()).spawn().unwrap();
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < Duration::from_secs(30), "the minting does not get as far as its pool");
        let pending = net.run(&["asset", "pending"]).ok().json();
        if pending[0]["stage"] == "pool" {
            minting.kill().unwrap();
            minting.wait().unwrap();
            return pending[0]["asset"].as_str().unwrap().to_owned();
        }
        assert!(minting.try_wait().unwrap().is_none(), "the minting came to its end before it was cut off");
    }
}

#[test]
fn n12_a_minting_that_was_cut_off_goes_on_or_is_taken_back() {
    let net = Localnet::start(3);
    let file = net.file("numbers.csv", "4,5,6\n");
    let share = format!("{}=25%", nobody());
    let options = ["--holder", share.as_str(), "--derivative-share", "10%"];
    let asset = cut_off(&net, &file, &options);
    net.refuses(&[(&["dataset", "mint", &file], 1, &["was interrupted, with other shares", "asset abandon"])]);
    let pending = net.read(&["asset", "pending"]);
    assert!(pending.contains("the royalty pool exists") && pending.contains(&asset), "{pending}");
    let root = net.run(&["asset", "pending"]).ok().json()[0]["content_root"].as_str().unwrap().to_owned();
    assert!(pending.contains(&format!("asset abandon \\\n      {root}")), "the command can be copied: {pending}");
    assert!(pending.contains("numbers.csv") && pending.contains("=25%") && pending.contains("=75%"), "{pending}");
    let minted = net.run(&[&["dataset", "mint", &file][..], &options].concat()).ok().json();
    assert_eq!((&minted["asset"], &minted["title"]), (&asset.into(), &"numbers.csv".into()));
    assert_eq!(std::fs::read_dir(net.person.path(".config/provena/pending")).unwrap().count(), 0);

    // Another one, taken back: all its rent returns.
    let before = net.balance();
    let file = net.file("letters.csv", "a,b,c\n");
    cut_off(&net, &file, &options);
    assert!(net.balance() < before - 10_000_000, "the pool's accounts are rent");
    let pending = net.run(&["asset", "pending"]).ok().json();
    let root = pending[0]["content_root"].as_str().unwrap();
    // Another wallet whose key lies in the same folder cannot, and loses nothing of it.
    let beside = net.person.path(".config/provena/other.json").display().to_string();
    net.run(&["keygen", "--out", &beside]).ok();
    net.refuses(&[
        (&["asset", "abandon", root, "--keypair", &beside], 1, &["was begun by", &net.address(), "--keypair"]),
        (&["dataset", "mint", &file, "--keypair", &beside], 1, &["was begun by", &net.address()]),
    ]);
    let done = net.run(&["asset", "abandon", root]).ok().json();
    assert_eq!(done["registered"], false);
    let spent = before - net.balance();
    assert!(spent <= 50_000, "only fees are lost, not {spent}");
    net.refuses(&[
        (&["asset", "abandon", root], 1, &["no minting of this content was interrupted"]),
        (&["asset", "abandon", "xyz"], 2, &["64 hexadecimal digits"]),
    ]);
    net.run(&["dataset", "mint", &file]).ok();
}
