//! What can be told without a chain.

use std::{fs, net::TcpListener};

use ed25519_dalek::SigningKey;
use provena_arith::receipt::{ENGINE_CLASS_INT_V1, KIND_JOB, RECEIPT_VERSION, Receipt};
use provena_wire::receipt;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::provena::Person;

#[test]
fn amounts_that_are_none_are_refused_before_anything_happens() {
    let person = Person::new();
    for (amount, words) in [
        ("-1", "is not an amount"),
        ("1e9", "is not an amount"),
        ("1,5", "is not an amount"),
        ("NaN", "is not an amount"),
        ("0.0000000001", "10 decimals, but this currency has only 9"),
        ("99999999999", "more than can exist"),
    ] {
        person.run(&["airdrop", amount]).fails(2, &[words]);
    }
    person.run(&["airdrop", "0"]).fails(2, &["nothing was asked for"]);
    let asset = Keypair::new().pubkey().to_string();
    let offer = ["offer", "create", &asset, "--price", "1"];
    person.run(&[&offer[..], &["--royalty", "120%"]].concat()).fails(2, &["more than 100%"]);
    person.run(&[&offer[..], &["--royalty", "60"]].concat()).fails(2, &["write 2.5% or 250bps"]);
    person.run(&[&offer[..], &["--input-price", "1"]].concat()).fails(2, &["cannot be used with"]);
    person.run(&["dataset", "mint", "x", "--holder", "me=5%"]).fails(2, &["not an address"]);
    person.run(&["asset", "floor", &asset, "--per-unit", "5"]).fails(2, &["write SOL=0.00001"]);
    person.run(&["royalty", "transfer", &asset, "--to", &asset, "--share", "5"]).fails(2, &["write 2.5%"]);
}

#[test]
fn a_chain_that_does_not_answer_is_named_with_the_way_out() {
    let person = Person::new();
    person.run(&["keygen"]).ok();
    // Bound and never listened to by anybody who answers: the port is closed again at once.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let ended = person.run(&["balance", "--url", &url]);
    ended.fails(3, &[&url, "does not answer", "provena localnet"]);
    person.run(&["balance", "--url", "localhost:8899"]).fails(2, &["is not an RPC URL"]);
}

#[test]
fn a_taken_port_is_named_with_the_way_out() {
    let person = Person::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ended = person.run(&["localnet", "--rpc-port", &port, "--ws-port", "0"]);
    ended.fails(1, &["did not start", &port, "--rpc-port"]);
}

#[test]
fn a_chain_that_is_not_built_says_how_to_build_it() {
    let person = Person::new();
    let output = person.command().arg("localnet").env("PROVENA_LOCALNET", person.path("nowhere")).output().unwrap();
    crate::provena::ended(output).fails(1, &["does not exist", "cargo xtask build"]);
}

fn signed() -> receipt::SignedReceipt {
    let key = SigningKey::from_bytes(Keypair::new().secret_bytes());
    let root = |n: u8| [n; 32];
    let receipt = Receipt {
        version: RECEIPT_VERSION,
        kind: KIND_JOB,
        cluster: root(1),
        program: provena_market::ID.to_bytes(),
        place: root(3),
        number: 0,
        node: key.verifying_key().to_bytes(),
        payer: root(4),
        asset: root(5),
        asset_version: 2,
        content_root: root(6),
        recipe_root: root(7),
        input_root: root(8),
        result_root: root(9),
        terms_hash: root(10),
        mint: root(0),
        amount: 4_000_000,
        engine_class: ENGINE_CLASS_INT_V1,
        units_in: 4,
        units_out: 9,
        slot: 77,
    };
    receipt::sign(&receipt, &key).unwrap()
}

#[test]
fn a_genuine_receipt_verifies_offline() {
    let person = Person::new();
    let file = person.path("receipt.json");
    fs::write(&file, serde_json::to_string(&signed()).unwrap()).unwrap();
    let verified = person.run(&["verify", file.to_str().unwrap(), "--offline", "--json"]).ok().json();
    assert_eq!((&verified["valid"], &verified["version"]), (&true.into(), &2.into()));
    assert_eq!((&verified["units_in"], &verified["units_out"]), (&4.into(), &9.into()));
    assert_eq!((&verified["amount"], &verified["mint"]), (&4_000_000.into(), &"SOL".into()));
    let read = person.run(&["verify", file.to_str().unwrap(), "--offline"]).ok();
    read.fits();
    assert!(read.stdout.contains("0.004 SOL") && read.stdout.contains("4 in, 9 out"), "{}", read.stdout);
    assert_eq!(verified["signature"], "valid");
    assert_eq!(verified["chain"], serde_json::Value::Null);
}

#[test]
fn a_receipt_altered_in_any_field_fails_with_code_1() {
    let person = Person::new();
    let file = person.path("receipt.json");
    let genuine = serde_json::to_value(signed()).unwrap();
    let other = Keypair::new().pubkey().to_string();
    let fields = genuine.as_object().unwrap().keys().filter(|field| *field != "version");
    for field in fields {
        let mut altered = genuine.clone();
        altered[field] = match &genuine[field] {
            serde_json::Value::Number(number) => (number.as_u64().unwrap() + 1).into(),
            serde_json::Value::String(text) if text.len() == 64 => text.replacen(['0'], "1", 1).into(),
            serde_json::Value::String(_) if field == "signature" => signed().signature.into(),
            _ => other.clone().into(),
        };
        assert_ne!(altered[field], genuine[field], "{field}");
        fs::write(&file, altered.to_string()).unwrap();
        let ended = person.run(&["verify", file.to_str().unwrap(), "--offline"]);
        ended.fails(1, &["the receipt does not hold", "altered or forged"]);
    }
}

#[test]
fn what_is_no_receipt_is_refused() {
    let person = Person::new();
    person.run(&["verify", "nowhere.json", "--offline"]).fails(1, &["nowhere.json", "cannot be read"]);
    let file = person.path("receipt.json");
    for (text, words) in [("{}", "missing field"), ("no json", "not a receipt"), ("", "not a receipt")] {
        fs::write(&file, text).unwrap();
        person.run(&["verify", file.to_str().unwrap(), "--offline"]).fails(1, &[words]);
    }
    let mut newer = signed();
    newer.version = 9;
    fs::write(&file, serde_json::to_string(&newer).unwrap()).unwrap();
    person.run(&["verify", file.to_str().unwrap(), "--offline"]).fails(1, &["layout version 9"]);
}

#[test]
fn a_model_that_is_none_is_not_minted() {
    let person = Person::new();
    person.run(&["keygen"]).ok();
    let file = person.path("model.pvna");
    fs::write(&file, b"PVNA and then nothing").unwrap();
    let ended = person.run(&["model", "mint", file.to_str().unwrap()]);
    ended.fails(1, &["model.pvna cannot be minted", "no valid artifact"]);
    person.run(&["model", "show", "neither"]).fails(2, &["neither a file nor an asset's address"]);
}

#[test]
fn a_command_line_that_makes_no_sense_is_refused_in_json_when_asked_for() {
    let person = Person::new();
    let ended = person.run(&["airdrop", "1e9", "--json"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
    let error: serde_json::Value = serde_json::from_str(&ended.stderr).unwrap();
    assert!(error["error"].as_str().unwrap().contains("is not an amount"), "{error}");
}
