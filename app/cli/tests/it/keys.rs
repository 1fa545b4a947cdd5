//! Key files.

use std::fs;

use crate::provena::Person;

#[test]
fn keygen_writes_a_private_key_file_once() {
    let person = Person::new();
    let made = person.run(&["keygen", "--json"]).ok().json();
    let file = person.path(".config/provena/id.json");
    assert_eq!(made["file"], file.display().to_string());
    let first = fs::read(&file).unwrap();
    let bytes: Vec<u8> = serde_json::from_slice(&first).unwrap();
    assert_eq!(bytes.len(), 64);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    // On the next day the same line shows the wallet, and what follows it goes on.
    let again = person.run(&["keygen", "--json"]).ok().json();
    assert_eq!((&made["created"], &again["created"]), (&true.into(), &false.into()));
    assert_eq!(again["address"], made["address"]);
    assert!(person.run(&["keygen"]).ok().stderr.contains("is there already, and stays"));
    assert_eq!(fs::read(&file).unwrap(), first);
    // What is no key is nobody's wallet, and stays, too.
    let other = person.path("other.json");
    fs::write(&other, "[1,2,3]").unwrap();
    let keygen = ["keygen", "--out", other.to_str().unwrap()];
    person.run(&keygen).fails(1, &["exists already and is not overwritten", "--force"]);
    assert_eq!(fs::read(&other).unwrap(), b"[1,2,3]");

    let replaced = person.run(&["keygen", "--force", "--json"]).ok().json();
    assert_ne!(replaced["address"], made["address"]);
    assert_ne!(fs::read(&file).unwrap(), first);
    assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn a_missing_or_broken_key_file_says_what_to_do() {
    let person = Person::new();
    person.run(&["airdrop", "1"]).fails(1, &["there is no key file at", "provena keygen --out"]);
    let broken = person.path("broken.json");
    fs::write(&broken, "[1,2,3]").unwrap();
    let ended = person.run(&["airdrop", "1", "--keypair", broken.to_str().unwrap()]);
    ended.fails(1, &["is not a key file", "64 numbers"]);
    assert!(!ended.stderr.contains("1,2,3"), "an error never repeats what a key file holds");
}

#[test]
fn errors_are_json_when_asked_for() {
    let person = Person::new();
    let ended = person.run(&["airdrop", "1", "--json"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    let error: serde_json::Value = serde_json::from_str(&ended.stderr).unwrap();
    assert!(error["error"].as_str().unwrap().contains("there is no key file"));
    assert!(error["hint"].as_str().unwrap().starts_with("provena keygen"));
}

#[cfg(unix)]
#[test]
fn n20_a_key_that_others_can_write_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let person = Person::new();
    person.run(&["keygen"]).ok();
    let file = person.path(".config/provena/id.json");
    let mode = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    let airdrop = ["airdrop", "1", "--url", "http://127.0.0.1:9"];
    mode(0o666);
    person.run(&airdrop).fails(1, &["others can write the key file", "666", "chmod 600"]);
    mode(0o644);
    person.run(&airdrop).fails(3, &["warning: others can read the key file", "644", "chmod 600"]);
    mode(0o600);
    assert!(!person.run(&airdrop).stderr.contains("others can"));
}

#[test]
fn n20_a_broken_log_filter_is_quoted() {
    let person = Person::new();
    let output = person.command().args(["keygen"]).env("RUST_LOG", "provena_node=lots").output().unwrap();
    let ended = crate::provena::ended(output);
    ended.fails(2, &["RUST_LOG is \"provena_node=lots\", which is no log filter", "warn,provena_node=debug"]);
    assert!(!person.path(".config/provena/id.json").exists());
    // In the node's file, too.
    person.run(&["keygen"]).ok();
    let config = person.run(&["node", "sample-config"]).ok().stdout.replace("#filter = \"info\"", "filter = \"x=y=z\"");
    let file = person.path("node.toml");
    fs::write(&file, config).unwrap();
    let ended = person.run(&["node", "run", "--config", file.to_str().unwrap()]);
    ended.fails(2, &["[log] filter is \"x=y=z\", which is no log filter"]);
}
